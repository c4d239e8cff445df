import type { BulkOutcome } from '../../../../core/crm/connector.ts';
import type { Job, SliceResult } from '../../../contracts/jobs/job.ts';
import { type BackfillParameters, backfillKind } from '../../../contracts/jobs/kinds.ts';
import type { SyncMessage } from '../../../contracts/messages/sync.ts';
import type { Deferred } from '../../connection/work.ts';
import type { SyncPorts } from '../../ports.ts';
import type { PauseAfter } from '../pause.ts';
import { type BatchPorts, nextBatch } from './batches.ts';
import { BackfillCheckpoint } from './checkpoint.ts';
import type { BulkLots } from './lot.ts';
import type { Step } from './lot-context.ts';

export interface BackfillPorts extends BatchPorts {
  readonly sync: SyncPorts;
  /** Set where the CRM writes in bulk. */
  readonly lots?: BulkLots | undefined;
  /** The objects of which nothing can be written now. */
  readonly parked: () => Promise<ReadonlySet<string>>;
  /**
   * Writes customers and interactions to the CRM now, except what work in bulk has written, which is by object. Returns those
   * that must wait.
   */
  readonly carryOut: (
    job: string,
    messages: readonly SyncMessage[],
    written: ReadonlyMap<string, BulkOutcome>,
  ) => Promise<Deferred>;
  readonly pauseAfter: PauseAfter;
}

const MAX_TRIES = 5;
const NOTHING_WRITTEN: ReadonlyMap<string, BulkOutcome> = new Map();

/**
 * Writes all customers and their interactions to a CRM, by the same use case as live traffic, but with what of the budget
 * live traffic leaves. Where the CRM writes in bulk, it does so before, and the use case finds the records written. The
 * checkpoint moves on only after the CRM has answered. A repeated batch costs no call for what is unchanged.
 */
export const backfillJob = (ports: BackfillPorts): Job<BackfillParameters, BackfillCheckpoint> => ({
  ...backfillKind,
  checkpoint: BackfillCheckpoint,
  start: async () => ({
    checkpoint: { customers: 0, counts: { customers: 0, interactions: 0 }, tries: 0 },
  }),
  async slice({ job, parameters: { since }, checkpoint: first, timeLeft }) {
    const { sync, lots } = ports;
    const session = await sync.open();
    const { bulkWrites: writes } = session;
    const rules = { mapping: await sync.mapping(), identity: await sync.identity() };
    const context = lots && writes && { ports, writes, sync, session, rules, job, since, timeLeft };
    let checkpoint = first;
    let written: ReadonlyMap<string, BulkOutcome> | undefined;
    do {
      const step: Step | undefined = context && (await lots?.stepOf(context, checkpoint));
      if (step !== undefined) {
        ({ checkpoint } = step);
        if (step.afterSeconds === undefined) continue;
        return { ...progressOf(first, checkpoint), finished: false, delaySeconds: step.afterSeconds };
      }
      written ??= (context && (await lots?.writtenIn(context, checkpoint.lot))) ?? NOTHING_WRITTEN;
      const batch = await nextBatch(ports, checkpoint, since);
      const messages = batch.entries.map(({ message }) => message);
      const deferred = await ports.carryOut(job, messages, written);
      if (deferred.size > 0) {
        const [{ error } = { error: undefined }] = deferred.values();
        const delaySeconds = (await ports.pauseAfter(error)) ?? 60;
        if (checkpoint.tries < MAX_TRIES) {
          const again = {
            ...checkpoint,
            tries: checkpoint.tries + (deferred.size < messages.length ? 1 : 0),
          };
          return { ...progressOf(first, again), finished: false, delaySeconds };
        }
        await sync.queueAgain(messages.filter((_, position) => deferred.has(String(position))));
      }
      const lot = lots?.lotAfter(checkpoint.lot, messages.length);
      if (lot === undefined) written = undefined;
      checkpoint = { ...batch.next, ...(lot && { lot }) };
      if (batch.isLast) return { ...progressOf(first, batch.next), finished: true };
    } while (timeLeft());
    return { ...progressOf(first, checkpoint), finished: false };
  },
  async cancelled({ job, checkpoint: { lot } }) {
    const { sync, lots } = ports;
    if (lot === undefined || lots === undefined) return;
    const session = await sync.open();
    const rules = { mapping: await sync.mapping() };
    if (session.bulkWrites !== undefined)
      await lots.endLot({ sync, session, rules, job }, session.bulkWrites, lot);
  },
});

const progressOf = (
  first: BackfillCheckpoint,
  checkpoint: BackfillCheckpoint,
): Omit<SliceResult<BackfillCheckpoint>, 'finished'> => ({
  ...{ checkpoint, counts: checkpoint.counts },
  done: checkpoint.counts.customers - first.counts.customers,
});
