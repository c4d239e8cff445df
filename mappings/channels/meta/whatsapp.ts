// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
// A message that the business writes in its own app arrives as `message_echoes`, in which `to` is the customer. An edit and a
// deletion are messages of their own, with ids of their own.

import * as z from 'zod';
import { Json, JsonObject } from '../../../core/formats/json.ts';
import { defined, jsonWithin, memberOf, urlPart } from '../../../core/formats/payload.ts';
import { VendorId } from '../../../core/formats/vendor-id.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import { type Member, membersOf } from '../../../core/webhooks/members.ts';
import { Contact, identifiersOf, person, timed } from './contact.ts';
import { Call, callOf, Preference, preferenceOf, Status, statusOf } from './report.ts';

const Text = z.string().optional();
const Media = z.looseObject({
  id: VendorId.optional(),
  caption: Text,
  mime_type: Text,
  filename: Text,
  url: Text,
});
const Reply = z.looseObject({ id: Text, title: Text, description: Text });

const Message = z.looseObject({
  id: z.string(),
  from: Text,
  from_user_id: Text,
  from_parent_user_id: Text,
  to: Text,
  to_user_id: Text,
  group_id: Text,
  timestamp: z.union([z.string(), z.number()]),
  type: Text,
  text: z.looseObject({ body: Text }).optional(),
  context: z.looseObject({ id: Text, forwarded: z.boolean().optional() }).optional(),
  reaction: z.looseObject({ message_id: Text, emoji: Text }).optional(),
  button: z.looseObject({ text: Text, payload: Text }).optional(),
  interactive: z
    .looseObject({
      type: Text,
      button_reply: Reply.optional(),
      list_reply: Reply.optional(),
      body: z.looseObject({ text: Text }).optional(),
      nfm_reply: z.looseObject({ name: Text, body: Text, response_json: Text }).optional(),
    })
    .optional(),
  location: z
    .looseObject({ latitude: z.number(), longitude: z.number(), name: Text, address: Text })
    .optional(),
  revoke: z.looseObject({ original_message_id: z.string() }).optional(),
  edit: z
    .looseObject({
      original_message_id: z.string(),
      message: z.looseObject({ text: z.looseObject({ body: Text }).optional() }).optional(),
    })
    .optional(),
  system: z
    .looseObject({
      type: Text,
      wa_id: Text,
      new_wa_id: Text,
      user_id: Text,
      parent_user_id: Text,
      previous_user_id: Text,
      previous_parent_user_id: Text,
    })
    .optional(),
  order: z.looseObject({ catalog_id: Text, text: Text, product_items: z.array(Json).optional() }).optional(),
  referral: JsonObject.optional(),
});
type Message = z.infer<typeof Message>;

const mediaTypes = ['image', 'video', 'audio', 'document', 'sticker'] as const;

/** The file of a message, and its caption. */
const mediaOf = (
  message: Readonly<Record<string, unknown>>,
): { caption: string | undefined; attachments: NonNullable<DecodedInteraction['attachments']> } => {
  for (const type of mediaTypes) {
    const media = Media.safeParse(message[type]);
    if (!media.success) continue;
    const { id, caption, mime_type: contentType, filename: name, url } = media.data;
    return {
      caption,
      attachments: [
        {
          ...(id !== undefined && { externalId: id }),
          ...(contentType !== undefined && { contentType }),
          ...(name !== undefined && { name }),
          // A file is fetched by its id: the address that may be beside it expires after minutes.
          ...(id === undefined
            ? defined({ url })
            : { url: `https://graph.facebook.com/${urlPart(id)}`, keep: true as const }),
        },
      ],
    };
  }
  return { caption: undefined, attachments: [] };
};

const Fields = JsonObject;

/** The answers of a flow, which arrive as JSON in a string from a person's device. */
const fieldsOf = (json: string | undefined): z.infer<typeof Fields> => {
  const read = Fields.safeParse(jsonWithin(json ?? '{}'));
  return read.success ? read.data : {};
};

const Item = z.looseObject({ quantity: z.coerce.number(), item_price: z.coerce.number(), currency: Text });

/** A cart that a person sent: an order that is not paid yet. */
const cartOf = (id: string, { product_items = [] }: NonNullable<Message['order']>) => {
  const items = product_items.flatMap((one) => Item.safeParse(one).data ?? []);
  const total = items.reduce((sum, { quantity, item_price }) => sum + quantity * item_price, 0);
  return {
    ...{ status: 'created', order: id },
    ...(items.length > 0 && items.length === product_items.length && { total: Number(total.toFixed(2)) }),
    ...defined({ currency: items[0]?.currency }),
  };
};

type Said = Partial<DecodedInteraction> & Pick<DecodedInteraction, 'kind'>;

