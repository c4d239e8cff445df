import * as z from 'zod';
import { ServiceError } from './json.ts';
import { element, mapOf, members, need, type QueryOperation } from './query-protocol.ts';
import type { Surroundings } from './service.ts';
import { invalidParameter, type Published, publishedOf } from './sns-message.ts';
import { transaction } from './transaction.ts';

export interface TopicOptions {
  /** Posts a notification to an `https` subscriber; without it such subscriptions are refused. */
  readonly post?: (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<void>;
  /** Where the link that confirms a subscription points. */
  readonly endpoint?: string;
}

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
  | 'subscription'
  | 'subscriptions'
  | 'byToken'
  | 'put'
  | 'remove'
  | 'queue'
  | 'queued'
  | 'attempt'
  | 'done';

const statementsOf = (db: Surroundings['db']): Readonly<Record<Verb, ReturnType<typeof db.prepare>>> => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS sns_topics (arn TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS sns_subscriptions (arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL, attributes TEXT NOT NULL, token TEXT) STRICT;
    CREATE TABLE IF NOT EXISTS sns_deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL, attempts INTEGER NOT NULL) STRICT;
  `);
  return {
    topic: db.prepare('SELECT 1 FROM sns_topics WHERE arn = ?'),
    topics: db.prepare('SELECT arn FROM sns_topics ORDER BY arn'),
    addTopic: db.prepare('INSERT OR IGNORE INTO sns_topics VALUES (?)'),
    removeTopic: db.prepare('DELETE FROM sns_topics WHERE arn = ?'),
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
  surroundings: Surroundings,
  { post, endpoint = `https://sns.${surroundings.region}.amazonaws.com` }: TopicOptions,
): Readonly<Record<string, QueryOperation>> & { readonly Publish: QueryOperation } => {
  const { db, clock, newId, region, account, deliver } = surroundings;
  const statements = statementsOf(db);

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
      if (attempts >= MOST_ATTEMPTS) statements.done.run(seq);
      else arm(seq, clock.now() + Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** (attempts - 1)));
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

  return {
    CreateTopic(input) {
      const name = need(input, 'Name');
      if (!/^[\w-]{1,256}$/u.test(name)) throw invalidParameter('Topic Name');
      const arn = `arn:aws:sns:${region}:${account}:${name}`;
      statements.addTopic.run(arn);
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
      statements.removeTopic.run(topic);
      return '';
    },
    Subscribe(input) {
      const topic = expectTopic(need(input, 'TopicArn'));
      const [protocol, to] = [need(input, 'Protocol'), need(input, 'Endpoint')];
      const attributes = expectKnown(mapOf(input, 'Attributes'));
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
      put({ ...subscription, attributes: { ...subscription.attributes, ...expectKnown(change) } });
      return '';
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
    Publish(input) {
      const topic = expectTopic(input.get('TopicArn') ?? need(input, 'TargetArn'));
      const published = publishedOf(input);
      const id = newId();
      const at = new Date(clock.now()).toISOString();
      transaction(db, () => {
        for (const subscription of statements.subscriptions.all(topic).map(subscriptionOf))
          if (subscription.token === null)
            queue(subscription, 'Notification', payloadFor(subscription, published, { id, at }));
      });
      return element('MessageId', id);
    },
  };

  function invitation({ topic }: Subscription, token: string): string {
    const confirm = new URLSearchParams({ Action: 'ConfirmSubscription', TopicArn: topic, Token: token });
    return JSON.stringify({
      Type: 'SubscriptionConfirmation',
      MessageId: newId(),
      Token: token,
      TopicArn: topic,
      Message: `You have chosen to subscribe to the topic ${topic}. To confirm the subscription, visit the SubscribeURL included in this message.`,
      SubscribeURL: `${endpoint}/?${confirm}`,
      Timestamp: new Date(clock.now()).toISOString(),
    });
  }
};

/** What a subscriber gets: the bare message, an envelope of text, or a function's event. */
const payloadFor = (
  { arn, topic, protocol, attributes }: Subscription,
  published: Published,
  { id, at }: { readonly id: string; readonly at: string },
): string => {
  const text = published.textFor(protocol);
  if (attributes['RawMessageDelivery'] === 'true' && protocol !== 'lambda') return text;
  const notification = {
    Type: 'Notification',
    MessageId: id,
    TopicArn: topic,
    ...(published.subject !== null && { Subject: published.subject }),
    Message: text,
    Timestamp: at,
    ...(Object.keys(published.attributes).length > 0 && { MessageAttributes: published.attributes }),
  };
  if (protocol !== 'lambda') return JSON.stringify(notification);
  const Sns = { Subject: null, MessageAttributes: {}, ...notification };
  return JSON.stringify({
    Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: arn, Sns }],
  });
};

/** Attributes that would change what is delivered are refused unless they are obeyed. */
const expectKnown = (attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const unknown = Object.keys(attributes).find((name) => name !== 'RawMessageDelivery');
  if (unknown === undefined) return attributes;
  throw invalidParameter(`AttributeName Reason: the local SNS does not know the attribute ${unknown}`);
};

const subscriptionOf = (row: Record<string, unknown>): Subscription => ({
  arn: String(row['arn']),
  topic: String(row['topic']),
  protocol: String(row['protocol']),
  endpoint: String(row['endpoint']),
  attributes: Attributes.parse(JSON.parse(String(row['attributes']))),
  token: row['token'] === null ? null : String(row['token']),
});
