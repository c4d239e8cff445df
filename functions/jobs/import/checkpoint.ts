import * as z from 'zod';
import { FileEncoding } from '../../../core/formats/encoding.ts';
import { ReportedRows } from '../../contracts/jobs/job.ts';

/** Where an import continues. */
export const Checkpoint = z.strictObject({
  /** The byte offset and the line of the next record. */
  offset: z.int().nonnegative(),
  line: z.int().positive(),
  /** True if the offset is inside a record that is too long: skip to the next line end. */
  inside: z.boolean(),
  /** The size of the file in bytes; absent before the first slice. */
  size: z.int().nonnegative().optional(),
  encoding: FileEncoding.default('utf-8'),
  /** The header of a CSV file; absent until it is read. */
  head: z.strictObject({ delimiter: z.string(), names: z.array(z.string()) }).optional(),
  /** Rows read so far, including refused ones. */
  rows: z.int().nonnegative(),
  refusedParts: z.int().nonnegative(),
  reported: ReportedRows,
  /**
   * Present once the whole file is read: the queue length at the last check, and how many checks in a row found the queue
   * no shorter.
   */
  drain: z.strictObject({ waiting: z.int(), checks: z.int() }).optional(),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** A checkpoint after the header. */
export type StartedCheckpoint = Checkpoint & { readonly size: number };