/** The content of a message: a text, a choice, an answer or an order. */
const saidBy = (message: Message): Said => {
  const { button, interactive, order, location, referral, context } = message;
  const flow = interactive?.nfm_reply;
  if (flow)
    return {
      kind: 'form',
      ...defined({ text: flow.body }),
      properties: { ...defined({ form: flow.name }), fields: fieldsOf(flow.response_json) },
    };
  const chosen = interactive?.button_reply ?? interactive?.list_reply;
  if (button ?? interactive)
    return {
      kind: 'postback',
      // What the business asks with its buttons has them below a text.
      ...defined({ text: button?.text ?? chosen?.title ?? interactive?.body?.text }),
      properties: defined({ payload: button?.payload ?? chosen?.id, type: interactive?.type }),
    };
  const { caption, attachments } = mediaOf(message);
  const place = location && {
    latitude: location.latitude,
    longitude: location.longitude,
    ...defined({ title: location.name, address: location.address }),
  };
  const properties = defined({
    referral,
    location: place,
    catalog: order?.catalog_id,
    items: order?.product_items,
    ...(order && cartOf(message.id, order)),
    forwarded: context?.forwarded,
  });
  return {
    kind: message.type === 'order' ? 'order' : 'message',
    ...defined({ text: message.text?.body ?? caption ?? order?.text }),
    ...(attachments.length > 0 && { attachments }),
    ...(Object.keys(properties).length > 0 && { properties }),
  };
};

/** The effect of a message on another one; undefined if it has content of its own. */
const changeOf = ({ type, reaction, revoke, edit }: Message): Said | undefined => {
  if (type === 'reaction')
    return {
      kind: 'reaction',
      text: reaction?.emoji ?? '',
      ...defined({ refersTo: reaction?.message_id }),
      properties: { action: reaction?.emoji ? 'react' : 'unreact' },
    };
  const original = revoke?.original_message_id ?? edit?.original_message_id;
  if (original === undefined) return undefined;
  const base = { externalId: original, refersTo: original };
  if (edit === undefined) return { ...base, kind: 'delete' };
  const { caption, attachments } = mediaOf(edit.message ?? {});
  return {
    ...base,
    kind: 'edit',
    ...defined({ text: edit.message?.text?.body ?? caption }),
    ...(attachments.length > 0 && { attachments }),
  };
};

/**
 * A new number is a new business-scoped id as well, and a new id may come without any number. The sender, the member
 * `previous_user_id`, or both name the previous identity.
 */
const noticeOf = (
  { type = 'system', ...system }: NonNullable<Message['system']>,
  sender: readonly string[],
): Said & Pick<DecodedInteraction, 'identifiers'> => {
  const { previous_user_id: userId, previous_parent_user_id: parentId } = system;
  const number = system.new_wa_id ?? system.wa_id;
  const now = { waId: number, userId: system.user_id, parentId: system.parent_user_id };
  return {
    kind: known.has(type) ? 'contact-update' : 'system',
    direction: 'system',
    identifiers: [...new Set([...sender, ...identifiersOf({ userId, parentId })])],
    ...(known.has(type) && { becomes: identifiersOf(now) }),
    properties: defined({ change: type, newNumber: number }),
  };
};

const known: ReadonlySet<string> = new Set([
  'user_changed_number',
  'customer_changed_number',
  'user_changed_user_id',
]);

type Contacts = readonly Contact[];

const messageOf = (contacts: Contacts, message: Message): DecodedInteraction => {
  const sender = person(contacts, {
    waId: message.from,
    userId: message.from_user_id,
    parentId: message.from_parent_user_id,
  });
  return {
    key: message.id,
    externalId: message.id,
    channel: 'whatsapp',
    direction: 'inbound',
    ...sender,
    ...timed(message.timestamp),
    ...defined({ refersTo: message.context?.id, conversationId: message.group_id }),
    ...(message.type === 'system' && message.system
      ? noticeOf(message.system, sender.identifiers)
      : (changeOf(message) ?? saidBy(message))),
  };
};

/** Written by the business in its own app, to a customer. */
const echoOf = (contacts: Contacts, message: Message): DecodedInteraction => {
  const act = changeOf(message) ?? { ...saidBy(message), kind: 'echo' as const };
  return {
    key: message.id,
    externalId: message.id,
    channel: 'whatsapp',
    ...person(contacts, { waId: message.to, userId: message.to_user_id }),
    ...timed(message.timestamp),
    ...defined({ refersTo: message.context?.id }),
    ...act,
    direction: 'outbound',
  };
};

const lists = {
  messages: (value: unknown, contacts: Contacts) => messageOf(contacts, Message.parse(value)),
  message_echoes: (value: unknown, contacts: Contacts) => echoOf(contacts, Message.parse(value)),
  statuses: (value: unknown, contacts: Contacts) => statusOf(contacts, Status.parse(value)),
  calls: (value: unknown, contacts: Contacts) => callOf(contacts, Call.parse(value)),
  user_preferences: (value: unknown, contacts: Contacts) => preferenceOf(contacts, Preference.parse(value)),
} as const;

/** The members of the lists in one `value` of WhatsApp Cloud. An odd contact takes nothing from the messages beside it. */
export const whatsappMembers = (
  value: unknown,
  path: string,
): (Member & { readonly decode: () => readonly DecodedInteraction[] })[] => {
  const listOf = (name: string): readonly unknown[] => {
    const list = memberOf(value, name);
    return Array.isArray(list) ? list : [];
  };
  const contacts = listOf('contacts').flatMap((one): Contact[] => {
    const { data } = Contact.safeParse(one);
    return data === undefined ? [] : [data];
  });
  return Object.entries(lists).flatMap(([name, decode]) =>
    membersOf(listOf(name), `${path}.${name}`).map((member) => ({
      ...member,
      decode: () => [decode(member.value, contacts)],
    })),
  );
};
