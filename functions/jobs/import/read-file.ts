import { HubError } from '../../../core/errors.ts';
import { sourceLength, toUtf8 } from '../../../core/formats/encoding.ts';
import { type CsvRecord, readRecords } from '../../../core/formats/lists/csv.ts';
import type { Bucket, ByteRange } from '../../aws/clients/bucket.ts';
import { fileKey } from '../../contracts/jobs/job.ts';
import type { Checkpoint, StartedCheckpoint } from './checkpoint.ts';

/** Larger than the longest record, so that each chunk holds at least one. */
const CHUNK_BYTES = 300_000;
/**
 * `size` is the size of the file when the job started. Throws `HubError` `missing-file`, or `changed-file` if the size differs.
 */
export const readChunk = async (
  read: Bucket['getRange'],
  job: string,
  from: number,
  { size, encoding }: Pick<Checkpoint, 'size' | 'encoding'>,
): Promise<ByteRange> => {
  // A character of UTF-16 takes two bytes, and perhaps one as UTF-8.
  const length = encoding === 'utf-8' ? CHUNK_BYTES : 2 * CHUNK_BYTES;
  const chunk = await read(fileKey(job), from, length);
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

/** Gives the records from a checkpoint on to `take`, until `isFull`. Resolves to where the next record begins. */
export const readRecordsOf = async (
  read: Bucket['getRange'],
  job: string,
  place: StartedCheckpoint,
  handle: {
    take(record: CsvRecord, line: number): void;
    isFull(): boolean;
    afterChunk(): Promise<void>;
  },
): Promise<Pick<Checkpoint, 'offset' | 'line' | 'inside'>> => {
  const { size, head, encoding } = place;
  let { offset, line, inside } = place;
  while (offset < size && !handle.isFull()) {
    const chunk = await readChunk(read, job, offset, place);
    const isLast = offset + chunk.bytes.length >= size;
    let bytes = toUtf8(chunk.bytes, encoding);
    if (inside) {
      const end = bytes.indexOf('\n') + 1;
      inside = end === 0;
      if (!inside) line++;
      const skipped = bytes.subarray(0, inside ? bytes.length : end);
      offset += sourceLength(skipped, encoding);
      bytes = bytes.subarray(skipped.length);
    }
    let start = 0;
    for (const record of readRecords(bytes, head?.delimiter, isLast)) {
      handle.take(record, line);
      offset += sourceLength(bytes.subarray(start, record.end), encoding);
      start = record.end;
      line += record.lines;
      inside = record.continues === true;
      if (handle.isFull()) break;
    }
    await handle.afterChunk();
  }
  return { offset, line, inside };
};
