// https://postmarkapp.com/developer/webhooks/webhooks-overview
// A bounce has an ID of its own; deliveries, opens and clicks have none, so message, recipient and time identify them. Only
// two of the many types of bounces mean that the address does not work; the others are soft, or not bounces at all.

import * as z from 'zod';
import { textOfHtml } from '../../core/formats/html.ts';
import {
  addedOnReceipt,
  authorDomain,
  headerValues,
  isAuthenticResult,
  resultServer,
} from '../../core/formats/mail/author.ts';
import { refusesSender } from '../../core/formats/mail/bounce.ts';
import { parseMailboxes } from '../../core/formats/mail/mailboxes.ts';
import { defined, parseJson, readTime } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { receivedMail } from '../../core/webhooks/received-mail.ts';
import { sha256Hex } from '../../core/webhooks/signature.ts';
import { joinedList, leftList, mailAuthor } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const Id = z.union([z.string(), z.number()]).transform(String).nullish();
const Header = z.looseObject({ Name: z.string(), Value: z.string().nullish() });

const Payload = z.looseObject({
  RecordType: Text,
  ID: Id,
  Type: Text,
  MessageID: Text,
  MessageStream: Text,
  Email: Text,
  Recipient: Text,
  Description: Text,
  Details: Text,
  BouncedAt: Text,
  DeliveredAt: Text,
  ReceivedAt: Text,
  ChangedAt: Text,
  FirstOpen: z.boolean().nullish(),
  OriginalLink: Text,
  Origin: Text,
  SuppressSending: z.boolean().nullish(),
  SuppressionReason: Text,
  From: Text,
  FromName: Text,
  FromFull: z.looseObject({ Email: Text, Name: Text }).nullish(),
  Subject: Text,
  Date: Text,
  MailboxHash: Text,
  TextBody: Text,
  HtmlBody: Text,
  StrippedTextReply: Text,
  Headers: z.array(Header).nullish(),
  Attachments: z
    .array(
      z.looseObject({
        Name: Text,
        ContentType: Text,
        ContentLength: z.int().nonnegative().nullish(),
        Content: Text,
        Data: Text,
      }),
    )
    .nullish(),
});
type Payload = z.infer<typeof Payload>;

type Act = readonly [DecodedInteraction['direction'], DecodedInteraction['kind']];
const softly: Act = ['outbound', 'delivery-status'];

const bounceTypes: Readonly<Record<string, Act>> = {
  HardBounce: ['outbound', 'bounce'],
  BadEmailAddress: ['outbound', 'bounce'],
  SpamComplaint: ['inbound', 'complaint'],
  Unsubscribe: ['inbound', 'opt-out'],
  Subscribe: ['inbound', 'opt-in'],
};

const bounceOf = ({ Type, Details, Description }: Payload): Act => {
  const act = bounceTypes[Type ?? ''] ?? softly;
  return act[1] === 'bounce' && refusesSender(Details, Description) ? softly : act;
};

const emails = (address: string | null | undefined): string[] =>
  parseMailboxes(address ?? '')
    .slice(0, 1)
    .map((one) => `email:${one.address}`);

/** The members that all reports about an outbound mail share. `at`: in Postmark's form. */
const report = (
  [direction, kind]: Act,
  payload: Payload,
  key: string,
  at: string | null | undefined,
  properties: Readonly<Record<string, string | boolean | null | undefined>>,
): DecodedInteraction =>
  defined({
    key,
    kind,
    channel: 'email' as const,
    direction,
    identifiers: emails(payload.Recipient || payload.Email),
    externalId: payload.MessageID || undefined,
    refersTo: payload.MessageID || undefined,
    occurredAt: readTime(at ?? undefined),
    properties: Object.fromEntries(
      Object.entries({ ...properties, stream: payload.MessageStream }).flatMap(([name, value]) =>
        value === undefined || value === null || value === '' ? [] : [[name, value]],
      ),
    ),
  });

/** An address is suppressed in a stream or reactivated: by its owner, by a bounce or complaint, or by the business. */
const suppression = (payload: Payload): Act => {
  const [person, reason] = [payload.Origin === 'Recipient', payload.SuppressionReason];
  if (payload.SuppressSending === false) return [person ? 'inbound' : 'system', 'opt-in'];
  if (reason === 'HardBounce') return ['outbound', 'bounce'];
  if (reason === 'SpamComplaint') return ['inbound', 'complaint'];
  return [person ? 'inbound' : 'system', 'opt-out'];
};

