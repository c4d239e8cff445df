import { afterEach, expect, it } from 'vitest';
import { jobs } from '../../../functions/aws/operations/jobs.ts';
import { openTestHub, type TestHub, type TestHubOptions } from '../../support/open-test-hub.ts';

let hub: TestHub;
const open = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await openTestHub(options);
};
afterEach(() => hub.stop());

const HOUR = 3_600_000;
/** A few more than one slice takes. */
const MANY = 205;

/** So many open failures whose replay does nothing: the notifications that they name do not exist. */
const openFailures = async (count: number): Promise<void> => {
  for (let number = 0; number < count; number++)
    hub.send(/^NotificationsDead/, { profileId: `h${number}`, trigger: 't', interaction: 'i' });
  await hub.settle();
  await hub.clock.runUntil(hub.clock.now() + 1000);
};
const job = async (id: string) => (await hub.api('GET', `/jobs/${id}`)).body;
/** Messages that the jobs function has put back on the queues. */
const replays = (): number =>
  [...hub.cloud.counts].find(([key]) => /JobsFunction.* sqs SendMessage$/.test(key))?.[1] ?? 0;

it('replays many failures in slices, each once, and shows its progress', async () => {
  await open();
  await openFailures(MANY);
  hub.send(/^DecisionsDead/, 'poison');
  await hub.settle();
  await hub.clock.runUntil(hub.clock.now() + 1000);
  const begun = await hub.api('POST', '/failures/replay', { by: 'ada' });
  expect([begun.status, begun.body]).toMatchObject([202, { kind: 'replay', state: 'queued', by: 'ada' }]);
  await hub.clock.runUntil(hub.clock.now() + HOUR);
  expect(await job(begun.body.id)).toMatchObject({
    state: 'succeeded',
    progress: { done: MANY, refused: 1 },
  });
  // The replays, and one further slice.
  expect(replays()).toBe(MANY + 1);
  expect(await hub.failures()).toMatchObject([{ stage: 'decide' }]);
  expect((await hub.api('GET', '/jobs')).body.items).toMatchObject([{ id: begun.body.id }]);
});

it('replays only the failures of its filter', async () => {
  await open();
  await openFailures(2);
  hub.send(/^DecisionsDead/, { poison: true });
  await hub.settle();
  const before = new Date(hub.clock.now() - 500).toISOString();
  const { id } = (await hub.api('POST', '/failures/replay', { stage: 'notify', before })).body;
  await hub.clock.runUntil(hub.clock.now() + HOUR);
  expect((await job(id)).progress).toEqual({ done: 2, refused: 0 });
  const refused = await hub.api('POST', '/failures/replay', { before: 'tomorrow' });
  expect([refused.status, refused.body.detail]).toEqual([400, expect.stringContaining('before')]);
  expect((await hub.api('POST', '/jobs', { kind: 'magic' })).status).toBe(400);
});

it('continues from its checkpoint after a slice was killed, and replays each failure once', async () => {
  let kills = 3;
  const counted = { sent: 0 };
  await open({
    before(service, operation, caller) {
      if (service !== 'sqs' || operation !== 'SendMessage' || !/JobsFunction/.test(caller)) return;
      counted.sent++;
      if (kills > 0 && counted.sent % 70 === 0) {
        kills--;
        throw new Error('the function is gone');
      }
    },
  });
  await openFailures(MANY + 10);
  const { id } = (await hub.api('POST', '/failures/replay', {})).body;
  await hub.clock.runUntil(hub.clock.now() + 3 * HOUR);
  expect(await job(id)).toMatchObject({ state: 'succeeded' });
  expect(kills).toBe(0);
  expect(await hub.failures('?status=replaying')).toEqual([]);
  expect((await hub.failures('?status=replayed&limit=200')).length).toBe(200);
  expect(await hub.failures('?status=open')).toEqual([]);
});

it('fails with the reason when its slices never complete', async () => {
  await open({
    before(_, operation, caller) {
      if (operation === 'Query' && /JobsFunction/.test(caller)) throw new Error('a secret text');
    },
  });
  await openFailures(1);
  const { id } = (await hub.api('POST', '/failures/replay', {})).body;
  await hub.clock.runUntil(hub.clock.now() + 3 * HOUR);
  const failed = await job(id);
  expect(failed).toMatchObject({ state: 'failed', error: { code: 'unexpected-error' } });
  expect(JSON.stringify(failed)).not.toContain('secret text');
});

it('stops between two slices when it is cancelled', async () => {
  let id = '';
  let slices = 0;
  await open({
    around: async (invoke, target, event) => {
      const answer = await invoke(target, event);
      if (/JobsFunction/.test(target.name) && ++slices === 1) await hub.api('POST', `/jobs/${id}/cancel`);
      return answer;
    },
  });
  await openFailures(MANY);
  id = (await hub.api('POST', '/failures/replay', {})).body.id;
  await hub.clock.runUntil(hub.clock.now() + HOUR);
  const { state, progress } = await job(id);
  expect([state, progress.done]).toEqual(['cancelled', 200]);
  const { items, next } = (await hub.api('GET', '/failures?status=replayed&limit=200')).body;
  const rest = next === undefined ? [] : await hub.failures(`?status=replayed&limit=200&cursor=${next}`);
  expect(items.length + rest.length).toBe(progress.done);
  expect((await hub.api('POST', `/jobs/${id}/cancel`)).body).toMatchObject({ state: 'cancelled' });
});

it('has one runner, also when a message arrives twice', async () => {
  await open();
  await openFailures(MANY);
  const { id } = (await hub.api('POST', '/failures/replay', {})).body;
  for (const slice of [0, 0, 0, 1, 1, 2]) hub.send(/^JobsQueue/, { job: id, slice });
  await hub.clock.runUntil(hub.clock.now() + 3 * HOUR);
  expect(await job(id)).toMatchObject({ state: 'succeeded', progress: { done: MANY, refused: 0 } });
  expect(
    (await hub.failures('?status=replayed&limit=200')).map(({ count }: { count: number }) => count),
  ).toEqual(Array(200).fill(1));
});

it('expires a lease that its holder never released', async () => {
  await open();
  await openFailures(3);
  const { id } = (await hub.api('POST', '/failures/replay', {})).body;
  const store = jobs({ ...hub.runtime, env: { ...hub.runtime.env } }, hub.table);
  const row = await store.get(id);
  if (row === undefined) throw new Error('no job');
  await store.save({
    ...row,
    state: 'running',
    lease: { holder: 'crashed', until: new Date(hub.clock.now() + 100_000).toISOString() },
  });
  await hub.clock.runUntil(hub.clock.now() + 90_000);
  expect(await job(id)).toMatchObject({ state: 'running', progress: { done: 0 } });
  await hub.clock.runUntil(hub.clock.now() + HOUR);
  expect(await job(id)).toMatchObject({ state: 'succeeded', progress: { done: 3 } });
});
