import { HubError } from '../../../core/errors.ts';
import type { ImportedRow } from './listings.ts';

const MAX_ROWS_PER_MESSAGE = 40;
/** SQS accepts 10 messages and 1 MiB in one call, so ten full messages fit. */
const MAX_BYTES_PER_MESSAGE = 90_000;
const MESSAGES_PER_SEND = 50;

/** Packs rows into messages of the imports queue. `send` queues messages and resolves to the positions of the failed ones. */
export const importBatches = (
  job: string,
  send: (messages: readonly string[]) => Promise<ReadonlySet<number>>,
): {
  add(row: ImportedRow, line: number): void;
  /** Sends the full messages once there are enough of them; with `all`, sends everything. Throws `HubError` `enqueue-failure`. */
  send(all: boolean): Promise<void>;
} => {
  const messages: string[] = [];
  let rows: string[] = [];
  let bytes = 0;
  let firstLine = 0;
  const closeMessage = (): void => {
    if (rows.length > 0)
      messages.push(
        `{"type":"import","job":${JSON.stringify(job)},"line":${firstLine},"rows":[${rows.join(',')}]}`,
      );
    rows = [];
    bytes = 0;
  };
  return {
    add(row, line) {
      const text = JSON.stringify(row);
      const size = Buffer.byteLength(text);
      if (rows.length === MAX_ROWS_PER_MESSAGE || bytes + size > MAX_BYTES_PER_MESSAGE) closeMessage();
      if (rows.length === 0) firstLine = line;
      rows.push(text);
      bytes += size;
    },
    async send(all) {
      if (all) closeMessage();
      if (!all && messages.length < MESSAGES_PER_SEND) return;
      const failed = await send(messages);
      messages.length = 0;
      if (failed.size > 0)
        throw new HubError(
          'enqueue-failure',
          `The imports queue did not accept ${failed.size} messages. The slice is repeated automatically.`,
          { retry: 'later' },
        );
    },
  };
};
