import * as z from 'zod';
import { Instant } from '../../../../core/interaction/interaction.ts';

/** Records of one object that the CRM writes by itself. */
const BulkWork = z.strictObject({
  object: z.string(),
  /** The field that holds the hub's key. */
  key: z.string(),
  /** The CRM's id of the work, once it is prepared. */
  work: z.string().optional(),
  /** When the records were handed over. */
  sentAt: Instant.optional(),
  /** How often the outcome was asked for. */
  asked: z.int().nonnegative(),
});
export type BulkWork = z.infer<typeof BulkWork>;

/**
 * What follows the place of a backfill, and is large enough to be written in bulk: first the contacts, then the activities, an
 * object after the other. After that everything is carried out as live traffic is, which finds these records written.
 */
const Lot = z.strictObject({
  /** Messages that are not carried out; absent until they were counted. */
  left: z.int().nonnegative().optional(),
  /** The contacts, until they are written; `inBulk`: by work of the CRM. */
  contacts: BulkWork.extend({ inBulk: z.boolean() }).optional(),
  /** What is to be written in bulk yet, the first first. */
  activities: z.array(BulkWork),
  /** Work that has ended. */
  written: z.array(BulkWork),
});
export type Lot = z.infer<typeof Lot>;
/** A lot whose contacts are to be written yet. */
export type LotOfContacts = Lot & { readonly contacts: NonNullable<Lot['contacts']> };

/** Everything before this place is in the CRM, is a failure, or waits in the queue of the live sync. */
export const BackfillCheckpoint = z.strictObject({
  cursor: z.string().optional(),
  /** The customers of the page at the cursor that are done. */
  customers: z.int().nonnegative(),
  /** The interactions of the next customer that are done: those up to here. */
  upTo: Instant.optional(),
  counts: z.strictObject({ customers: z.int(), interactions: z.int() }),
  /** How often the next batch had to wait for other workers. */
  tries: z.int().nonnegative(),
  lot: Lot.optional(),
});
export type BackfillCheckpoint = z.infer<typeof BackfillCheckpoint>;

/** A place, whatever is written in bulk there. */
export type Place = Omit<BackfillCheckpoint, 'lot'>;
