import { afterEach, beforeEach, expect, it } from 'vitest';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import type { BulkWrites, CrmConnector } from '../../../core/crm/connector.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import { readSeed } from '../../../infra/stack/seed.ts';
import { type OpenOrg, openOrg } from '../../sandbox/org.ts';
import { openBackfill } from '../../support/crm/backfill.ts';
import { customerOf } from '../../support/crm/in-memory.ts';

const PEOPLE = 12;
const EACH = 2;
/** The part of the mapping's file that a test changes. */
interface Mapping {
  readonly interactions: [{ readonly fields: Record<string, object> }];
}
const ended = new Error('The worker ended.');

/** Salesforce, whose bulk jobs are worth their requests from a few records on. */
const eager = (change: (bulk: BulkWrites) => Partial<BulkWrites> = () => ({})): CrmConnector => ({
  ...salesforce,
  async open(...given) {
    const session = await salesforce.open(...given);
    if (session.bulkWrites === undefined) throw new Error('Salesforce has bulk writes.');
    const bulk = session.bulkWrites;
    return { ...session, bulkWrites: { ...bulk, from: 5, ...change(bulk) } };
  },
});

let org: OpenOrg;
let customers: Map<string, ReturnType<typeof customerOf>>;
let interactions: Map<string, StoredInteraction>;
beforeEach(async () => {
  org = await openOrg({ bulkPolls: 2 });
  customers = new Map(
    Array.from({ length: PEOPLE }, (_, at) => customerOf(at, 'Ada')).map((one) => [one.id, one]),
  );
  interactions = new Map(
    Array.from({ length: PEOPLE * EACH }, (_, at) => {
      const customer = customers.get(`c${at % PEOPLE}`);
      if (customer === undefined) throw new Error('There is a customer for each interaction.');
      const one = {
        ...{ id: `i${at}`, kind: 'message', channel: 'sms', provider: 'standard', direction: 'inbound' },
        occurredAt: `2026-02-0${1 + Math.floor(at / PEOPLE)}T09:00:00.000Z`,
        receivedAt: '2026-02-02T09:00:00.000Z',
        ...{ identifiers: [...customer.identifiers], text: `Message "${at}",\nof two lines` },
        ...{ profileId: customer.id, customer: snapshotCustomer(customer, customer.id, false) },
      } as StoredInteraction;
      return [one.id, one];
    }),
  );
});
afterEach(() => org.stop());

const open = (change?: Parameters<typeof eager>[0], mapping?: unknown) =>
  openBackfill(eager(change), org, { customers, interactions, ...(mapping !== undefined && { mapping }) });
type Backfill = ReturnType<typeof open>;

const field = (object: string, name: string) => org.records(object).map(({ fields }) => fields[name]);
const jobs = () => org.requests('POST /services/data/v62.0/jobs/ingest');
const composites = () => org.requests('POST /services/data/v62.0/composite');

/** Everybody is there once, with what they did at their own contact, and nothing is reserved. */
const expectAll = ({ states, failures }: Backfill): void => {
  expect(field('Contact', 'Hub_Id__c').toSorted()).toEqual(
    [...customers.keys()].map((id) => `bench:${id}`).toSorted(),
  );
  expect(field('Task', 'Hub_Id__c').toSorted()).toEqual([...interactions.keys()].toSorted());
  const contacts = new Map(org.records('Contact').map(({ id, fields }) => [id, fields['Hub_Id__c']]));
  for (const { fields } of org.records('Task')) {
    const one = interactions.get(String(fields['Hub_Id__c']));
    expect(contacts.get(String(fields['WhoId']))).toBe(`bench:${one?.profileId}`);
    expect(fields['Description']).toBe(one?.text);
  }
  for (const [id, state] of states) {
    expect(contacts.get(state.record ?? '')).toBe(`bench:${id}`);
    expect(state.fields['Email']).toMatchObject({ theirs: `ada${id.slice(1)}@example.com`, filled: true });
    expect([state.reservedUntil, state.bulk, state.profiles]).toEqual([undefined, undefined, { [id]: 1 }]);
  }
  expect(states.size).toBe(customers.size);
  expect([...failures.keys()]).toEqual([]);
};

