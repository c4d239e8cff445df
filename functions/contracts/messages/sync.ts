import * as z from 'zod';
import { Instant } from '../../../core/interaction/interaction.ts';

/** What the sync queue carries: whose record may have changed, and the interaction to log if there is one. */
export const SyncMessage = z.strictObject({
  profileId: z.string(),
  interaction: z.string().optional(),
  occurredAt: Instant.optional(),
});
export type SyncMessage = z.infer<typeof SyncMessage>;

/** Take this part of an erased person out of the CRM: see `functions/aws/erasure/erasures.ts`. */
export const EraseMessage = z.strictObject({ erasure: z.string(), part: z.string() });
export type EraseMessage = z.infer<typeof EraseMessage>;

/** Everything that may stand in a sync queue. */
export const CrmMessage = z.union([SyncMessage, EraseMessage], {
  error:
    'Expected whose record may have changed (profileId; interaction, occurredAt) or what was erased (erasure, part)',
});
export type CrmMessage = z.infer<typeof CrmMessage>;
