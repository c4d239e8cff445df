import * as z from 'zod';
import { Channel, Instant } from '../../../core/interaction/interaction.ts';

/** What the metrics queue carries: what was told on the bus, and of whom. Ids and codes alone. */
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
    event: z.enum(['notification.suppressed', 'notification.failed']),
    profileId: z.string(),
    trigger: z.string(),
    /** The interaction that caused the notification. */
    interaction: z.string(),
    /** Empty where it was decided before a channel was chosen. */
    channel: Channel.or(z.literal('')),
    at: Instant,
  }),
]);
export type ProjectionMessage = z.infer<typeof ProjectionMessage>;

/** A notification that was not sent. */
export type Unsent = Extract<ProjectionMessage, { trigger: string }>;
