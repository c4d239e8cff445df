import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import { type Column, columnsOf, readRow } from '../../../core/formats/columns.ts';
import { type CsvRecord, readRecords } from '../../../core/formats/csv.ts';
import { readFileHead } from '../../../core/formats/file-head.ts';
import { parseJson } from '../../../core/formats/payload.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Bucket, ByteRange } from '../../aws/clients/bucket.ts';
import {
  fileKey,
  type Job,
  type JobKind,
  refusedKey,
  type SliceResult,
  type SliceWork,
} from '../../contracts/jobs/job.ts';
import { importBatches } from './batches.ts';
import type { Listing, RowResult } from './listings.ts';
import { refusedRows } from './refused.ts';

export interface ImportPorts {
  readonly read: Bucket['getRange'];
  readonly put: (key: string, bytes: Uint8Array) => Promise<void>;
  /** Queues messages and resolves to the positions of those that the queue refused. */
  readonly send: (messages: readonly string[]) => Promise<ReadonlySet<number>>;
  /** Approximate number of messages in the imports queue, those in flight included. */
  readonly waiting: () => Promise<number>;
  readonly identity: () => Promise<IdentityConfig>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** The parameters that every import has. */
interface FileParameters {
  readonly format: 'csv' | 'ndjson';
  readonly map: Readonly<Record<string, string>>;
  readonly ignore: readonly string[];
  readonly dryRun: boolean;
}

export const Checkpoint = z.strictObject({
  /** The byte offset and the line of the next record. */
  offset: z.int().nonnegative(),
  line: z.int().positive(),
  /** True if the offset is inside a record that is too long: skip to the next line end. */
  inside: z.boolean(),
  /** The size of the file in bytes; absent before the first slice. */
  size: z.int().nonnegative().optional(),
  /** The header of a CSV file; absent until it is read. */
  head: z.strictObject({ delimiter: z.string(), names: z.array(z.string()) }).optional(),
  /** Rows read so far, including refused ones. */
  rows: z.int().nonnegative(),
  refusedParts: z.int().nonnegative(),
  /**
   * Present once the whole file is read: the queue length at the last check, and how many checks in a row found the queue
   * no shorter.
   */
  drain: z.strictObject({ waiting: z.int(), checks: z.int() }).optional(),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** Larger than the longest record, so that each chunk holds at least one. */
const CHUNK_BYTES = 300_000;
/** A slice ends at one of these limits. */
interface Limits {
  readonly rows: number;
  /** Replaces `rows` in a dry run. */
  readonly dryRunRows: number;
  /** The size of the refused rows that a slice holds in memory. */
  readonly refusedBytes: number;
}
const LIMITS: Limits = { rows: 1000, dryRunRows: 20_000, refusedBytes: 4_000_000 };
/** The next slice is delayed while the queue holds more messages than this. */
const MAX_QUEUED_MESSAGES = 25;
const PAUSE_SECONDS = 2;
const DRAIN_SECONDS = 2;
/** After so many checks without progress the job ends: messages that keep failing never leave the queue in time. */
const MAX_DRAIN_CHECKS = 60;

/**
 * Reads a file chunk by chunk and queues its rows, many per message. A refused row is stored unchanged, with its line and
 * the reason. Memory does not grow with the file: a slice holds one chunk and the rows that it refuses. The job waits while
 * the imports queue holds more than `MAX_QUEUED_MESSAGES`, so a cancelled job stops soon, and it ends only after the queue
 * is empty, so its rows are recorded by then.
 */
export const importJob = <Parameters extends FileParameters>(
  ports: ImportPorts,
  kind: JobKind<Parameters>,
  listing: Listing<Parameters>,
  limits: Limits = LIMITS,
): Job<Parameters, Checkpoint> => ({
  ...kind,
  checkpoint: Checkpoint,
  start: async () => ({ checkpoint: { offset: 0, line: 1, inside: false, rows: 0, refusedParts: 0 } }),
  async slice(work) {
    const { checkpoint, parameters } = work;
    if (checkpoint.drain !== undefined) return waitForQueue(ports, checkpoint, checkpoint.drain);
    if (!parameters.dryRun && (await ports.waiting()) > MAX_QUEUED_MESSAGES)
      return { checkpoint, done: 0, finished: false, delaySeconds: PAUSE_SECONDS };
    return importSlice(ports, listing, limits, work, await withHeader(ports, work));
  },
});

/** Finishes the job once the imports queue is empty, or after `MAX_DRAIN_CHECKS` checks without progress. */
const waitForQueue = async (
  ports: ImportPorts,
  checkpoint: Checkpoint,
  previous: NonNullable<Checkpoint['drain']>,
): Promise<SliceResult<Checkpoint>> => {
  const waiting = await ports.waiting();
  const checks = waiting < previous.waiting ? 0 : previous.checks + 1;
  return {
    checkpoint: { ...checkpoint, drain: { waiting, checks } },
    ...{
      done: 0,
      finished: waiting === 0 || checks > MAX_DRAIN_CHECKS,
      delaySeconds: DRAIN_SECONDS + checks,
    },
  };
};

type StartedCheckpoint = Checkpoint & { readonly size: number };

/**
 * `size` is the size of the file when the job started. Throws `HubError` `missing-file`, or `changed-file` if the size differs.
 */
const readChunk = async (
  ports: ImportPorts,
  job: string,
  from: number,
  size?: number,
): Promise<ByteRange> => {
  const chunk = await ports.read(fileKey(job), from, CHUNK_BYTES);
  if (chunk === undefined)
    throw fileError(
      'missing-file',
      'The file of this job is not in the bucket: it was not uploaded, or it has expired. Start a new import and upload the file.',
    );
  if (size !== undefined && chunk.size !== size)
    throw fileError(
      'changed-file',
      'The file was replaced while it was being imported. Start a new import for the new file.',
    );
  return chunk;
};

const fileError = (code: 'missing-file' | 'changed-file', message: string): HubError =>
  new HubError(code, message, { retry: 'never' });

/** The checkpoint after the header. Throws `HubError` `invalid-file` if the file is not readable. */
const withHeader = async <Parameters extends FileParameters>(
  ports: ImportPorts,
  { job, checkpoint, parameters }: SliceWork<Parameters, Checkpoint>,
): Promise<StartedCheckpoint> => {
  if (checkpoint.size !== undefined) return { ...checkpoint, size: checkpoint.size };
  const { bytes, size } = await readChunk(ports, job, 0);
  const head = readFileHead(bytes, size, parameters.format);
  return { ...checkpoint, ...head, size };
};

/** Returns a function that reads a record: by its columns for CSV, else as JSON. */
const rowReader = <Parameters extends FileParameters>(
  listing: Listing<Parameters>,
  { head }: Checkpoint,
  parameters: Parameters,
): ((record: CsvRecord) => { readonly value: unknown } | { readonly fault: string }) => {
  const columns: readonly (Column | undefined)[] =
    head === undefined ? [] : columnsOf(head.names, parameters, listing.columns, listing.columnNames);
  return ({ fields, fault, raw }) => {
    if (fields === undefined) return { fault: fault ?? 'the row is not readable' };
    if (head !== undefined) return readRow(fields, columns);
    try {
      return { value: parseJson(raw) };
    } catch (error) {
      if (error instanceof HubError) return { fault: 'the line is not a JSON object' };
      throw error;
    }
  };
};

const isBlank = ({ fields }: CsvRecord): boolean => fields?.every((field) => field.trim() === '') === true;

const importSlice = async <Parameters extends FileParameters>(
  ports: ImportPorts,
  listing: Listing<Parameters>,
  limits: Limits,
  { job, by, startedAt, parameters, timeLeft }: SliceWork<Parameters, Checkpoint>,
  place: StartedCheckpoint,
): Promise<SliceResult<Checkpoint>> => {
  const { size, head } = place;
  const read = rowReader(listing, place, parameters);
  const identity = await ports.identity();
  const shared = { job, by, startedAt, parameters, identity, receivedAt: instant(ports.now()) };
  const batches = importBatches(job, parameters.dryRun ? async () => new Set<number>() : ports.send);
  const refused = refusedRows(head ?? {});
  let { offset, line, inside } = place;
  let done = 0;
  const maxRows = parameters.dryRun ? limits.dryRunRows : limits.rows;
  const isFull = (): boolean => done + refused.count >= maxRows || refused.bytes >= limits.refusedBytes;
  while (offset < size && !isFull() && timeLeft()) {
    let { bytes } = await readChunk(ports, job, offset, size);
    if (inside) {
      const end = bytes.indexOf('\n') + 1;
      inside = end === 0;
      if (!inside) line++;
      offset += inside ? bytes.length : end;
      bytes = inside ? bytes.subarray(bytes.length) : bytes.subarray(end);
    }
    const from = offset;
    for (const record of readRecords(bytes, head?.delimiter, from + bytes.length >= size)) {
      if (!isBlank(record)) {
        const result = validate(read(record), (row) => listing.validate(row, { ...shared, line }));
        if ('row' in result) {
          batches.add(result.row, line);
          done++;
        } else refused.add(record.raw, line, result.fault);
      }
      offset = from + record.end;
      line += record.lines;
      inside = record.continues === true;
      if (isFull()) break;
    }
    await batches.send(false);
  }
  await batches.send(true);
  const part = refused.count > 0 ? place.refusedParts : undefined;
  if (part !== undefined) await ports.put(refusedKey(job, part), refused.file(part === 0));
  const rows = place.rows + done + refused.count;
  const ended = offset >= size;
  const refusedParts = place.refusedParts + (part === undefined ? 0 : 1);
  return {
    checkpoint: {
      ...{ ...place, offset, line, inside, rows, refusedParts },
      ...(ended && { drain: { waiting: Number.MAX_SAFE_INTEGER, checks: 0 } }),
    },
    ...{ done, refused: refused.count, refusedParts },
    // Until the end of the file the total is an estimate by size.
    total: ended ? rows : Math.round((rows * size) / Math.max(offset, 1)),
    finished: ended && parameters.dryRun,
    ...(ended && { delaySeconds: DRAIN_SECONDS }),
  };
};

const validate = (
  read: { readonly value: unknown } | { readonly fault: string },
  validateRow: (row: unknown) => RowResult,
): RowResult => ('fault' in read ? read : validateRow(read.value));
