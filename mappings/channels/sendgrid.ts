// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
// sg_event_id identifies an event. sg_message_id is the id of a message with a suffix that changes on the way: all events of a
// message share the part before the first dot. A "blocked" bounce is soft.

import * as z from 'zod';
import { textOfHtml } from '../../core/formats/html.ts';
import { authorDomain, headerValues, isAligned } from '../../core/formats/mail/author.ts';
import { refusesSender } from '../../core/formats/mail/bounce.ts';
import { readMail } from '../../core/formats/mail/mail.ts';
import { parseMailboxes } from '../../core/formats/mail/mailboxes.ts';
import {
  ifReadable,
  instantOf,
  type Part,
  parseJson,
  parseMultipart,
  parsePayload,
  textOfPart,
} from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { decodeMembers, membersOf } from '../../core/webhooks/members.ts';
import { receivedMail } from '../../core/webhooks/received-mail.ts';
import { joinedList, leftList, mailAuthor } from '../../core/webhooks/vouching.ts';

// A business's own arguments are members beside these, with any names and types.
const OptionalText = z.string().optional().catch(undefined);
const Event = z.looseObject({
  /** An event of the account, not of a mail, names no recipient. */
  email: z.string().nullish(),
  event: z.string(),
  timestamp: z.union([z.number(), z.string()]),
  sg_event_id: OptionalText,
  sg_message_id: OptionalText,
  sg_machine_open: z.boolean().optional().catch(undefined),
  'smtp-id': OptionalText,
  type: OptionalText,
  reason: OptionalText,
  status: OptionalText,
  url: OptionalText,
  asm_group_id: z.union([z.number(), z.string()]).optional().catch(undefined),
  bounce_classification: OptionalText,
});
type Event = z.infer<typeof Event>;

const outbound = ['outbound', 'delivery-status'] as const;
const kinds: Readonly<Record<string, readonly ['inbound' | 'outbound', DecodedInteraction['kind']]>> = {
  processed: outbound,
  deferred: outbound,
  delivered: outbound,
  dropped: outbound,
  bounce: ['outbound', 'bounce'],
  open: ['inbound', 'open'],
  click: ['inbound', 'click'],
  spamreport: ['inbound', 'complaint'],
  unsubscribe: ['inbound', 'opt-out'],
  group_unsubscribe: ['inbound', 'opt-out'],
  group_resubscribe: ['inbound', 'opt-in'],
};

/** What SendGrid classifies as a cause other than the address. */
const SOFT = /^(?:content|reputation|technical|frequency)/iu;

/** A permanent refusal is a bounce, also if SendGrid dropped the mail because of an earlier bounce; the rest is soft. */
const refusal = (event: Event): readonly ['outbound', DecodedInteraction['kind']] | undefined => {
  const { type, reason, status, bounce_classification: cause } = event;
  const isSoft = type === 'blocked' || SOFT.test(cause ?? '') || refusesSender(status, reason);
  if (event.event === 'bounce' && isSoft) return outbound;
  return event.event === 'dropped' && event.reason === 'Bounced Address' ? ['outbound', 'bounce'] : undefined;
};

