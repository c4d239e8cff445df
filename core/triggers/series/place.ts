import * as z from 'zod';
import { Category } from '../../consent/consent.ts';
import { Instant } from '../../interaction/interaction.ts';

/**
 * The place of a customer in a series: at which step it stands. There is one row per customer and series, which the next entry
 * replaces when the series has ended.
 */
export const Place = z.strictObject({
  trigger: z.string(),
  /** The version with which the customer has started; later ones do not concern the customer. */
  triggerVersion: z.int().positive(),
  category: Category,
  /** The source profile of the interaction that started the series; the row is stored under it. */
  profileId: z.string(),
  interaction: z.string(),
  /** What the customer entered the audience for, where no interaction started the series. */
  occasion: z.string().optional(),
  occurredAt: Instant,
  arrivedAt: Instant,
  /** Increases with every change of this row. */
  version: z.int().nonnegative(),
  /** The number of timers that were set for this entry. */
  timers: z.int().nonnegative(),
  /** The name of the step at which it stands; of an ended series, the last. */
  step: z.string(),
  /** Since when: the step before was sent or passed. */
  since: Instant,
  /** Set where the step before is a message: a wait runs from when that was sent. */
  sinceMessage: z.literal(true).optional(),
  /** When the step fell due: its message is deferred. */
  dueAt: Instant.optional(),
  /** When its wait or its deferral ends. */
  until: Instant.optional(),
  /** The last step whose message was decided. */
  last: z.string().optional(),
  /** What has changed the row last: the id of an interaction, with the number of a timer where that fired. */
  movedBy: z.string().optional(),
  /** Set when a message was reserved: the goal of the series runs. */
  hasSent: z.literal(true).optional(),
  /** The interaction for which the last `await` waited. */
  matched: z.string().optional(),
  /** When the series ended for this customer. */
  endedAt: Instant.optional(),
  /** Why, where that was before its end. */
  reason: z.string().optional(),
});
export type Place = z.infer<typeof Place>;

export const isRunning = ({ endedAt }: Pick<Place, 'endedAt'>): boolean => endedAt === undefined;
