import { HubError } from '../../../core/errors.ts';
import { readFileHead } from '../../../core/formats/file-head.ts';
import { columnsOf, type FileColumn, type RowReading, readRow } from '../../../core/formats/lists/columns.ts';
import type { CsvRecord } from '../../../core/formats/lists/csv.ts';
import { parsePayload } from '../../../core/formats/payload.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Bucket } from '../../aws/clients/bucket.ts';
import {
  type Job,
  type JobKind,
  refusedKey,
  type SliceResult,
  type SliceWork,
} from '../../contracts/jobs/job.ts';
import { importBatches } from './batches.ts';
import { Checkpoint, type StartedCheckpoint } from './checkpoint.ts';
import type { Listing, RowResult } from './listings.ts';
import { readChunk, readRecordsOf } from './read-file.ts';
import { refusedRows } from './refused.ts';
import { reportOf } from './report.ts';

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
  start: async () => ({
    checkpoint: {
      ...{ offset: 0, line: 1, inside: false, encoding: 'utf-8', rows: 0, refusedParts: 0, reported: [] },
    },
  }),
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

/** The checkpoint after the header. Throws `HubError` `invalid-file` if the file is not readable. */
const withHeader = async <Parameters extends FileParameters>(
  ports: ImportPorts,
  { job, checkpoint, parameters }: SliceWork<Parameters, Checkpoint>,
): Promise<StartedCheckpoint> => {
  if (checkpoint.size !== undefined) return { ...checkpoint, size: checkpoint.size };
  const { bytes, size } = await readChunk(ports.read, job, 0, checkpoint);
  const head = readFileHead(bytes, size, parameters.format);
  return { ...checkpoint, ...head, size };
};

/** Returns a function that reads a record: by its columns for CSV, else as JSON. */
const rowReader = <Parameters extends FileParameters>(
  listing: Listing<Parameters>,
  { head }: Checkpoint,
  parameters: Parameters,
): ((record: CsvRecord) => RowReading) => {
  const columns: readonly FileColumn[] =
    head === undefined ? [] : columnsOf(head.names, parameters, listing.columns, listing.columnNames);
  return ({ fields, fault }) => {
    if (fields === undefined) return { fault: fault ?? 'the row is not readable' };
    if (head !== undefined) return readRow(fields, columns);
    try {
      return { value: parsePayload(Buffer.from(fields[0] ?? '')), omitted: [] };
    } catch (error) {
      if (error instanceof HubError) return { fault: 'the line is not a JSON object' };
      throw error;
    }
  };
};

const isBlank = ({ fields }: CsvRecord): boolean => fields?.every((field) => field.trim() === '') === true;

const WINDOWS_1252 = 'taken as Windows-1252, because the row is not UTF-8: check its accented letters';

const importSlice = async <Parameters extends FileParameters>(
  ports: ImportPorts,
  listing: Listing<Parameters>,
  limits: Limits,
  work: SliceWork<Parameters, Checkpoint>,
  place: StartedCheckpoint,
): Promise<SliceResult<Checkpoint>> => {
  const { job, by, startedAt, parameters, timeLeft } = work;
  const read = rowReader(listing, place, parameters);
  const identity = await ports.identity();
  const shared = { job, by, startedAt, parameters, identity, receivedAt: instant(ports.now()) };
  const batches = importBatches(job, parameters.dryRun ? async () => new Set<number>() : ports.send);
  const file = refusedRows(place.head ?? {});
  const report = reportOf(place.reported);
  const counts = { done: 0, refused: 0, incomplete: 0 };
  const maxRows = parameters.dryRun ? limits.dryRunRows : limits.rows;
  const take = (record: CsvRecord, line: number): void => {
    if (isBlank(record)) return;
    const result = validate(read(record), (row) => listing.validate(row, { ...shared, line }));
    if ('fault' in result) {
      counts.refused++;
      report.add(`refused: ${result.fault}`, line);
      file.add(record, line, result.fault);
      return;
    }
    counts.done++;
    batches.add(result.row, line);
    if (record.windows1252) report.add(WINDOWS_1252, line);
    if (result.omitted.length === 0) return;
    counts.incomplete++;
    for (const reason of result.omitted) report.add(reason, line);
    file.add(record, line, result.omitted.join('; '));
  };
  const isFull = (): boolean =>
    counts.done + counts.refused >= maxRows || file.bytes >= limits.refusedBytes || !timeLeft();
  const readTo = await readRecordsOf(ports.read, job, place, {
    take,
    isFull,
    afterChunk: () => batches.send(false),
  });
  await batches.send(true);
  const part = file.count > 0 ? place.refusedParts : undefined;
  if (part !== undefined) await ports.put(refusedKey(job, part), file.file(part === 0));
  const progress = {
    rows: place.rows + counts.done + counts.refused,
    refusedParts: place.refusedParts + (part === undefined ? 0 : 1),
    reported: report.rows(),
  };
  return sliceResult({ ...place, ...readTo, ...progress }, counts, parameters.dryRun);
};

const sliceResult = (
  place: StartedCheckpoint,
  counts: { readonly done: number; readonly refused: number; readonly incomplete: number },
  dryRun: boolean,
): SliceResult<Checkpoint> => {
  const { offset, size, rows, refusedParts, reported } = place;
  const ended = offset >= size;
  return {
    checkpoint: { ...place, ...(ended && { drain: { waiting: Number.MAX_SAFE_INTEGER, checks: 0 } }) },
    ...{ ...counts, refusedParts, reported },
    // Until the end of the file the total is an estimate by size.
    total: ended ? rows : Math.round((rows * size) / Math.max(offset, 1)),
    finished: ended && dryRun,
    ...(ended && { delaySeconds: DRAIN_SECONDS }),
  };
};

const validate = (reading: RowReading, validateRow: (row: unknown) => RowResult): RowResult => {
  if ('fault' in reading) return reading;
  const result = validateRow(reading.value);
  return 'fault' in result ? result : { ...result, omitted: [...reading.omitted, ...result.omitted] };
};