const reportOf = (payload: Payload): DecodedInteraction | undefined => {
  const { RecordType: type, MessageID: message, Recipient: recipient } = payload;
  const stamped = (at: string | null | undefined): string => `${type}:${message}:${recipient}:${at}`;
  switch (type) {
    case 'Delivery':
      return report(softly, payload, stamped(payload.DeliveredAt), payload.DeliveredAt, {
        status: 'delivered',
        detail: payload.Details,
      });
    case 'Bounce':
      return report(bounceOf(payload), payload, payload.ID ?? stamped(payload.BouncedAt), payload.BouncedAt, {
        status: payload.Type,
        detail: payload.Details || payload.Description,
      });
    case 'SpamComplaint':
      return report(
        ['inbound', 'complaint'],
        payload,
        payload.ID ?? stamped(payload.BouncedAt),
        payload.BouncedAt,
        { status: payload.Type },
      );
    case 'Open':
      return report(['inbound', 'open'], payload, stamped(payload.ReceivedAt), payload.ReceivedAt, {
        first: payload.FirstOpen,
      });
    case 'Click':
      return report(
        ['inbound', 'click'],
        payload,
        `${stamped(payload.ReceivedAt)}:${payload.OriginalLink}`,
        payload.ReceivedAt,
        { url: payload.OriginalLink },
      );
    case 'SubscriptionChange': {
      const act = suppression(payload);
      return report(
        act,
        payload,
        `${stamped(payload.ChangedAt)}:${payload.SuppressSending}`,
        payload.ChangedAt,
        {
          status: payload.SuppressSending === false ? 'reactivated' : 'suppressed',
          reason: payload.SuppressionReason,
          origin: payload.Origin,
          scope: act[1].startsWith('opt-') ? `stream:${payload.MessageStream ?? 'outbound'}` : undefined,
        },
      );
    }
    default:
      return undefined;
  }
};

const ZERO = '00000000-0000-0000-0000-000000000000';

/** Our own mails have Postmark's id and host in the Message-ID; other mails have another host. */
const repliedTo = (id: string | null | undefined): string | undefined =>
  id?.trim().replace(/^<([0-9a-f-]{36})@mtasv\.net>$/u, '$1') || undefined;

/** Hosts of Postmark, under which it writes its results. */
const POSTMARK = /(?:^|\.)(?:postmarkapp\.com|mtasv\.net)$/u;

/**
 * Whether Postmark itself found the author to be authentic. The same headers may be in the mail, below the Received header
 * that Postmark adds when it takes the mail. DKIM_VALID_AU: a valid signature of the author's own domain (SpamAssassin).
 */
const isAuthentic = ({ Headers, From, FromFull }: Payload): boolean => {
  const headers = (Headers ?? []).map(({ Name: name, Value: value }) => ({ name, value: value ?? '' }));
  const written = headerValues(headers, 'from');
  const author = authorDomain(written.length > 0 ? written : [From ?? FromFull?.Email ?? '']);
  if (author === undefined) return false;
  const added = addedOnReceipt(headers);
  const [result = ''] = headerValues(added, 'authentication-results');
  const [tests = ''] = headerValues(added, 'x-spam-tests');
  return (
    (POSTMARK.test(resultServer(result)) && isAuthenticResult(result, author)) ||
    tests.split(/[\s,]+/u).includes('DKIM_VALID_AU')
  );
};

/** Postmark's "Check" button sends the same id each time, and spam may have none: then the bytes identify the mail. */
const inbound = (payload: Payload, body: Uint8Array): Drafts => {
  const header = (name: string): string | undefined =>
    payload.Headers?.find((one) => one.Name.toLowerCase() === name)?.Value?.trim() || undefined;
  const [from] = parseMailboxes(payload.FromFull?.Email ?? payload.From ?? '');
  const name = (payload.FromFull?.Name ?? payload.FromName ?? from?.name)?.trim();
  const text =
    [payload.StrippedTextReply, payload.TextBody].find((one) => one?.trim()) ??
    textOfHtml(payload.HtmlBody ?? '');
  const own = payload.MessageID || undefined;
  const files = (payload.Attachments ?? []).map((file) =>
    defined({
      name: file.Name ?? undefined,
      contentType: file.ContentType ?? undefined,
      size: file.ContentLength ?? undefined,
      content: file.Content ?? file.Data ?? undefined,
    }),
  );
  const message: Draft = defined({
    key: own === undefined || own === ZERO ? sha256Hex(body) : own,
    kind: 'message' as const,
    channel: 'email' as const,
    direction: 'inbound' as const,
    identifiers: from === undefined ? [] : [`email:${from.address}`],
    vouched: isAuthentic(payload),
    externalId: header('message-id') ?? own,
    refersTo: repliedTo(header('in-reply-to')),
    occurredAt: readTime(payload.Date ?? header('date')),
    subject: payload.Subject ?? undefined,
    text: text ?? undefined,
    conversationId: payload.MailboxHash || undefined,
    profile: name ? { name: { full: name } } : undefined,
    attachments: files.length > 0 ? files : undefined,
  });
  const headers = (payload.Headers ?? []).map((one) => ({ name: one.Name, value: one.Value ?? '' }));
  return receivedMail(message, { headers, from: from?.address, text, attachments: files, sentId: repliedTo });
};

const decode = ({ body }: Delivery): Drafts => {
  const payload = Payload.parse(parseJson(body));
  const isMail =
    payload.RecordType === 'Inbound' || (!payload.RecordType && (payload.FromFull ?? payload.From));
  if (isMail) return inbound(payload, body);
  const interaction = reportOf(payload);
  return interaction
    ? { interactions: [interaction], ignored: [] }
    : { interactions: [], ignored: [payload.RecordType ?? 'no RecordType'] };
};

export const postmark = channelMapping({
  id: 'postmark',
  channels: ['email'],
  kinds: ['message', 'delivery-status', 'bounce', 'complaint', 'open', 'click', 'opt-in', 'opt-out'],
  vouching: [
    mailAuthor(
      'FromFull.Email',
      'above the Received header of Postmark, `Authentication-Results` of Postmark has a pass of the domain of From, or `X-Spam-Tests` has DKIM_VALID_AU',
    ),
    leftList('Recipient'),
    joinedList('Recipient'),
  ],
  decode,
});
