import * as z from 'zod';
import { Instant } from '../../core/interaction.ts';

/** What the sync queue carries: whose record may have changed, and the interaction to log if there is one. */
export const SyncMessage = z.strictObject({
  half: z.string(),
  interaction: z.string().optional(),
  occurredAt: Instant.optional(),
});
export type SyncMessage = z.infer<typeof SyncMessage>;
