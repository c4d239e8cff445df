import * as z from 'zod';
import type { EventPatterns } from '../eventbridge/pattern.ts';
import { ServiceError } from '../protocol/json.ts';
import { element, entriesOf, mapOf, mapXml, members, need, type QueryOperation } from '../protocol/query.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { transaction } from '../protocol/transaction.ts';
import { invalidParameter, type Published, publishedOf } from './message.ts';
import { signer } from './signature.ts';

export interface TopicOptions {
  /** Posts a notification to an `https` subscriber; without it such subscriptions are refused. */
  readonly post?: (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<void>;
  /** Where the certificate is, and where the link that confirms a subscription points. */
  readonly endpoint?: string;
}

export interface Topics {
  readonly operations: Readonly<Record<string, QueryOperation>> & { readonly Publish: QueryOperation };
  /** The certificate that notifications are signed with, where `path` is its address. */
  certificate(path: string): string | undefined;
}

const TOPIC_ATTRIBUTES = new Set([
  'SignatureVersion',
  'DisplayName',
  'Policy',
  'KmsMasterKeyId',
  'TracingConfig',
]);

interface Subscription {
  readonly arn: string;
  readonly topic: string;
  readonly protocol: string;
  readonly endpoint: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The token that confirms it, while it is not confirmed. */
  readonly token: string | null;
}

const Attributes = z.record(z.string(), z.string());
const MOST_ATTEMPTS = 20;
const LONGEST_PAUSE_MS = 20 * 60_000;

type Verb =
  | 'topic'
  | 'topics'
  | 'addTopic'
  | 'removeTopic'
  | 'topicAttributes'
  | 'setTopicAttribute'
  | 'removeTopicAttributes'
  | 'subscription'
  | 'subscriptions'
  | 'byToken'
  | 'put'
  | 'remove'
  | 'queue'
  | 'queued'
  | 'attempt'
  | 'done';

const statementsOf = (db: ServiceContext['db']): Readonly<Record<Verb, ReturnType<typeof db.prepare>>> => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS sns_topics (arn TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS sns_topic_attributes (arn TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, name)) STRICT;
    CREATE TABLE IF NOT EXISTS sns_subscriptions (arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL, attributes TEXT NOT NULL, token TEXT) STRICT;
    CREATE TABLE IF NOT EXISTS sns_deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL, attempts INTEGER NOT NULL) STRICT;
  `);
  return {
    topic: db.prepare('SELECT 1 FROM sns_topics WHERE arn = ?'),
    topics: db.prepare('SELECT arn FROM sns_topics ORDER BY arn'),
    addTopic: db.prepare('INSERT OR IGNORE INTO sns_topics VALUES (?)'),
    removeTopic: db.prepare('DELETE FROM sns_topics WHERE arn = ?'),
    topicAttributes: db.prepare('SELECT name, value FROM sns_topic_attributes WHERE arn = ? ORDER BY name'),
    setTopicAttribute: db.prepare('INSERT OR REPLACE INTO sns_topic_attributes VALUES (?, ?, ?)'),
    removeTopicAttributes: db.prepare('DELETE FROM sns_topic_attributes WHERE arn = ?'),
    subscription: db.prepare('SELECT * FROM sns_subscriptions WHERE arn = ?'),
    subscriptions: db.prepare('SELECT * FROM sns_subscriptions WHERE topic = ? ORDER BY arn'),
    byToken: db.prepare('SELECT * FROM sns_subscriptions WHERE topic = ? AND token = ?'),
    put: db.prepare('INSERT OR REPLACE INTO sns_subscriptions VALUES (?, ?, ?, ?, ?, ?)'),
    remove: db.prepare('DELETE FROM sns_subscriptions WHERE arn = ?'),
    queue: db.prepare(
      'INSERT INTO sns_deliveries (subscription, type, payload, attempts) VALUES (?, ?, ?, 0)',
    ),
    queued: db.prepare('SELECT seq FROM sns_deliveries'),
    attempt: db.prepare(
      'UPDATE sns_deliveries SET attempts = attempts + 1 WHERE seq = ? RETURNING subscription, type, payload, attempts',
    ),
    done: db.prepare('DELETE FROM sns_deliveries WHERE seq = ?'),
  };
};

/** Topics on one machine. A notification is stored before `Publish` is answered, and tried until it arrives. */
export const topics = (
  surroundings: ServiceContext,
  { post, endpoint = `https://sns.${surroundings.region}.amazonaws.com` }: TopicOptions,
): Topics => {
  const { db, clock, newId, region, account, deliver, patterns } = surroundings;
  const statements = statementsOf(db);
  const { sign, certificate } = signer(db, endpoint);
  const attributesOf = (topic: string): Record<string, string> =>
    Object.fromEntries(
      statements.topicAttributes.all(topic).map(({ name, value }) => [String(name), String(value)]),
    );
  const setAttribute = (topic: string, name: string, value: string): void => {
    if (!TOPIC_ATTRIBUTES.has(name) || (name === 'SignatureVersion' && !/^[12]$/u.test(value)))
      throw invalidParameter(`AttributeName Reason: the local SNS does not know ${name}=${value}`);
    statements.setTopicAttribute.run(topic, name, value);
  };
  const signed = <Message extends Readonly<Record<string, unknown>>>(topic: string, message: Message) => ({
    ...message,
    ...sign(message, attributesOf(topic)['SignatureVersion'] === '2' ? '2' : '1'),
  });

  const expectTopic = (arn: string): string => {
    if (statements.topic.get(arn)) return arn;
    throw new ServiceError('NotFound', 'Topic does not exist', 404);
  };
  const put = ({ arn, topic, protocol, endpoint: to, attributes, token }: Subscription): void => {
    statements.put.run(arn, topic, protocol, to, JSON.stringify(attributes), token);
  };
  const expectSubscription = (arn: string): Subscription => {
    const row = statements.subscription.get(arn);
    if (row === undefined) throw new ServiceError('NotFound', 'Subscription does not exist', 404);
    return subscriptionOf(row);
  };

  const send = (subscription: Subscription, type: string, payload: string): Promise<void> => {
    const { arn, topic, protocol, endpoint: to } = subscription;
    if (protocol !== 'https')
      return deliver({ arn: to, payload, source: topic, principal: 'sns.amazonaws.com' });
    const headers = {
      'content-type': 'text/plain; charset=UTF-8',
      'x-amz-sns-message-type': type,
      'x-amz-sns-topic-arn': topic,
      ...(type === 'Notification' && { 'x-amz-sns-subscription-arn': arn }),
    };
    return post?.(to, headers, payload) ?? Promise.resolve();
  };
  const attempt = async (seq: number): Promise<void> => {
    const row = statements.attempt.get(seq);
    const target = row && statements.subscription.get(String(row['subscription']));
    if (row === undefined || target === undefined) {
      statements.done.run(seq);
      return;
    }
    const attempts = Number(row['attempts']);
    try {
      await send(subscriptionOf(target), String(row['type']), String(row['payload']));
      statements.done.run(seq);
    } catch {
      // Whoever refused has said why where it ran; a subscriber that stays away loses the notification in the end.
      if (attempts >= MOST_ATTEMPTS) await giveUp(seq, subscriptionOf(target), String(row['payload']));
      else arm(seq, clock.now() + Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** (attempts - 1)));
    }
  };
  const giveUp = async (seq: number, { attributes, topic }: Subscription, payload: string): Promise<void> => {
    const dead = deadLetterOf(attributes['RedrivePolicy']);
    try {
      if (dead !== undefined)
        await deliver({ arn: dead, payload, source: topic, principal: 'sns.amazonaws.com' });
    } finally {
      statements.done.run(seq);
    }
  };
  const arm = (seq: number, due: number): void => {
    clock.at(due, () => attempt(seq));
  };
  const queue = (subscription: Subscription, type: string, payload: string): void => {
    const { lastInsertRowid } = statements.queue.run(subscription.arn, type, payload);
    arm(Number(lastInsertRowid), clock.now());
  };
  for (const { seq } of statements.queued.all()) arm(Number(seq), clock.now());

  const operations: Topics['operations'] = {
    CreateTopic(input) {
      const name = need(input, 'Name');
      if (!/^[\w-]{1,256}$/u.test(name)) throw invalidParameter('Topic Name');
      const arn = `arn:aws:sns:${region}:${account}:${name}`;
      statements.addTopic.run(arn);
      for (const [attribute, value] of Object.entries(mapOf(input, 'Attributes')))
        setAttribute(arn, attribute, value);
      return element('TopicArn', arn);
    },
    ListTopics: () =>
      members(
        'Topics',
        statements.topics.all().map(({ arn }) => element('TopicArn', String(arn))),
      ),
    DeleteTopic(input) {
      const topic = need(input, 'TopicArn');
      for (const { arn } of statements.subscriptions.all(topic)) statements.remove.run(String(arn));
      statements.removeTopicAttributes.run(topic);
      statements.removeTopic.run(topic);
      return '';
    },
    SetTopicAttributes(input) {
      const topic = expectTopic(need(input, 'TopicArn'));
      setAttribute(topic, need(input, 'AttributeName'), input.get('AttributeValue') ?? '');
      return '';
    },
    GetTopicAttributes(input) {
      const topic = expectTopic(need(input, 'TopicArn'));
      const all = statements.subscriptions.all(topic).map(subscriptionOf);
      return mapXml('Attributes', {
        TopicArn: topic,
        Owner: account,
        SubscriptionsConfirmed: String(all.filter(({ token }) => token === null).length),
        SubscriptionsPending: String(all.filter(({ token }) => token !== null).length),
        ...attributesOf(topic),
      });
    },
    Subscribe(input) {
      const topic = expectTopic(need(input, 'TopicArn'));
      const [protocol, to] = [need(input, 'Protocol'), need(input, 'Endpoint')];
      const attributes = expectKnown(mapOf(input, 'Attributes'), patterns);
      if (!['sqs', 'lambda', 'https'].includes(protocol) || (protocol === 'https' && !post))
        throw invalidParameter(`Protocol Reason: the local SNS does not deliver by ${protocol}`);
      const present = statements.subscriptions
        .all(topic)
        .map(subscriptionOf)
        .find((one) => one.protocol === protocol && one.endpoint === to);
      const token = protocol === 'https' ? newId() : null;
      const subscription = present ?? {
        arn: `${topic}:${newId()}`,
        topic,
        protocol,
        endpoint: to,
        attributes,
        token,
      };
      if (!present) {
        put(subscription);
        if (token !== null) queue(subscription, 'SubscriptionConfirmation', invitation(subscription, token));
      }
      const pending = subscription.token !== null && input.get('ReturnSubscriptionArn') !== 'true';
      return element('SubscriptionArn', pending ? 'pending confirmation' : subscription.arn);
    },
    ConfirmSubscription(input) {
      const row = statements.byToken.get(expectTopic(need(input, 'TopicArn')), need(input, 'Token'));
      if (row === undefined) throw invalidParameter('Token');
      const subscription = subscriptionOf(row);
      put({ ...subscription, token: null });
      return element('SubscriptionArn', subscription.arn);
    },
    SetSubscriptionAttributes(input) {
      const subscription = expectSubscription(need(input, 'SubscriptionArn'));
      const change = { [need(input, 'AttributeName')]: input.get('AttributeValue') ?? '' };
      put({ ...subscription, attributes: { ...subscription.attributes, ...expectKnown(change, patterns) } });
      return '';
    },
    GetSubscriptionAttributes(input) {
      const one = expectSubscription(need(input, 'SubscriptionArn'));
      return mapXml('Attributes', {
        SubscriptionArn: one.arn,
        TopicArn: one.topic,
        Protocol: one.protocol,
        Endpoint: one.endpoint,
        Owner: account,
        PendingConfirmation: String(one.token !== null),
        RawMessageDelivery: 'false',
        ...one.attributes,
      });
    },
    Unsubscribe(input) {
      statements.remove.run(need(input, 'SubscriptionArn'));
      return '';
    },
    ListSubscriptionsByTopic: (input) =>
      members(
        'Subscriptions',
        statements.subscriptions
          .all(expectTopic(need(input, 'TopicArn')))
          .map(subscriptionOf)
          .map(
            (one) =>
              element('SubscriptionArn', one.token === null ? one.arn : 'PendingConfirmation') +
              element('Owner', account) +
              element('Protocol', one.protocol) +
              element('Endpoint', one.endpoint) +
              element('TopicArn', one.topic),
          ),
      ),
    Publish: (input) => element('MessageId', publish(input)),
    PublishBatch(input) {
      const topic = expectTopic(need(input, 'TopicArn'));
      const entries = entriesOf(input, 'PublishBatchRequestEntries');
      const [done, failed]: [string[], string[]] = [[], []];
      for (const entry of entries) {
        const id = entry.get('Id') ?? '';
        entry.set('TopicArn', topic);
        try {
          done.push(element('Id', id) + element('MessageId', publish(entry)));
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          const told = element('Code', error.type) + element('Message', error.message);
          failed.push(`${element('Id', id)}${told}<SenderFault>true</SenderFault>`);
        }
      }
      return members('Successful', done) + members('Failed', failed);
    },
  };
  return { operations, certificate };

  function publish(input: URLSearchParams): string {
    const topic = expectTopic(input.get('TopicArn') ?? need(input, 'TargetArn'));
    const published = publishedOf(input);
    const id = newId();
    const at = new Date(clock.now()).toISOString();
    transaction(db, () => {
      for (const subscription of statements.subscriptions.all(topic).map(subscriptionOf))
        if (subscription.token === null && wanted(subscription, published, patterns))
          queue(subscription, 'Notification', payloadFor(subscription, published, { id, at }));
    });
    return id;
  }

  /** What a subscriber gets: the bare message, an envelope of text, or a function's event. */
  function payloadFor(
    { arn, topic, protocol, attributes }: Subscription,
    published: Published,
    { id, at }: { readonly id: string; readonly at: string },
  ): string {
    const text = published.textFor(protocol);
    if (attributes['RawMessageDelivery'] === 'true' && protocol !== 'lambda') return text;
    const notification = {
      ...signed(topic, {
        Type: 'Notification',
        MessageId: id,
        TopicArn: topic,
        ...(published.subject !== null && { Subject: published.subject }),
        Message: text,
        Timestamp: at,
      }),
      UnsubscribeURL: `${endpoint}/?${new URLSearchParams({ Action: 'Unsubscribe', SubscriptionArn: arn })}`,
      ...(Object.keys(published.attributes).length > 0 && { MessageAttributes: published.attributes }),
    };
    if (protocol !== 'lambda') return JSON.stringify(notification);
    const { SigningCertURL: SigningCertUrl, UnsubscribeURL: UnsubscribeUrl, ...rest } = notification;
    const Sns = { Subject: null, MessageAttributes: {}, ...rest, SigningCertUrl, UnsubscribeUrl };
    return JSON.stringify({
      Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: arn, Sns }],
    });
  }

  function invitation({ topic }: Subscription, token: string): string {
    const confirm = new URLSearchParams({ Action: 'ConfirmSubscription', TopicArn: topic, Token: token });
    return JSON.stringify(
      signed(topic, {
        Type: 'SubscriptionConfirmation',
        MessageId: newId(),
        Token: token,
        TopicArn: topic,
        Message: `You have chosen to subscribe to the topic ${topic}. To confirm the subscription, visit the SubscribeURL included in this message.`,
        SubscribeURL: `${endpoint}/?${confirm}`,
        Timestamp: new Date(clock.now()).toISOString(),
      }),
    );
  }
};

