// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
// One notification may concern several recipients, and `mail.destination` lists all of them: the event's own list has those
// that it concerns. An open or a click names no recipient, so with several recipients it belongs to no customer.

import { textOfHtml } from '../../../core/formats/html.ts';
import {
  authorDomain,
  headerValues,
  isSignedByAuthorAlone,
  type MailHeader,
} from '../../../core/formats/mail/author.ts';
import { type Mail, readMail } from '../../../core/formats/mail/mail.ts';
import { parseMailboxes } from '../../../core/formats/mail/mailboxes.ts';
import { defined, readTime } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import { isTestId } from '../../../core/triggers/notification.ts';
import type { Content, Delivery } from '../../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../../core/webhooks/channel-mapping.ts';
import { markAutomated, receivedMail } from '../../../core/webhooks/received-mail.ts';
import { type SnsNotification, snsNotification } from '../../../core/webhooks/sns.ts';
import { joinedList, leftList, mailAuthor } from '../../../core/webhooks/vouching.ts';
import { Message } from './message.ts';
import { handlers } from './reports.ts';

/**
 * An inbound mail: complete if the rule publishes it; read from the hub's bucket if the rule stores it there; else only
 * its headers, or only the envelope.
 */
const received = async (message: Message, { id, publishedAt }: SnsNotification): Promise<Drafts> => {
  const { mail: envelope, receipt, content } = message;
  const header = (name: string): string | undefined =>
    envelope?.headers?.find((one) => one.name.toLowerCase() === name)?.value ?? undefined;
  const [from] = [
    ...(envelope?.commonHeaders?.from ?? []).flatMap(parseMailboxes),
    ...parseMailboxes(header('from') ?? ''),
  ];
  const [sender] = parseMailboxes(envelope?.source ?? '');
  const own = envelope?.messageId || undefined;
  const object = objectOf(receipt?.action);
  const interaction: Draft = defined({
    key: own ?? id,
    kind: 'message' as const,
    channel: 'email' as const,
    direction: 'inbound' as const,
    identifiers: [from ?? sender].flatMap((one) => (one === undefined ? [] : [`email:${one.address}`])),
    externalId: envelope?.commonHeaders?.messageId || header('message-id') || own,
    refersTo: sentId(header('in-reply-to')),
    occurredAt: readTime(envelope?.timestamp ?? undefined) ?? publishedAt,
    subject: envelope?.commonHeaders?.subject ?? undefined,
    profile: from?.name === undefined ? undefined : { name: { full: from.name } },
    properties: defined({
      spam: receipt?.spamVerdict?.status ?? undefined,
      virus: receipt?.virusVerdict?.status ?? undefined,
      dkim: receipt?.dkimVerdict?.status ?? undefined,
      dmarc: receipt?.dmarcVerdict?.status ?? undefined,
      bucket: receipt?.action?.bucketName ?? undefined,
      object,
    }),
  });
  const headers = (envelope?.headers ?? []).map(({ name, value }) => ({ name, value: value ?? '' }));
  const listed = headerValues(headers, 'from');
  const authors = listed.length > 0 ? listed : (envelope?.commonHeaders?.from ?? []);
  const vouched = isAuthentic(interaction, authors, envelope?.headersTruncated === true ? [] : headers);
  const encoding = receipt?.action?.encoding?.toUpperCase() === 'BASE64' ? 'base64' : 'utf8';
  if (content) {
    const mail = await readMail(Buffer.from(content, encoding));
    return receivedMail(withMail(interaction, mail), {
      headers: mail.headers,
      from: mail.from?.address,
      text: mail.text,
      attachments: [...mail.attachments],
      returnPath: envelope?.source ?? undefined,
      sentId,
    });
  }
  const bucket = receipt?.action?.bucketName;
  const whole: Draft = {
    ...interaction,
    vouched,
    ...(bucket && object !== undefined && { fetch: { url: `s3://${bucket}/${object}` } }),
  };
  return receivedMail(whole, {
    headers,
    from: from?.address,
    returnPath: envelope?.source ?? undefined,
    sentId,
  });
};