it('writes people and what they did by a job each, which the checkpoint names before anything is handed over', async () => {
  const backfill = open();
  await backfill.run(({ checkpoint: { lot } }) => lot?.activities[0]?.sentAt !== undefined);
  const before = composites();
  const { counts } = await backfill.run();
  expect(counts).toEqual({ customers: PEOPLE, interactions: PEOPLE * EACH });
  expectAll(backfill);
  expect([jobs(), org.requests('/batches')]).toEqual([2, 2]);
  const lots = backfill.checkpoints.flatMap(({ lot }) => lot ?? []);
  const contacts = lots.find((lot) => lot.contacts?.work !== undefined)?.contacts;
  expect(contacts).toMatchObject({ object: 'Contact', inBulk: true, work: expect.stringMatching(/^750/u) });
  expect(contacts?.sentAt).toBeUndefined();
  const tasks = lots.find(({ activities }) => activities[0]?.work !== undefined)?.activities[0];
  expect(tasks).toMatchObject({ object: 'Task', work: expect.stringMatching(/^750/u) });
  expect(tasks?.sentAt).toBeUndefined();
  // The way of live traffic goes over everything once, and writes nothing again.
  expect(backfill.carried).toEqual([PEOPLE * (EACH + 1)]);
  expect(composites()).toBe(before);
});

it.each([
  ['before it handed the people over', 'send', 1, false],
  ['after the people were handed over', 'send', 1, true],
  ['before it handed the activities over', 'send', 2, false],
  ['after the activities were handed over', 'send', 2, true],
  ['before it noted who was written', 'outcome', 3, true],
  ['before it passed over what was written', 'outcome', 6, true],
] as const)('a worker that ends %s leaves the job to the next one', async (_, method, at, isDone) => {
  let calls = 0;
  const backfill = open((bulk) => ({
    async [method](...given: never[]) {
      const isLast = ++calls === at;
      const result =
        isLast && !isDone ? undefined : await (bulk[method] as (...all: never[]) => unknown)(...given);
      if (isLast) throw ended;
      return result;
    },
  }));
  await expect(backfill.run()).rejects.toBe(ended);
  await backfill.run();
  expectAll(backfill);
});

it('a worker that ends while it notes who was written, or before the id of a job is stored, loses nobody', async () => {
  let [begins, notes] = [1, 3];
  const backfill = open((bulk) => ({
    async begin(...given) {
      const work = await bulk.begin(...given);
      if (begins-- > 0) throw ended;
      return work;
    },
  }));
  await expect(backfill.run()).rejects.toBe(ended);
  await backfill.run(({ checkpoint: { lot } }) => lot?.contacts?.sentAt !== undefined);
  const { set } = backfill.states;
  backfill.states.set = (...given) => {
    if (notes-- === 0) throw ended;
    return set.apply(backfill.states, given);
  };
  await expect(backfill.run()).rejects.toBe(ended);
  backfill.states.set = set;
  await backfill.run();
  expectAll(backfill);
  expect(jobs()).toBe(3);
});

it('what Salesforce has is found before anybody is made, and what staff have typed there stays', async () => {
  for (let at = 0; at < 4; at++)
    org.seed('Contact', { LastName: `Staff${at}`, Email: `Ada${at}@Example.com`, Phone: '030 1' });
  const backfill = open();
  await backfill.run();
  expect(org.records('Contact')).toHaveLength(PEOPLE);
  expect(field('Contact', 'LastName').filter((name) => String(name).startsWith('Staff'))).toHaveLength(4);
  expect(field('Task', 'Hub_Id__c').toSorted()).toEqual([...interactions.keys()].toSorted());
  expect(jobs()).toBe(2);
});

it('a refused row is one failure, also where Salesforce did not try others and locks some', async () => {
  const mapping = structuredClone(readSeed().crm['salesforce']) as Mapping;
  mapping.interactions[0].fields['Subject'] = { from: 'text' };
  const [i3, i4] = ['i3', 'i4'].map((id) => interactions.get(id));
  if (i3 === undefined || i4 === undefined) throw new Error('There are these interactions.');
  interactions.set('i3', { ...i3, text: 'x'.repeat(256) });
  interactions.set('i4', { ...i4, text: '#N/A' });
  const change = (bulk: BulkWrites): Partial<BulkWrites> => ({
    async outcome(...given) {
      const outcome = await bulk.outcome(...given);
      if (outcome === undefined) return undefined;
      const untried = outcome.results.slice(0, 3).map(({ key }) => key);
      const idOf: typeof outcome.idOf = (record) =>
        untried.includes(record.key) ? undefined : outcome.idOf(record);
      return { complete: false, results: outcome.results.slice(3), untried, idOf };
    },
  });
  const backfill = open(change, mapping);
  await backfill.run(({ checkpoint: { lot } }) => lot?.activities[0]?.sentAt !== undefined);
  org.fault({ kind: 'row-lock', times: 2 });
  await backfill.run();
  expect([...backfill.failures].map(([id, { code }]) => [id, code])).toEqual([
    ['i3', 'salesforce-string-too-long'],
  ]);
  interactions.delete('i3');
  backfill.failures.clear();
  expectAll(backfill);
});

