import * as z from 'zod';
import { e164 } from '../../core/identity.ts';
import type { DecodedInteraction } from '../../core/interaction.ts';
import { defined, instantOf } from '../../core/payload.ts';

// A person may be known by number (wa_id), by business-scoped id (user_id) or by both; since 2026 the number may be
// missing. `contacts` may describe somebody other than the sender, so it is believed only where the ids agree.

const Text = z.string().optional();
const Id = z.union([z.string(), z.number()]).transform(String);
const Contact = z.looseObject({
  wa_id: Text,
  user_id: Text,
  parent_user_id: Text,
  profile: z.looseObject({ name: Text }).optional(),
});
type Contact = z.infer<typeof Contact>;

const Media = z.looseObject({ id: Id.optional(), caption: Text, mime_type: Text, filename: Text, url: Text });
const Message = z.looseObject({
  id: z.string(),
  from: Text,
  from_user_id: Text,
  from_parent_user_id: Text,
  timestamp: z.union([z.string(), z.number()]),
  type: Text,
  text: z.looseObject({ body: Text }).optional(),
  context: z.looseObject({ id: Text }).optional(),
  reaction: z.looseObject({ message_id: Text, emoji: Text }).optional(),
  button: z.looseObject({ text: Text, payload: Text }).optional(),
  interactive: z.looseObject({ type: Text }).optional(),
  revoke: z.looseObject({ original_message_id: z.string() }).optional(),
  edit: z
    .looseObject({ original_message_id: z.string(), message: z.looseObject({ type: Text }).optional() })
    .optional(),
  system: z.looseObject({ type: Text, wa_id: Text, new_wa_id: Text, user_id: Text, body: Text }).optional(),
  order: z.looseObject({ catalog_id: Text }).optional(),
  referral: z.record(z.string(), z.json()).optional(),
});
type Message = z.infer<typeof Message>;

const Status = z.looseObject({
  id: z.string(),
  status: z.string(),
  timestamp: z.union([z.string(), z.number()]),
  recipient_id: Text,
  recipient_user_id: Text,
  recipient_type: Text,
  recipient_participant_id: Text,
  recipient_participant_user_id: Text,
  errors: z
    .array(z.looseObject({ code: z.union([z.string(), z.number()]).optional(), title: Text }))
    .optional(),
});

const Call = z.looseObject({
  id: z.string(),
  from: Text,
  to: Text,
  event: Text,
  status: Text,
  timestamp: z.union([z.string(), z.number()]),
  direction: Text,
});
const Preference = z.looseObject({
  wa_id: Text,
  user_id: Text,
  category: Text,
  value: z.string(),
  timestamp: z.union([z.string(), z.number()]),
});

export const WhatsAppValue = z.looseObject({
  metadata: z.looseObject({ phone_number_id: Text }).optional(),
  contacts: z.array(Contact).optional(),
  messages: z.array(Message).optional(),
  message_echoes: z.array(Message).optional(),
  statuses: z.array(Status).optional(),
  calls: z.array(Call).optional(),
  user_preferences: z.array(Preference).optional(),
});
export type WhatsAppValue = z.infer<typeof WhatsAppValue>;

const person = (
  value: WhatsAppValue,
  waId: string | undefined,
  userId?: string,
): { identifiers: string[]; contact: Contact | undefined } => {
  const contact = value.contacts?.find(
    (one) => (waId !== undefined && one.wa_id === waId) || (userId !== undefined && one.user_id === userId),
  );
  const number = waId !== undefined && /^\d{7,15}$/u.test(waId) ? waId : undefined;
  const phone = number === undefined ? undefined : e164(`+${number}`);
  const user = userId ?? contact?.user_id;
  return {
    contact,
    identifiers: [
      ...(number === undefined ? [] : [`whatsapp:${number}`]),
      ...(phone === undefined ? [] : [`phone:${phone}`]),
      ...(user === undefined ? [] : [`whatsapp-user:${user}`]),
      ...(contact?.parent_user_id === undefined || /[<>]/u.test(contact.parent_user_id)
        ? []
        : [`whatsapp-parent-user:${contact.parent_user_id}`]),
    ],
  };
};

const named = (contact: Contact | undefined): Pick<DecodedInteraction, 'profile'> =>
  contact?.profile?.name === undefined ? {} : { profile: { name: { full: contact.profile.name } } };

const timed = (timestamp: string | number): Pick<DecodedInteraction, 'occurredAt'> => {
  const at = instantOf(timestamp);
  return at === undefined ? {} : { occurredAt: at };
};

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
          // A file is asked for by its id: the address that may stand beside it ends after minutes.
          ...(id === undefined
            ? defined({ url })
            : { url: `https://graph.facebook.com/${encodeURIComponent(id)}`, keep: true as const }),
        },
      ],
    };
  }
  return { caption: undefined, attachments: [] };
};

const interactiveReply = (
  message: Message,
): { title?: string | undefined; id?: string | undefined } | undefined => {
  const reply = z
    .looseObject({ id: Text, title: Text })
    .safeParse(message.interactive?.[message.interactive.type ?? '']);
  return reply.success ? reply.data : undefined;
};