const eventOf = (event: Event): DecodedInteraction | undefined => {
  const known = kinds[event.event];
  if (known === undefined || !event.email) return undefined;
  const [recipient] = parseMailboxes(event.email);
  const [direction, kind] = refusal(event) ?? known;
  const message = event.sg_message_id?.split('.')[0];
  const at = instantOf(event.timestamp);
  const details = {
    status: event.event,
    reason: event.reason,
    url: event.url,
    // A mail service prefetches pictures: that is not a person who reads.
    machine: event.sg_machine_open === true ? true : undefined,
    scope: event.asm_group_id === undefined ? undefined : `group-${event.asm_group_id}`,
  };
  return {
    key:
      event.sg_event_id ?? `${event['smtp-id'] ?? message}:${event.event}:${event.email}:${event.timestamp}`,
    kind,
    channel: 'email',
    direction,
    identifiers: [`email:${recipient?.address ?? event.email.trim().toLowerCase()}`],
    ...(event.sg_message_id !== undefined && { externalId: event.sg_message_id }),
    ...(message !== undefined && { refersTo: message }),
    ...(at !== undefined && { occurredAt: at }),
    properties: Object.fromEntries(
      Object.entries(details).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
  };
};

const Charsets = z.record(z.string(), z.string());

/** Whether a signature of the author's domain passed: `dkim` is `{@example.com : pass, @other.example : fail}`. */
const isAuthentic = (from: readonly string[], dkim: string): boolean => {
  const author = authorDomain(from);
  return (
    author !== undefined &&
    [...dkim.matchAll(/@([^\s:,{}@]+)\s*:\s*([a-z]+)/giu)].some(
      ([, signer = '', verdict]) => verdict?.toLowerCase() === 'pass' && isAligned(signer, author),
    )
  );
};

/** Inbound Parse: one mail as form fields, each in its own charset, or as the raw MIME in `email`. */
const inbound = async (parts: readonly Part[]): Promise<Drafts> => {
  const raw = (name: string): Part | undefined => parts.find((part) => part.name === name);
  const declared = raw('charsets');
  const charsets =
    declared === undefined ? {} : (Charsets.safeParse(parsePayload(declared.bytes)).data ?? {});
  const field = (name: string): string | undefined => {
    const part = raw(name);
    return part && textOfPart(part, charsets[name]);
  };
  const mime = raw('email');
  const mail = await readMail(mime ? mime.bytes : Buffer.from(`${field('headers') ?? ''}\r\n\r\n`));
  const [from] = [...parseMailboxes(field('from') ?? ''), ...(mail.from ? [mail.from] : [])];
  const written = headerValues(mail.headers, 'from');
  const files = parts.filter(({ filename }) => filename !== undefined);
  const attachments = [
    ...files.map(({ filename = '', contentType, bytes }) => ({
      name: filename,
      size: bytes.byteLength,
      content: Buffer.from(bytes).toString('base64'),
      ...(contentType !== undefined && { contentType }),
    })),
    ...mail.attachments,
  ];
  const subject = field('subject') ?? mail.subject;
  const text =
    [field('text'), mail.text].find((one) => one?.trim()) ?? textOfHtml(field('html') ?? mail.html ?? '');
  const envelope = field('envelope') ?? '';
  const message: Draft = {
    key: mail.messageId ?? `${from?.address}:${envelope}:${mail.date ?? ''}:${subject ?? ''}`,
    kind: 'message',
    channel: 'email',
    direction: 'inbound',
    identifiers: from === undefined ? [] : [`email:${from.address}`],
    vouched: isAuthentic(written.length > 0 ? written : [field('from') ?? ''], field('dkim') ?? ''),
    ...(mail.messageId !== undefined && { externalId: mail.messageId }),
    ...(mail.inReplyTo !== undefined && { refersTo: mail.inReplyTo }),
    ...(mail.date !== undefined && { occurredAt: mail.date }),
    ...(subject !== undefined && { subject }),
    ...(text !== undefined && { text }),
    ...(from?.name !== undefined && { profile: { name: { full: from.name } } }),
    ...(attachments.length > 0 && { attachments }),
  };
  const returnPath = Envelope.safeParse(ifReadable(() => parseJson(Buffer.from(envelope)))).data?.from;
  return receivedMail(message, { headers: mail.headers, from: from?.address, text, attachments, returnPath });
};

const Envelope = z.looseObject({ from: z.string() });

const Events = z.array(z.unknown());

const decode = async (delivery: Delivery): Promise<Drafts> => {
  const { headers, body } = delivery;
  const contentType = headers['content-type'] ?? '';
  if (contentType.startsWith('multipart/form-data')) return inbound(parseMultipart(contentType, body));
  const events = Events.parse(parsePayload(body));
  return decodeMembers(delivery, membersOf(events), (one) => {
    const event = Event.parse(one);
    const interaction = eventOf(event);
    return interaction ? { interactions: [interaction] } : { interactions: [], ignored: [event.event] };
  });
};

export const sendgrid = channelMapping({
  id: 'sendgrid',
  channels: ['email'],
  kinds: ['message', 'delivery-status', 'bounce', 'complaint', 'open', 'click', 'opt-in', 'opt-out'],
  vouching: [
    mailAuthor('from', '`dkim` has a pass of the domain of From; `SPF` is about the envelope'),
    leftList('email'),
    joinedList('email'),
  ],
  decode,
});
