import * as z from 'zod';
import { Instant } from '../../../core/interaction/interaction.ts';

/** Long work as it stands: what was asked, how far it is, and who is at it. */
export const JobRow = z.strictObject({
  id: z.string(),
  kind: z.string(),
  parameters: z.json(),
  by: z.string(),
  /** `waiting`: for its file. */
  state: z.enum(['waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled']),
  createdAt: Instant,
  startedAt: Instant.optional(),
  finishedAt: Instant.optional(),
  /** The slice that comes next. */
  slice: z.int().nonnegative(),
  /** How often the next slice was begun without coming to its end. */
  tries: z.int().nonnegative(),
  /** Whoever works on the next slice, and until when nobody else may. */
  lease: z.strictObject({ holder: z.string(), until: Instant }).optional(),
  /** Where the next slice goes on; absent before the first. */
  checkpoint: z.json().optional(),
  progress: z.strictObject({
    done: z.int().nonnegative(),
    refused: z.int().nonnegative(),
    /** Absent where nobody knows beforehand. */
    total: z.int().nonnegative().optional(),
  }),
  error: z.strictObject({ code: z.string(), reason: z.string() }).optional(),
  /** Whether a result lies in the bucket under `resultKey`. */
  result: z.boolean(),
  /** How many files of refused rows lie in the bucket under `refusedKey`; together they are one. */
  refusedParts: z.int().nonnegative().optional(),
  /** Counts every change. */
  version: z.int().positive(),
});
export type JobRow = z.infer<typeof JobRow>;

export const fileKey = (job: string): string => `jobs/${job}/file`;
export const resultKey = (job: string): string => `jobs/${job}/result`;
export const refusedKey = (job: string, part: number): string => `jobs/${job}/refused/${part}`;

/** What can be asked of a kind of job before it runs. Light: the API carries it. */
export interface JobKind<Parameters> {
  readonly kind: string;
  /** What it does, for a person. */
  readonly title: string;
  readonly parameters: z.ZodType<Parameters>;
  /** Where it needs a file: its content type. `POST /jobs` then answers with an address for the file. */
  readonly file?: string;
}

/** One slice's work. */
export interface SliceWork<Parameters, Checkpoint> {
  readonly job: string;
  readonly by: string;
  /** ISO 8601: the same in every slice, for what must not move while the job runs. */
  readonly startedAt: string;
  readonly parameters: Parameters;
  readonly checkpoint: Checkpoint;
  /** False once the slice should end and hand over its checkpoint. */
  readonly timeLeft: () => boolean;
}

export interface SliceResult<Checkpoint> {
  readonly checkpoint: Checkpoint;
  /** What this slice did, beside what earlier ones did. */
  readonly done: number;
  readonly refused?: number;
  readonly total?: number;
  readonly finished: boolean;
  /** Waits before the next slice, at most 900: for the limits of others. */
  readonly delaySeconds?: number;
  /** Whether it has written a result under `resultKey(job)`. */
  readonly result?: boolean;
  /** How many files of refused rows there are now, from the first slice on. */
  readonly refusedParts?: number;
}

/**
 * A kind of long work, cut into slices. `start` says where the first slice begins and, if it can, how much there is;
 * `slice` does a bounded part and says where the next one goes on. A slice ends when `timeLeft()` is false or when it has
 * done its own most, and writes nothing about progress itself: that is saved with its checkpoint, in one conditional write.
 *
 * A slice that breaks off is done again from the same checkpoint, so **its effects must be the same done twice**. What it
 * throws is tried again, with `HubError` `never` excepted: that ends the job as failed, with the reason. One bad row of a
 * file is no error but counts as `refused`.
 *
 * A new kind costs: its `JobKind` in `kinds.ts`, its `Job` in `registry.ts`, and in the stack what `jobs` is allowed for it.
 * One that reads a file or writes a result also grants the API `s3:PutObject` or `s3:GetObject` on `jobs/*`, because an
 * address that the API signs can do what the API may do.
 */
export interface Job<Parameters, Checkpoint> extends JobKind<Parameters> {
  readonly checkpoint: z.ZodType<Checkpoint>;
  start(parameters: Parameters): Promise<{ readonly checkpoint: Checkpoint; readonly total?: number }>;
  slice(work: SliceWork<Parameters, Checkpoint>): Promise<SliceResult<Checkpoint>>;
}

/** A job with its types sealed: rows hold JSON, and JSON comes back. */
export interface SealedJob {
  start(parameters: unknown): Promise<{ readonly checkpoint: unknown; readonly total?: number }>;
  slice(work: SliceWork<unknown, unknown>): Promise<SliceResult<unknown>>;
}

export const sealed = <Parameters, Checkpoint>(job: Job<Parameters, Checkpoint>): SealedJob => ({
  start: (parameters) => job.start(job.parameters.parse(parameters)),
  slice: (work) =>
    job.slice({
      ...work,
      parameters: job.parameters.parse(work.parameters),
      checkpoint: job.checkpoint.parse(work.checkpoint),
    }),
});
