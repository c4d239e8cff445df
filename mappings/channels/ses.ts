// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
// One notification may concern several recipients, and `mail.destination` lists all of them: the event's own list has those
// that it concerns. An open or a click names no recipient, so with several recipients it belongs to no customer.

import * as z from 'zod';
import { textOfHtml } from '../../core/formats/html.ts';
import {
  authorDomain,
  headerValues,
  isSignedByAuthorAlone,
  type MailHeader,
} from '../../core/formats/mail/author.ts';
import { refusesSender } from '../../core/formats/mail/bounce.ts';
import { type Mail, readMail } from '../../core/formats/mail/mail.ts';
import { parseMailboxes } from '../../core/formats/mail/mailboxes.ts';
import { defined, readTime } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Content, Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { decodeMembers, type Member, membersOf } from '../../core/webhooks/members.ts';
import { markAutomated, receivedMail } from '../../core/webhooks/received-mail.ts';
import { type SnsNotification, snsNotification } from '../../core/webhooks/sns.ts';
import { joinedList, leftList, mailAuthor } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
/** Read one by one, so that an odd one does not hold up the others. */
const Recipients = z.array(z.unknown()).nullish();
const Recipient = z.union([
  z.string().transform((emailAddress) => ({ emailAddress, diagnosticCode: undefined, status: undefined })),
  z.looseObject({ emailAddress: z.string(), diagnosticCode: Text, status: Text }),
]);
type Recipient = z.infer<typeof Recipient>;
const Preferences = z
  .looseObject({
    unsubscribeAll: z.boolean().nullish(),
    topicSubscriptionStatus: z
      .array(z.looseObject({ topicName: z.string(), subscriptionStatus: z.string() }))
      .nullish(),
  })
  .nullish();

const Message = z.looseObject({
  eventType: Text,
  notificationType: Text,
  mail: z
    .looseObject({
      timestamp: Text,
      messageId: Text,
      source: Text,
      destination: Recipients,
      headers: z.array(z.looseObject({ name: z.string(), value: Text })).nullish(),
      headersTruncated: z.boolean().nullish(),
      commonHeaders: z
        .looseObject({ from: z.array(z.string()).nullish(), subject: Text, messageId: Text })
        .nullish(),
    })
    .nullish(),
  bounce: z
    .looseObject({ bounceType: Text, bounceSubType: Text, timestamp: Text, bouncedRecipients: Recipients })
    .nullish(),
  complaint: z
    .looseObject({
      timestamp: Text,
      complaintFeedbackType: Text,
      complaintSubType: Text,
      complainedRecipients: Recipients,
    })
    .nullish(),
  delivery: z.looseObject({ timestamp: Text, recipients: Recipients, smtpResponse: Text }).nullish(),
  deliveryDelay: z.looseObject({ timestamp: Text, delayType: Text, delayedRecipients: Recipients }).nullish(),
  reject: z.looseObject({ reason: Text }).nullish(),
  failure: z.looseObject({ errorMessage: Text, templateName: Text }).nullish(),
  open: z.looseObject({ timestamp: Text, userAgent: Text }).nullish(),
  click: z.looseObject({ timestamp: Text, link: Text, userAgent: Text }).nullish(),
  subscription: z
    .looseObject({
      contactList: Text,
      timestamp: Text,
      source: Text,
      newTopicPreferences: Preferences,
      oldTopicPreferences: Preferences,
    })
    .nullish(),
  receipt: z
    .looseObject({
      recipients: z.array(z.string()).nullish(),
      action: z
        .looseObject({ encoding: Text, bucketName: Text, objectKeyPrefix: Text, objectKey: Text })
        .nullish(),
      spamVerdict: z.looseObject({ status: Text }).nullish(),
      virusVerdict: z.looseObject({ status: Text }).nullish(),
      dkimVerdict: z.looseObject({ status: Text }).nullish(),
      dmarcVerdict: z.looseObject({ status: Text }).nullish(),
    })
    .nullish(),
  content: Text,
});
type Message = z.infer<typeof Message>;

type Properties = Readonly<Record<string, string | number | null | undefined>>;
type Act = readonly [DecodedInteraction['direction'], DecodedInteraction['kind']];

const email = (address: string): string[] =>
  parseMailboxes(address)
    .slice(0, 1)
    .map((one) => `email:${one.address}`);

/** One interaction for each person that a report names; one without a customer if it names none. */
const reports = (
  { mail }: Message,
  { id, publishedAt, member }: Source,
  act: Act | ((recipient: Recipient) => Act),
  people: readonly Member[],
  at: string | null | undefined,
  properties: Properties | ((recipient: Recipient) => Properties),
): Drafts =>
  decodeMembers({ member }, people.length === 0 ? NOBODY : people, (value) => {
    const recipient = Recipient.parse(value);
    const address = recipient.emailAddress;
    const [direction, kind] = typeof act === 'function' ? act(recipient) : act;
    const details = typeof properties === 'function' ? properties(recipient) : properties;
    const interaction: DecodedInteraction = defined({
      key: `${id}:${parseMailboxes(address)[0]?.address ?? address}${typeof details['scope'] === 'string' ? `:${details['scope']}` : ''}`,
      kind,
      channel: 'email' as const,
      direction,
      identifiers: email(address),
      externalId: mail?.messageId || undefined,
      refersTo: mail?.messageId || undefined,
      occurredAt: readTime(at ?? undefined) ?? publishedAt,
      properties: Object.fromEntries(
        Object.entries(details).flatMap(([name, one]) =>
          one === undefined || one === null || one === '' ? [] : [[name, one]],
        ),
      ),
    });
    return { interactions: [interaction] };
  });

