import { describe, expect, it } from 'vitest';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { fileKey, refusedKey } from '../../../functions/contracts/jobs/job.ts';
import { customersKind } from '../../../functions/contracts/jobs/kinds.ts';
import { ImportMessage } from '../../../functions/contracts/messages/record.ts';
import type { Checkpoint } from '../../../functions/jobs/import/checkpoint.ts';
import { type ImportPorts, importJob } from '../../../functions/jobs/import/import.ts';
import { customers } from '../../../functions/jobs/import/listings.ts';

const identity = IdentityConfig.parse({});

/** An import of a file of lines of JSON, whose queue holds `waiting` messages and refuses those at `refuses`. */
const importOf = (
  rows: readonly string[],
  { waiting = 0, refuses = [] as number[], dryRun = false } = {},
) => {
  const files = new Map<string, Uint8Array>([
    [fileKey('j'), Buffer.from(rows.map((row) => `${row}\n`).join(''))],
  ]);
  const reads: number[] = [];
  const calls: string[][] = [];
  const around = { waiting, files, reads, calls };
  const ports: ImportPorts = {
    async read(key, from, length) {
      const bytes = files.get(key);
      const read = bytes?.subarray(from, from + length);
      reads.push(read?.byteLength ?? 0);
      return bytes && read && { bytes: Buffer.from(read), size: bytes.byteLength };
    },
    put: async (key, bytes) => void files.set(key, bytes),
    async send(messages) {
      calls.push([...messages]);
      return new Set(refuses);
    },
    waiting: async () => around.waiting,
    identity: async () => identity,
    now: () => 0,
  };
  const job = importJob(ports, customersKind, customers);
  const parameters = customersKind.parameters.parse({ format: 'ndjson', dryRun });
  const slice = async (checkpoint?: Checkpoint) =>
    job.slice({
      ...{ job: 'j', by: 'ada', startedAt: '2026-03-02T09:00:00.000Z', parameters, timeLeft: () => true },
      checkpoint: checkpoint ?? (await job.start(parameters)).checkpoint,
    });
  return { ...around, around, slice };
};
const rowsIn = (messages: readonly string[]): number[] =>
  messages.map((message) => ImportMessage.parse(JSON.parse(message)).rows.length);
const person = (n: number, note?: string): string =>
  JSON.stringify({ email: `a${n}@example.com`, ...(note !== undefined && { traits: { note } }) });
const people = (count: number, note?: string): string[] =>
  Array.from({ length: count }, (_, n) => person(n, note));

describe('the messages of an import', () => {
  it('hold at most forty rows', async () => {
    const { slice, calls } = importOf(people(100));
    expect(await slice()).toMatchObject({ done: 100 });
    expect(rowsIn(calls.flat())).toEqual([40, 40, 20]);
  });

  it('hold no more bytes than ten of them may have in one call', async () => {
    const { slice, calls } = importOf(people(20, 'ä'.repeat(9000)));
    await slice();
    expect(rowsIn(calls.flat()).reduce((sum, one) => sum + one)).toBe(20);
    for (const message of calls.flat()) expect(Buffer.byteLength(message)).toBeLessThan(100_000);
    expect(calls.flat().length).toBeLessThan(20);
  });

  it('are sent while the file is read, so that memory does not grow with it', async () => {
    const { slice, calls } = importOf(people(500, 'x'.repeat(19_000)));
    await slice();
    expect(calls.length).toBeGreaterThan(1);
    for (const call of calls) expect(call.length).toBeLessThan(60);
    expect(rowsIn(calls.flat()).reduce((sum, one) => sum + one)).toBe(500);
  });

  it('that the queue refuses let the slice fail, and be done again', async () => {
    const { slice } = importOf(people(100), { refuses: [1] });
    await expect(slice()).rejects.toMatchObject({ code: 'enqueue-failure', retry: 'later' });
  });
});

