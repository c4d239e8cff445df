import * as z from 'zod';
import { Channel, Instant } from '../../../core/interaction/interaction.ts';

/** A message of the projections queue: the type of an event, and the ids and codes of what it is about. */
export const ProjectionMessage = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('interaction.recorded'),
    profileId: z.string(),
    interaction: z.string(),
    occurredAt: Instant,
  }),
  z.strictObject({
    event: z.enum(['customer.created', 'customer.merged', 'customer.unmerged', 'conversation.closed']),
    profileId: z.string(),
  }),
  z.strictObject({
    event: z.enum([
      'notification.suppressed',
      'notification.failed',
      'notification.sent',
      'notification.waiting',
      'notification.goal-checked',
    ]),
    profileId: z.string(),
    trigger: z.string(),
    /** The interaction that caused the notification. */
    interaction: z.string(),
    /** Empty where it is not of a series. */
    step: z.string().default(''),
    /** Empty where no channel was chosen yet. */
    channel: Channel.or(z.literal('')),
    at: Instant,
    // Empty where the event does not have them; messages of earlier releases have none of them.
    reason: z.string().default(''),
    template: z.string().default(''),
    waited: z.string().default(''),
    goal: z.enum(['reached', 'missed', '']).default(''),
  }),
]);
export type ProjectionMessage = z.infer<typeof ProjectionMessage>;

/** What became of a notification. */
export type NotificationReport = Extract<ProjectionMessage, { trigger: string }>;