const messageOf = (value: WhatsAppValue, message: Message): DecodedInteraction => {
  const { identifiers, contact } = person(value, message.from, message.from_user_id);
  const base = {
    key: message.id,
    externalId: message.id,
    channel: 'whatsapp' as const,
    direction: 'inbound' as const,
    identifiers,
    ...named(contact),
    ...timed(message.timestamp),
  };
  const reply = message.context?.id === undefined ? {} : { refersTo: message.context.id };
  if (message.type === 'reaction') {
    const { emoji = '', message_id: target } = message.reaction ?? {};
    return { ...base, kind: 'reaction', text: emoji, ...(target !== undefined && { refersTo: target }) };
  }
  if (message.revoke)
    return {
      ...base,
      kind: 'delete',
      externalId: message.revoke.original_message_id,
      refersTo: message.revoke.original_message_id,
    };
  if (message.edit) {
    const original = message.edit.original_message_id;
    const { caption, attachments } = mediaOf(message.edit.message ?? {});
    const edited = z
      .looseObject({ text: z.looseObject({ body: Text }).optional() })
      .safeParse(message.edit.message);
    const text = (edited.success ? edited.data.text?.body : undefined) ?? caption;
    return {
      ...base,
      kind: 'edit',
      externalId: original,
      refersTo: original,
      ...(text !== undefined && { text }),
      ...(attachments.length > 0 && { attachments }),
    };
  }
  if (message.type === 'system' && message.system) {
    const { type = 'system', wa_id, new_wa_id } = message.system;
    const changed = wa_id ?? new_wa_id;
    const known =
      type === 'user_changed_number' || type === 'customer_changed_number' || type === 'user_changed_user_id';
    return {
      ...base,
      kind: known ? 'contact-update' : 'system',
      direction: 'system',
      properties: { change: type, ...(changed !== undefined && { newNumber: changed }) },
    };
  }
  const choice = message.button ?? interactiveReply(message);
  if (choice) {
    const title = 'text' in choice ? choice.text : choice.title;
    const payload = 'payload' in choice ? choice.payload : choice.id;
    return {
      ...base,
      ...reply,
      kind: 'postback',
      ...(typeof title === 'string' && { text: title }),
      ...(typeof payload === 'string' && { properties: { payload } }),
    };
  }
  const { caption, attachments } = mediaOf(message);
  const text = message.text?.body ?? caption;
  return {
    ...base,
    ...reply,
    kind: message.type === 'order' ? 'order' : 'message',
    ...(text !== undefined && { text }),
    ...(attachments.length > 0 && { attachments }),
    ...(message.referral && { properties: { referral: message.referral } }),
  };
};

const statusOf = (value: WhatsAppValue, status: z.infer<typeof Status>): DecodedInteraction => {
  const group = status.recipient_type === 'group';
  const participant = status.recipient_participant_user_id ?? status.recipient_participant_id;
  const { identifiers } = group
    ? {
        identifiers:
          status.recipient_participant_user_id === undefined
            ? person(value, status.recipient_participant_id).identifiers
            : [`whatsapp-user:${status.recipient_participant_user_id}`],
      }
    : person(value, status.recipient_id, status.recipient_user_id);
  const [error] = status.errors ?? [];
  return {
    key: [status.id, status.status, ...(participant === undefined ? [] : [participant])].join(':'),
    externalId: status.id,
    kind: 'delivery-status',
    channel: 'whatsapp',
    direction: 'outbound',
    identifiers,
    refersTo: status.id,
    ...timed(status.timestamp),
    properties: {
      status: status.status,
      ...(error?.code !== undefined && { errorCode: String(error.code) }),
      ...(error?.title !== undefined && { error: error.title }),
    },
  };
};

const callOf = (value: WhatsAppValue, call: z.infer<typeof Call>): DecodedInteraction => {
  const outbound = call.direction === 'BUSINESS_INITIATED';
  const { identifiers, contact } = person(value, outbound ? call.to : call.from);
  const stage = call.event ?? call.status ?? 'call';
  return {
    key: `${call.id}:${stage}`,
    externalId: call.id,
    kind: 'call',
    channel: 'voice',
    direction: outbound ? 'outbound' : 'inbound',
    identifiers,
    ...named(contact),
    ...timed(call.timestamp),
    properties: { status: stage },
  };
};

const preferenceOf = (value: WhatsAppValue, preference: z.infer<typeof Preference>): DecodedInteraction => {
  const { identifiers } = person(value, preference.wa_id, preference.user_id);
  const out = preference.value === 'stop';
  return {
    key: `preference:${preference.wa_id ?? preference.user_id}:${preference.category}:${preference.value}:${preference.timestamp}`,
    kind: out ? 'opt-out' : 'opt-in',
    channel: 'whatsapp',
    direction: 'inbound',
    identifiers,
    ...timed(preference.timestamp),
    ...(preference.category !== undefined && { properties: { scope: preference.category } }),
  };
};

/** What one `value` of WhatsApp Cloud holds. */
export const whatsappInteractions = (value: WhatsAppValue): DecodedInteraction[] => [
  ...(value.messages ?? []).map((message) => messageOf(value, message)),
  ...(value.statuses ?? []).map((status) => statusOf(value, status)),
  ...(value.calls ?? []).map((call) => callOf(value, call)),
  ...(value.user_preferences ?? []).map((preference) => preferenceOf(value, preference)),
];
