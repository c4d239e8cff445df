// https://developer.vonage.com/en/messaging/sms/guides/inbound-sms
// Numbers arrive without the plus. `msisdn` is the customer in both directions: the sender of an inbound message and the
// recipient in a delivery receipt; `to` is our number in the first and our sender id in the second.

import * as z from 'zod';
import { JsonObject } from '../../core/formats/json.ts';
import {
  defined,
  entryOf,
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
import { platformUser, sentFrom } from '../../core/webhooks/vouching.ts';

const Text = VendorId.nullish();

const Sms = z.looseObject({
  messageId: Text,
  msisdn: Text,
  to: Text,
  text: Text,
  data: Text,
  type: Text,
  keyword: Text,
  status: Text,
  'err-code': Text,
  'message-timestamp': Text,
  'concat-ref': Text,
  'concat-part': Text,
  'concat-total': Text,
});
type Sms = z.infer<typeof Sms>;

const phones = (number: unknown): string[] => {
  const phone = msisdn(number);
  return phone === undefined ? [] : [`phone:${phone}`];
};

const sms = (payload: Sms): DecodedInteraction | undefined => {
  const { messageId: id, status } = payload;
  if (!id) return undefined;
  const base = {
    externalId: id,
    channel: 'sms' as const,
    identifiers: phones(payload.msisdn),
    occurredAt: readTime(payload['message-timestamp'] ?? undefined),
  };
  if (status)
    return defined({
      ...base,
      key: `${id}:${status}`,
      kind: 'delivery-status' as const,
      direction: 'outbound' as const,
      refersTo: id,
      properties: defined({ status, errorCode: payload['err-code'] ?? undefined }),
    });
  const content = [payload.text, payload.data, payload.keyword, payload.type];
  // A callback about a message of the business without its status is no message from its number.
  if (!content.some((one) => typeof one === 'string')) return undefined;
  return defined({
    ...base,
    key: id,
    kind: 'message' as const,
    direction: 'inbound' as const,
    text: payload.text ?? '',
    properties: defined({
      keyword: payload.keyword ?? undefined,
      data: payload.data ?? undefined,
      // The parts of a long message arrive one by one, each with an id of its own.
      concat: payload['concat-ref'] ?? undefined,
      part: payload['concat-part'] ?? undefined,
      parts: payload['concat-total'] ?? undefined,
    }),
  });
};

const File = z.looseObject({ url: z.string().nullish(), name: Text, caption: Text }).nullish();
/** The first version of the API has the number and the channel in one object. */
const Party = z
  .union([z.string(), z.number(), z.looseObject({ type: Text, number: Text, id: Text })])
  .nullish();

const Messages = z.looseObject({
  message_uuid: z.string(),
  channel: Text,
  from: Party,
  to: Party,
  timestamp: Text,
  status: Text,
  error: z.looseObject({ title: Text, detail: Text, code: Text, reason: Text }).nullish(),
  message_type: Text,
  text: Text,
  image: File,
  audio: File,
  video: File,
  file: File,
  sticker: File,
  vcard: File,
  reply: z.looseObject({ id: Text, title: Text, description: Text }).nullish(),
  button: z.looseObject({ payload: Text, text: Text }).nullish(),
  reaction: z.looseObject({ action: Text, emoji: Text }).nullish(),
  location: JsonObject.nullish(),
  order: JsonObject.nullish(),
  context: z.looseObject({ message_uuid: Text }).nullish(),
  profile: z.looseObject({ name: Text }).nullish(),
  whatsapp: z.looseObject({ referral: JsonObject.nullish() }).nullish(),
  message: z
    .looseObject({
      content: z
        .looseObject({ type: Text, text: Text, image: File, audio: File, video: File, file: File })
        .nullish(),
    })
    .nullish(),
});
type Messages = z.infer<typeof Messages>;

type Medium = 'sms' | 'rcs' | 'whatsapp' | 'messenger' | 'viber';
const media: Readonly<Record<string, Medium>> = {
  sms: 'sms',
  mms: 'sms',
  rcs: 'rcs',
  whatsapp: 'whatsapp',
  messenger: 'messenger',
  viber_service: 'viber',
  viber_service_msg: 'viber',
};

const addressOf = (party: Messages['from']): string =>
  typeof party === 'object' && party !== null ? (party.number ?? party.id ?? '') : String(party ?? '');
const mediumOf = ({ channel, from, to }: Messages): Medium | undefined => {
  const [named] = [from, to].flatMap((one) => (typeof one === 'object' && one?.type ? [one.type] : []));
  return entryOf(media, channel ?? named);
};

const identifiersOf = (medium: Medium, person: string, ours: string): string[] => {
  if (medium === 'messenger') return person === '' ? [] : [`messenger:${ours}:${person}`];
  const number = msisdn(person);
  if (number === undefined) return [];
  return medium === 'whatsapp' ? [`whatsapp:${number.slice(1)}`, `phone:${number}`] : [`phone:${number}`];
};

const statusOf = (payload: Messages, medium: Medium, status: string): DecodedInteraction => {
  const { message_uuid: id, error } = payload;
  const read = status === 'read';
  return defined({
    key: `${id}:${status}`,
    externalId: id,
    refersTo: id,
    kind: read ? ('read' as const) : ('delivery-status' as const),
    channel: medium,
    direction: read ? ('inbound' as const) : ('outbound' as const),
    identifiers: identifiersOf(medium, addressOf(payload.to), addressOf(payload.from)),
    occurredAt: readTime(payload.timestamp ?? undefined),
    properties: defined({
      status,
      errorCode: error?.title ?? error?.code ?? undefined,
      detail: error?.detail ?? error?.reason ?? undefined,
    }),
  });
};

const kindOf = ({ reaction, reply, button, order }: Messages): DecodedInteraction['kind'] =>
  reaction ? 'reaction' : (reply ?? button) ? 'postback' : order ? 'order' : 'message';

const messageOf = (payload: Messages, medium: Medium): DecodedInteraction => {
  const { message_uuid: id, reaction, reply, button, message } = payload;
  const content = message?.content;
  const files = [payload, content].flatMap((one) =>
    one
      ? [
          one.image,
          one.audio,
          one.video,
          one.file,
          ...('sticker' in one ? [payload.sticker, payload.vcard] : []),
        ].flatMap((file) =>
          file?.url ? [defined({ url: file.url, keep: true as const, name: file.name ?? undefined })] : [],
        )
      : [],
  );
  const caption = [payload.image, payload.video, payload.file].find((one) => one?.caption)?.caption;
  const text =
    payload.text ??
    content?.text ??
    reply?.title ??
    button?.text ??
    (reaction?.action === 'unreact' ? undefined : reaction?.emoji) ??
    caption;
  const name = payload.profile?.name;
  return defined({
    key: id,
    externalId: id,
    kind: kindOf(payload),
    channel: medium,
    direction: 'inbound' as const,
    identifiers: identifiersOf(medium, addressOf(payload.from), addressOf(payload.to)),
    text: text ?? undefined,
    occurredAt: readTime(payload.timestamp ?? undefined),
    refersTo: payload.context?.message_uuid ?? undefined,
    attachments: files.length > 0 ? files : undefined,
    profile: name ? { name: { full: name } } : undefined,
    properties: defined({
      type: payload.message_type ?? content?.type ?? undefined,
      payload: reply?.id ?? button?.payload ?? undefined,
      action: reaction?.action ?? undefined,
      location: payload.location ?? undefined,
      ...(payload.order && { status: 'created', order: id, cart: payload.order }),
      referral: payload.whatsapp?.referral ?? undefined,
    }),
  });
};

const messages = (payload: Messages): DecodedInteraction | undefined => {
  const medium = mediumOf(payload);
  if (medium === undefined) return undefined;
  if (payload.status) return statusOf(payload, medium, payload.status);
  // A report of another kind (a submission, a failure) names no type of content.
  return payload.message_type || payload.message?.content || payload.text || payload.reply || payload.button
    ? messageOf(payload, medium)
    : undefined;
};

const parametersOf = ({ method, url, headers, body }: Delivery): unknown => {
  if (method === 'GET') return parseQuery(new URL(url).search);
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return isForm ? parseForm(body) : parseJson(body);
};

const decode = (delivery: Delivery): Drafts => {
  const parameters = parametersOf(delivery);
  // The Messages API names its messages; the SMS API and the events of calls do not.
  const payload =
    (memberOf(parameters, 'message_uuid') ?? null) === null ? undefined : Messages.parse(parameters);
  const interaction = payload ? messages(payload) : sms(Sms.parse(parameters));
  return interaction
    ? { interactions: [interaction], ignored: [] }
    : { interactions: [], ignored: [payload?.channel ?? 'no message'] };
};

export const vonage = channelMapping({
  id: 'vonage',
  channels: ['sms', 'rcs', 'whatsapp', 'messenger', 'viber'],
  kinds: ['message', 'postback', 'reaction', 'order', 'delivery-status', 'read'],
  vouching: [
    sentFrom('msisdn, from', 'phone'),
    sentFrom('from', 'whatsapp'),
    platformUser('from', 'messenger'),
  ],
  decode,
});
