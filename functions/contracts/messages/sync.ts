import * as z from 'zod';
import { CrmChange } from '../../../core/crm/change.ts';
import { Instant } from '../../../core/interaction/interaction.ts';
import { JobMessage } from './jobs.ts';

/** A message of a sync queue: the customer to write, and the interaction to log, if any. */
export const SyncMessage = z.strictObject({
  profileId: z.string(),
  interaction: z.string().optional(),
  occurredAt: Instant.optional(),
  /** An import names the customer: a contact that was deleted is linked or made again. */
  imported: z.literal(true).optional(),
});
export type SyncMessage = z.infer<typeof SyncMessage>;

/** Remove this part of an erased customer from the CRM: see `functions/aws/erasure/parts.ts`. */
export const EraseMessage = z.strictObject({ erasure: z.string(), part: z.string() });
export type EraseMessage = z.infer<typeof EraseMessage>;

/** What a CRM reports of one of its contacts. */
export const ChangeMessage = z.strictObject({ change: CrmChange });
export type ChangeMessage = z.infer<typeof ChangeMessage>;

/** Find out by a call whether a CRM, or a parked object of it, can be used again. It has a queue of its own, which is never off. */
export const ProbeMessage = z.strictObject({
  probe: z.literal(true),
  object: z.string().optional(),
  /** The account of the CRM in which a person wants the hub to go on. */
  account: z.string().optional(),
});
export type ProbeMessage = z.infer<typeof ProbeMessage>;

/** Ask the CRM what has changed. It comes with the probes, at regular times. */
export const PollMessage = z.strictObject({ poll: z.literal(true) });
export type PollMessage = z.infer<typeof PollMessage>;

/** A person has decided which record is a customer's; without `record` none is, and a new one may be made. */
export const DecidedMessage = z.strictObject({
  decided: z.strictObject({ profileId: z.string(), record: z.string().optional() }),
});
export type DecidedMessage = z.infer<typeof DecidedMessage>;

/** Every message of the function of a CRM. */
export const CrmMessage = z.union(
  [SyncMessage, EraseMessage, ChangeMessage, DecidedMessage, ProbeMessage, PollMessage, JobMessage],
  {
    error:
      'Expected whose record may have changed (profileId; interaction, occurredAt, imported), what was erased (erasure, part), what the CRM reports (change), what a person decided (decided), what to probe (probe: true; object, account), that the CRM is asked for changes (poll: true), or a slice of a job (job, slice)',
  },
);
export type CrmMessage = z.infer<typeof CrmMessage>;
