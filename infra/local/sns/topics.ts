import { ServiceError } from '../protocol/json.ts';
import { element, entriesOf, mapOf, mapXml, members, need, type QueryOperation } from '../protocol/query.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { transaction } from '../protocol/transaction.ts';
import { deliveries, type Outside } from './deliveries.ts';
import { invalidParameter, publishedOf } from './message.ts';
import {
  confirmationFor,
  type MessageStamp,
  type NotificationOptions,
  notificationFor,
} from './notifications.ts';
import { signer } from './signature.ts';
import { expectValidAttributes, passesFilter } from './subscription-attributes.ts';
import { type Subscription, type TopicStore, topicStore } from './topic-store.ts';

/** Without `post` subscriptions by HTTPS are refused, without `mail` those by e-mail. */
export interface TopicOptions extends Outside {
  /** The base of the links in notifications, and of the certificate's URL. */
  readonly endpoint?: string;
}

type Operations = Readonly<Record<string, QueryOperation>>;

export interface Topics {
  readonly operations: Operations & { readonly Publish: QueryOperation };
  /** The certificate of the notifications' signatures, where `path` is its path. */
  certificate(path: string): string | undefined;
}

interface TopicContext extends NotificationOptions {
  readonly context: ServiceContext;
  readonly protocols: ReadonlySet<string>;
  readonly queue: ReturnType<typeof deliveries>;
}

const TOPIC_ATTRIBUTES = new Set([
  'SignatureVersion',
  'DisplayName',
  'Policy',
  'KmsMasterKeyId',
  'TracingConfig',
]);

/** The topics of the local SNS. A notification is stored before `Publish` is answered, and retried. */
export const topics = (
  context: ServiceContext,
  { post, mail, endpoint = `https://sns.${context.region}.amazonaws.com` }: TopicOptions,
): Topics => {
  const store = topicStore(context);
  const { sign, certificate } = signer(context.db, endpoint);
  const queue = deliveries(context, store, { post, mail });
  const protocols = new Set(['sqs', 'lambda', ...(post ? ['https'] : []), ...(mail ? ['email'] : [])]);
  const topicContext = { context, store, sign, endpoint, queue, protocols };
  return {
    certificate,
    operations: {
      ...topicOperations(context, store),
      ...subscriptionOperations(topicContext),
      ...publishOperations(topicContext),
    },
  };
};

const topicOperations = ({ region, account }: ServiceContext, store: TopicStore): Operations => ({
  CreateTopic(input) {
    const name = need(input, 'Name');
    if (!/^[\w-]{1,256}$/u.test(name)) throw invalidParameter('Topic Name');
    const arn = `arn:aws:sns:${region}:${account}:${name}`;
    store.addTopic(arn);
    for (const [attribute, value] of Object.entries(mapOf(input, 'Attributes'))) {
      const isInvalidVersion = attribute === 'SignatureVersion' && !/^[12]$/u.test(value);
      if (!TOPIC_ATTRIBUTES.has(attribute) || isInvalidVersion)
        throw invalidParameter(`AttributeName Reason: the local SNS does not support ${attribute}=${value}`);
      store.setAttribute(arn, attribute, value);
    }
    return element('TopicArn', arn);
  },
  ListTopics: () =>
    members(
      'Topics',
      store.topics().map((arn) => element('TopicArn', arn)),
    ),
  GetTopicAttributes(input) {
    const topic = store.expectTopic(need(input, 'TopicArn'));
    const all = store.subscriptions(topic);
    return mapXml('Attributes', {
      TopicArn: topic,
      Owner: account,
      SubscriptionsConfirmed: String(all.filter(({ token }) => token === null).length),
      SubscriptionsPending: String(all.filter(({ token }) => token !== null).length),
      ...store.attributesOf(topic),
    });
  },
});

const subscriptionOperations = (topicContext: TopicContext): Operations => {
  const { context, store } = topicContext;
  return {
    Subscribe(input) {
      const subscription = subscribe(topicContext, input);
      const isPending = subscription.token !== null && input.get('ReturnSubscriptionArn') !== 'true';
      return element('SubscriptionArn', isPending ? 'pending confirmation' : subscription.arn);
    },
    ConfirmSubscription(input) {
      const topic = store.expectTopic(need(input, 'TopicArn'));
      const subscription = store.findByToken(topic, need(input, 'Token'));
      if (subscription === undefined) throw invalidParameter('Token');
      store.putSubscription({ ...subscription, token: null });
      return element('SubscriptionArn', subscription.arn);
    },
    GetSubscriptionAttributes(input) {
      const one = store.findSubscription(need(input, 'SubscriptionArn'));
      if (one === undefined) throw new ServiceError('NotFound', 'Subscription does not exist', 404);
      return mapXml('Attributes', {
        SubscriptionArn: one.arn,
        TopicArn: one.topic,
        Protocol: one.protocol,
        Endpoint: one.endpoint,
        Owner: context.account,
        PendingConfirmation: String(one.token !== null),
        RawMessageDelivery: 'false',
        ...one.attributes,
      });
    },
    Unsubscribe(input) {
      store.removeSubscription(need(input, 'SubscriptionArn'));
      return '';
    },
    ListSubscriptionsByTopic: (input) =>
      members(
        'Subscriptions',
        store
          .subscriptions(store.expectTopic(need(input, 'TopicArn')))
          .map(
            (one) =>
              element('SubscriptionArn', one.token === null ? one.arn : 'PendingConfirmation') +
              element('Owner', context.account) +
              element('Protocol', one.protocol) +
              element('Endpoint', one.endpoint) +
              element('TopicArn', one.topic),
          ),
      ),
  };
};

