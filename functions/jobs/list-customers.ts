import * as z from 'zod';
import type { Directory } from '../aws/customers/lists/directory.ts';
import type { Job } from '../contracts/jobs/job.ts';
import { listKind } from '../contracts/jobs/kinds.ts';
import type { History } from '../contracts/ports/history.ts';
import type { Projection } from '../contracts/ports/projections.ts';

export interface ListPorts {
  readonly directory: Directory;
  readonly history: Pick<History, 'customers'>;
  readonly lists: Projection;
}

const Checkpoint = z.strictObject({ cursor: z.string().optional() });

const CUSTOMERS_PER_PAGE = 100;

/** Enters every customer of the directory in the lists as the projection does; nothing is written where all entries are there. */
export const listJob = ({
  directory,
  history,
  lists,
}: ListPorts): Job<Record<string, never>, z.infer<typeof Checkpoint>> => ({
  ...listKind,
  checkpoint: Checkpoint,
  start: async () => ({ checkpoint: {} }),
  async slice({ checkpoint, timeLeft }) {
    let { cursor } = checkpoint;
    let done = 0;
    do {
      const { ids, next } = await directory.page(cursor, CUSTOMERS_PER_PAGE);
      await lists({ customers: await history.customers(ids), interactions: [], notifications: [] });
      done += ids.length;
      if (next === undefined) return { done, checkpoint: {}, finished: true };
      cursor = next;
    } while (timeLeft());
    return { done, checkpoint: { cursor }, finished: false };
  },
});
