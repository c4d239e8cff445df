// https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads
// The id of an event, if it has one, identifies it; otherwise the token does. Message ids of events have no angle brackets,
// those of routes have. A permanent failure is a hard bounce only if the address is the cause: Mailgun also calls permanent
// a mail that it gave up (`old`) and one to a person who unsubscribed or complained, which it did not send.

import * as z from 'zod';
import { textOfHtml } from '../../core/formats/html.ts';
import {
  addedOnReceipt,
  authorDomain,
  headerValues,
  isSignedByAuthorAlone,
  type MailHeader,
} from '../../core/formats/mail/author.ts';
import { refusesSender } from '../../core/formats/mail/bounce.ts';
import { readMail } from '../../core/formats/mail/mail.ts';
import { parseMailboxes } from '../../core/formats/mail/mailboxes.ts';
import {
  defined,
  formBytes,
  instantOf,
  type Part,
  parseFormPairs,
  parseMultipart,
  parsePayload,
  readTime,
  textOfPart,
} from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Content, Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { receivedMail } from '../../core/webhooks/received-mail.ts';
import { leftList, mailAuthor } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const Name = z.union([z.string(), z.number()]).nullish();

const Event = z.looseObject({
  event: z.string(),
  id: Text,
  timestamp: Name,
  recipient: Text,
  severity: Text,
  reason: Text,
  reject: z.looseObject({ reason: Text }).nullish(),
  url: Text,
  message: z
    .looseObject({ headers: z.looseObject({ 'message-id': Text, subject: Text }).nullish() })
    .nullish(),
  'delivery-status': z.looseObject({ code: Name, message: Text, description: Text }).nullish(),
  'mailing-list': z.looseObject({ address: Text }).nullish(),
});
type Event = z.infer<typeof Event>;

const Webhook = z.looseObject({
  signature: z.looseObject({ token: z.string().optional() }).nullish(),
  'event-data': Event,
});

type Act = readonly [DecodedInteraction['direction'], DecodedInteraction['kind'], string];

const acts: Readonly<Record<string, Act>> = {
  accepted: ['outbound', 'delivery-status', 'accepted'],
  rejected: ['outbound', 'delivery-status', 'rejected'],
  delivered: ['outbound', 'delivery-status', 'delivered'],
  failed: ['outbound', 'delivery-status', 'failed'],
  opened: ['inbound', 'open', 'opened'],
  clicked: ['inbound', 'click', 'clicked'],
  unsubscribed: ['inbound', 'opt-out', 'unsubscribed'],
  complained: ['inbound', 'complaint', 'complained'],
  // Webhooks from before 2018, which arrive as forms.
  dropped: ['outbound', 'delivery-status', 'dropped'],
  bounced: ['outbound', 'bounce', 'bounced'],
};

/** The address is not the cause: given up after some time, refused for content or reputation, or never sent. */
const softReasons: ReadonlySet<string> = new Set([
  'old',
  'espblock',
  'greylisted',
  'suppress-unsubscribe',
  'suppress-complaint',
]);
const UNSUBSCRIBED = 606;
const COMPLAINED = 607;

const actOf = (event: Event): Act | undefined => {
  const known = acts[event.event];
  const answer = event['delivery-status'];
  const soft = softReasons.has(event.reason ?? '') || refusesSender(answer?.message, answer?.description);
  const code = Number(event['delivery-status']?.code ?? 0);
  if (event.event === 'failed' && event.severity === 'temporary')
    return ['outbound', 'delivery-status', 'deferred'];
  const refused = event.event === 'failed' || (event.event === 'dropped' && event.reason === 'hardfail');
  const hard = refused && !soft && code !== UNSUBSCRIBED && code !== COMPLAINED;
  if (event.event === 'bounced' && refusesSender(answer?.message, answer?.description)) return acts['failed'];
  return known !== undefined && hard ? ['outbound', 'bounce', known[2]] : known;
};

const bare = (id: string | null | undefined): string | undefined =>
  id?.trim().replace(/^<(.*)>$/su, '$1') || undefined;
const emails = (address: string | null | undefined): string[] =>
  parseMailboxes(address ?? '')
    .slice(0, 1)
    .map((one) => `email:${one.address}`);