/**
 * Stores a subscription and asks an HTTPS subscriber to confirm it. One by e-mail is confirmed at once: all mail arrives in
 * the inbox of this machine. Returns the present one where it exists.
 */
const subscribe = (topicContext: TopicContext, input: URLSearchParams): Subscription => {
  const { context, store, protocols, queue } = topicContext;
  const topic = store.expectTopic(need(input, 'TopicArn'));
  const [protocol, endpoint] = [need(input, 'Protocol'), need(input, 'Endpoint')];
  const attributes = mapOf(input, 'Attributes');
  expectValidAttributes(attributes, context.patterns);
  if (!protocols.has(protocol))
    throw invalidParameter(`Protocol Reason: the local SNS does not deliver by ${protocol}`);
  const present = store
    .subscriptions(topic)
    .find((one) => one.protocol === protocol && one.endpoint === endpoint);
  if (present) return present;
  const token = protocol === 'https' ? context.newId() : null;
  const subscription = { arn: `${topic}:${context.newId()}`, topic, protocol, endpoint, attributes, token };
  store.putSubscription(subscription);
  if (token !== null)
    queue(
      subscription,
      'SubscriptionConfirmation',
      confirmationFor(topicContext, topic, token, stampOf(context)),
    );
  return subscription;
};

const stampOf = ({ clock, newId }: ServiceContext): MessageStamp => ({
  id: newId(),
  at: new Date(clock.now()).toISOString(),
});

const publishOperations = (
  topicContext: TopicContext,
): Operations & { readonly Publish: QueryOperation } => ({
  Publish: (input) => element('MessageId', publish(topicContext, input)),
  PublishBatch(input) {
    const topic = topicContext.store.expectTopic(need(input, 'TopicArn'));
    const [successful, failed]: [string[], string[]] = [[], []];
    const entries = entriesOf(input, 'PublishBatchRequestEntries');
    expectBatch(entries.map((entry) => entry.get('Id') ?? ''));
    for (const entry of entries) {
      const id = entry.get('Id') ?? '';
      entry.set('TopicArn', topic);
      try {
        successful.push(element('Id', id) + element('MessageId', publish(topicContext, entry)));
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        const fault = element('Code', error.type) + element('Message', error.message);
        failed.push(`${element('Id', id)}${fault}<SenderFault>true</SenderFault>`);
      }
    }
    return members('Successful', successful) + members('Failed', failed);
  },
});

/** https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html */
const MOST_ENTRIES = 10;

/** @throws ServiceError where the ids of a batch are none, too many, invalid or repeated. */
const expectBatch = (ids: readonly string[]): void => {
  if (ids.length === 0)
    throw new ServiceError('EmptyBatchRequest', "The batch request doesn't contain any entries.");
  if (ids.length > MOST_ENTRIES)
    throw new ServiceError(
      'TooManyEntriesInBatchRequest',
      'The batch request contains more entries than permissible.',
    );
  if (!ids.every((id) => /^[\w-]{1,80}$/u.test(id)))
    throw new ServiceError(
      'InvalidBatchEntryId',
      "The Id of a batch entry in a batch request doesn't abide by the specification.",
    );
  if (new Set(ids).size < ids.length)
    throw new ServiceError(
      'BatchEntryIdsNotDistinct',
      'Two or more batch entries in the request have the same Id.',
    );
};

/** Queues a notification for every confirmed subscription whose filter it passes, and returns the message's id. */
const publish = (topicContext: TopicContext, input: URLSearchParams): string => {
  const { context, store, queue } = topicContext;
  const topic = store.expectTopic(input.get('TopicArn') ?? need(input, 'TargetArn'));
  const published = publishedOf(input);
  const stamp = stampOf(context);
  transaction(context.db, () => {
    for (const subscription of store.subscriptions(topic))
      if (subscription.token === null && passesFilter(subscription, published, context.patterns))
        queue(subscription, 'Notification', notificationFor(topicContext, subscription, published, stamp));
  });
  return stamp.id;
};
