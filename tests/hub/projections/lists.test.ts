import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { customerTable } from '../../../cli/customers/list.ts';
import { listEntries, nameKey } from '../../../core/timeline/lists.ts';
import { table } from '../../../functions/aws/clients/dynamo.ts';
import { history } from '../../../functions/aws/customers/history.ts';
import { Listed } from '../../../functions/contracts/rows/projections.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { MINUTE, sendMessage } from './messages.ts';

const HOUR = 60 * MINUTE;
let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.stop());

const list = async (query: string) => (await hub.api('GET', `/customers?${query}`)).body;
const names = async (query: string): Promise<string[]> =>
  (await list(query)).items.map((one: { name?: { full?: string } }) => one.name?.full);
const listRows = async () =>
  (await hub.scan()).filter(({ pk }) => /^list#(?:directory|recent|name|waiting|zone)#/u.test(pk));

async function* listedRows() {
  for (const { pk, sk } of await hub.scan())
    if (sk === 'listed')
      for (const row of await table(hub.runtime).get([{ pk, sk }]))
        yield { ...row, places: Listed.parse(row).places };
}

const [ada, bob, eve] = ['phone:+14155550101', 'phone:+14155550102', 'phone:+14155550103'];

describe('lists of customers', () => {
  it('sort by the last conversation and by waiting time, and find names by their beginning', async () => {
    sendMessage(hub, { key: '1', minute: 0, identifier: ada, name: 'Ada Lovelace' });
    sendMessage(hub, { key: '2', minute: 1, identifier: bob, name: 'Łukasz Brontë' });
    sendMessage(hub, { key: '3', minute: 2, identifier: eve, name: 'Adele O’Neill' });
    await hub.wait(MINUTE);
    sendMessage(hub, { key: '4', minute: 3, identifier: ada, direction: 'outbound' });
    await hub.clock.runUntil(NOW + 2 * HOUR);
    sendMessage(hub, { key: '5', minute: 120, identifier: bob });
    await hub.wait(MINUTE);
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

  it('have each customer once, also after merge and unmerge', async () => {
    sendMessage(hub, { key: '1', minute: 0, identifier: ada, name: 'Ada Lovelace' });
    sendMessage(hub, { key: '2', minute: 1, identifier: bob, name: 'Bob' });
    await hub.wait(MINUTE);
    const before = await listRows();
    await hub.api('POST', '/commands', {
      command: 'merge',
      reason: 'the same person',
      keep: ada,
      other: bob,
    });
    await hub.wait(MINUTE);
    expect(await names('recent')).toEqual(['Ada Lovelace']);
    expect(await names('name=bob')).toEqual([]);
    expect(await names('waiting')).toEqual(['Ada Lovelace']);
    await hub.api('POST', '/commands', { command: 'unmerge', customer: ada });
    await hub.wait(MINUTE);
    expect(await listRows()).toEqual(before);
  });

  it('show recent customers whom an earlier release entered in one part, once, until they talk again', async () => {
    sendMessage(hub, { key: '1', minute: 0, identifier: ada, name: 'Ada Lovelace' });
    sendMessage(hub, { key: '2', minute: 1, identifier: bob, name: 'Bob' });
    await hub.wait(MINUTE);
    const recent = async () => (await listRows()).filter(({ pk }) => pk.startsWith('list#recent#'));
    const rows = table(hub.runtime);
    for (const { pk, sk } of await recent())
      await rows.transact([{ delete: { pk, sk } }, { put: { pk: 'list#recent#2026-03-02', sk } }]);
    for await (const listed of listedRows()) {
      const places = listed.places.map(({ part, key }) => ({
        part: part.replace(/^(recent#[^#]*)#.*/u, '$1'),
        key,
      }));
      await rows.put({ ...listed, places });
    }
    expect(await names('recent')).toEqual(['Bob', 'Ada Lovelace']);
    const { items, next } = await list('recent&limit=1');
    expect([items, (await list(`recent&limit=1&cursor=${next}`)).items]).toMatchObject([[{}], [{}]]);
    sendMessage(hub, { key: '3', minute: 60, identifier: ada });
    await hub.wait(MINUTE);
    expect((await recent()).map(({ pk }) => pk.split('#').length).sort()).toEqual([3, 4]);
    expect(await names('recent')).toEqual(['Ada Lovelace', 'Bob']);
  });

  it('skip customers whose place has changed, and have no row of erased ones', async () => {
    sendMessage(hub, { key: '1', minute: 0, identifier: ada, name: 'Ada Lovelace' });
    await hub.wait(MINUTE);
    // The recent ones, the waiting ones, two parts of the name, the time zone, and the directory.
    expect(await listRows()).toHaveLength(6);
    sendMessage(hub, { key: '2', minute: 1, identifier: ada, direction: 'outbound' });
    await hub.settle();
    // The window of the projections is still open.
    expect(await names('waiting')).toEqual([]);
    await hub.api('POST', '/erasures', { customer: ada });
    await hub.wait(MINUTE);
    await hub.wait(MINUTE);
    expect(await listRows()).toEqual([]);
    expect((await hub.scan()).filter(({ sk }) => sk === 'listed')).toEqual([]);
  });

  it('are written once an hour for a customer who keeps writing', async () => {
    sendMessage(hub, { key: '1', minute: 0, identifier: ada });
    await hub.wait(MINUTE);
    const before = hub.cloud.counts.get(projectionWrites()) ?? 0;
    for (let minute = 1; minute < 30; minute++)
      sendMessage(hub, { key: `more${minute}`, minute, identifier: ada });
    await hub.wait(MINUTE);
    // Those of the figures alone.
    expect((hub.cloud.counts.get(projectionWrites()) ?? 0) - before).toBeLessThanOrEqual(2);
    sendMessage(hub, { key: 'later', minute: 61, identifier: ada });
    await hub.wait(MINUTE);
    const byTime = (await listRows()).filter(({ pk }) => !/^list#(?:directory|zone)#/u.test(pk));
    expect(byTime.map(({ sk }) => sk.slice(0, 13)).sort()).toEqual(['2026-03-02T09', '2026-03-02T10']);
  });

  it('return each customer once, page by page', async () => {
    for (let serial = 0; serial < 23; serial++)
      sendMessage(hub, {
        ...{ key: `k${serial}`, minute: -90 * serial, name: `Anna ${String(serial).padStart(2, '0')}` },
        identifier: `phone:+141555502${String(serial).padStart(2, '0')}`,
      });
    await hub.wait(MINUTE);
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

  it('do not show imported customers among the recent ones', async () => {
    hub.send(/^DeliveriesQueue/, {
      ...{ type: 'command', command: 'import', id: 'one', by: 'test', at: new Date(NOW).toISOString() },
      ...{ identifiers: [ada], profile: { name: { full: 'Ada Lovelace' } } },
    });
    await hub.wait(MINUTE);
    expect(await names('recent')).toEqual([]);
    expect(await names('name=love')).toEqual(['Ada Lovelace']);
  });

  it('answer an invalid query with the expected values', async () => {
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

  it.each(['customers?recent&cursor=', 'jobs?cursor=', 'failures?cursor=', 'reviews?cursor='])(
    'of %s: an empty cursor is no cursor',
    async (target) => {
      expect((await hub.api('GET', `/${target}`)).status).toBe(400);
    },
  );
});

const projectionWrites = (): string =>
  [...hub.cloud.counts.keys()].find((key) => /Projections.*TransactWriteItems/u.test(key)) ?? 'none';

it('the lists match the customers after any sequence of events', async () => {
  const Step = fc.record({
    identifier: fc.constantFrom(ada, bob, eve),
    other: fc.constantFrom(ada, bob, eve),
    what: fc.constantFrom('ask', 'answer', 'name', 'merge', 'unmerge', 'close'),
    minute: fc.integer({ min: 0, max: 300 }),
    pause: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { maxLength: 12 }), async (steps) => {
      await hub.stop();
      hub = await openTestHub();
      for (const [at, { identifier, other, what, minute, pause }] of steps.entries()) {
        const key = `k${at}`;
        if (what === 'ask') sendMessage(hub, { key, minute, identifier });
        if (what === 'answer') sendMessage(hub, { key, minute, identifier, direction: 'outbound' });
        if (what === 'name') sendMessage(hub, { key, minute, identifier, name: `Name ${at}` });
        if (what === 'close') await hub.api('POST', '/commands', { command: 'close', customer: identifier });
        if (what === 'merge')
          await hub.api('POST', '/commands', {
            command: 'merge',
            reason: 'the same person',
            keep: identifier,
            other,
          });
        if (what === 'unmerge')
          await hub.api('POST', '/commands', { command: 'unmerge', customer: identifier });
        if (pause) await hub.wait(MINUTE);
        else await hub.settle();
      }
      await hub.wait(MINUTE);
      const all = await hub.scan();
      const profileIds = all
        .filter(({ sk }) => sk === 'profile')
        .map(({ pk }) => pk.slice('customer#'.length));
      const customers = new Map(
        [...(await history(hub.table).customers(profileIds)).values()].map((one) => [one.id, one]),
      );
      const wanted = [...customers.values()]
        .flatMap(listEntries)
        .map(({ part, key }) => `list#${part} ${key}`);
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

it('are printed with one line per customer, whatever their names contain', () => {
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
