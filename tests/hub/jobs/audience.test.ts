import { afterEach, expect, it } from 'vitest';
import { run as command } from '../../../cli/operations/audience.ts';
import { placeKey } from '../../../functions/contracts/keys.ts';
import { listedRowOf } from '../../../functions/contracts/rows/projections.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { closeTerminal, terminal } from '../../support/terminal.ts';

let hub: TestHub;
afterEach(() => {
  closeTerminal();
  return hub.stop();
});

const HOUR = 3_600_000;
const vips = {
  ...{ id: 'vips', category: 'service', each: { day: '12:00' } },
  ...{ where: [{ customer: { tags: ['vip'] } }], send: { channels: ['sms'], template: 't' } },
};

/** Three persons, two of them with the tag, and a guest. */
const open = async (): Promise<void> => {
  hub = await openTestHub({ triggers: [vips] });
  for (const [number, tags] of [['vip'], ['vip'], []].entries())
    hub.sendInteraction({
      ...{ key: `k${number}`, kind: 'contact-update', channel: 'crm' },
      ...{ identifiers: [`phone:+3933311100${number}0`], profile: { tags, name: { full: `P${number}` } } },
    });
  const claimed = ['phone:+393331119999'];
  hub.sendInteraction({
    key: 'guest',
    kind: 'form',
    identifiers: claimed,
    claimed,
    profile: { tags: ['vip'] },
  });
  await hub.wait(HOUR);
};

const count = async (parameters: object) => {
  const { status, body } = await hub.api('POST', '/jobs', { kind: 'audience', parameters });
  if (status !== 202) return body;
  await hub.wait(HOUR);
  return (await hub.api('GET', `/jobs/${body.id}`)).body;
};

it('counts the persons of whom the conditions of a trigger hold, or others, and names the first', async () => {
  await open();
  expect(await count({ trigger: 'vips' })).toMatchObject({
    ...{ state: 'succeeded', progress: { counts: { persons: 3, holds: 2 } } },
  });
  const without = { not: { customer: { tags: ['vip'] } } };
  const listed = await count({ where: [without], list: 10 });
  expect(listed).toMatchObject({ progress: { counts: { persons: 3, holds: 1 } }, result: { url: /./u } });
  const file = await hub.runtime.aws?.fetch(new Request(listed.result.url));
  expect(await file?.json()).toMatchObject([{ name: 'P2' }]);
  expect(await count({ trigger: 'nobody' })).toMatchObject({
    state: 'failed',
    error: { code: 'unknown-trigger' },
  });
  expect(await count({ trigger: 'vips', where: [] })).toMatchObject({ code: 'invalid-parameters' });
  expect(hub.cloud.sentMessages.list()).toEqual([]);
});

it('is counted and listed at the command line, by a trigger, a file or conditions', async () => {
  await open();
  const printed = terminal(async (method, target, body) => {
    // The job ends before it is watched.
    if (target.startsWith('/jobs/')) await hub.settle();
    return hub.api(method, target, body);
  });
  expect(await command(['count', 'vips'])).toBe(0);
  expect(printed.at(-1)).toBe('2 of 3 persons');
  expect(await command(['count', '{ not: { customer: { tags: [vip] } } }'])).toBe(0);
  expect(printed.at(-1)).toBe('1 of 3 persons');
  expect(await command(['count', 'mappings/triggers/cart-left.yaml'])).toBe(0);
  expect(printed.at(-1)).toBe('3 of 3 persons');
  await expect(command(['count', '[{ count: { kind: [order] }, within: soon }]'])).rejects.toThrow(
    /CONDITIONS:1: .*within: expected a duration/u,
  );
  expect(await command(['weigh', 'vips'])).toBe(2);
});

it('looks at customers whom an earlier release has not listed by time zone', async () => {
  await open();
  const listed = (await hub.scan()).filter(({ pk }) => pk.startsWith('list#zone#'));
  expect(listed).toHaveLength(3);
  for (const { pk, sk } of listed) await hub.table.transact([{ delete: { pk, sk } }]);
  for (const row of (await hub.scan()).filter(({ sk }) => sk === 'listed')) {
    const { version, state, places } = listedRowOf(row);
    const kept = places.filter((place) => !placeKey(place).pk.startsWith('list#zone#'));
    await hub.table.put({ pk: row.pk, sk: row.sk, version, state, places: kept });
  }
  // Noon in Rome is 11:00; the first plan lists everybody.
  hub.send(/^JobsQueue/, { plan: 'looks' });
  await hub.settle();
  expect((await hub.scan()).filter(({ pk }) => pk.startsWith('list#zone#'))).toHaveLength(3);
  await hub.clock.runUntil(Date.parse('2026-03-02T10:50:00Z'));
  hub.send(/^JobsQueue/, { plan: 'looks' });
  // The look is queued with a delay, and a plan that comes twice makes no second one.
  hub.send(/^JobsQueue/, { plan: 'looks' });
  await hub.settle();
  expect(hub.cloud.sentMessages.list()).toEqual([]);
  await hub.wait(HOUR);
  expect(hub.cloud.sentMessages.list().map(({ to }) => to)).toHaveLength(2);
  const looks = (await hub.scan()).filter(({ pk }) => pk.startsWith('job#look-'));
  expect(looks).toMatchObject([
    {
      state: 'succeeded',
      startedAt: '2026-03-02T11:00:00.000Z',
      progress: { counts: { entered: 2, looked: 3 } },
    },
  ]);
});
