import * as z from 'zod';
import { Instant } from '../../../core/interaction/interaction.ts';
import type { Directory } from '../../aws/customers/directory.ts';
import type { Job, SliceResult } from '../../contracts/jobs/job.ts';
import { type BackfillParameters, backfillKind } from '../../contracts/jobs/kinds.ts';
import type { SyncMessage } from '../../contracts/messages/sync.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import type { Deferred } from '../connection/work.ts';
import type { SyncPorts } from '../ports.ts';
import type { PauseAfter } from './pause.ts';

export interface BackfillPorts {
  readonly sync: Pick<SyncPorts, 'history' | 'links' | 'queueAgain'>;
  readonly directory: Directory;
  /** Writes customers and interactions to the CRM now. Returns those that must wait. */
  readonly carryOut: (job: string, messages: readonly SyncMessage[]) => Promise<Deferred>;
  readonly pauseAfter: PauseAfter;
  /** Customers and interactions that are written at once. */
  readonly batch: number;
}

/** Everything before this place is in the CRM, is a failure, or waits in the queue of the live sync. */
const BackfillCheckpoint = z.strictObject({
  cursor: z.string().optional(),
  /** The customers of the page at the cursor that are done. */
  customers: z.int().nonnegative(),
  /** The interactions of the next customer that are done: those up to here. */
  upTo: Instant.optional(),
  counts: z.strictObject({ customers: z.int(), interactions: z.int() }),
  /** How often the next batch had to wait for other workers. */
  tries: z.int().nonnegative(),
});
type BackfillCheckpoint = z.infer<typeof BackfillCheckpoint>;

interface Batch {
  readonly messages: readonly SyncMessage[];
  readonly next: BackfillCheckpoint;
  readonly isLast: boolean;
}

const CUSTOMERS_PER_PAGE = 100;
const MAX_TRIES = 5;

/**
 * Writes all customers and their interactions to a CRM, by the same use case as live traffic, but with what of the budget
 * live traffic leaves. The checkpoint moves on only after the CRM has answered. A repeated batch costs no call for what is
 * unchanged.
 */
export const backfillJob = (ports: BackfillPorts): Job<BackfillParameters, BackfillCheckpoint> => ({
  ...backfillKind,
  checkpoint: BackfillCheckpoint,
  start: async () => ({
    checkpoint: { customers: 0, counts: { customers: 0, interactions: 0 }, tries: 0 },
  }),
  async slice({ job, parameters, checkpoint: first, timeLeft }) {
    let checkpoint = first;
    do {
      const batch = await nextBatch(ports, checkpoint, parameters.since);
      const deferred = await ports.carryOut(job, batch.messages);
      if (deferred.size > 0) {
        const [{ error } = { error: undefined }] = deferred.values();
        const delaySeconds = (await ports.pauseAfter(error)) ?? 60;
        if (checkpoint.tries < MAX_TRIES) {
          const again = {
            ...checkpoint,
            tries: checkpoint.tries + (deferred.size < batch.messages.length ? 1 : 0),
          };
          return { ...progressOf(first, again), finished: false, delaySeconds };
        }
        await ports.sync.queueAgain(batch.messages.filter((_, position) => deferred.has(String(position))));
      }
      checkpoint = batch.next;
      if (batch.isLast) return { ...progressOf(first, checkpoint), finished: true };
    } while (timeLeft());
    return { ...progressOf(first, checkpoint), finished: false };
  },
});

const progressOf = (
  first: BackfillCheckpoint,
  checkpoint: BackfillCheckpoint,
): Omit<SliceResult<BackfillCheckpoint>, 'finished'> => ({
  ...{ checkpoint, counts: checkpoint.counts },
  done: checkpoint.counts.customers - first.counts.customers,
});

/** The messages of the next customers: each customer, and what they did. */
const nextBatch = async (
  { sync, directory, batch: size }: BackfillPorts,
  { cursor, customers: done, upTo, counts }: BackfillCheckpoint,
  since: Instant | undefined,
): Promise<Batch> => {
  const page = await directory.page(cursor, Math.max(CUSTOMERS_PER_PAGE, size / 2));
  const customers = await sync.history.customers(page.ids);
  const states = await sync.links.load(page.ids);
  const messages: SyncMessage[] = [];
  let [position, interactions, after] = [done, 0, upTo];
  for (; position < page.ids.length; position++) {
    const id = page.ids[position] ?? '';
    const customer = customers.get(id);
    const isChanged = since === undefined || states.has(id) || (customer?.lastSeenAt ?? '') >= since;
    if (customer === undefined || customer.id !== id || !isChanged) continue;
    if (after === undefined) messages.push({ profileId: id });
    const from = after ?? since;
    let last: StoredInteraction | undefined;
    for await (const one of sync.history.timeline(customer, { ...(from !== undefined && { after: from }) })) {
      // A batch ends between two instants, so that the next one can begin there.
      if (messages.length >= size && last !== undefined && one.occurredAt > last.occurredAt)
        return batchUpTo({ cursor, position, upTo: last.occurredAt, messages, interactions, done, counts });
      messages.push({ profileId: one.profileId, interaction: one.id, occurredAt: one.occurredAt });
      last = one;
      interactions++;
    }
    after = undefined;
    if (messages.length >= size && position + 1 < page.ids.length)
      return batchUpTo({ cursor, position: position + 1, messages, interactions, done, counts });
  }
  const next = {
    ...(page.next !== undefined && { cursor: page.next }),
    ...{ customers: 0, tries: 0, counts: sum(counts, page.ids.length - done, interactions) },
  };
  return { messages, next, isLast: page.next === undefined };
};

const sum = (
  counts: BackfillCheckpoint['counts'],
  customers: number,
  interactions: number,
): BackfillCheckpoint['counts'] => ({
  customers: counts.customers + customers,
  interactions: counts.interactions + interactions,
});

const batchUpTo = (place: {
  readonly cursor: string | undefined;
  readonly position: number;
  readonly upTo?: Instant;
  readonly messages: readonly SyncMessage[];
  readonly interactions: number;
  readonly done: number;
  readonly counts: BackfillCheckpoint['counts'];
}): Batch => ({
  messages: place.messages,
  isLast: false,
  next: {
    ...(place.cursor !== undefined && { cursor: place.cursor }),
    ...(place.upTo !== undefined && { upTo: place.upTo }),
    ...{ customers: place.position, tries: 0 },
    counts: sum(place.counts, place.position - place.done, place.interactions),
  },
});