const NOBODY: readonly Member[] = [{ path: 'nobody', value: '' }];

/** A notification, and the member of it that is replayed. */
type Source = SnsNotification & Pick<Delivery, 'member'>;

const outbound: Act = ['outbound', 'delivery-status'];

/** Not sent because the recipient unsubscribed: nothing is wrong with the address. */
const UNSUBSCRIBED = 'UnsubscribedRecipient';

const bounced: Handler = (message, notification) => {
  const { bounce } = message;
  const isPermanent = bounce?.bounceType === 'Permanent' && bounce.bounceSubType !== UNSUBSCRIBED;
  const isHard = ({ diagnosticCode, status }: Recipient): boolean =>
    isPermanent && !refusesSender(status, diagnosticCode);
  return reports(
    message,
    notification,
    (one) => (isHard(one) ? ['outbound', 'bounce'] : outbound),
    membersOf(bounce?.bouncedRecipients ?? [], 'bounce.bouncedRecipients'),
    bounce?.timestamp,
    (one) => ({
      status: isHard(one) ? 'bounced' : 'soft-bounced',
      type: bounce?.bounceType,
      subtype: bounce?.bounceSubType,
      reason: one.diagnosticCode,
      code: one.status,
    }),
  );
};

/** Mail services hide who complained; SES then lists all recipients at that service. */
const complained: Handler = (message, notification) => {
  const { complaint } = message;
  if (complaint?.complaintFeedbackType === 'not-spam') return undefined;
  const people = complaint?.complainedRecipients ?? [];
  return reports(
    message,
    notification,
    ['inbound', 'complaint'],
    membersOf(people, 'complaint.complainedRecipients'),
    complaint?.timestamp,
    {
      reason: complaint?.complaintFeedbackType,
      subtype: complaint?.complaintSubType,
      candidates: people.length > 1 ? people.length : undefined,
    },
  );
};

type Handler = (message: Message, notification: Source) => Drafts | undefined;

const everybody = ({ mail }: Message): readonly Member[] =>
  membersOf(mail?.destination ?? [], 'mail.destination');

/** The recipient, if there is only one. */
const onlyOne = (message: Message): ReturnType<typeof everybody> => {
  const all = everybody(message);
  return all.length === 1 ? all : [];
};

/** Unsubscribed from a whole list, or from single topics: the differences from before. */
const subscribed: Handler = (message, notification) => {
  const {
    contactList,
    timestamp,
    source,
    newTopicPreferences: now,
    oldTopicPreferences: before,
  } = message.subscription ?? {};
  const list = `list-${contactList ?? 'default'}`;
  const change = (leaves: boolean, scope: string) =>
    reports(message, notification, ['inbound', leaves ? 'opt-out' : 'opt-in'], onlyOne(message), timestamp, {
      scope,
      source,
    });
  if (now?.unsubscribeAll === true) return change(true, list);
  const old = new Map(before?.topicSubscriptionStatus?.map((one) => [one.topicName, one.subscriptionStatus]));
  const topics = (now?.topicSubscriptionStatus ?? []).filter(
    (one) => old.get(one.topicName) !== one.subscriptionStatus,
  );
  const changes = topics.map((one) =>
    change(one.subscriptionStatus === 'OptOut', `${list}:topic-${one.topicName}`),
  );
  if (changes.length === 0) return before?.unsubscribeAll === true ? change(false, list) : undefined;
  return {
    interactions: changes.flatMap(({ interactions }) => interactions),
    ignored: [],
    unreadable: changes.flatMap(({ unreadable = [] }) => unreadable),
  };
};

const handlers: Readonly<Record<string, Handler>> = {
  Bounce: bounced,
  Complaint: complained,
  Subscription: subscribed,
  Send: (message, notification) =>
    reports(message, notification, outbound, everybody(message), message.mail?.timestamp, { status: 'sent' }),
  Reject: (message, notification) =>
    reports(message, notification, outbound, everybody(message), undefined, {
      status: 'rejected',
      reason: message.reject?.reason,
    }),
  'Rendering Failure': (message, notification) =>
    reports(message, notification, outbound, everybody(message), undefined, {
      status: 'failed',
      reason: message.failure?.errorMessage,
    }),
  Delivery: (message, notification) =>
    reports(
      message,
      notification,
      outbound,
      membersOf(message.delivery?.recipients ?? [], 'delivery.recipients'),
      message.delivery?.timestamp,
      { status: 'delivered', detail: message.delivery?.smtpResponse },
    ),
  DeliveryDelay: (message, notification) =>
    reports(
      message,
      notification,
      outbound,
      membersOf(message.deliveryDelay?.delayedRecipients ?? [], 'deliveryDelay.delayedRecipients'),
      message.deliveryDelay?.timestamp,
      (one) => ({
        status: 'deferred',
        type: message.deliveryDelay?.delayType,
        reason: one.diagnosticCode,
      }),
    ),
  Open: (message, notification) =>
    reports(message, notification, ['inbound', 'open'], onlyOne(message), message.open?.timestamp, {}),
  Click: (message, notification) =>
    reports(message, notification, ['inbound', 'click'], onlyOne(message), message.click?.timestamp, {
      url: message.click?.link,
    }),
};

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