describe('a slice', () => {
  it('ends after a thousand rows, and after twenty thousand where nothing is recorded', async () => {
    const { slice, calls } = importOf(people(1500));
    const first = await slice();
    expect(first).toMatchObject({ done: 1000, finished: false, total: expect.any(Number) });
    expect(Math.abs((first.total ?? 0) - 1500)).toBeLessThan(20);
    expect(await slice(first.checkpoint)).toMatchObject({ done: 500, total: 1500 });
    expect(rowsIn(calls.flat()).reduce((sum, one) => sum + one)).toBe(1500);
    const tried = importOf(people(20_500), { dryRun: true });
    const part = await tried.slice();
    expect([part.done, part.finished]).toEqual([20_000, false]);
    expect(await tried.slice(part.checkpoint)).toMatchObject({ done: 500, finished: true });
    expect(tried.calls).toEqual([]);
  });

  it('ends after four megabytes of refused rows, which it stores', async () => {
    const { slice, files } = importOf(Array.from({ length: 60 }, () => `{"x":"${'y'.repeat(100_000)}"}`));
    const first = await slice();
    expect(first).toMatchObject({ done: 0, refused: 40, refusedParts: 1 });
    expect(files.get(refusedKey('j', 0))?.byteLength).toBeLessThan(4_200_000);
    expect(await slice(first.checkpoint)).toMatchObject({ refused: 20, refusedParts: 2, total: 60 });
  });

  it('reads the file in pieces', async () => {
    const { slice, reads } = importOf(people(60, 'x'.repeat(19_000)));
    await slice();
    expect(Math.max(...reads)).toBe(300_000);
    expect(reads.length).toBeGreaterThan(4);
  });

  it('refuses a record that is longer than a piece, and goes on behind it', async () => {
    const { slice, calls } = importOf([person(1), person(2, 'x'.repeat(900_000)), person(3)]);
    expect(await slice()).toMatchObject({ done: 2, refused: 1, total: 3 });
    const sent = ImportMessage.parse(JSON.parse(calls.flat()[0] ?? '')).rows;
    expect(sent.map((row) => (row.type === 'command' ? row.id : ''))).toEqual(['import:j:1', 'import:j:3']);
  });

  it('waits while more than twenty-five messages are queued, save where it sends none', async () => {
    const { slice, around, reads } = importOf(people(3), { waiting: 26 });
    expect(await slice()).toMatchObject({ done: 0, finished: false, delaySeconds: 2 });
    expect(reads).toEqual([]);
    around.waiting = 25;
    expect(await slice()).toMatchObject({ done: 3, finished: false, delaySeconds: 2 });
    expect(await importOf(people(3), { waiting: 26, dryRun: true }).slice()).toMatchObject({ done: 3 });
  });

  it('fails for good where the file was never uploaded', async () => {
    const { slice, files } = importOf(people(3));
    files.clear();
    await expect(slice()).rejects.toMatchObject({ code: 'missing-file', retry: 'never' });
  });
});

describe('the end of an import', () => {
  const ended = async () => {
    const started = importOf(people(3), { waiting: 0 });
    const { checkpoint } = await started.slice();
    return { ...started, checkpoint };
  };

  it('is reached once no message waits', async () => {
    const { slice, around, checkpoint } = await ended();
    around.waiting = 2;
    const looked = await slice(checkpoint);
    expect(looked).toMatchObject({ done: 0, finished: false, delaySeconds: 2 });
    around.waiting = 0;
    expect(await slice(looked.checkpoint)).toMatchObject({ finished: true });
  });

  it('is reached where sixty looks find no fewer messages: one of them will have to be given up', async () => {
    const { slice, around, checkpoint } = await ended();
    around.waiting = 5;
    let result = await slice(checkpoint);
    let looks = 0;
    for (; !result.finished; looks++) {
      // A queue that gets shorter is looked at anew.
      if (looks === 30) around.waiting = 4;
      result = await slice(result.checkpoint);
      if (looks > 200) break;
    }
    expect(looks).toBe(92);
    expect(result.delaySeconds).toBe(63);
  });
});
