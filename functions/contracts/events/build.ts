import * as z from 'zod';
import type { ConsentChange } from '../../../core/consent/customer-consent.ts';
import type { Customer, CustomerSnapshot } from '../../../core/identity/customer.ts';
import { snapshot } from '../../../core/identity/customer.ts';
import type { Merge, Unmerge } from '../../../core/identity/ledger.ts';
import type { Placement } from '../../../core/identity/resolution.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import type { Reply } from '../../../core/timeline/conversation.ts';
import type { StoredInteraction } from '../ports/history.ts';

export const EventType = z.enum([
  'interaction.recorded',
  'customer.created',
  'customer.imported',
  'customer.merged',
  'customer.unmerged',
  'customer.erased',
  'consent.changed',
  'conversation.closed',
  'preference.changed',
]);
export type EventType = z.infer<typeof EventType>;

/** An event for the bus; the source is always `tributary`. */
export interface BusEvent {
  readonly type: EventType;
  readonly detail: object;
  readonly at: Instant;
}

/** What an interaction changed besides itself; kept with its row, so that the same events can be published again. */
export interface Caused {
  readonly merge?: Pick<Merge, 'id' | 'survivor' | 'others' | 'at' | 'by'> | undefined;
  readonly consent?: readonly ConsentChange[] | undefined;
  readonly reply?: Reply | undefined;
  readonly moved?: true | undefined;
}

export const causedBy = ({ merge, consent, reply, moved }: Placement): Caused => ({
  ...(merge && {
    merge: { id: merge.id, survivor: merge.survivor, others: merge.others, at: merge.at, by: merge.by },
  }),
  ...(consent.length > 0 && { consent }),
  ...(reply && { reply }),
  ...(moved && { moved }),
});

/** Text above 2 KB is cut in the event, not in the store. */
const TEXT_BYTES = 2048;

/**
 * The events of a stored interaction, always the same from the same row. Consent comes first: whoever listens to both
 * knows the answer before the act that gave it.
 */
export const interactionEvents = (stored: StoredInteraction, caused: Caused): BusEvent[] => {
  const { receivedAt, profileId: _half, ...interaction } = stored;
  const { customer } = stored;
  return [
    ...(customer.isNew ? [customerCreated(customer, receivedAt)] : []),
    ...(caused.merge ? [mergedAs(customer, caused.merge, receivedAt)] : []),
    ...(caused.consent ? [consentChanged(customer, caused.consent, receivedAt)] : []),
    {
      type: 'interaction.recorded',
      detail: interaction.text === undefined ? interaction : { ...interaction, text: cut(interaction.text) },
      at: receivedAt,
    },
  ];
};

export const customerCreated = (customer: CustomerSnapshot, at: Instant): BusEvent => ({
  type: 'customer.created',
  detail: { customer },
  at,
});

/** A customer of a list that the CRMs shall have at once. */
export const customerImported = (customer: CustomerSnapshot, at: Instant): BusEvent => ({
  type: 'customer.imported',
  detail: { customer },
  at,
});

export const consentChanged = (
  customer: CustomerSnapshot,
  changes: readonly ConsentChange[],
  at: Instant,
): BusEvent => ({ type: 'consent.changed', detail: { customer, changes }, at });

export const conversationClosed = (customer: CustomerSnapshot, by: string, at: Instant): BusEvent => ({
  type: 'conversation.closed',
  detail: { customer, by },
  at,
});

export const preferenceChanged = (customer: CustomerSnapshot, at: Instant): BusEvent => ({
  type: 'preference.changed',
  detail: { customer },
  at,
});

export const merged = (customer: Customer, merge: Merge, at: Instant): BusEvent =>
  mergedAs(snapshot(customer, merge.survivor, false), merge, at);

const mergedAs = (
  customer: CustomerSnapshot,
  merge: NonNullable<Caused['merge']>,
  at: Instant,
): BusEvent => ({
  type: 'customer.merged',
  detail: { customer, merge: merge.id, survivor: merge.survivor, others: merge.others, by: merge.by },
  at,
});

export const unmerged = (
  customer: Customer,
  undone: Pick<Unmerge, 'merge' | 'survivor' | 'others' | 'at'>,
): BusEvent => ({
  type: 'customer.unmerged',
  detail: {
    customer: snapshot(customer, customer.id, false),
    merge: undone.merge,
    survivor: undone.survivor,
    others: undone.others,
  },
  at: undone.at,
});

/** Cuts at a character, never inside one. */
const cut = (text: string): string => {
  const bytes = Buffer.from(text);
  if (bytes.length <= TEXT_BYTES) return text;
  let end = TEXT_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
};