const ofEvent = (event: Event, token: string | undefined): DecodedInteraction | undefined => {
  const [direction, kind, status] = actOf(event) ?? [];
  if (direction === undefined || kind === undefined || status === undefined) return undefined;
  const id = bare(event.message?.headers?.['message-id']);
  const result = event['delivery-status'];
  const list = event['mailing-list']?.address;
  return defined({
    key: event.id || token || `${id}:${event.event}:${event.recipient}:${event.timestamp}`,
    kind,
    channel: 'email' as const,
    direction,
    identifiers: emails(event.recipient),
    externalId: id,
    refersTo: id,
    // Microseconds, rounded as in Mailgun's own log.
    occurredAt: instantOf(Math.round(Number(event.timestamp ?? Number.NaN) * 1000)),
    properties: defined({
      status,
      reason: event.reason ?? event.reject?.reason ?? undefined,
      code: result?.code ?? undefined,
      detail: result?.description || result?.message || undefined,
      url: event.url ?? undefined,
      scope: kind === 'opt-out' && list ? `list-${list}` : undefined,
    }),
  });
};

type Fields = Readonly<Record<string, string>>;

const Headers = z.array(z.tuple([z.string(), z.string()]));
/** The headers of a mail in their order, which the fields of the same names do not keep. */
const headersOf = (fields: Fields): MailHeader[] => {
  const list = fields['message-headers']
    ? Headers.safeParse(parsePayload(Buffer.from(fields['message-headers']))).data
    : [];
  return (list ?? []).map(([name, value]) => ({ name, value }));
};

const headerOf = (fields: Fields, name: string): string | undefined => {
  const written = Object.keys(fields).find((one) => one.toLowerCase() === name);
  if (written !== undefined && fields[written]) return fields[written];
  return headerValues(headersOf(fields), name)[0];
};

/** Whether Mailgun itself found a signature of the author; a header of the same name may be in the mail too. */
const isAuthentic = (headers: readonly MailHeader[]): boolean => {
  const author = authorDomain(headerValues(headers, 'from'));
  const [verdict] = headerValues(addedOnReceipt(headers), 'x-mailgun-dkim-check-result');
  return (
    author !== undefined && verdict?.trim().toLowerCase() === 'pass' && isSignedByAuthorAlone(headers, author)
  );
};

const ofOldEvent = (fields: Fields): DecodedInteraction | undefined => {
  const { event = '', recipient, timestamp, code, reason, url, token } = fields;
  const detail = fields['error'] ?? fields['description'];
  const id = headerOf(fields, 'message-id');
  const read = Event.parse({
    event,
    recipient,
    timestamp,
    reason,
    url,
    message: { headers: { 'message-id': id } },
    'delivery-status': { code, message: detail },
  });
  return ofEvent(read, token);
};

const Stored = z.array(
  z.looseObject({
    url: z.string(),
    name: Text,
    'content-type': Text,
    size: z.union([z.number(), z.string()]).nullish(),
  }),
);

const filesOf = (fields: Fields, parts: readonly Part[]): DecodedInteraction['attachments'] => {
  const stored = fields['attachments']
    ? (Stored.safeParse(parsePayload(Buffer.from(fields['attachments']))).data ?? [])
    : [];
  return [
    ...parts
      .filter(({ filename }) => filename !== undefined)
      .map(({ filename, contentType, bytes }) =>
        defined({
          name: filename,
          contentType,
          size: bytes.byteLength,
          content: Buffer.from(bytes).toString('base64'),
        }),
      ),
    ...stored.map((file) =>
      defined({
        url: file.url,
        keep: true as const,
        name: file.name ?? undefined,
        contentType: file['content-type'] ?? undefined,
      }),
    ),
  ];
};

