import { describe, expect, it } from 'vitest';
import { type ExportPorts, exportJob } from '../../../functions/jobs/export.ts';

/** A text of which two fill a part of the file. */
const LONG = 'x'.repeat(5 * 1024 * 1024);

it('continues by source profile, also where a merge has reordered them since', async () => {
  let order = ['one', 'two', 'three'];
  const parts: string[] = [];
  const ports = {
    history: {
      customer: async () => ({
        ...{ guest: false, identifiers: [] },
        sourceProfiles: order.map((id) => ({ profile: { id } })),
      }),
    },
    table: {
      get: async () => [],
      async *query(pk: string, { from = '' }) {
        for (const n of ['1', '2']) {
          const sk = `at#${pk}#${n}`;
          if (sk > from) yield { pk, sk, text: LONG };
        }
      },
    },
    bucket: {
      open: async () => undefined,
      beginUpload: async () => 'upload',
      async uploadPart(_key: string, _upload: string, _number: number, bytes: Buffer) {
        parts.push(bytes.toString());
        return `etag${parts.length}`;
      },
      completeUpload: async () => {},
    },
  } as unknown as ExportPorts;
  const job = exportJob(ports);
  let { checkpoint } = await job.start({ profileId: 'one' });
  for (let finished = false; !finished; ) {
    const result = await job.slice({
      ...{ job: 'j', by: 'ada', startedAt: '2026-03-02T09:00:00.000Z', parameters: { profileId: 'one' } },
      checkpoint: job.checkpoint.parse(JSON.parse(JSON.stringify(checkpoint))),
      timeLeft: () => false,
    });
    ({ checkpoint, finished } = result);
    order = ['three', 'new', 'two', 'one'];
  }
  const { records } = JSON.parse(parts.join('')) as { records: { profileId: string }[] };
  expect(records.map(({ profileId }) => profileId)).toEqual(
    ['one', 'three', 'new', 'two'].flatMap((id) => [id, id]),
  );
});

/** An export of one customer with rows, and what it writes. */
const exportOf = (rows: readonly object[], open: (key: string) => unknown = () => undefined) => {
  const calls: { readonly call: string; readonly bytes: Buffer }[] = [];
  const write =
    (call: string) =>
    async (...given: readonly unknown[]) => {
      calls.push({
        call,
        bytes: given.findLast((one): one is Buffer => Buffer.isBuffer(one)) ?? Buffer.alloc(0),
      });
      return call;
    };
  const one = { guest: false, identifiers: [], sourceProfiles: [{ profile: { id: 'one' } }] };
  let customer: object | undefined = one;
  const ports = {
    history: { customer: async () => customer },
    table: {
      get: async () => [],
      async *query(pk: string) {
        for (const [n, row] of rows.entries()) yield { pk, sk: `at#${n}`, ...row };
      },
    },
    bucket: {
      open: async (key: string) => open(key),
      put: write('put'),
      beginUpload: write('begin'),
      uploadPart: write('part'),
      completeUpload: write('complete'),
    },
  } as unknown as ExportPorts;
  const job = exportJob(ports);
  const run = async () => {
    const { checkpoint } = await job.start({ profileId: 'one' });
    const result = await job.slice({
      ...{ job: 'j', by: 'ada', startedAt: '2026-03-02T09:00:00.000Z', parameters: { profileId: 'one' } },
      ...{ checkpoint, timeLeft: () => true },
    });
    const document = Buffer.concat(calls.map(({ bytes }) => bytes)).toString();
    return { result, records: (JSON.parse(document) as { records: Record<string, unknown>[] }).records };
  };
  return { run, calls, erase: () => (customer = undefined) };
};

describe('an export', () => {
  it('of a small customer is one object, with a record for each row', async () => {
    const { run, calls } = exportOf([{ text: 'Hi', expiresAt: 7 }, { text: 'Bye' }]);
    const { result, records } = await run();
    expect(calls.map(({ call }) => call)).toEqual(['put']);
    expect(result).toMatchObject({ done: 1, finished: true, result: true });
    expect(records).toEqual([
      { type: 'interaction', profileId: 'one', text: 'Hi' },
      { type: 'interaction', profileId: 'one', text: 'Bye' },
    ]);
  });

  it('of a large one is written in parts as large as S3 asks for, and not much larger', async () => {
    const { run, calls } = exportOf(Array.from({ length: 30 }, () => ({ text: 'x'.repeat(1024 * 1024) })));
    expect((await run()).records).toHaveLength(30);
    expect(calls.map(({ call }) => call)).toEqual(['begin', 'part', 'part', 'part', 'part', 'complete']);
    for (const { bytes } of calls.slice(1, -2)) {
      expect(bytes.byteLength).toBeGreaterThanOrEqual(5 * 1024 * 1024);
      expect(bytes.byteLength).toBeLessThan(10 * 1024 * 1024);
    }
  });

  it('fails for good where the customer was erased since', async () => {
    const { run, erase } = exportOf([]);
    erase();
    await expect(run()).rejects.toMatchObject({ code: 'unknown-customer', retry: 'never' });
  });
});

describe('an attachment in an export', () => {
  const MIB = 1024 * 1024;
  const contentOf = async (bytes: Uint8Array | undefined, chunks = 1) => {
    let read = 0;
    const body = (async function* () {
      for (; bytes !== undefined && read < chunks; read++) yield bytes;
    })();
    const { run } = exportOf([{ attachments: [{ name: 'a.txt', key: 'files/a' }] }], (key) =>
      key === 'files/a' && bytes !== undefined ? { body: bytes.byteLength === 0 ? null : body } : undefined,
    );
    const [record] = (await run()).records;
    return { attachments: record?.['attachments'], read };
  };

  it('is there in base64', async () => {
    expect((await contentOf(Buffer.from('abc'), 2)).attachments).toEqual([
      { name: 'a.txt', key: 'files/a', content: Buffer.from('abcabc').toString('base64') },
    ]);
  });

  it('is left out above forty megabytes, and not read to its end', async () => {
    const { attachments, read } = await contentOf(new Uint8Array(MIB), 100);
    expect(attachments).toEqual([{ name: 'a.txt', key: 'files/a', content: null }]);
    expect(read).toBe(40);
  });

  it('is null where the file is gone, and empty where the file is', async () => {
    expect((await contentOf(undefined)).attachments).toMatchObject([{ content: null }]);
    expect((await contentOf(new Uint8Array(0))).attachments).toMatchObject([{ content: '' }]);
  });

  it('that is at the provider only is as it was', async () => {
    const { run } = exportOf([{ attachments: [{ url: 'https://x.example/a' }] }]);
    expect((await run()).records).toMatchObject([{ attachments: [{ url: 'https://x.example/a' }] }]);
  });
});
