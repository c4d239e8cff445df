// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
// The same list reports on messages, on calls that the business makes, and on payments; `type` distinguishes them.

import * as z from 'zod';
import { defined, entryOf } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import { type Contact, person, timed } from './contact.ts';

const Text = z.string().optional();
const Time = z.union([z.string(), z.number()]);

export const Status = z.looseObject({
  id: z.string(),
  type: Text,
  status: z.string(),
  timestamp: Time,
  recipient_id: Text,
  recipient_user_id: Text,
  recipient_parent_user_id: Text,
  recipient_type: Text,
  recipient_participant_id: Text,
  recipient_participant_user_id: Text,
  errors: z
    .array(z.looseObject({ code: z.union([z.string(), z.number()]).optional(), title: Text }))
    .optional(),
  payment: z
    .looseObject({
      reference_id: Text,
      amount: z.looseObject({ value: z.number(), offset: z.number() }).optional(),
      currency: Text,
    })
    .optional(),
});
type Status = z.infer<typeof Status>;

export const Call = z.looseObject({
  id: z.string(),
  from: Text,
  from_user_id: Text,
  to: Text,
  to_user_id: Text,
  event: Text,
  status: Text,
  timestamp: Time,
  direction: Text,
  duration: z.number().optional(),
});

export const Preference = z.looseObject({
  wa_id: Text,
  user_id: Text,
  category: Text,
  value: z.string(),
  timestamp: Time,
});

type Contacts = readonly Contact[] | undefined;

const recipient = (contacts: Contacts, status: Status): string[] =>
  (status.recipient_type === 'group'
    ? person(contacts, {
        waId:
          status.recipient_participant_user_id === undefined ? status.recipient_participant_id : undefined,
        userId: status.recipient_participant_user_id,
      })
    : person(contacts, {
        waId: status.recipient_id,
        userId: status.recipient_user_id,
        parentId: status.recipient_parent_user_id,
      })
  ).identifiers;

/** A payment by its stage; `pending` and others change nothing yet. */
const paymentStatus: Readonly<Record<string, string>> = {
  captured: 'paid',
  success: 'paid',
  failed: 'failed',
  canceled: 'cancelled',
  refunded: 'refunded',
};

export const statusOf = (contacts: Contacts, status: Status): DecodedInteraction => {
  const { id, type, status: stage, timestamp, errors, payment } = status;
  const participant = status.recipient_participant_user_id ?? status.recipient_participant_id;
  const [error] = errors ?? [];
  const base = {
    key: [id, stage, ...(participant === undefined ? [] : [participant])].join(':'),
    externalId: id,
    direction: 'outbound' as const,
    identifiers: recipient(contacts, status),
    ...timed(timestamp),
  };
  const problem = {
    errorCode: error?.code === undefined ? undefined : String(error.code),
    error: error?.title,
  };
  if (type === 'call')
    return {
      ...base,
      kind: 'call',
      channel: 'voice',
      properties: defined({ status: stage.toLowerCase(), ...problem }),
    };
  if (type === 'payment') {
    const { amount, currency, reference_id: reference } = payment ?? {};
    return {
      ...base,
      kind: 'order',
      channel: 'whatsapp',
      direction: 'inbound',
      properties: defined({
        status: entryOf(paymentStatus, stage.toLowerCase()) ?? 'changed',
        order: reference,
        currency,
        total: amount === undefined ? undefined : amount.value / amount.offset,
        ...problem,
      }),
    };
  }
  return {
    ...base,
    kind: 'delivery-status',
    channel: 'whatsapp',
    refersTo: id,
    properties: defined({ status: stage, ...problem }),
  };
};

export const callOf = (contacts: Contacts, call: z.infer<typeof Call>): DecodedInteraction => {
  const outbound = call.direction === 'BUSINESS_INITIATED';
  const stage = call.event ?? call.status ?? 'call';
  return {
    key: `${call.id}:${stage}`,
    externalId: call.id,
    kind: 'call',
    channel: 'voice',
    direction: outbound ? 'outbound' : 'inbound',
    ...person(
      contacts,
      outbound ? { waId: call.to, userId: call.to_user_id } : { waId: call.from, userId: call.from_user_id },
    ),
    ...timed(call.timestamp),
    properties: defined({ status: stage, outcome: call.status, duration: call.duration }),
  };
};

export const preferenceOf = (
  contacts: Contacts,
  preference: z.infer<typeof Preference>,
): DecodedInteraction => {
  const { wa_id: waId, user_id: userId, category, value, timestamp } = preference;
  return {
    key: `preference:${waId ?? userId}:${category}:${value}:${timestamp}`,
    kind: value === 'stop' ? 'opt-out' : 'opt-in',
    channel: 'whatsapp',
    direction: 'inbound',
    ...person(contacts, { waId, userId }),
    ...timed(timestamp),
    ...(category !== undefined && { properties: { scope: category } }),
  };
};
