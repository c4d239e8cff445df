import * as z from 'zod';
import { ListEntry } from '../../../core/timeline/lists.ts';
import { rowReader } from './row.ts';

/** The entries of one source profile in lists, so that they can be removed again. */
export const Listed = z.object({
  version: z.int(),
  /** Of which state of the customer: the version of each source profile that it had. */
  state: z.record(z.string(), z.int()),
  places: z.array(ListEntry),
});
export type Listed = z.infer<typeof Listed>;
export const listedRowOf = rowReader(Listed);

/** Short hashes of the interactions of one minute that are in the figures, one after the other. */
export const CountedPage = z.object({ version: z.int(), hashes: z.string() });
export const countedPageOf = rowReader(CountedPage);
