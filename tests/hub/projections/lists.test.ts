import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { customerTable } from '../../../cli/customers/list.ts';
import { nameKey, placesOf } from '../../../core/timeline/lists.ts';
import { history } from '../../../functions/aws/customers/history.ts';
import { scanTable } from '../../../infra/scenario/scan-table.ts';
import { NOW, openHub, type TestHub } from '../../support/failing-hub.ts';
import { MINUTE, rest, tell } from './consumer.ts';

const HOUR = 60 * MINUTE;
let hub: TestHub;
beforeEach(async () => {
  hub = await openHub();
});
afterEach(() => hub.cloud.stop());

const list = async (query: string) => (await hub.api('GET', `/customers?${query}`)).body;
const names = async (query: string): Promise<string[]> =>
  (await list(query)).items.map((one: { name?: { full?: string } }) => one.name?.full);
const listRows = async () =>
  (await scanTable(hub.runtime)).filter(({ pk }) => /^list#(?:recent|name|waiting)#/u.test(pk));

const [ada, bob, eve] = ['phone:+14155550101', 'phone:+14155550102', 'phone:+14155550103'];

describe('lists of customers', () => {
  it('has who was last talked with first, who waits longest, and names by their beginning', async () => {
    tell(hub, { key: '1', minute: 0, who: ada, name: 'Ada Lovelace' });
    tell(hub, { key: '2', minute: 1, who: bob, name: 'Łukasz Brontë' });
    tell(hub, { key: '3', minute: 2, who: eve, name: 'Adele O’Neill' });
    await rest(hub);
    tell(hub, { key: '4', minute: 3, who: ada, direction: 'outbound' });
    await hub.clock.runUntil(NOW + 2 * HOUR);
    tell(hub, { key: '5', minute: 120, who: bob });
    await rest(hub);
    expect(await names('recent')).toEqual(['Łukasz Brontë', 'Ada Lovelace', 'Adele O’Neill']);
    expect(await names('waiting')).toEqual(['Łukasz Brontë', 'Adele O’Neill']);
    expect(await names('name=ad')).toEqual(['Ada Lovelace', 'Adele O’Neill']);
    expect(await names('name=BRONTE')).toEqual(['Łukasz Brontë']);
    expect(await names(`name=${encodeURIComponent("o'n")}`)).toEqual(['Adele O’Neill']);
    expect(await names('name=zz')).toEqual([]);
    expect((await list('waiting')).items[0].conversation).toMatchObject({
      ...{ state: 'waiting', waitingSince: new Date(NOW + MINUTE).toISOString() },
    });
  });

  it('has each person once, also when they are merged and parted again', async () => {
    tell(hub, { key: '1', minute: 0, who: ada, name: 'Ada Lovelace' });
    tell(hub, { key: '2', minute: 1, who: bob, name: 'Bob' });
    await rest(hub);
    const before = await listRows();
    await hub.api('POST', '/commands', { command: 'merge', keep: ada, other: bob });
    await rest(hub);
    expect(await names('recent')).toEqual(['Ada Lovelace']);
    expect(await names('name=bob')).toEqual([]);
    expect(await names('waiting')).toEqual(['Ada Lovelace']);
    await hub.api('POST', '/commands', { command: 'unmerge', customer: ada });
    await rest(hub);
    expect(await listRows()).toEqual(before);
  });

  it('hides who has moved since, and has nothing of who was erased', async () => {
    tell(hub, { key: '1', minute: 0, who: ada, name: 'Ada Lovelace' });
    await rest(hub);
    expect(await listRows()).toHaveLength(4);
    tell(hub, { key: '2', minute: 1, who: ada, direction: 'outbound' });
    await hub.settle();
    // The window of the projections is still open.
    expect(await names('waiting')).toEqual([]);
    await hub.api('POST', '/erasures', { customer: ada });
    await rest(hub);
    await rest(hub);
    expect(await listRows()).toEqual([]);
    expect((await scanTable(hub.runtime)).filter(({ sk }) => sk === 'listed')).toEqual([]);
  });

  it('writes once an hour for a customer who goes on writing', async () => {
    tell(hub, { key: '1', minute: 0, who: ada });
    await rest(hub);
    const before = hub.cloud.counts.get(projectionWrites()) ?? 0;
    for (let minute = 1; minute < 30; minute++) tell(hub, { key: `more${minute}`, minute, who: ada });
    await rest(hub);
    // Those of the figures alone.
    expect((hub.cloud.counts.get(projectionWrites()) ?? 0) - before).toBeLessThanOrEqual(2);
    tell(hub, { key: 'later', minute: 61, who: ada });
    await rest(hub);
    expect((await listRows()).map(({ sk }) => sk.slice(0, 13)).sort()).toEqual([
      '2026-03-02T09',
      '2026-03-02T10',
    ]);
  });

  it('go on page by page, each customer once', async () => {
    for (let serial = 0; serial < 23; serial++)
      tell(hub, {
        ...{ key: `k${serial}`, minute: -90 * serial, name: `Anna ${String(serial).padStart(2, '0')}` },
        who: `phone:+141555502${String(serial).padStart(2, '0')}`,
      });
    await rest(hub);
    for (const query of ['recent', 'waiting', 'name=anna']) {
      const seen: string[] = [];
      let next: string | undefined = '';
      for (let page = 0; next !== undefined && page < 30; page++) {
        const cursor: string = next === '' ? '' : `&cursor=${next}`;
        const answer = await list(`${query}&limit=5${cursor}`);
        expect(answer.items.length).toBeLessThanOrEqual(5);
        seen.push(...answer.items.map((one: { name: { full: string } }) => one.name.full));
        next = answer.next;
      }
      const all = Array.from({ length: 23 }, (_, serial) => `Anna ${String(serial).padStart(2, '0')}`);
      expect([query, seen]).toEqual([query, query === 'waiting' ? all.toReversed() : all]);
    }
  });

  it('has nobody among the recent who was only imported', async () => {
    hub.send(/^DeliveriesQueue/, {
      ...{ type: 'command', command: 'import', id: 'one', by: 'test', at: new Date(NOW).toISOString() },
      ...{ identifiers: [ada], profile: { name: { full: 'Ada Lovelace' } } },
    });
    await rest(hub);
    expect(await names('recent')).toEqual([]);
    expect(await names('name=love')).toEqual(['Ada Lovelace']);
  });

  it('answers what it does not understand with what it expects', async () => {
    for (const query of [
      'recent&waiting',
      'name=',
      'name=%23',
      'recent&limit=101',
      'recent&cursor=x',
      'other=1',
    ])
      expect([query, (await hub.api('GET', `/customers?${query}`)).status]).toEqual([query, 400]);
  });
});

const projectionWrites = (): string =>
  [...hub.cloud.counts.keys()].find((key) => /Projections.*TransactWriteItems/u.test(key)) ?? 'none';

it('the lists are those of the customers as they are, whatever was told in what order', async () => {
  const Step = fc.record({
    who: fc.constantFrom(ada, bob, eve),
    other: fc.constantFrom(ada, bob, eve),
    what: fc.constantFrom('ask', 'answer', 'name', 'merge', 'unmerge', 'close'),
    minute: fc.integer({ min: 0, max: 300 }),
    pause: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { maxLength: 12 }), async (steps) => {
      await hub.cloud.stop();
      hub = await openHub();
      for (const [at, { who, other, what, minute, pause }] of steps.entries()) {
        const key = `k${at}`;
        if (what === 'ask') tell(hub, { key, minute, who });
        if (what === 'answer') tell(hub, { key, minute, who, direction: 'outbound' });
        if (what === 'name') tell(hub, { key, minute, who, name: `Name ${at}` });
        if (what === 'close') await hub.api('POST', '/commands', { command: 'close', customer: who });
        if (what === 'merge') await hub.api('POST', '/commands', { command: 'merge', keep: who, other });
        if (what === 'unmerge') await hub.api('POST', '/commands', { command: 'unmerge', customer: who });
        if (pause) await rest(hub);
        else await hub.settle();
      }
      await rest(hub);
      const all = await scanTable(hub.runtime);
      const profileIds = all
        .filter(({ sk }) => sk === 'profile')
        .map(({ pk }) => pk.slice('customer#'.length));
      const customers = new Map(
        [...(await history(hub.table).customers(profileIds)).values()].map((one) => [one.id, one]),
      );
      const wanted = [...customers.values()].flatMap(placesOf).map(({ part, key }) => `list#${part} ${key}`);
      expect((await listRows()).map(({ pk, sk }) => `${pk} ${sk}`).sort()).toEqual(wanted.sort());
    }),
    { numRuns: 25 },
  );
}, 120_000);

it.each([
  ['Ada  LOVELACE', 'ada lovelace'],
  ['Žofie Nováková', 'zofie novakova'],
  ["D'Arcy-Smith, Jr.", 'd arcy smith jr'],
  ['李小龍', '李小龍'],
  ['#~', ''],
])('the name %s is looked up as %j', (name, key) => {
  expect(nameKey(name)).toBe(key);
});

it('are printed a line for each customer, whatever they call themselves', () => {
  const items = [
    {
      ...{ id: 'c1', name: { full: 'Ada\u001b[31m Lovelace' }, identifiers: ['phone:+14155550101'] },
      conversation: {
        ...{ state: 'waiting', lastAt: new Date(NOW).toISOString(), channels: ['sms'] },
        waitingSince: new Date(NOW).toISOString(),
      },
    },
    { id: 'c2', identifiers: [] },
  ];
  const [first, second] = customerTable(items, NOW + 90 * MINUTE);
  expect(first).toMatch(
    /^Ada\ufffd\[31m Lovelace {2}phone:\+14155550101 {2}waiting for 1\.5 h {2}sms {2}c1$/u,
  );
  expect(second?.trim()).toBe('c2');
  expect(customerTable([], NOW)).toEqual(['No customers.']);
});
