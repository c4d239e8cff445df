import { HubError } from '../../core/errors.ts';
import { instant } from '../../core/interaction/interaction.ts';
import type { Jobs } from '../aws/operations/jobs.ts';
import type { JobRow, SealedJob, SliceResult } from '../contracts/jobs/job.ts';
import type { JobMessage } from '../contracts/messages/jobs.ts';
import type { Attempt } from '../contracts/rows/operations.ts';

export interface RunPorts {
  readonly jobs: Jobs;
  readonly registry: Readonly<Record<string, SealedJob>>;
  readonly attemptOf: (error: unknown) => Attempt;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** A slice ends after this, however much time the function has. */
const SLICE_MS = 60_000;
/** What the function keeps to save the checkpoint and to queue the next slice. */
const CLOSING_MS = 20_000;
/** How often a slice may break off before the job is given up. */
const TRIES = 5;
const DELAY_SECONDS = 30;

/**
 * Runs one slice of a job. Only one runner works at a job: whoever takes the lease. The message names the slice, so that
 * a message that comes again after its slice was saved only sees to it that the next one is queued.
 */
export const runSlice =
  (ports: RunPorts) =>
  async ({ job: id, slice }: JobMessage, remainingMs: number): Promise<void> => {
    const { jobs } = ports;
    const row = await jobs.get(id);
    if (row === undefined || !['queued', 'running'].includes(row.state)) return;
    const wait = row.lease === undefined ? 0 : Date.parse(row.lease.until) - ports.now();
    if (slice !== row.slice) {
      if (slice === row.slice - 1 && wait <= 0) await jobs.enqueue({ job: id, slice: row.slice }, 0);
      return;
    }
    // The other one may have crashed: then this message has to come once its lease is over.
    if (wait > 0) return jobs.enqueue({ job: id, slice }, Math.ceil(wait / 1000) + 1);
    if (row.tries >= TRIES) {
      const error = row.error ?? {
        code: 'function-crash',
        reason: `A slice was begun ${TRIES} times and never came to its end: it ran out of time or of memory.`,
      };
      await jobs.save(ended(row, 'failed', ports.now(), error));
      return;
    }
    const taken = await jobs.save({
      ...row,
      state: 'running',
      startedAt: row.startedAt ?? instant(ports.now()),
      tries: row.tries + 1,
      lease: { holder: ports.newId(), until: instant(ports.now() + remainingMs) },
    });
    if (taken) await work(ports, taken, ports.now() + Math.min(SLICE_MS, remainingMs - CLOSING_MS));
  };

const work = async (ports: RunPorts, taken: JobRow, until: number): Promise<void> => {
  const { jobs } = ports;
  try {
    const { row, result } = await sliceOf(ports, taken, until);
    const progress = {
      done: row.progress.done + result.done,
      refused: row.progress.refused + (result.refused ?? 0),
      ...(total(row, result) !== undefined && { total: total(row, result) }),
    };
    const { lease: _, error: __, ...rest } = row;
    const next: JobRow = {
      ...{ ...rest, progress, tries: 0, slice: row.slice + 1, result: row.result || result.result === true },
      checkpoint: asJson(result.checkpoint),
      ...(result.refusedParts !== undefined && { refusedParts: result.refusedParts }),
    };
    const saved = await jobs.save(result.finished ? ended(next, 'succeeded', ports.now()) : next);
    if (saved === undefined) return await saveCancelledProgress(ports, taken, progress);
    if (!result.finished) await jobs.enqueue({ job: saved.id, slice: saved.slice }, result.delaySeconds ?? 0);
  } catch (error) {
    const { code, reason } = ports.attemptOf(error);
    if (error instanceof HubError && error.retry === 'never') {
      await jobs.save(ended(taken, 'failed', ports.now(), { code, reason }));
      return;
    }
    const { lease: _, ...rest } = taken;
    const released = await jobs.save({ ...rest, error: { code, reason } });
    // The slice may be saved, and only the message for the next one was not taken: then this one has to come again.
    if (released === undefined) throw error;
    await jobs.enqueue({ job: taken.id, slice: taken.slice }, DELAY_SECONDS * taken.tries);
  }
};

/** The row has changed: another runner repeats the slice, or the job was cancelled and its progress is still saved. */
const saveCancelledProgress = async (
  { jobs }: RunPorts,
  { id, slice }: JobRow,
  progress: JobRow['progress'],
): Promise<void> => {
  const now = await jobs.get(id);
  if (now?.state === 'cancelled' && now.slice === slice)
    await jobs.save({ ...now, slice: slice + 1, progress });
};

const sliceOf = async (
  { registry, now }: RunPorts,
  row: JobRow,
  until: number,
): Promise<{ row: JobRow; result: SliceResult<unknown> }> => {
  const job = registry[row.kind];
  if (job === undefined)
    throw new HubError(
      'unknown-job-kind',
      `This hub does not know how to do a job of the kind ${row.kind}.`,
      {
        retry: 'never',
      },
    );
  let begun = row;
  if (row.checkpoint === undefined) {
    const { checkpoint, total } = await job.start(row.parameters);
    begun = {
      ...row,
      checkpoint: asJson(checkpoint),
      progress: { ...row.progress, ...(total !== undefined && { total }) },
    };
  }
  const result = await job.slice({
    ...{ job: row.id, by: row.by, startedAt: row.startedAt ?? row.createdAt, parameters: row.parameters },
    checkpoint: begun.checkpoint,
    timeLeft: () => now() < until,
  });
  return { row: begun, result };
};

const total = (row: JobRow, result: SliceResult<unknown>): number | undefined =>
  result.total ?? row.progress.total;

const asJson = (value: unknown): NonNullable<JobRow['checkpoint']> => JSON.parse(JSON.stringify(value));

const ended = (
  { lease: _, error: __, ...row }: JobRow,
  state: 'succeeded' | 'failed',
  now: number,
  error?: JobRow['error'],
): JobRow => ({ ...row, state, finishedAt: instant(now), ...(error && { error }) });
