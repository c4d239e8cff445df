import type { Published } from './message.ts';
import type { Signer } from './signature.ts';
import type { Subscription, TopicStore } from './topic-store.ts';

export interface NotificationOptions {
  readonly store: TopicStore;
  readonly sign: Signer['sign'];
  /** The base of the links in a notification. */
  readonly endpoint: string;
}

/** The identity of one message: its id, and its time in ISO 8601. */
export interface MessageStamp {
  readonly id: string;
  readonly at: string;
}

/** The subject of an e-mail whose publisher gives none. */
const NO_SUBJECT = 'AWS Notification Message';

const signed = <Message extends Readonly<Record<string, unknown>>>(
  { store, sign }: NotificationOptions,
  topic: string,
  message: Message,
) => ({
  ...message,
  ...sign(message, store.attributesOf(topic)['SignatureVersion'] === '2' ? '2' : '1'),
});

/** The payload for a subscriber: the bare message, a signed envelope, a function's event, or an e-mail's subject and text. */
export const notificationFor = (
  options: NotificationOptions,
  { arn, topic, protocol, attributes }: Subscription,
  published: Published,
  { id, at }: MessageStamp,
): string => {
  const text = published.textFor(protocol);
  if (protocol === 'email') return JSON.stringify({ subject: published.subject ?? NO_SUBJECT, text });
  if (attributes['RawMessageDelivery'] === 'true' && protocol !== 'lambda') return text;
  const unsubscribe = new URLSearchParams({ Action: 'Unsubscribe', SubscriptionArn: arn });
  const notification = {
    ...signed(options, topic, {
      Type: 'Notification',
      MessageId: id,
      TopicArn: topic,
      ...(published.subject !== null && { Subject: published.subject }),
      Message: text,
      Timestamp: at,
    }),
    UnsubscribeURL: `${options.endpoint}/?${unsubscribe}`,
    ...(Object.keys(published.attributes).length > 0 && { MessageAttributes: published.attributes }),
  };
  if (protocol !== 'lambda') return JSON.stringify(notification);
  const { SigningCertURL: SigningCertUrl, UnsubscribeURL: UnsubscribeUrl, ...rest } = notification;
  const Sns = { Subject: null, MessageAttributes: {}, ...rest, SigningCertUrl, UnsubscribeUrl };
  return JSON.stringify({
    Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: arn, Sns }],
  });
};

/** The message that asks an HTTPS subscriber to confirm its subscription. */
export const confirmationFor = (
  options: NotificationOptions,
  topic: string,
  token: string,
  { id, at }: MessageStamp,
): string => {
  const confirm = new URLSearchParams({ Action: 'ConfirmSubscription', TopicArn: topic, Token: token });
  return JSON.stringify(
    signed(options, topic, {
      Type: 'SubscriptionConfirmation',
      MessageId: id,
      Token: token,
      TopicArn: topic,
      Message: `You have chosen to subscribe to the topic ${topic}. To confirm the subscription, visit the SubscribeURL included in this message.`,
      SubscribeURL: `${options.endpoint}/?${confirm}`,
      Timestamp: at,
    }),
  );
};
