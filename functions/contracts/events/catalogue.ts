import * as z from 'zod';
import { ConsentStatus } from '../../../core/consent/consent.ts';
import { CrmChange } from '../../../core/crm/change.ts';
import { ConnectionStatus } from '../../../core/crm/connection.ts';
import { CustomerSnapshot } from '../../../core/interaction/customer-snapshot.ts';
import { Channel, Instant, Interaction } from '../../../core/interaction/interaction.ts';

/**
 * Every event that the hub puts on its bus. `source` is always `tributary`; `type` becomes the event's `detail-type`, `at`
 * its `time`. docs/events.md and docs/schemas/events/ are generated from here: `npm run generate`.
 */
const event = <Type extends string, Detail extends z.ZodType>(type: Type, about: string, detail: Detail) =>
  z.strictObject({ type: z.literal(type), detail, at: Instant }).describe(about);

const customer = { customer: CustomerSnapshot };

/** The source profiles of a merge. */
const merge = {
  ...customer,
  /** The entry of the ledger. */
  merge: z.string(),
  survivor: z.string(),
  others: z.array(z.string()),
};

/** Ids and codes only: the row of the notification holds the rest. */
const notification = z.strictObject({
  id: z.string(),
  customer: z.strictObject({ profileId: z.string() }),
  trigger: z.string(),
  /** Of the trigger. */
  version: z.int(),
  /** The interaction that caused the notification. */
  interaction: z.string(),
  /** Of a series: the name of the step. */
  step: z.string().optional(),
  /** Absent where none was chosen yet. */
  channel: Channel.optional(),
  reason: z.string().optional(),
  /** The template of the message; absent where none was chosen yet. */
  template: z.string().optional(),
  /** Set where a wait or a deferral came before. */
  waited: z.literal('yes').optional(),
});

export const BusEvent = z.discriminatedUnion('type', [
  event(
    'interaction.recorded',
    'An interaction was stored. `detail` is the interaction with its fields at the top, and the customer as it was then. A text above 2 KB is cut. `batched` is for rules of the hub alone: its own queues got the interaction already, together with others.',
    Interaction.extend({ ...customer, batched: z.literal(true).optional() }),
  ),
  event('customer.created', 'A customer is new.', z.strictObject(customer)),
  event(
    'customer.imported',
    'A customer list with `toCrms` named this customer: CRMs get the customer at once. With `crm`: a contact of that CRM became this customer when the CRM was adopted.',
    z.strictObject({ ...customer, crm: z.string().optional() }),
  ),
  event(
    'customer.merged',
    'Customers were merged into one. `by` is `identifiers` for a rule, else the name of the person.',
    z.strictObject({ ...merge, by: z.string() }),
  ),
  event(
    'customer.unmerged',
    'A merge was taken back, or an identifier was split off; one event per resulting customer.',
    z.strictObject(merge),
  ),
  event(
    'customer.confirmed',
    'An agent has given a claimed identifier to a person. `type` is the type of the identifier.',
    z.strictObject({ ...customer, type: z.string() }),
  ),
  event(
    'customer.erased',
    'Every row of a person was removed. Consumers that store copies remove them now.',
    z.strictObject({ customer: z.strictObject({ id: z.string() }) }),
  ),
  event(
    'consent.changed',
    'The consent of a customer changed on one or more channels.',
    z.strictObject({
      ...customer,
      changes: z.array(z.strictObject({ channel: Channel, from: ConsentStatus, to: ConsentStatus })),
    }),
  ),
  event(
    'preference.changed',
    'A customer chose a preferred channel, or withdrew the choice.',
    z.strictObject(customer),
  ),
  event(
    'conversation.closed',
    'A person closed the conversation: the customer is owed no answer.',
    z.strictObject({ ...customer, by: z.string() }),
  ),
  event(
    'audience.entered',
    'A customer entered the audience of a trigger with `each`. `id` is the same for the same trigger, `occasion` and customer, however often the event is published; `occurredAt` is when the customer was looked at. It sets the trigger off.',
    z.strictObject({
      id: z.string(),
      ...customer,
      trigger: z.string(),
      /** Of the trigger. */
      version: z.int(),
      /** A date, or the time of a campaign. */
      occasion: z.string(),
      occurredAt: Instant,
    }),
  ),
  event('notification.sent', 'The sender accepted a notification.', notification),
  event(
    'notification.suppressed',
    'A notification was decided against; `reason` is one of the reasons of a trigger.',
    notification,
  ),
  event('notification.failed', 'A notification could not be sent; `reason` is the error code.', notification),
  event(
    'notification.waiting',
    'A notification waits for the end of its wait, or is deferred by quiet hours. It is published once, however often it is deferred.',
    notification,
  ),
  event(
    'notification.goal-checked',
    "The window of a trigger's goal is over, for a notification that was sent or withheld as `holdout` (`reason`).",
    notification.extend({ goal: z.enum(['reached', 'missed']) }),
  ),
  event(
    'sync.failed',
    'A CRM refused the record of a customer for good; the failure says why.',
    z.strictObject({ customer: z.strictObject({ id: z.string() }), crm: z.string(), code: z.string() }),
  ),
  event(
    'connection.changed',
    'A CRM or a sender stopped, or works again. `paused`: nothing is sent to it. `limited`: of a CRM, everything but some of its objects is; of a sender, its daily limit is used up. `reason` says what is the case and what to do; it is absent where it works again.',
    z.strictObject({
      /** One of the two is there. */
      crm: z.string().optional(),
      sender: z.string().optional(),
      status: ConnectionStatus,
      /** The object that is concerned, in the CRM's own words; absent where it is the whole CRM. */
      object: z.string().optional(),
      code: z.string().optional(),
      reason: z.string().optional(),
      /** Since when it has been stopped. */
      since: Instant,
    }),
  ),
  event(
    'crm.decided',
    "A person has decided which record of a CRM is a customer's; without `record` none is, and a new one may be made.",
    z.strictObject({
      crm: z.string(),
      decided: z.strictObject({ profileId: z.string(), record: z.string().optional() }),
    }),
  ),
  event(
    'crm.changed',
    'A CRM that is switched on reported a change of a contact, or of a case. It names the record and holds digests of what changed, no values.',
    z.strictObject({ crm: z.string(), change: CrmChange }),
  ),
]);
export type BusEvent = z.infer<typeof BusEvent>;
