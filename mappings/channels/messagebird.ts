// https://developers.messagebird.com/api/conversations/#webhooks
// SMS and their receipts arrive as fields, Conversations as JSON. Numbers have no plus, and in JSON are numbers.

import * as z from 'zod';
import { textOfHtml } from '../../core/formats/html.ts';
import { JsonObject } from '../../core/formats/json.ts';
import {
  defined,
  entryOf,
  jsonWithin,
  memberOf,
  msisdn,
  parseForm,
  parseJson,
  parseQuery,
  readTime,
} from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { platformUser, sentFrom, typed } from '../../core/webhooks/vouching.ts';

const Text = VendorId.nullish();

const Sms = z.looseObject({
  id: Text,
  mid: Text,
  message_id: Text,
  originator: Text,
  recipient: Text,
  body: Text,
  message: Text,
  createdDatetime: Text,
  receive_datetime: Text,
  status: Text,
  statusDatetime: Text,
  statusReason: Text,
  statusErrorCode: Text,
  subject: Text,
});
type Sms = z.infer<typeof Sms>;

const phones = (number: unknown): string[] => {
  const phone = msisdn(number);
  return phone === undefined ? [] : [`phone:${phone}`];
};

/** The time of an inbound message in the older form: 20260302090000. */
const compactTime = (text: string | null | undefined): string | undefined =>
  text?.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/u, '$1-$2-$3 $4:$5:$6');

/** Addresses of the files of an MMS: a list, JSON in a text, or one address in each of several fields. */
const mediaOf = (fields: readonly (readonly [string, unknown])[]): string[] =>
  fields
    .filter(([name]) => /^(?:mediaURLs|media_?urls?)(?:\[\d*\])?$/iu.test(name))
    .flatMap(([, value]) => {
      const listed = typeof value === 'string' && value.startsWith('[') ? jsonWithin(value) : value;
      return [listed].flat();
    })
    .filter((one) => typeof one === 'string')
    .filter((one) => /^https?:/iu.test(one));

const sms = (payload: Sms, media: readonly string[]): DecodedInteraction | undefined => {
  const id = payload.id ?? payload.mid ?? payload.message_id;
  if (!id) return undefined;
  const { status } = payload;
  if (status)
    return defined({
      key: `${id}:${status}`,
      externalId: id,
      refersTo: id,
      kind: 'delivery-status' as const,
      channel: 'sms' as const,
      direction: 'outbound' as const,
      identifiers: phones(payload.recipient),
      occurredAt: readTime(payload.statusDatetime?.replace(/ (?=\d\d:\d\d$)/u, '+')),
      properties: defined({
        status,
        reason: payload.statusReason ?? undefined,
        errorCode: payload.statusErrorCode ?? undefined,
      }),
    });
  const words = payload.body ?? payload.message;
  // A callback without a status and without content is no message: its originator may be the business.
  if (!payload.originator || (words == null && media.length === 0)) return undefined;
  return defined({
    key: id,
    externalId: id,
    kind: 'message' as const,
    channel: 'sms' as const,
    direction: 'inbound' as const,
    identifiers: phones(payload.originator),
    text: words ?? '',
    subject: payload.subject || undefined,
    attachments: media.length > 0 ? media.map((url) => ({ url, keep: true as const })) : undefined,
    occurredAt: readTime(
      payload.createdDatetime?.replace(/ (?=\d\d:\d\d$)/u, '+') ?? compactTime(payload.receive_datetime),
    ),
  });
};

const File = z.looseObject({ url: z.string().nullish(), caption: Text }).nullish();

