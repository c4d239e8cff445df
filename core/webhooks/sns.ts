import { HubError } from '../errors.ts';
import { parseJson, readTime } from '../formats/payload.ts';
import {
  accepted,
  answered,
  refused,
  type Verdict,
  type VerifyContext,
  type WebhookRequest,
} from './channel.ts';
import { isFresh, rsa, sameAsAny } from './signature.ts';

// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html — which fields are signed depends on the
// type, and a subject counts only where there is one. Anybody can have SNS sign a message of a topic of their own: that
// the topic is one of ours matters as much as the signature.

/** Where SNS keeps its certificates, and where subscriptions are confirmed. */
export const snsHosts = /sns\.[a-z0-9-]{3,}\.amazonaws\.com(?:\.cn)?/u;

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

/** SNS tries for an hour; clocks may differ by some minutes. */
const TOLERANCE_SECONDS = 3900;
const CERTIFICATE = /^https:\/\/[^/?#@]+\/SimpleNotificationService-[\w-]+\.pem$/u;

/**
 * What becomes of a request of SNS: a notification of one of the topics is accepted, a subscription to one of them is
 * confirmed by visiting its address, and the end of one is acknowledged and never visited, which would subscribe again.
 */
export const judgeSns = async (
  request: WebhookRequest,
  topicArns: readonly string[],
  { now, document }: Pick<VerifyContext, 'now' | 'document'>,
): Promise<Verdict> => {
  const message = readMessage(request.body);
  const fields = message && signedFields[message['Type'] ?? ''];
  if (message === undefined || fields === undefined)
    return refused('the body is not a message of SNS; raw message delivery must be off');
  if (!sameAsAny(message['TopicArn'] ?? '', topicArns))
    return refused('the topic is not one of those stored');
  const algorithm = algorithms[message['SignatureVersion'] ?? ''];
  const certificate = message['SigningCertURL'] ?? message['SigningCertUrl'] ?? '';
  if (algorithm === undefined || !CERTIFICATE.test(certificate))
    return refused('the message names no certificate or no known version of the signature');
  if (!isFresh(Date.parse(readTime(message['Timestamp']) ?? ''), now, TOLERANCE_SECONDS))
    return refused('the message is more than an hour old');
  const signed = fields.flatMap((name) =>
    message[name] === undefined ? [] : [`${name}\n${message[name]}\n`],
  );
  const signature = Buffer.from(message['Signature'] ?? '', 'base64');
  if (!rsa(await document(certificate), algorithm, Buffer.from(signed.join('')), signature))
    return refused('the signature does not match');
  if (message['Type'] === 'Notification') return accepted(request);
  if (message['Type'] === 'SubscriptionConfirmation') await document(message['SubscribeURL'] ?? '');
  return answered({ status: 200 });
};

/** The members of the envelope that are text. */
const readMessage = (body: Uint8Array): Readonly<Record<string, string>> | undefined => {
  try {
    const read = parseJson(body);
    if (typeof read !== 'object' || read === null || Array.isArray(read)) return undefined;
    return Object.fromEntries(
      Object.entries(read).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  } catch {
    return undefined;
  }
};

/** A notification as a mapping reads it. */
export interface SnsNotification {
  /** The same in every try to deliver it. */
  readonly id: string;
  readonly publishedAt: string | undefined;
  /** What was published, where that is JSON. */
  readonly message: unknown;
}

/** Throws HubError `unreadable` where the body is no message of SNS. */
export const snsNotification = (body: Uint8Array): SnsNotification => {
  const envelope = readMessage(body);
  const id = envelope?.['MessageId'];
  if (envelope === undefined || id === undefined)
    throw new HubError('unreadable', 'The body is not a message of SNS.', { retry: 'never' });
  return { id, publishedAt: readTime(envelope['Timestamp']), message: published(envelope['Message'] ?? '') };
};

const published = (text: string): unknown => {
  try {
    return parseJson(Buffer.from(text));
  } catch {
    return undefined;
  }
};