const Redrive = z.object({ deadLetterTargetArn: z.string() });
const deadLetterOf = (policy: string | undefined): string | undefined =>
  policy === undefined ? undefined : Redrive.parse(JSON.parse(policy)).deadLetterTargetArn;

/** Attributes that would change what is delivered are refused unless they are obeyed. */
const expectKnown = (
  attributes: Readonly<Record<string, string>>,
  patterns: EventPatterns,
): Readonly<Record<string, string>> => {
  for (const [name, value] of Object.entries(attributes)) {
    try {
      if (name === 'FilterPolicy') patterns.validate(JSON.parse(value));
      else if (name === 'RedrivePolicy') deadLetterOf(value);
      else if (name !== 'RawMessageDelivery' && name !== 'FilterPolicyScope')
        throw invalidParameter(`AttributeName Reason: the local SNS does not know the attribute ${name}`);
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      throw invalidParameter(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return attributes;
};

/** Whether a subscription's filter lets a message through: by its attributes, or by its body. */
const wanted = ({ attributes }: Subscription, published: Published, patterns: EventPatterns): boolean => {
  const policy = attributes['FilterPolicy'];
  if (policy === undefined) return true;
  const pattern: unknown = JSON.parse(policy);
  if (attributes['FilterPolicyScope'] === 'MessageBody') {
    const body = Body.safeParse(parsedOr(undefined, published.textFor('default')));
    return body.success && patterns.matches(pattern, body.data);
  }
  const values = Object.entries(published.attributes).map(([name, { Type, Value }]) => [
    name,
    Type === 'Number' ? Number(Value) : Type === 'String.Array' ? parsedOr([], Value) : Value,
  ]);
  return patterns.matches(pattern, Object.fromEntries(values));
};

const Body = z.record(z.string(), z.unknown());
const parsedOr = (otherwise: unknown, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
};

const subscriptionOf = (row: Record<string, unknown>): Subscription => ({
  arn: String(row['arn']),
  topic: String(row['topic']),
  protocol: String(row['protocol']),
  endpoint: String(row['endpoint']),
  attributes: Attributes.parse(JSON.parse(String(row['attributes']))),
  token: row['token'] === null ? null : String(row['token']),
});
