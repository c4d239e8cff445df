import { expect, it } from 'vitest';
import { withEncodedBody, withTextBody } from '../../../cli/operations/edit-failure.ts';
import { jobLine } from '../../../cli/operations/watch-job.ts';
import { stages } from '../../../functions/contracts/stages/index.ts';
import { assembly } from '../../../infra/stack/assembly.ts';

it('every dead-letter queue of the template is drained, and belongs to a stage', async () => {
  const { Resources } = (await assembly()).template;
  const dead = Object.keys(Resources).filter(
    (id) => Resources[id]?.Type === 'AWS::SQS::Queue' && /Dead$/.test(id),
  );
  const drained = Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::Lambda::EventSourceMapping')
    .map(({ Properties }) => JSON.stringify(Properties['EventSourceArn']));
  expect(dead.length).toBeGreaterThan(4);
  expect(dead.filter((id) => !drained.some((source) => source.includes(`"${id}"`)))).toEqual([]);
  const named = Object.values(Resources).flatMap(({ Properties }) => {
    const variables = JSON.stringify(Properties['Environment'] ?? {});
    return variables.includes('DEAD_QUEUES') ? [...variables.matchAll(/\\"([a-z-]+)\\":/gu)] : [];
  });
  expect(named.map(([, stage = '']) => stage).filter((stage) => stages[stage] === undefined)).toEqual([]);
  expect(named).toHaveLength(dead.length);
});

it('the text body of a delivery is decoded for editing and encoded again', () => {
  const delivery = (body: Uint8Array) => ({
    type: 'delivery',
    request: { method: 'POST', body: Buffer.from(body).toString('base64') },
  });
  const text = delivery(Buffer.from('{"a":"Ω"}'));
  expect(withTextBody(text)).toMatchObject({ request: { bodyText: '{"a":"Ω"}' } });
  expect(withEncodedBody(withTextBody(text))).toEqual(text);
  const binary = delivery(new Uint8Array([0xff, 0xfe]));
  expect(withTextBody(binary)).toEqual(binary);
  expect(withEncodedBody({ profileId: 'h' })).toEqual({ profileId: 'h' });
});

it('the line of a job shows its progress and state', () => {
  const job = { id: 'j', kind: 'replay', by: 'ada', createdAt: '', state: 'running' };
  expect(jobLine({ ...job, progress: { done: 6, refused: 1, total: 12 } })).toBe(
    `[${'█'.repeat(14)}${' '.repeat(10)}] 6/12 done, 1 refused  running`,
  );
  expect(jobLine({ ...job, progress: { done: 6, refused: 0 } })).toBe('6 done  running');
});
