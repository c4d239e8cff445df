import * as z from 'zod';
import { Instant } from '../../../../core/interaction/instant.ts';

/** What a job that adopts a CRM has found so far. */
export const AdoptionCounts = z.strictObject({
  /** Records of the CRM that were read. */
  read: z.int().nonnegative(),
  /** Those that are a customer's from now on, or were before. */
  linked: z.int().nonnegative(),
  /** Those that share an address with others, so that a person must decide. */
  ambiguous: z.int().nonnegative(),
  withoutAddress: z.int().nonnegative(),
  /** Those of people who were erased. */
  erased: z.int().nonnegative(),
});
export type AdoptionCounts = z.infer<typeof AdoptionCounts>;

/**
 * Where a job that adopts a CRM continues. `index` notes which records hold which address; `people` looks up the customers
 * whom the CRM knows by a number in another spelling; `import` judges every record and imports the people whom the hub
 * lacks; `drain` waits until these are recorded; `link` writes the hub's keys.
 */
export const AdoptionCheckpoint = z.strictObject({
  pass: z.enum(['index', 'people', 'import', 'drain', 'link']),
  /** The place in the list that the pass reads; absent at its beginning. */
  cursor: z.string().optional(),
  /** Records that the first pass has read. */
  total: z.int().nonnegative(),
  counts: AdoptionCounts,
  reportedParts: z.int().nonnegative(),
  /** The work of the CRM by which the pass `link` writes; `failed`: it failed, and the rest is written without it. */
  bulk: z
    .strictObject({
      work: z.string(),
      /** Once the records were handed over: when, and how often the outcome was asked for. */
      sentAt: Instant.optional(),
      asked: z.int().nonnegative().default(0),
      /** Where the list goes on after them; null at its end, absent where it is not known. */
      next: z.string().nullish(),
    })
    .or(z.literal('failed'))
    .optional(),
  drain: z.strictObject({ waiting: z.int(), checks: z.int() }).optional(),
});
export type AdoptionCheckpoint = z.infer<typeof AdoptionCheckpoint>;

export const firstCheckpoint: AdoptionCheckpoint = {
  pass: 'index',
  total: 0,
  counts: { read: 0, linked: 0, ambiguous: 0, withoutAddress: 0, erased: 0 },
  reportedParts: 0,
};