const Named = z.looseObject({ type: z.string() });
const Conversations = z.looseObject({
  type: z.string(),
  contact: z
    .looseObject({ id: Text, msisdn: Text, displayName: Text, firstName: Text, lastName: Text })
    .nullish(),
  conversation: z.looseObject({ id: Text, lastUsedChannelId: Text }).nullish(),
  message: z
    .looseObject({
      id: z.string(),
      conversationId: Text,
      platform: Text,
      direction: Text,
      status: Text,
      from: Text,
      to: Text,
      createdDatetime: Text,
      updatedDatetime: Text,
      error: z.looseObject({ code: Text, description: Text }).nullish(),
      content: z
        .looseObject({
          text: z.unknown().optional(),
          image: File,
          video: File,
          audio: File,
          file: File,
          location: JsonObject.nullish(),
          button: z.looseObject({ text: Text, payload: Text }).nullish(),
          email: z
            .looseObject({ subject: Text, content: z.looseObject({ text: Text, html: Text }).nullish() })
            .nullish(),
          whatsappSticker: z.looseObject({ link: Text }).nullish(),
          interactive: z.looseObject({ reply: z.looseObject({ id: Text, text: Text }).nullish() }).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});
type Conversations = z.infer<typeof Conversations>;

const media: Readonly<Record<string, DecodedInteraction['channel']>> = {
  sms: 'sms',
  whatsapp: 'whatsapp',
  whatsapp_sandbox: 'whatsapp',
  facebook: 'messenger',
  instagram: 'instagram',
  telegram: 'telegram',
  line: 'line',
  viber: 'viber',
  email: 'email',
};

/** The contact, by the account's own id, and by its number on channels that use numbers. */
const identifiersOf = ({ contact, message }: Conversations, channel: string): string[] => {
  const address = message?.direction === 'received' ? message.from : message?.to;
  const number =
    msisdn(contact?.msisdn) ?? (channel === 'sms' || channel === 'whatsapp' ? msisdn(address) : undefined);
  const own = contact?.id ? [`messagebird:${contact.id}`] : [];
  if (number === undefined) return own;
  return channel === 'whatsapp'
    ? [`whatsapp:${number.slice(1)}`, `phone:${number}`, ...own]
    : [`phone:${number}`, ...own];
};

const nameOf = (contact: Conversations['contact']): DecodedInteraction['profile'] => {
  const name = defined({
    full: contact?.displayName && msisdn(contact.displayName) === undefined ? contact.displayName : undefined,
    first: contact?.firstName || undefined,
    last: contact?.lastName || undefined,
  });
  return Object.keys(name).length > 0 ? { name } : undefined;
};

const conversation = (payload: Conversations): DecodedInteraction | undefined => {
  const { type, message, contact } = payload;
  if (!message || (type !== 'message.created' && type !== 'message.updated')) return undefined;
  const channel = entryOf(media, message.platform) ?? 'chat';
  const base = {
    externalId: message.id,
    channel,
    identifiers: identifiersOf(payload, channel),
    conversationId: message.conversationId ?? payload.conversation?.id ?? undefined,
  };
  const received = message.direction === 'received';
  if (type === 'message.updated') {
    if (received) return undefined;
    const status = message.status ?? 'updated';
    return defined({
      ...base,
      key: `${message.id}:${status}`,
      refersTo: message.id,
      kind: status === 'read' ? ('read' as const) : ('delivery-status' as const),
      direction: status === 'read' ? ('inbound' as const) : ('outbound' as const),
      occurredAt: readTime(message.updatedDatetime ?? undefined),
      properties: defined({
        status,
        errorCode: message.error?.code ?? undefined,
        detail: message.error?.description ?? undefined,
      }),
    });
  }
  const { content } = message;
  const sticker = content?.whatsappSticker?.link;
  const files = [
    content?.image,
    content?.video,
    content?.audio,
    content?.file,
    sticker ? { url: sticker } : null,
  ];
  const mail = content?.email;
  const choice = content?.button ?? content?.interactive?.reply;
  const text =
    typeof content?.text === 'string'
      ? content.text
      : (choice?.text ??
        mail?.content?.text ??
        (mail?.content?.html && textOfHtml(mail.content.html)) ??
        files.find((one) => one?.caption)?.caption);
  const attachments = files.flatMap((one) => (one?.url ? [{ url: one.url, keep: true as const }] : []));
  const answer = content?.button?.payload ?? content?.interactive?.reply?.id;
  return defined({
    ...base,
    key: message.id,
    kind: received ? (choice ? ('postback' as const) : ('message' as const)) : ('echo' as const),
    direction: received ? ('inbound' as const) : ('outbound' as const),
    text: text ?? undefined,
    subject: mail?.subject ?? undefined,
    occurredAt: readTime(message.createdDatetime ?? undefined),
    profile: received ? nameOf(contact) : undefined,
    attachments: attachments.length > 0 ? attachments : undefined,
    properties: defined({ payload: answer ?? undefined, location: content?.location ?? undefined }),
  });
};

/** The fields of a request, those of the same name each on its own. */
const entriesOf = ({ method, url, headers, body }: Delivery, read: unknown): readonly [string, unknown][] => {
  if (method === 'GET') return [...new URL(url).searchParams];
  if (isForm(headers)) return [...new URLSearchParams(Buffer.from(body).toString())];
  return ['mediaURLs', 'media_urls'].map((name) => [name, memberOf(read, name)]);
};

const isForm = (headers: Delivery['headers']): boolean =>
  headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;

const decode = (delivery: Delivery): Drafts => {
  const { method, url, headers, body } = delivery;
  const read =
    method === 'GET' ? parseQuery(new URL(url).search) : isForm(headers) ? parseForm(body) : parseJson(body);
  const { data: named } = Named.safeParse(read);
  const isConversation = named !== undefined && /^(?:message|conversation)\./u.test(named.type);
  const interaction = isConversation
    ? conversation(Conversations.parse(read))
    : sms(Sms.parse(read), mediaOf(entriesOf(delivery, read)));
  return interaction
    ? { interactions: [interaction], ignored: [] }
    : { interactions: [], ignored: [named?.type ?? 'a request without a message'] };
};

export const messagebird = channelMapping({
  id: 'messagebird',
  channels: ['sms', 'whatsapp', 'messenger', 'instagram', 'telegram', 'line', 'viber', 'email', 'chat'],
  kinds: ['message', 'postback', 'echo', 'delivery-status', 'read'],
  vouching: [
    sentFrom('originator; message.from', 'phone', { channels: ['sms', 'whatsapp'] }),
    sentFrom('message.from', 'whatsapp'),
    typed('contact.msisdn', 'phone', 'on other channels it is a field of the contact'),
    typed(
      'contact.id',
      'messagebird',
      'MessageBird finds the contact by the address that a mail or a visitor names',
      { channels: ['email', 'chat'] },
    ),
    platformUser('contact.id', 'messagebird'),
  ],
  decode,
});