/** A mail of a route: as fields, as raw MIME, or stored at Mailgun and linked. */
const ofRoute = async (fields: Fields, mime?: Uint8Array, parts: readonly Part[] = []): Promise<Drafts> => {
  const mail = mime && mime.byteLength > 0 ? await readMail(mime) : undefined;
  const [from] = [
    ...parseMailboxes(headerOf(fields, 'from') ?? ''),
    ...(mail?.from ? [mail.from] : []),
    ...parseMailboxes(fields['sender'] ?? ''),
  ];
  const id = headerOf(fields, 'message-id') ?? mail?.messageId;
  const said = (...from: readonly (string | undefined)[]) => from.find((one) => one?.trim());
  const html = said(fields['stripped-html'], fields['body-html'], mail?.html);
  const text =
    said(fields['stripped-text'], fields['body-plain'], mail?.text) ??
    (html === undefined ? undefined : textOfHtml(html));
  const files = [...(filesOf(fields, parts) ?? []), ...(mail?.attachments ?? [])];
  const stored = fields['message-url'];
  const spam = headerOf(fields, 'x-mailgun-sflag');
  const message: Draft = defined({
    key: id ?? fields['token'] ?? `${from?.address}:${fields['timestamp']}`,
    kind: 'message' as const,
    channel: 'email' as const,
    direction: 'inbound' as const,
    identifiers: from === undefined ? [] : [`email:${from.address}`],
    vouched: isAuthentic(mail?.headers ?? headersOf(fields)),
    externalId: id,
    refersTo: bare(headerOf(fields, 'in-reply-to') ?? mail?.inReplyTo),
    occurredAt: readTime(headerOf(fields, 'date')) ?? mail?.date ?? instantOf(fields['timestamp']),
    subject: headerOf(fields, 'subject') ?? mail?.subject,
    text,
    profile: from?.name === undefined ? undefined : { name: { full: from.name } },
    attachments: files.length > 0 ? files : undefined,
    properties: spam === undefined ? undefined : { spam },
    fetch: stored && text === undefined ? { url: stored } : undefined,
  });
  return receivedMail(message, {
    headers: mail?.headers ?? headersOf(fields),
    from: from?.address,
    text,
    attachments: files,
    returnPath: fields['sender'],
    sentId: bare,
  });
};

const one = (interaction: DecodedInteraction | undefined, name: string): Drafts =>
  interaction === undefined
    ? { interactions: [], ignored: [name] }
    : { interactions: [interaction], ignored: [] };

const decode = async ({ headers, body }: Delivery): Promise<Drafts> => {
  const contentType = headers['content-type'] ?? '';
  const parts = contentType.startsWith('multipart/form-data') ? parseMultipart(contentType, body) : undefined;
  if (parts === undefined && !contentType.startsWith('application/x-www-form-urlencoded')) {
    const webhook = Webhook.parse(parsePayload(body));
    return one(ofEvent(webhook['event-data'], webhook.signature?.token), webhook['event-data'].event);
  }
  // Variables of the business may repeat the names of Mailgun's own fields, which come first.
  const fields = firstFields(
    parts
      ? parts
          .filter(({ filename, name }) => filename === undefined && name !== MIME)
          .map((part) => [part.name, textOfPart(part)])
      : parseFormPairs(body),
  );
  const event = fields['event'];
  if (event !== undefined) return one(ofOldEvent(fields), event);
  // The raw mail is bytes in its own charsets.
  const mime = parts ? parts.find(({ name }) => name === MIME)?.bytes : formBytes(body, MIME);
  return ofRoute(fields, mime, parts);
};

const MIME = 'body-mime';

const firstFields = (pairs: readonly (readonly [string, string])[]): Fields =>
  Object.fromEntries([...pairs].reverse());

const StoredMail = z.record(z.string(), z.unknown());

/** A stored mail has the fields of a route, as JSON. */
const complete = async (interaction: DecodedInteraction, { bytes }: Content): Promise<Draft> => {
  const read = StoredMail.parse(parsePayload(bytes));
  const fields = Object.fromEntries(
    Object.entries(read).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
  const mime = fields[MIME];
  const { interactions } = await ofRoute(fields, mime === undefined ? undefined : Buffer.from(mime));
  const [whole] = interactions;
  // What was taken for a message stays one, whatever it proves to be.
  if (whole?.kind !== 'message')
    return { ...interaction, properties: { ...interaction.properties, automated: true } };
  const { fetch: _fetch, ...rest } = whole;
  return { ...interaction, ...rest, key: interaction.key };
};

export const mailgun = channelMapping({
  id: 'mailgun',
  channels: ['email'],
  kinds: ['message', 'delivery-status', 'bounce', 'complaint', 'open', 'click', 'opt-out'],
  vouching: [
    mailAuthor(
      'From',
      '`X-Mailgun-Dkim-Check-Result`, above the first Received header, is Pass and every signature is of the domain of From',
    ),
    leftList('recipient'),
  ],
  decode,
  complete,
});
