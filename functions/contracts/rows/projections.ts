import * as z from 'zod';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { ListEntry } from '../../../core/timeline/lists.ts';

/** The entries of one source profile in lists, so that they can be removed again. */
export const Listed = tolerant(
  z.object({
    version: z.int(),
    /** Of which state of the customer: the version of each source profile that it had. */
    state: z.record(z.string(), z.int()),
    places: z.array(ListEntry),
  }),
);
export type Listed = z.infer<typeof Listed>;

/** Short hashes of the interactions of one minute that are in the figures, one after the other. */
export const CountedPage = tolerant(z.object({ version: z.int(), hashes: z.string() }));
