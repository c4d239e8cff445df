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
import type { Judgement, Listing } from './listings.ts';
import { refusals } from './refused.ts';

export interface ImportPorts {
  readonly read: Bucket['getRange'];
  readonly put: (key: string, bytes: Uint8Array) => Promise<void>;
  /** Queues messages and resolves to the positions of those that the queue refused. */
  readonly send: (messages: readonly string[]) => Promise<ReadonlySet<number>>;
  /** How many messages of imports are queued or in work, approximately. */
  readonly waiting: () => Promise<number>;
  readonly identity: () => Promise<IdentityConfig>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** What every import is told. */
interface FileParameters {
  readonly format: 'csv' | 'ndjson';
  readonly map: Readonly<Record<string, string>>;
  readonly ignore: readonly string[];
  readonly dryRun: boolean;
}

export const Checkpoint = z.strictObject({
  /** The byte at which the next record begins, and its line. */
  offset: z.int().nonnegative(),
  line: z.int().positive(),
  /** The place lies inside a record that is too long; the next one begins behind the next line end. */
  inside: z.boolean(),
  /** Of the whole file, in bytes; absent before the first slice. */
  size: z.int().nonnegative().optional(),
  /** Of CSV, once the header was read. */
  head: z.strictObject({ delimiter: z.string(), names: z.array(z.string()) }).optional(),
  /** Rows so far, refused ones too. */
  rows: z.int().nonnegative(),
  refusedParts: z.int().nonnegative(),
  /** At the end of the file: how many messages were waiting when it last looked, and how often they were no fewer. */
  rest: z.strictObject({ waiting: z.int(), looks: z.int() }).optional(),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** More than the longest record, or a piece might hold none. */
const PIECE_BYTES = 300_000;
/** A slice ends behind so many rows, or so many bytes of refused ones. */
interface Limits {
  readonly rows: number;
  /** Where nothing has to be recorded. */
  readonly triedRows: number;
  readonly refusedBytes: number;
}
const LIMITS: Limits = { rows: 1000, triedRows: 20_000, refusedBytes: 4_000_000 };
/** The next slice is held back while so many messages wait. */
const AHEAD = 25;
const PAUSE_SECONDS = 2;
const REST_SECONDS = 2;
/** How often the end looks at a queue that gets no shorter: something in it will have to be given up. */
const LOOKS = 60;

/**
 * Reads a file of rows piece by piece and queues what they become, many rows a message. A row that cannot be taken is
 * kept as it stands, with its line and the reason. Memory does not grow with the file: a slice holds a piece of it and
 * the rows that it refuses. The queue of imports is never filled further than `AHEAD`, so that a cancelled job stops and
 * a job that has ended has also been recorded.
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
    if (checkpoint.rest !== undefined) return rest(ports, checkpoint, checkpoint.rest);
    if (!parameters.dryRun && (await ports.waiting()) > AHEAD)
      return { checkpoint, done: 0, finished: false, delaySeconds: PAUSE_SECONDS };
    return take(ports, listing, limits, work, await begun(ports, work));
  },
});

/** The rows are on their way; the job has ended once they have arrived, or something is in their way. */
const rest = async (
  ports: ImportPorts,
  checkpoint: Checkpoint,
  before: NonNullable<Checkpoint['rest']>,
): Promise<SliceResult<Checkpoint>> => {
  const waiting = await ports.waiting();
  const looks = waiting < before.waiting ? 0 : before.looks + 1;
  return {
    checkpoint: { ...checkpoint, rest: { waiting, looks } },
    ...{ done: 0, finished: waiting === 0 || looks > LOOKS, delaySeconds: REST_SECONDS + looks },
  };
};

type Begun = Checkpoint & { readonly size: number };

/** `size`: of the file as it was when the job began. */
const pieceAt = async (ports: ImportPorts, job: string, from: number, size?: number): Promise<ByteRange> => {
  const piece = await ports.read(fileKey(job), from, PIECE_BYTES);
  if (piece === undefined)
    throw bad(
      'missing-file',
      'The file of this job is not in the bucket: it was never uploaded, or has expired.',
    );
  if (size !== undefined && piece.size !== size)
    throw bad(
      'changed-file',
      'Another file was uploaded while this one was read. Import that in a job of its own.',
    );
  return piece;
};

const bad = (code: 'missing-file' | 'changed-file', message: string): HubError =>
  new HubError(code, message, { retry: 'never' });

/** The checkpoint behind the header. Throws `HubError` where the file cannot be read at all. */
const begun = async <Parameters extends FileParameters>(
  ports: ImportPorts,
  { job, checkpoint, parameters }: SliceWork<Parameters, Checkpoint>,
): Promise<Begun> => {
  if (checkpoint.size !== undefined) return { ...checkpoint, size: checkpoint.size };
  const { bytes, size } = await pieceAt(ports, job, 0);
  const head = readFileHead(bytes, size, parameters.format);
  return { ...checkpoint, ...head, size };
};

/** How a record is read: its columns, or as JSON. */
const reader = <Parameters extends FileParameters>(
  listing: Listing<Parameters>,
  { head }: Checkpoint,
  parameters: Parameters,
): ((cut: CsvRecord) => { readonly value: unknown } | { readonly fault: string }) => {
  const columns: readonly (Column | undefined)[] =
    head === undefined ? [] : columnsOf(head.names, parameters, listing.columns, listing.known);
  return ({ fields, fault, raw }) => {
    if (fields === undefined) return { fault: fault ?? 'it cannot be read' };
    if (head !== undefined) return readRow(fields, columns);
    try {
      return { value: parseJson(raw) };
    } catch (error) {
      if (error instanceof HubError) return { fault: 'it is not a JSON object on one line' };
      throw error;
    }
  };
};

const isBlank = ({ fields }: CsvRecord): boolean => fields?.every((field) => field.trim() === '') === true;

const take = async <Parameters extends FileParameters>(
  ports: ImportPorts,
  listing: Listing<Parameters>,
  limits: Limits,
  { job, by, startedAt, parameters, timeLeft }: SliceWork<Parameters, Checkpoint>,
  place: Begun,
): Promise<SliceResult<Checkpoint>> => {
  const { size, head } = place;
  const read = reader(listing, place, parameters);
  const identity = await ports.identity();
  const same = { job, by, startedAt, parameters, identity, receivedAt: instant(ports.now()) };
  const out = importBatches(job, parameters.dryRun ? async () => new Set<number>() : ports.send);
  const refused = refusals(head ?? {});
  let { offset, line, inside } = place;
  let done = 0;
  const mostRows = parameters.dryRun ? limits.triedRows : limits.rows;
  const isFull = (): boolean => done + refused.count >= mostRows || refused.bytes >= limits.refusedBytes;
  while (offset < size && !isFull() && timeLeft()) {
    let { bytes } = await pieceAt(ports, job, offset, size);
    if (inside) {
      const end = bytes.indexOf('\n') + 1;
      inside = end === 0;
      if (!inside) line++;
      offset += inside ? bytes.length : end;
      bytes = inside ? bytes.subarray(bytes.length) : bytes.subarray(end);
    }
    const from = offset;
    for (const cut of readRecords(bytes, head?.delimiter, from + bytes.length >= size)) {
      if (!isBlank(cut)) {
        const judged = judge(read(cut), (row) => listing.judge(row, { ...same, line }));
        if ('row' in judged) {
          out.add(judged.row, line);
          done++;
        } else refused.add(cut.raw, line, judged.fault);
      }
      offset = from + cut.end;
      line += cut.lines;
      inside = cut.continues === true;
      if (isFull()) break;
    }
    await out.send(false);
  }
  await out.send(true);
  const part = refused.count > 0 ? place.refusedParts : undefined;
  if (part !== undefined) await ports.put(refusedKey(job, part), refused.file(part === 0));
  const rows = place.rows + done + refused.count;
  const ended = offset >= size;
  const refusedParts = place.refusedParts + (part === undefined ? 0 : 1);
  return {
    checkpoint: {
      ...{ ...place, offset, line, inside, rows, refusedParts },
      ...(ended && { rest: { waiting: Number.MAX_SAFE_INTEGER, looks: 0 } }),
    },
    ...{ done, refused: refused.count, refusedParts },
    // While rows are left their number can only be judged by their size.
    total: ended ? rows : Math.round((rows * size) / Math.max(offset, 1)),
    finished: ended && parameters.dryRun,
    ...(ended && { delaySeconds: REST_SECONDS }),
  };
};

const judge = (
  read: { readonly value: unknown } | { readonly fault: string },
  use: (row: unknown) => Judgement,
): Judgement => ('fault' in read ? read : use(read.value));
