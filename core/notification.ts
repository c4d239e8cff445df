import * as z from 'zod';
import { Category } from './consent.ts';
import { Identifier } from './identifier.ts';
import { Channel, Instant } from './interaction.ts';

/** A message that a trigger wants sent: from the event that set it off to what became of it. One row per trigger and cause. */
export const Notification = z.strictObject({
  trigger: z.string(),
  /** Which version of the trigger decided. */
  triggerVersion: z.int().positive(),
  category: Category,
  half: z.string(),
  interaction: z.string(),
  occurredAt: Instant,
  arrivedAt: Instant,
  /** Counts every change of this row. */
  version: z.int().nonnegative(),
  status: z.enum(['waiting', 'claimed', 'sending', 'sent', 'failed', 'suppressed']),
  /** When the status was reached. */
  at: Instant,
  /** How many timers this notification has waited for. */
  timers: z.int().nonnegative(),
  until: Instant.optional(),
  reason: z.string().optional(),
  channel: Channel.optional(),
  addresses: z.array(Identifier).optional(),
  template: z.string().optional(),
  /** Why: everything that was looked at in the last decision. */
  steps: z.array(z.strictObject({ step: z.string(), result: z.string() })),
});
export type Notification = z.infer<typeof Notification>;

/** What the decisions queue carries: an event of a trigger's rule, or the timer of one that waited. */
export const DecisionMessage = z.strictObject({
  trigger: z.string(),
  version: z.int().positive(),
  half: z.string(),
  interaction: z.string(),
  occurredAt: Instant,
  arrivedAt: Instant,
  timer: z.int().positive().optional(),
});
export type DecisionMessage = z.infer<typeof DecisionMessage>;

/** What the notifications queue carries. */
export const NotificationMessage = z.strictObject({
  half: z.string(),
  trigger: z.string(),
  interaction: z.string(),
});
export type NotificationMessage = z.infer<typeof NotificationMessage>;
