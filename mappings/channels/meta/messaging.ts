// https://developers.facebook.com/docs/messenger-platform/reference/webhook-events
// Only `mid` survives a redelivery; reads, reactions and the like have no id, so their key is made of the person, the time and
// the object.

import * as z from 'zod';
import { JsonObject } from '../../../core/formats/json.ts';
import { defined, instantOf } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';

const Text = z.string().optional();
/** Never blank: all pages or people without an id would be the same one. */
export const Id = z.union([z.string().trim().min(1), z.number()]).transform(String);
const Party = z.looseObject({ id: Id.optional() }).optional();

const Coordinates = z.looseObject({ lat: z.number().optional(), long: z.number().optional() });
/** A link that was pasted has its address and title beside an empty `payload`. */
const Attachment = z.looseObject({
  type: Text,
  title: Text,
  url: Text,
  payload: z
    .looseObject({ url: Text, title: Text, coordinates: Coordinates.optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

const Answer = z.looseObject({ payload: Text, follow_up: z.looseObject({ payload: Text }).optional() });
/** The answers to a request for feedback. */
const Feedback = z.looseObject({
  feedback_screens: z.array(z.looseObject({ questions: z.record(z.string(), Answer).optional() })),
});

export const Messaging = z.looseObject({
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
      referral: JsonObject.optional(),
      reply_to: z.looseObject({ mid: Text }).optional(),
      attachments: z.array(Attachment).optional(),
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
      referral: JsonObject.optional(),
    })
    .optional(),
  referral: JsonObject.optional(),
  messaging_feedback: Feedback.optional(),
  optin: z
    .looseObject({ type: Text, user_ref: Text, title: Text, notification_messages_status: Text })
    .optional(),
});
type Messaging = z.infer<typeof Messaging>;

export type Medium = 'messenger' | 'instagram';

/** The interactions of an event of Messenger or Instagram; none for an event that is not mapped. */
export const messagingOf = (medium: Medium, account: string, event: Messaging): DecodedInteraction[] => {
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
  const about = aboutMessage(event, base, stamp);
  if (about) return about;
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
  if (event.messaging_feedback)
    return [
      {
        ...base,
        kind: 'form',
        key: `feedback:${stamp}`,
        properties: { form: 'messaging_feedback', fields: feedbackOf(event.messaging_feedback) },
      },
    ];
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

type Base = Pick<DecodedInteraction, 'channel' | 'direction' | 'identifiers' | 'occurredAt'>;

/** What became of a message: an edit, a reaction, a read or a delivery; undefined for other events. */
const aboutMessage = (event: Messaging, base: Base, stamp: string): DecodedInteraction[] | undefined => {
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
  return undefined;
};

/** The answers by the name of their question; a free text that follows one, behind it. */
const feedbackOf = ({ feedback_screens }: z.infer<typeof Feedback>): Record<string, string> =>
  Object.fromEntries(
    feedback_screens
      .flatMap(({ questions = {} }) => Object.entries(questions))
      .flatMap(([name, { payload, follow_up }]) => [
        [name, payload] as const,
        [`${name}.follow_up`, follow_up?.payload] as const,
      ])
      .flatMap(([name, answer]) => (answer === undefined ? [] : [[name, answer] as const])),
  );

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
  const attachments = (message.attachments ?? []).map(({ type, title, url, payload }) => {
    const [name, link] = [payload?.title ?? title ?? type, payload?.url ?? url];
    return {
      ...defined({ name, url: link }),
      // Meta's addresses of files expire within days; the address of a shared page is not a file of Meta and stays.
      ...(payload?.url !== undefined && { keep: true as const }),
    };
  });
  const { lat: latitude, long: longitude } =
    message.attachments?.find(({ payload }) => payload?.coordinates)?.payload?.coordinates ?? {};
  const properties = defined({
    payload: choice?.payload,
    referral: message.referral,
    location: latitude === undefined ? undefined : defined({ latitude, longitude }),
  });
  return {
    ...base,
    key: mid,
    externalId: mid,
    kind: ours ? 'echo' : choice ? 'postback' : 'message',
    direction: ours ? 'outbound' : 'inbound',
    ...(text !== undefined && { text }),
    ...(reply?.mid !== undefined && { refersTo: reply.mid }),
    ...(attachments.length > 0 && { attachments }),
    ...(Object.keys(properties).length > 0 && { properties }),
  };
};
