// https://developers.facebook.com/docs/messenger-platform/webhooks
// One POST may concern many people. Only `mid` survives a redelivery; reads, reactions and the like have no id, so their key
// is made of the person, the time and the object.

import * as z from 'zod';
import { defined, instantOf, parsePayload } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import type { Delivery } from '../../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../../core/webhooks/channel-mapping.ts';
import { platformUser, sentFrom, typed } from '../../../core/webhooks/vouching.ts';
import { publicActOf } from './feed.ts';
import { completeLead, leadOf } from './leads.ts';
import { WhatsAppValue, whatsappInteractions } from './whatsapp.ts';

const Text = z.string().optional();
/** Never blank: all pages or people without an id would be the same one. */
const Id = z.union([z.string().trim().min(1), z.number()]).transform(String);
const Party = z.looseObject({ id: Id.optional() }).optional();

const Messaging = z.looseObject({
  sender: Party,
  recipient: Party,
  timestamp: z.union([z.string(), z.number()]).optional(),
  message: z
    .looseObject({
      mid: z.string(),
      text: Text,
      is_echo: z.boolean().optional(),
      is_deleted: z.boolean().optional(),
      quick_reply: z.looseObject({ payload: Text }).optional(),
      referral: z.record(z.string(), z.json()).optional(),
      reply_to: z.looseObject({ mid: Text }).optional(),
      attachments: z
        .array(z.looseObject({ type: Text, payload: z.looseObject({ url: Text }).nullish() }))
        .optional(),
    })
    .optional(),
  message_edit: z.looseObject({ mid: z.string(), text: Text, num_edit: z.number().optional() }).optional(),
  reaction: z.looseObject({ mid: Text, action: Text, emoji: Text, reaction: Text }).optional(),
  read: z.looseObject({ mid: Text, watermark: z.union([z.string(), z.number()]).optional() }).optional(),
  delivery: z
    .looseObject({
      mids: z.array(z.string()).optional(),
      watermark: z.union([z.string(), z.number()]).optional(),
    })
    .optional(),
  postback: z
    .looseObject({
      mid: Text,
      title: Text,
      payload: Text,
      referral: z.record(z.string(), z.json()).optional(),
    })
    .optional(),
  referral: z.record(z.string(), z.json()).optional(),
  optin: z
    .looseObject({ type: Text, user_ref: Text, title: Text, notification_messages_status: Text })
    .optional(),
});
type Messaging = z.infer<typeof Messaging>;

const Payload = z.looseObject({
  object: z.string(),
  entry: z.array(
    z.looseObject({
      id: Id,
      time: z.union([z.string(), z.number()]).optional(),
      messaging: z.array(Messaging).optional(),
      standby: z.array(Messaging).optional(),
      changes: z.array(z.looseObject({ field: z.string(), value: z.unknown().optional() })).optional(),
    }),
  ),
});

type Medium = 'messenger' | 'instagram';

const messagingOf = (medium: Medium, account: string, event: Messaging): DecodedInteraction[] => {
  const ours = event.message?.is_echo === true || event.sender?.id === account;
  const contact = ours ? event.recipient?.id : event.sender?.id;
  // An account that writes to itself is no customer.
  if (contact === account) return [];
  const at = instantOf(event.timestamp);
  const base = {
    channel: medium,
    direction: ours ? ('outbound' as const) : ('inbound' as const),
    identifiers: contact === undefined ? [] : [`${medium}:${account}:${contact}`],
    ...(at !== undefined && { occurredAt: at }),
  };
  const stamp = `${contact}:${event.timestamp}`;
  if (event.message) return [messageOf(base, event.message, ours)];
  if (event.message_edit) {
    const { mid, text, num_edit: count = 1 } = event.message_edit;
    return [
      {
        ...base,
        kind: 'edit',
        key: `${mid}:edit:${count}`,
        externalId: mid,
        refersTo: mid,
        ...(text !== undefined && { text }),
      },
    ];
  }
  if (event.reaction) {
    const { mid, action = 'react', emoji } = event.reaction;
    return [
      {
        ...base,
        kind: 'reaction',
        key: `reaction:${mid}:${action}:${stamp}`,
        ...(mid !== undefined && { refersTo: mid }),
        ...(emoji !== undefined && action === 'react' && { text: emoji }),
        properties: { action },
      },
    ];
  }
  if (event.read) {
    const { mid, watermark } = event.read;
    return [
      {
        ...base,
        kind: 'read',
        key: `read:${mid ?? watermark}:${stamp}`,
        ...(mid !== undefined && { externalId: mid, refersTo: mid }),
        ...(watermark !== undefined && {
          properties: { watermark: instantOf(watermark) ?? String(watermark) },
        }),
      },
    ];
  }
  if (event.delivery) {
    const mids = event.delivery.mids ?? [];
    return mids.map((mid) => ({
      ...base,
      kind: 'delivery-status',
      direction: 'outbound',
      key: `${mid}:delivered`,
      externalId: mid,
      refersTo: mid,
      properties: { status: 'delivered' },
    }));
  }
  if (event.postback) {
    const { mid, title, payload, referral } = event.postback;
    return [
      {
        ...base,
        kind: 'postback',
        key: mid ?? `postback:${payload}:${stamp}`,
        ...(mid !== undefined && { externalId: mid }),
        ...(title !== undefined && { text: title }),
        ...((payload ?? referral) !== undefined && { properties: defined({ payload, referral }) }),
      },
    ];
  }
  if (event.optin) {
    const out = event.optin.notification_messages_status === 'STOP_NOTIFICATIONS';
    return [
      {
        ...base,
        kind: out ? 'opt-out' : 'opt-in',
        // A person with a reference only has no id yet, like other people at that instant.
        key: `optin:${event.optin.user_ref ?? contact}:${event.timestamp}`,
        properties: { scope: 'marketing' },
      },
    ];
  }
  if (event.referral)
    return [
      { ...base, kind: 'referral', key: `referral:${stamp}`, properties: { referral: event.referral } },
    ];
  return [];
};

