import type { ConsentChange } from '../../../core/consent/customer-consent.ts';
import type { CrmChange } from '../../../core/crm/change.ts';
import type { Connection, Stop } from '../../../core/crm/connection.ts';
import type { Resolution } from '../../../core/identity/attach-interaction.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { identifierType } from '../../../core/identity/identifier.ts';
import type { Merge, Unmerge } from '../../../core/identity/ledger.ts';
import { type CustomerSnapshot, snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import { type Instant, instant } from '../../../core/interaction/interaction.ts';
import type { Look } from '../../../core/triggers/audience/each.ts';
import { entryId } from '../../../core/triggers/audience/entry.ts';
import { type Notification, notificationId } from '../../../core/triggers/notification.ts';
import type { SenderStatus, Stop as SenderStop } from '../../../core/triggers/sending/pace.ts';
import type { StoredInteraction } from '../ports/history.ts';
import type { Caused } from '../rows/interactions.ts';
import type { BusEvent } from './catalogue.ts';

/** What the resolution of an interaction changed, for its row. */
export const causedBy = ({ merge, consent, reply, moved }: Resolution): Caused => ({
  ...(merge && {
    merge: { id: merge.id, survivor: merge.survivor, others: merge.others, at: merge.at, by: merge.by },
  }),
  ...(consent.length > 0 && { consent: [...consent] }),
  ...(reply && { reply }),
  ...(moved && { moved }),
});

/** Text above 2 KB is cut in the event, not in the store. */
const TEXT_BYTES = 2048;

/**
 * The events of a stored interaction, always the same from the same row. A consent change comes first, so that a consumer
 * of both knows the answer before the interaction that gave it.
 */
export const interactionEvents = (stored: StoredInteraction, caused: Caused): BusEvent[] => {
  const { receivedAt, profileId: _profileId, ...interaction } = stored;
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

/** A customer of a list that CRMs get at once; with `crm` one of that CRM's contacts. */
export const customerImported = (customer: CustomerSnapshot, at: Instant, crm?: string): BusEvent => ({
  type: 'customer.imported',
  detail: { customer, ...(crm !== undefined && { crm }) },
  at,
});

/** A person has decided which record of a CRM is a customer's; without `record` none is. */
export const crmDecided = (
  crm: string,
  decided: { readonly profileId: string; readonly record?: string },
  at: Instant,
): BusEvent => ({ type: 'crm.decided', detail: { crm, decided }, at });

/** An agent has given a claimed identifier to a person. */
export const customerConfirmed = (customer: CustomerSnapshot, identifier: string, at: Instant): BusEvent => ({
  type: 'customer.confirmed',
  detail: { customer, type: identifierType(identifier) },
  at,
});

/** `id`: any source profile of the person. */
export const customerErased = (id: string, at: Instant): BusEvent => ({
  type: 'customer.erased',
  detail: { customer: { id } },
  at,
});

export const consentChanged = (
  customer: CustomerSnapshot,
  changes: readonly ConsentChange[],
  at: Instant,
): BusEvent => ({ type: 'consent.changed', detail: { customer, changes: [...changes] }, at });

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
  mergedAs(snapshotCustomer(customer, merge.survivor, false), merge, at);

const mergedAs = (
  customer: CustomerSnapshot,
  { id, survivor, others, by }: NonNullable<Caused['merge']>,
  at: Instant,
): BusEvent => ({ type: 'customer.merged', detail: { customer, merge: id, survivor, others, by }, at });

export const unmerged = (
  customer: Customer,
  { merge, survivor, others, at }: Pick<Unmerge, 'merge' | 'survivor' | 'others' | 'at'>,
): BusEvent => ({
  type: 'customer.unmerged',
  detail: { customer: snapshotCustomer(customer, customer.id, false), merge, survivor, others: [...others] },
  at,
});

/** A customer enters the audience of a version of a trigger for an occasion, at the time of the look. */
export const audienceEntered = (
  customer: CustomerSnapshot,
  { trigger, version }: { readonly trigger: string; readonly version: number },
  { at, occasion }: Look,
): BusEvent => ({
  type: 'audience.entered',
  detail: {
    ...{ id: entryId(trigger, occasion, customer.id), customer, trigger, version, occasion },
    occurredAt: instant(at),
  },
  at: instant(at),
});

/** What became of a notification, at the time of its row. */
export const notificationEvent = (
  type: 'notification.sent' | 'notification.suppressed' | 'notification.failed' | 'notification.waiting',
  notification: Notification,
): BusEvent => ({ type, detail: notificationDetail(notification), at: notification.at });

/** Whether a goal was reached, at the time at which the notification was sent or withheld. */
export const goalChecked = (notification: Notification): BusEvent => ({
  type: 'notification.goal-checked',
  detail: {
    ...notificationDetail(notification),
    goal: notification.goal?.interaction == null ? 'missed' : 'reached',
  },
  at: notification.at,
});

const notificationDetail = (notification: Notification) => {
  const { profileId, trigger, triggerVersion, interaction, step, channel, reason, template } = notification;
  return {
    ...{
      id: notificationId(notification),
      customer: { profileId },
      trigger,
      version: triggerVersion,
      interaction,
    },
    ...(step !== undefined && { step }),
    ...(channel && { channel }),
    ...(reason !== undefined && { reason }),
    ...(template !== undefined && { template }),
    ...(notification.timers > 0 && notification.status !== 'waiting' && { waited: 'yes' as const }),
  };
};

/** `customer`: the canonical id. */
export const syncFailed = (customer: string, crm: string, code: string, at: Instant): BusEvent => ({
  type: 'sync.failed',
  detail: { customer: { id: customer }, crm, code },
  at,
});

/** A CRM, or one object of it, stopped (`stop` is in force in `connection`) or works again. */
export const connectionChanged = (
  crm: string,
  { status }: Pick<Connection, 'status'>,
  { since, code, reason }: Stop,
  { object, isOver }: { readonly object: string | undefined; readonly isOver: boolean },
  at: Instant,
): BusEvent => ({
  type: 'connection.changed',
  detail: {
    ...{ crm, status, since },
    ...(object !== undefined && { object }),
    ...(!isOver && { code, reason }),
  },
  at,
});

/** A sender stopped, or works again where no `stop` is in force. `since`: since when it was stopped. */
export const senderChanged = (
  sender: string,
  status: SenderStatus,
  { since, reason }: Pick<SenderStop, 'since' | 'reason'>,
  at: Instant,
): BusEvent => ({
  type: 'connection.changed',
  detail: { sender, status, since, ...(status !== 'working' && { code: 'stopped-sender', reason }) },
  at,
});

/** `receivedAt`: the time of the event where the CRM gives none. */
export const crmChanged = (crm: string, change: CrmChange, receivedAt: Instant): BusEvent => ({
  type: 'crm.changed',
  detail: { crm, change },
  at: change.at ?? receivedAt,
});

/** Cuts at a character, never inside one. */
const cut = (text: string): string => {
  const bytes = Buffer.from(text);
  if (bytes.length <= TEXT_BYTES) return text;
  let end = TEXT_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
};