it('what changes while a job is at work is written again as it is then', async () => {
  const backfill = open();
  await backfill.run(({ checkpoint: { lot } }) => lot?.activities[0]?.sentAt !== undefined);
  const one = interactions.get('i4');
  if (one === undefined) throw new Error('There is an interaction i4.');
  interactions.set('i4', { ...one, text: 'Corrected' });
  await backfill.run();
  expect(org.records('Task').find(({ fields }) => fields['Hub_Id__c'] === 'i4')?.fields['Description']).toBe(
    'Corrected',
  );
  expectAll(backfill);
});

it('a customer who changes while the job writes the contact is written by the next message', async () => {
  const backfill = open();
  await backfill.run(({ checkpoint: { lot } }) => lot?.contacts?.sentAt !== undefined);
  expect([...backfill.states.values()].filter(({ reservedUntil }) => reservedUntil)).toHaveLength(PEOPLE);
  customers.set('c1', customerOf(1, 'Augusta', { version: 2 }));
  await backfill.run();
  const held = org.records('Contact').find(({ fields }) => fields['Hub_Id__c'] === 'bench:c1');
  expect(held?.fields['FirstName']).toBe('Augusta');
  expect(backfill.states.get('c1')?.profiles).toEqual({ c1: 2 });
});

it('who is erased while the job writes the contact has none afterwards', async () => {
  const backfill = open();
  await backfill.run(({ checkpoint: { lot } }) => lot?.contacts?.sentAt !== undefined);
  customers.delete('c2');
  backfill.states.delete('c2');
  for (const [id, { profileId }] of interactions) if (profileId === 'c2') interactions.delete(id);
  await backfill.run();
  expectAll(backfill);
});

it('an object that is parked is not written in bulk, and one that refuses the job is left to live traffic', async () => {
  const backfill = open((bulk) => ({
    takes: async (object, ...given) => object === 'Task' && bulk.takes(object, ...given),
  }));
  backfill.parked.add('Task');
  await backfill.run(({ checkpoint: { lot } }) => lot !== undefined);
  expect(backfill.checkpoints.at(-1)?.lot?.activities ?? []).toEqual([]);
  expect(jobs()).toBe(0);
});

it('a cancelled backfill ends its job, notes what it has written, and reserves nobody any more', async () => {
  for (const isWritten of [false, true]) {
    const backfill = open();
    const { checkpoint } = await backfill.run(
      ({ checkpoint: { lot } }) => lot?.contacts?.sentAt !== undefined,
    );
    const work = checkpoint.lot?.contacts?.work ?? '';
    for (let polls = 0; isWritten && polls < 3; polls++) await org.send('GET', `/jobs/ingest/${work}`);
    await backfill.cancelled();
    await backfill.cancelled();
    const states = [...backfill.states.values()];
    expect(states.filter(({ reservedUntil, bulk }) => reservedUntil ?? bulk)).toEqual([]);
    expect(states.filter(({ record }) => record)).toHaveLength(isWritten ? PEOPLE : 0);
    const state = (await org.send('GET', `/jobs/ingest/${work}`)).body;
    expect(state).toMatchObject({ state: isWritten ? 'JobComplete' : 'Aborted' });
  }
});

it('too few rows are written by collections', async () => {
  const backfill = open(() => ({ from: 100 }));
  await backfill.run();
  expectAll(backfill);
  expect(jobs()).toBe(0);
});

it.each([
  ['the job has enough', 9, () => true],
  ['the time does', 1000, () => false],
])('a lot ends where %s, and the next one goes on there', async (_, most, timeLeft) => {
  const connector = eager(() => ({ from: 2, most }));
  const backfill = openBackfill(connector, org, { customers, interactions, batch: 9, timeLeft });
  await backfill.run();
  expectAll(backfill);
  expect(backfill.carried).toEqual([9, 9, 9, 9]);
  expect(jobs()).toBe(8);
});
