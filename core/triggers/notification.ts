import * as z from 'zod';
import { Category } from '../consent/consent.ts';
import { Identifier } from '../identity/identifier.ts';
import { Channel, Instant } from '../interaction/interaction.ts';

/** A message that a trigger wants sent: from the event that set it off to what became of it. One row per trigger and cause. */
export const Notification = z.strictObject({
  trigger: z.string(),
  /** Which version of the trigger decided. */
  triggerVersion: z.int().positive(),
  category: Category,
  profileId: z.string(),
  interaction: z.string(),
  occurredAt: Instant,
  arrivedAt: Instant,
  /** Counts every change of this row. */
  version: z.int().nonnegative(),
  status: z.enum(['waiting', 'reserved', 'sending', 'sent', 'failed', 'suppressed']),
  /** When the status was reached. */
  at: Instant,
  /** How many timers this notification has waited for. */
  timers: z.int().nonnegative(),
  /** When the wait ends; while it is being sent, when the send counts as broken off. */
  until: Instant.optional(),
  reason: z.string().optional(),
  channel: Channel.optional(),
  addresses: z.array(Identifier).optional(),
  template: z.string().optional(),
  /** Whether WhatsApp is sent the approved template rather than text. */
  approved: z.literal(true).optional(),
  /** Channels whose sender has refused this message. */
  refused: z.array(Channel).optional(),
  /** The provider's ids of what was sent, by address. */
  externalIds: z.record(Identifier, z.string()).optional(),
  /** How often a person has replayed it after it had failed. */
  replays: z.int().positive().optional(),
  /** When the goal is looked at. */
  goalAt: Instant.optional(),
  /** The interaction that reached the goal, or null where none did. */
  goal: z.strictObject({ interaction: z.string().nullable() }).optional(),
  /** Why: everything that was looked at in the last decision. */
  steps: z.array(z.strictObject({ step: z.string(), result: z.string() })),
});
export type Notification = z.infer<typeof Notification>;

const address = { profileId: z.string(), trigger: z.string(), interaction: z.string() };
/** What the notifications queue carries: the name of a notification's row, and which replay this is of one that has failed. */
export const NotificationMessage = z.strictObject({ ...address, again: z.int().positive().optional() });
export type NotificationMessage = z.infer<typeof NotificationMessage>;

/** What the decisions queue carries: an event of a trigger's rule, or a timer of one that waited or has a goal. */
export const DecisionMessage = z.strictObject({
  ...address,
  version: z.int().positive(),
  occurredAt: Instant,
  arrivedAt: Instant,
  timer: z.union([z.int().positive(), z.literal('goal')]).optional(),
});
export type DecisionMessage = z.infer<typeof DecisionMessage>;

/** The id under which the world outside knows a notification: letters, digits, `-`, `_` and `.`. */
export const notificationId = ({ trigger, interaction }: NotificationMessage): string =>
  `${trigger}.${interaction}`;
