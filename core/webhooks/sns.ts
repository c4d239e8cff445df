import { HubError } from '../errors.ts';
import { ifReadable, jsonWithin, parseJson, readTime } from '../formats/payload.ts';
import { oversizedBody } from './authentication.ts';
import {
  accepted,
  answered,
  refused,
  type SchemeDeclaration,
  type Verdict,
  type VerifyContext,
  type WebhookRequest,
} from './channel.ts';
import { isFresh, isOneOf, verifyRsa } from './signature.ts';

// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
// The type decides which fields are signed; a subject is signed only if present. Everybody can create a topic whose messages
// SNS signs, so the check of the topic matters as much as the signature.

/** The hosts of SNS's certificates and of the confirmation of subscriptions. */
export const snsHosts = /^sns\.[a-z0-9-]{3,}\.amazonaws\.com(?:\.cn)?$/u;

const NOTIFICATION = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'] as const;
const CONFIRMATION = [
  'Message',
  'MessageId',
  'SubscribeURL',
  'Timestamp',
  'Token',
  'TopicArn',
  'Type',
] as const;
const signedFields: Readonly<Record<string, readonly string[]>> = {
  Notification: NOTIFICATION,
  SubscriptionConfirmation: CONFIRMATION,
  UnsubscribeConfirmation: CONFIRMATION,
};
const algorithms: Readonly<Record<string, 'sha1' | 'sha256'>> = { '1': 'sha1', '2': 'sha256' };

/** A message has at most 256 KB; as a JSON text within JSON it may grow to more than twice as much. */
const LARGEST_ENVELOPE_BYTES = 1_000_000;
/** SNS retries for an hour; five minutes more allow for clocks. */
const TOLERANCE_SECONDS = 3900;
const CERTIFICATE = /^https:\/\/[^/?#@]+\/SimpleNotificationService-[\w-]+\.pem$/u;

/** The declaration of `verifySns`. */
export const snsSchemes = {
  sns: { covers: { member: 'Message' }, time: { toleranceSeconds: TOLERANCE_SECONDS } },
} as const satisfies Readonly<Record<string, SchemeDeclaration>>;

/**
 * Accepts a notification of one of the topics. Confirms a subscription to one of them by fetching its address. The end
 * of a subscription is answered only: fetching its address would subscribe again.
 */
export const verifySns = async (
  request: WebhookRequest,
  topicArns: readonly string[],
  { now, document }: Pick<VerifyContext, 'now' | 'document'>,
): Promise<Verdict<'sns'>> => {
  const named = request.headers['x-amz-sns-topic-arn'];
  if (named !== undefined && !isOneOf(named, topicArns))
    return refused('the topic is not one of those stored');
  const tooLarge = oversizedBody(request, LARGEST_ENVELOPE_BYTES);
  if (tooLarge) return tooLarge;
  const message = readMessage(request.body);
  const fields = message && signedFields[message['Type'] ?? ''];
  if (message === undefined || fields === undefined)
    return refused('the body is not a message of SNS; raw message delivery must be off');
  if (!isOneOf(message['TopicArn'] ?? '', topicArns)) return refused('the topic is not one of those stored');
  const algorithm = algorithms[message['SignatureVersion'] ?? ''];
  const certificate = message['SigningCertURL'] ?? message['SigningCertUrl'] ?? '';
  if (algorithm === undefined || !CERTIFICATE.test(certificate))
    return refused('the message has no certificate URL or no known signature version');
  // Checked before the certificate is fetched, so that a replayed message costs no request.
  if (!isFresh(Date.parse(readTime(message['Timestamp']) ?? ''), now, TOLERANCE_SECONDS))
    return refused(`the message is more than ${TOLERANCE_SECONDS} seconds old, or from the future`);
  const signed = fields.flatMap((name) =>
    message[name] === undefined ? [] : [`${name}\n${message[name]}\n`],
  );
  const signature = Buffer.from(message['Signature'] ?? '', 'base64');
  if (!verifyRsa(await document(certificate), algorithm, Buffer.from(signed.join('')), signature))
    return refused('the signature does not match');
  if (message['Type'] === 'Notification') return accepted('sns', request);
  if (message['Type'] === 'SubscriptionConfirmation') await document(message['SubscribeURL'] ?? '');
  return answered('sns', { status: 200 });
};

/** The text members of the envelope. */
const readMessage = (body: Uint8Array): Readonly<Record<string, string>> | undefined => {
  const read = ifReadable(() => parseJson(body));
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return undefined;
  return Object.fromEntries(
    Object.entries(read).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
};

/**
 * The name of a topic of the stack, to which a service of its own account publishes. It names the provider, because a queue
 * gets from SNS nothing but the notification. Neither hubs nor providers have a `_` in their names.
 */
export const topicName = (hub: string, provider: string): string => `tributary-${hub}_${provider}`;

/** The provider of a topic with such a name; undefined for other topics. */
export const providerOfTopic = (arn: string): string | undefined =>
  /:tributary-[^:_]+_([^:_]+)$/u.exec(arn)?.[1];

/** The part of a notification that a mapping reads. */
export interface SnsNotification {
  /** The same in every delivery attempt. */
  readonly id: string;
  readonly publishedAt: string | undefined;
  /** The published JSON; undefined if the published text is not JSON. */
  readonly message: unknown;
}

/** Throws `HubError` `unreadable-delivery` if the body is not a message of SNS. */
export const snsNotification = (body: Uint8Array): SnsNotification => {
  const envelope = readMessage(body);
  const id = envelope?.['MessageId'];
  if (envelope === undefined || id === undefined)
    throw new HubError('unreadable-delivery', 'The body is not a message of SNS.', { retry: 'never' });
  return { id, publishedAt: readTime(envelope['Timestamp']), message: jsonWithin(envelope['Message'] ?? '') };
};