/** The complete key of a mail in its bucket, with the prefix of the rule, which SES may leave out. */
const objectOf = (action: NonNullable<Message['receipt']>['action']): string | undefined => {
  const { objectKey, objectKeyPrefix } = action ?? {};
  if (!objectKey) return undefined;
  return !objectKeyPrefix || objectKey.startsWith(objectKeyPrefix)
    ? objectKey
    : `${objectKeyPrefix.replace(/\/$/u, '')}/${objectKey}`;
};

/** Mails sent by SES have its id and host in the Message-ID; other mails have another host. */
const sentId = (messageId: string | undefined): string | undefined =>
  messageId?.replace(/^<([^@>]+)@[a-z0-9-.]*amazonses\.com>$/u, '$1');

/**
 * Whether SES vouches for the author. Its verdict on DKIM does not say whose signature passed. The verdicts are in the
 * properties, because the mail itself may be fetched later.
 */
const isAuthentic = (
  { properties }: Pick<DecodedInteraction, 'properties'>,
  from: readonly string[],
  headers: readonly MailHeader[],
): boolean => {
  const author = authorDomain(from);
  if (author === undefined) return false;
  return (
    properties?.['dmarc'] === 'PASS' ||
    (properties?.['dkim'] === 'PASS' && isSignedByAuthorAlone(headers, author))
  );
};

/** The mail takes precedence over its envelope, whose sender may be an address for bounces. */
const withMail = (interaction: Draft, mail: Mail): Draft =>
  defined({
    ...interaction,
    vouched: isAuthentic(interaction, headerValues(mail.headers, 'from'), mail.headers),
    identifiers: mail.from === undefined ? interaction.identifiers : [`email:${mail.from.address}`],
    externalId: mail.messageId ?? interaction.externalId,
    refersTo: interaction.refersTo ?? sentId(mail.inReplyTo),
    subject: interaction.subject ?? mail.subject,
    text: mail.text?.trim() ? mail.text : textOfHtml(mail.html ?? ''),
    profile:
      interaction.profile ?? (mail.from?.name === undefined ? undefined : { name: { full: mail.from.name } }),
    attachments: mail.attachments.length > 0 ? [...mail.attachments] : undefined,
  });

const complete = async (interaction: DecodedInteraction, { bytes }: Content): Promise<Draft> => {
  const mail = await readMail(bytes);
  return markAutomated(withMail(interaction, mail), { headers: mail.headers, from: mail.from?.address });
};

const decode = async (delivery: Delivery): Promise<Drafts> => {
  const notification = snsNotification(delivery.body);
  if (notification.message === undefined) return { interactions: [], ignored: ['text that is not JSON'] };
  const message = Message.parse(notification.message);
  const name = message.eventType || message.notificationType || 'no eventType';
  if (name === 'Received') return received(message, notification);
  if (message.mail?.tags?.['notification']?.some(isTestId) === true)
    return { interactions: [], ignored: ['a test of a template'] };
  const drafts = Object.hasOwn(handlers, name)
    ? handlers[name]?.(message, { ...notification, member: delivery.member })
    : undefined;
  return drafts ?? { interactions: [], ignored: [name] };
};

export const ses = channelMapping({
  id: 'ses',
  channels: ['email'],
  kinds: ['message', 'delivery-status', 'bounce', 'complaint', 'open', 'click', 'opt-in', 'opt-out'],
  vouching: [
    mailAuthor(
      'From',
      '`receipt.dmarcVerdict` is PASS, or `receipt.dkimVerdict` is PASS and every signature is of the domain of From',
    ),
    leftList('mail.destination'),
    joinedList('mail.destination'),
  ],
  decode,
  complete,
});
