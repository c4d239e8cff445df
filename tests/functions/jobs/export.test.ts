import { expect, it } from 'vitest';
import { type ExportPorts, exportJob } from '../../../functions/jobs/export.ts';

/** A text of which two fill a part of the file. */
const LONG = 'x'.repeat(5 * 1024 * 1024);

it('continues by source profile, also where a merge has reordered them since', async () => {
  let order = ['one', 'two', 'three'];
  const parts: string[] = [];
  const ports = {
    history: {
      customer: async () => ({ sourceProfiles: order.map((id) => ({ profile: { id } })) }),
    },
    table: {
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
