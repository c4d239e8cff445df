import { HubError } from '../../../core/errors.ts';
import type { ImportedRow } from './listings.ts';

/** So many rows a message, and so many bytes, that ten messages fit into one call. */
const MOST_ROWS = 40;
const MOST_BYTES = 90_000;
/** Messages that are sent together. */
const TOGETHER = 50;

/** Packs rows into messages of the queue of imports. */
export const importBatches = (
  job: string,
  send: (messages: readonly string[]) => Promise<ReadonlySet<number>>,
): {
  add(row: ImportedRow, line: number): void;
  /** Sends what is packed where it is enough for a few calls, or all of it. Throws `HubError` `enqueue-failure`. */
  send(all: boolean): Promise<void>;
} => {
  const packed: string[] = [];
  let rows: string[] = [];
  let bytes = 0;
  let first = 0;
  const close = (): void => {
    if (rows.length > 0)
      packed.push(
        `{"type":"import","job":${JSON.stringify(job)},"line":${first},"rows":[${rows.join(',')}]}`,
      );
    rows = [];
    bytes = 0;
  };
  return {
    add(row, line) {
      const text = JSON.stringify(row);
      const size = Buffer.byteLength(text);
      if (rows.length === MOST_ROWS || bytes + size > MOST_BYTES) close();
      if (rows.length === 0) first = line;
      rows.push(text);
      bytes += size;
    },
    async send(all) {
      if (all) close();
      if (!all && packed.length < TOGETHER) return;
      const lost = await send(packed);
      packed.length = 0;
      if (lost.size > 0)
        throw new HubError(
          'enqueue-failure',
          'The queue of imports did not take all rows; the slice is done again.',
          {
            retry: 'later',
          },
        );
    },
  };
};
