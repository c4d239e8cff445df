import * as z from 'zod';
import { Category } from '../consent/consent.ts';
import { Identifier } from '../identity/identifier.ts';
import { Channel, Instant } from '../interaction/interaction.ts';
import { Check } from './checks.ts';

/**
 * The row of a notification, from the event that started the trigger to the result of the send. One row per trigger and cause,
 * and of a series one more per step.
 */
export const Notification = z.strictObject({
  trigger: z.string(),
  /** The version of the trigger that decided. */
  triggerVersion: z.int().positive(),
  category: Category,
  profileId: z.string(),
  /** The interaction that started the trigger, or the event by which the customer entered its audience. */
  interaction: z.string(),
  /** The name of the step of a series. */
  step: z.string().optional(),
  /** What the customer entered the audience for, where no interaction started the trigger. */
  occasion: z.string().optional(),
  occurredAt: Instant,
  arrivedAt: Instant,
  /** When the step fell due; otherwise it is due at the arrival of its event. */
  dueAt: Instant.optional(),
  /** Increases with every change of this row. */
  version: z.int().nonnegative(),
  status: z.enum(['waiting', 'reserved', 'sending', 'sent', 'failed', 'suppressed']),
  /** When the status was reached. */
  at: Instant,
  /** The number of timers that were set for this notification. */
  timers: z.int().nonnegative(),
  /** When the wait ends; while reserved, when its sender may send it again; while sending, when the send counts as interrupted. */
  until: Instant.optional(),
  reason: z.string().optional(),
  channel: Channel.optional(),
  addresses: z.array(Identifier).optional(),
  /** Set where the customer does not own the address: the message shows the causing interaction alone. */
  causeOnly: z.literal(true).optional(),
  template: z.string().optional(),
  /** The file of the template that is sent, in the language that was chosen. */
  file: z.string().optional(),
  /** Set if WhatsApp gets the approved template instead of text. */
  approved: z.literal(true).optional(),
  /** Channels whose sender has refused this message. */
  refused: z.array(Channel).optional(),
  /** The sender that has sent the message, or is sending it. */
  sender: z.string().optional(),
  /** Senders of the channel that have refused this message. */
  refusedBy: z.array(z.string()).optional(),
  /** The provider's ids of the sent messages, by address. */
  externalIds: z.record(Identifier, z.string()).optional(),
  /** How often it was replayed after a failure. */
  replays: z.int().positive().optional(),
  /** When the goal is checked. */
  goalAt: Instant.optional(),
  /** The interaction that reached the goal, or null if none did. */
  goal: z.strictObject({ interaction: z.string().nullable() }).optional(),
  /** The checks of the last decision and their results. */
  steps: z.array(Check),
  /** When it was decided last. `at` moves on with the send. */
  decidedAt: Instant.optional(),
});
export type Notification = z.infer<typeof Notification>;

const reference = {
  profileId: z.string(),
  trigger: z.string(),
  interaction: z.string(),
  /** Of a series. */
  step: z.string().optional(),
};
/** A message of the notifications queue: the key of a notification's row. */
export const NotificationMessage = z.strictObject({
  ...reference,
  /** The number of the replay of a failed notification. */
  replay: z.int().positive().optional(),
  /** The slot that was taken for it: it is not sent before. */
  notBefore: Instant.optional(),
  /** How often the vendor could not take it, where the vendor's rate was not the reason. */
  deferrals: z.int().positive().optional(),
});
export type NotificationMessage = z.infer<typeof NotificationMessage>;

/** A message of the notifications queue that ends the pause of a sender: the replay of the failure that says so. */
export const SenderMessage = z.strictObject({ sender: z.string() });
export type SenderMessage = z.infer<typeof SenderMessage>;

/**
 * A message of the decisions queue: an event of a trigger's rule, or a timer of a notification that waits or has a goal, or of
 * a customer's place in a series.
 */
export const DecisionMessage = z.strictObject({
  ...reference,
  version: z.int().positive(),
  /** Where no interaction started the trigger; `interaction` is then the id of the event. */
  occasion: z
    .string()
    .transform((text) => (text === '' ? undefined : text))
    .optional(),
  occurredAt: Instant,
  arrivedAt: Instant,
  timer: z.union([z.int().positive(), z.literal('goal')]).optional(),
});
export type DecisionMessage = z.infer<typeof DecisionMessage>;

/** The public id of a notification: letters, digits, `-`, `_` and `.`. */
export const notificationId = ({ trigger, interaction, step }: NotificationMessage): string =>
  step === undefined ? `${trigger}.${interaction}` : `${trigger}.${interaction}.${step}`;

/** What the id of a test of a template begins with; that of a notification has a `.` or, in a tag, `_` behind its trigger. */
const TEST = 'test-';
export const testId = (id: string): string => `${TEST}${id}`;
export const isTestId = (id: string): boolean => id.startsWith(TEST) && !/[._]/u.test(id);
