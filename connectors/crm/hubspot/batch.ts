import * as z from 'zod';
import type { CrmFault } from '../../../core/crm/fault.ts';
import { Refusal } from './faults.ts';

/** HubSpot's limit for a batch of records. */
export const PER_BATCH = 100;

export const batchesOf = <Item>(
  items: readonly Item[],
  size: number = PER_BATCH,
): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));

/** An answer to a batch: also where some of it was refused, whether with 200, 201 or 207. */
export const batchOf = <Row extends z.ZodType>(row: Row) =>
  z.looseObject({ results: z.array(row).default([]), errors: z.array(Refusal).default([]) });

/** What the answer to one request says about the items that were sent. */
export interface Sorted<Item> {
  /** Those that the refusal of the others left untried. */
  readonly untried?: readonly Item[];
  /** Those of which at least one is at fault, and the fault. */
  readonly doubtful?: { readonly items: readonly Item[]; readonly fault: CrmFault };
}

/**
 * Sends items in one request, and what was refused with them again, in halves, until the item at fault is alone. `send`
 * and `blame` keep what they learn about an item, so that nothing is lost if a later request fails.
 */
export const bisect = async <Item>(
  items: readonly Item[],
  send: (items: readonly Item[]) => Promise<Sorted<Item>>,
  blame: (item: Item, fault: CrmFault) => void,
): Promise<void> => {
  const { untried = [], doubtful } = await send(items);
  if (untried.length > 0) await bisect(untried, send, blame);
  if (doubtful === undefined) return;
  const [first] = doubtful.items;
  if (first !== undefined && doubtful.items.length === 1) return blame(first, doubtful.fault);
  const middle = Math.ceil(doubtful.items.length / 2);
  await bisect(doubtful.items.slice(0, middle), send, blame);
  await bisect(doubtful.items.slice(middle), send, blame);
};
