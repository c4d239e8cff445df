import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { JobRow, SealedJob, SliceResult } from '../../contracts/jobs/job.ts';
import type { JobMessage } from '../../contracts/messages/jobs.ts';
import type { Attempt } from '../../contracts/rows/operations.ts';
import type { Jobs } from './jobs.ts';

export interface RunPorts {
  readonly jobs: Jobs;
  readonly registry: Readonly<Record<string, SealedJob>>;
  readonly attemptOf: (error: unknown) => Attempt;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** The longest slice. */
const SLICE_MS = 60_000;
/** The time that a slice leaves the function to save the checkpoint and to queue the next slice. */
const RESERVED_MS = 20_000;
/** The job fails after a slice was interrupted this often. */
const MAX_TRIES = 5;
const RETRY_DELAY_SECONDS = 30;

/**
 * Runs one slice of a job. A lease lets only one runner work on a job at a time. A message carries the number of its slice:
 * a message delivered again after its slice was saved only queues the next slice.
 */
export const runSlice =
  (ports: RunPorts) =>
  async ({ job: id, slice }: JobMessage, remainingMs: number): Promise<void> => {
    const { jobs } = ports;
    const row = await jobs.get(id);
    if (row?.state === 'cancelled' && slice === row.slice && row.checkpoint !== undefined)
      return ports.registry[row.kind]?.cancelled({ job: id, checkpoint: row.checkpoint });
    if (row === undefined || !['queued', 'running'].includes(row.state)) return;
    const wait = row.lease === undefined ? 0 : Date.parse(row.lease.until) - ports.now();
    if (slice !== row.slice) {
      if (slice === row.slice - 1 && wait <= 0) await jobs.enqueue({ job: id, slice: row.slice }, 0);
      return;
    }
    // The other runner may have crashed, so the message returns when its lease has expired.
    if (wait > 0) return jobs.enqueue({ job: id, slice }, Math.ceil(wait / 1000) + 1);
    if (row.tries >= MAX_TRIES) {
      const error = row.error ?? {
        code: 'function-crash',
        reason: `The slice was started ${MAX_TRIES} times and never finished: the function ran out of time or memory. Start the job again with a smaller input.`,
      };
      await jobs.save(endedRow(row, 'failed', ports.now(), error));
      return;
    }
    const leased = await jobs.save({
      ...row,
      state: 'running',
      startedAt: row.startedAt ?? instant(ports.now()),
      tries: row.tries + 1,
      lease: { holder: ports.newId(), until: instant(ports.now() + remainingMs) },
    });
    if (leased)
      await executeSlice(ports, leased, ports.now() + Math.min(SLICE_MS, remainingMs - RESERVED_MS));
  };

const executeSlice = async (ports: RunPorts, leased: JobRow, until: number): Promise<void> => {
  const { jobs } = ports;
  try {
    const { row, result } = await startAndSlice(ports, leased, until);
    const reported = result.reported ?? row.progress.reported;
    const counts = result.counts ?? row.progress.counts;
    const progress = {
      done: row.progress.done + result.done,
      refused: row.progress.refused + (result.refused ?? 0),
      ...(totalOf(row, result) !== undefined && { total: totalOf(row, result) }),
      ...(counts !== undefined && { counts }),
      ...(reported !== undefined && {
        incomplete: (row.progress.incomplete ?? 0) + (result.incomplete ?? 0),
        reported,
      }),
    };
    const { lease: _, error: __, ...rest } = row;
    const next: JobRow = {
      ...{ ...rest, progress, tries: 0, slice: row.slice + 1, result: row.result || result.result === true },
      checkpoint: asJson(result.checkpoint),
      ...(result.refusedParts !== undefined && { refusedParts: result.refusedParts }),
    };
    const saved = await jobs.save(result.finished ? endedRow(next, 'succeeded', ports.now()) : next);
    if (saved === undefined) return await saveCancelled(ports, leased, next);
    if (!result.finished) await jobs.enqueue({ job: saved.id, slice: saved.slice }, result.delaySeconds ?? 0);
  } catch (error) {
    const { code, reason } = ports.attemptOf(error);
    if (error instanceof HubError && error.retry === 'never') {
      await jobs.save(endedRow(leased, 'failed', ports.now(), { code, reason }));
      return;
    }
    const { lease: _, ...rest } = leased;
    const released = await jobs.save({ ...rest, error: { code, reason } });
    // The slice may be saved while the next message was not queued, so this message must return.
    if (released === undefined) throw error;
    await jobs.enqueue({ job: leased.id, slice: leased.slice }, RETRY_DELAY_SECONDS * leased.tries);
  }
};

/**
 * Saves how far a slice came if the job was cancelled meanwhile; the next message then gives back what the job holds. If
 * another runner repeats the slice, it does nothing.
 */
const saveCancelled = async (
  { jobs }: RunPorts,
  { id, slice }: JobRow,
  { progress, checkpoint }: JobRow,
): Promise<void> => {
  const now = await jobs.get(id);
  if (now?.state !== 'cancelled' || now.slice !== slice) return;
  const saved = await jobs.save({ ...now, slice: slice + 1, progress, checkpoint });
  if (saved !== undefined) await jobs.enqueue({ job: id, slice: saved.slice }, 0);
};

const startAndSlice = async (
  { registry, now }: RunPorts,
  row: JobRow,
  until: number,
): Promise<{ row: JobRow; result: SliceResult<unknown> }> => {
  const job = registry[row.kind];
  if (job === undefined)
    throw new HubError(
      'unknown-job-kind',
      `This hub has no job of the kind ${row.kind}. Start the job again on a hub of the same version.`,
      {
        retry: 'never',
      },
    );
  let started = row;
  if (row.checkpoint === undefined) {
    const { checkpoint, total } = await job.start(row.parameters);
    started = {
      ...row,
      checkpoint: asJson(checkpoint),
      progress: { ...row.progress, ...(total !== undefined && { total }) },
    };
  }
  const result = await job.slice({
    ...{ job: row.id, by: row.by, startedAt: row.startedAt ?? row.createdAt, parameters: row.parameters },
    checkpoint: started.checkpoint,
    timeLeft: () => now() < until,
  });
  return { row: started, result };
};

const totalOf = (row: JobRow, result: SliceResult<unknown>): number | undefined =>
  result.total ?? row.progress.total;

const asJson = (value: unknown): NonNullable<JobRow['checkpoint']> => JSON.parse(JSON.stringify(value));

const endedRow = (
  { lease: _, error: __, ...row }: JobRow,
  state: 'succeeded' | 'failed',
  now: number,
  error?: JobRow['error'],
): JobRow => ({ ...row, state, finishedAt: instant(now), ...(error && { error }) });
