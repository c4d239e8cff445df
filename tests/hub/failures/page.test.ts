import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { closed, opened } from '../../../cli/operations/failures.ts';
import { line } from '../../../cli/operations/jobs.ts';
import { stages } from '../../../functions/contracts/stages/index.ts';
import { assembly } from '../../../infra/stack/assembly.ts';
import { failuresPage } from '../../tools/generate/failures-page.ts';

const path = new URL('../../../docs/failures.md', import.meta.url);

it('docs/failures.md is what the code says', () => {
  if (process.env['UPDATE'] !== undefined) writeFileSync(path, failuresPage());
  expect(readFileSync(path, 'utf8')).toBe(failuresPage());
});

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

it('a delivery is edited as text and saved as it was, where it is text', () => {
  const delivery = (body: Uint8Array) => ({
    type: 'delivery',
    request: { method: 'POST', body: Buffer.from(body).toString('base64') },
  });
  const text = delivery(Buffer.from('{"a":"Ω"}'));
  expect(opened(text)).toMatchObject({ request: { bodyText: '{"a":"Ω"}' } });
  expect(closed(opened(text))).toEqual(text);
  const binary = delivery(new Uint8Array([0xff, 0xfe]));
  expect(opened(binary)).toEqual(binary);
  expect(closed({ profileId: 'h' })).toEqual({ profileId: 'h' });
});

it('a job says how far it is', () => {
  const job = { id: 'j', kind: 'replay', by: 'ada', createdAt: '', state: 'running' };
  expect(line({ ...job, progress: { done: 6, refused: 1, total: 12 } })).toBe(
    `[${'█'.repeat(14)}${' '.repeat(10)}] 6/12 done, 1 refused  running`,
  );
  expect(line({ ...job, progress: { done: 6, refused: 0 } })).toBe('6 done  running');
});
