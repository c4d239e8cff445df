import * as z from 'zod';
import { Instant } from '../../../core/interaction/interaction.ts';

/** A message of a sync queue: the customer to write, and the interaction to log, if any. */
export const SyncMessage = z.strictObject({
  profileId: z.string(),
  interaction: z.string().optional(),
  occurredAt: Instant.optional(),
});
export type SyncMessage = z.infer<typeof SyncMessage>;

/** Remove this part of an erased customer from the CRM: see `functions/aws/erasure/parts.ts`. */
export const EraseMessage = z.strictObject({ erasure: z.string(), part: z.string() });
export type EraseMessage = z.infer<typeof EraseMessage>;

/** Every message of a sync queue. */
export const CrmMessage = z.union([SyncMessage, EraseMessage], {
  error:
    'Expected whose record may have changed (profileId; interaction, occurredAt) or what was erased (erasure, part)',
});
export type CrmMessage = z.infer<typeof CrmMessage>;