const messageOf = (
  base: Pick<DecodedInteraction, 'channel' | 'identifiers' | 'occurredAt'>,
  message: NonNullable<Messaging['message']>,
  ours: boolean,
): DecodedInteraction => {
  const { mid, text, quick_reply: choice, reply_to: reply } = message;
  if (message.is_deleted === true)
    return {
      ...base,
      direction: ours ? 'outbound' : 'inbound',
      kind: 'delete',
      key: `${mid}:delete`,
      externalId: mid,
      refersTo: mid,
    };
  const attachments = (message.attachments ?? []).map(({ type, payload }) => ({
    ...(type !== undefined && { name: type }),
    // Meta's addresses of files expire within days; the address of a shared page is not a file of Meta and stays.
    ...(payload?.url !== undefined && { url: payload.url, keep: true as const }),
  }));
  return {
    ...base,
    key: mid,
    externalId: mid,
    kind: ours ? 'echo' : choice ? 'postback' : 'message',
    direction: ours ? 'outbound' : 'inbound',
    ...(text !== undefined && { text }),
    ...(reply?.mid !== undefined && { refersTo: reply.mid }),
    ...(attachments.length > 0 && { attachments }),
    ...((choice?.payload ?? message.referral) !== undefined && {
      properties: defined({ payload: choice?.payload, referral: message.referral }),
    }),
  };
};

/** The other fields concern templates, numbers and accounts. */
const whatsappFields: ReadonlySet<string> = new Set([
  'messages',
  'smb_message_echoes',
  'message_echoes',
  'calls',
  'user_preferences',
]);

const decode = ({ body }: Delivery): Drafts => {
  const payload = Payload.parse(parsePayload(body));
  const medium: Medium = payload.object === 'instagram' ? 'instagram' : 'messenger';
  const interactions: DecodedInteraction[] = [];
  const ignored: string[] = [];
  const take = (found: readonly (DecodedInteraction | undefined)[], name: string): void => {
    const known = found.filter((one) => one !== undefined);
    interactions.push(...known);
    if (known.length === 0) ignored.push(name);
  };
  for (const entry of payload.entry) {
    for (const event of [...(entry.messaging ?? []), ...(entry.standby ?? [])])
      take(messagingOf(medium, entry.id, event), 'messaging');
    for (const { field, value } of entry.changes ?? []) {
      if (payload.object === 'whatsapp_business_account')
        take(whatsappFields.has(field) ? whatsappInteractions(WhatsAppValue.parse(value)) : [], field);
      else if (field === 'feed' || field === 'comments' || field === 'live_comments')
        take([publicActOf(medium, entry.id, value, entry.time)], field);
      else if (field === 'leadgen') take([leadOf(value)], field);
      // Instagram's own login sends as `changes` what Messenger sends as `messaging`.
      else if (/^messag/u.test(field)) take(messagingOf(medium, entry.id, Messaging.parse(value)), field);
      else ignored.push(field);
    }
  }
  return { interactions, ignored };
};

export const meta = channelMapping({
  id: 'meta',
  channels: ['messenger', 'instagram', 'whatsapp', 'voice', 'form'],
  kinds: [
    'message',
    'edit',
    'delete',
    'echo',
    'reaction',
    'postback',
    'comment',
    'referral',
    'call',
    'delivery-status',
    'read',
    'opt-in',
    'opt-out',
    'contact-update',
    'form',
    'order',
    'system',
  ],
  vouching: [
    platformUser('sender.id; from.id', 'messenger'),
    platformUser('sender.id; from.id', 'instagram'),
    sentFrom('from, wa_id', 'whatsapp'),
    typed('field_data (phone_number, work_phone_number)', 'phone', 'the fields of a lead ad are typed', {
      channels: ['form'],
    }),
    sentFrom('from, wa_id', 'phone'),
    platformUser('from_user_id, user_id', 'whatsapp-user'),
    platformUser('from_parent_user_id, parent_user_id', 'whatsapp-parent-user'),
    typed('field_data (email, work_email)', 'email', 'the fields of a lead ad are typed'),
  ],
  decode,
  complete: completeLead,
});
