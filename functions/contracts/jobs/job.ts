import * as z from 'zod';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { Instant } from '../../../core/interaction/interaction.ts';

/**
 * What an import has refused or taken only in part, by reason: how many rows, and the first lines. Reasons name columns and
 * never values.
 */
export const ReportedRows = z.array(
  z.strictObject({ reason: z.string(), rows: z.int().positive(), lines: z.array(z.int().positive()) }),
);
export type ReportedRows = z.infer<typeof ReportedRows>;

/** A job: what was requested, its progress, and the runner that holds its lease. */
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
  /** How often the next slice was started and interrupted. */
  tries: z.int().nonnegative(),
  /** The runner of the next slice, and until when no other may run it. */
  lease: z.strictObject({ holder: z.string(), until: Instant }).optional(),
  /** Where the next slice continues; absent before the first. */
  checkpoint: z.json().optional(),
  progress: z.strictObject({
    done: z.int().nonnegative(),
    refused: z.int().nonnegative(),
    /** Absent where it is not known beforehand. */
    total: z.int().nonnegative().optional(),
    /** Rows that are done, but not with all their values. */
    incomplete: z.int().nonnegative().optional(),
    reported: ReportedRows.optional(),
    /** What the job has found so far, by words of its kind. */
    counts: z.record(z.string(), z.int().nonnegative()).optional(),
  }),
  error: z.strictObject({ code: z.string(), reason: z.string() }).optional(),
  /** Whether the bucket holds a result under `resultKey`. */
  result: z.boolean(),
  /** How many files of refused rows the bucket holds under `refusedKey`; concatenated they are one file. */
  refusedParts: z.int().nonnegative().optional(),
  /** Counts every change. */
  version: z.int().positive(),
});
export type JobRow = z.infer<typeof JobRow>;

export const fileKey = (job: string): string => `jobs/${job}/file`;
export const resultKey = (job: string): string => `jobs/${job}/result`;
export const refusedKey = (job: string, part: number): string => `jobs/${job}/refused/${part}`;

/** What the API knows of a kind of job before it runs. It imports nothing that the job itself needs. */
export interface JobKind<Parameters> {
  readonly kind: string;
  /** What it does, as people read it. */
  readonly title: string;
  readonly parameters: z.ZodType<Parameters>;
  /** The content type of the file that it needs, if any: `POST /jobs` then answers with a URL for its upload. */
  readonly file?: string;
}

/** One slice's work. */
export interface SliceWork<Parameters, Checkpoint> {
  readonly job: string;
  readonly by: string;
  /** ISO 8601, the same in every slice: for what must not change while the job runs. */
  readonly startedAt: string;
  readonly parameters: Parameters;
  readonly checkpoint: Checkpoint;
  /** False once the slice must end and return its checkpoint. */
  readonly timeLeft: () => boolean;
}

export interface SliceResult<Checkpoint> {
  readonly checkpoint: Checkpoint;
  /** What this slice did, without the earlier ones. */
  readonly done: number;
  readonly refused?: number;
  readonly incomplete?: number;
  readonly total?: number;
  /** What was reported from the first slice on. */
  readonly reported?: ReportedRows;
  /** What was found from the first slice on, by words of its kind. */
  readonly counts?: Readonly<Record<string, number>>;
  readonly finished: boolean;
  /** The delay before the next slice, at most 900: for the rate limits of other systems. */
  readonly delaySeconds?: number;
  /** Whether it wrote a result under `resultKey(job)`. */
  readonly result?: boolean;
  /** How many files of refused rows there are now, from the first slice on. */
  readonly refusedParts?: number;
}

/**
 * A kind of job, executed in slices. `start` returns the first checkpoint and, if known, the total; `slice` does a bounded
 * part and returns the next checkpoint. A slice ends when `timeLeft()` is false or its own limit is reached. It stores no
 * progress itself: that is saved with the checkpoint, in one conditional write.
 *
 * An interrupted slice is repeated from the same checkpoint, so **its effects must be idempotent**. An error is retried,
 * except a `HubError` with the retry `never`: that ends the job as failed, with the reason. A bad row of a file is no error;
 * it counts as `refused`.
 *
 * A new kind needs a `JobKind` in `kinds.ts`, a `Job` in `registry.ts`, and the permissions of `jobs` in the stack.
 * One that reads a file or writes a result also grants the API `s3:PutObject` or `s3:GetObject` on `jobs/*`, because an
 * URL that the API signs has the permissions of the API.
 */
export interface Job<Parameters, Checkpoint> extends JobKind<Parameters> {
  readonly checkpoint: z.ZodType<Checkpoint>;
  start(parameters: Parameters): Promise<{ readonly checkpoint: Checkpoint; readonly total?: number }>;
  slice(work: SliceWork<Parameters, Checkpoint>): Promise<SliceResult<Checkpoint>>;
  /** Called once the job is cancelled and no slice runs any more: gives back what the job holds. It may be repeated. */
  cancelled?(work: Pick<SliceWork<Parameters, Checkpoint>, 'job' | 'checkpoint'>): Promise<void>;
}

/** A job with its types hidden: parameters and checkpoints are JSON, which it validates. */
export interface SealedJob {
  start(parameters: unknown): Promise<{ readonly checkpoint: unknown; readonly total?: number }>;
  slice(work: SliceWork<unknown, unknown>): Promise<SliceResult<unknown>>;
  cancelled(work: Pick<SliceWork<unknown, unknown>, 'job' | 'checkpoint'>): Promise<void>;
}

export const sealed = <Parameters, Checkpoint>(job: Job<Parameters, Checkpoint>): SealedJob => ({
  start: (parameters) => job.start(tolerant(job.parameters).parse(parameters)),
  slice: (work) =>
    job.slice({
      ...work,
      parameters: tolerant(job.parameters).parse(work.parameters),
      checkpoint: tolerant(job.checkpoint).parse(work.checkpoint),
    }),
  cancelled: async (work) => job.cancelled?.({ ...work, checkpoint: job.checkpoint.parse(work.checkpoint) }),
});
