import { afterEach, beforeEach, expect, it } from 'vitest';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import type { BulkWrites, CrmConnector } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { type OpenOrg, openOrg } from '../../sandbox/org.ts';
import { openAdoption } from '../../support/crm/adoption.ts';
import { customerOf } from '../../support/crm/in-memory.ts';

const PEOPLE = 12;

/** Salesforce, whose bulk jobs are worth their requests from the first record on. */
const eager = (change: (bulk: BulkWrites) => Partial<BulkWrites> = () => ({})): CrmConnector => ({
  ...salesforce,
  async open(...given) {
    const session = await salesforce.open(...given);
    if (session.bulkWrites === undefined) throw new Error('Salesforce has bulk updates.');
    const bulk = session.bulkWrites;
    return { ...session, bulkWrites: { ...bulk, from: 1, ...change(bulk) } };
  },
});
const ended = new Error('The worker ended.');

let org: OpenOrg;
const open = async (options: Parameters<typeof openOrg>[0] = {}): Promise<void> => {
  org = await openOrg({ bulkPolls: 2, ...options });
  for (let serial = 0; serial < PEOPLE; serial++)
    org.seed('Contact', { LastName: `Number${serial}`, Email: `ada${serial}@example.com` });
};
const customers = Array.from({ length: PEOPLE }, (_, serial) => customerOf(serial, 'Ada'));
const adopt = (change?: Parameters<typeof eager>[0]) => openAdoption(eager(change), org, customers);
const ofContacts = (name: string) => org.records('Contact').map(({ fields }) => fields[name]);
const keys = customers.map(({ id }) => `bench:${id}`);
const linked = (adoption: ReturnType<typeof adopt>) =>
  [...adoption.states.values()].filter(
    ({ record, bulk, reservedUntil, fields }) =>
      record && !bulk && reservedUntil === undefined && fields['Phone']?.theirs !== undefined,
  ).length;
const jobs = () => org.requests('POST /services/data/v62.0/jobs/ingest');

beforeEach(() => open());
afterEach(() => org.stop());

it('writes the keys and what records lack by one job, which the checkpoint names before anything waits for it', async () => {
  const adoption = adopt();
  const { counts } = await adoption.run();
  expect(counts).toMatchObject({ read: PEOPLE, linked: PEOPLE });
  expect(ofContacts('Hub_Id__c')).toEqual(keys);
  expect(ofContacts('Phone')).toEqual(customers.map((_, at) => `+1415${5_550_000 + at}`));
  expect(linked(adoption)).toBe(PEOPLE);
  expect(jobs()).toBe(1);
  const begun = adoption.checkpoints.findIndex(({ bulk }) => bulk !== undefined);
  expect(adoption.checkpoints[begun]?.bulk).toEqual({ work: expect.stringMatching(/^750/u), asked: 0 });
  expect(adoption.failures.size + adoption.queued.length).toBe(0);
});

it.each([
  ['before it handed anything over', 'send', false],
  ['after the records were handed over', 'send', true],
  ['before it noted the outcome', 'outcome', true],
] as const)('a worker that ends %s leaves the job to the next one', async (_, method, isDone) => {
  let ends = 1;
  const adoption = adopt((bulk) => ({
    async [method](...given: never[]) {
      const result =
        ends > 0 && !isDone ? undefined : await (bulk[method] as (...all: never[]) => unknown)(...given);
      if (ends-- > 0) throw ended;
      return result;
    },
  }));
  await expect(adoption.run()).rejects.toBe(ended);
  await adoption.run();
  expect(ofContacts('Hub_Id__c')).toEqual(keys);
  expect(linked(adoption)).toBe(PEOPLE);
  // The job that was begun is used; one more, for what an unknown lot may have left, is given back unused.
  expect(org.requests('/batches')).toBeLessThanOrEqual(isDone && method === 'send' ? 2 : 1);
  expect(adoption.failures.size + adoption.queued.length).toBe(0);
});

it('a worker that ends before it stored the id of the job leaves one without data, which changes nothing', async () => {
  let ends = 1;
  const adoption = adopt((bulk) => ({
    async begin(...given) {
      const work = await bulk.begin(...given);
      if (ends-- > 0) throw ended;
      return work;
    },
  }));
  await expect(adoption.run()).rejects.toBe(ended);
  expect(ofContacts('Hub_Id__c').filter(Boolean)).toEqual([]);
  await adoption.run();
  expect(ofContacts('Hub_Id__c')).toEqual(keys);
  expect([jobs(), org.requests('/batches')]).toEqual([2, 1]);
});

it('a refused value is one failure, a locked row is written again, and a deleted record is left to the live sync', async () => {
  const invalid = new CrmFault('salesforce-invalid-email-address', 'Not an address.', {
    ...{ scope: 'record', why: 'invalid' },
  });
  const adoption = adopt((bulk) => ({
    async outcome(...given) {
      const outcome = await bulk.outcome(...given);
      if (outcome === undefined) return undefined;
      const results = outcome.results.map((one) =>
        one.key === 'bench:c3' ? { key: one.key, fault: invalid } : one,
      );
      return { ...outcome, results };
    },
  }));
  await adoption.run(({ checkpoint: { bulk } }) => typeof bulk === 'object' && bulk.sentAt !== undefined);
  org.staff.delete('Contact', { Email: 'ada5@example.com' });
  org.fault({ kind: 'row-lock', times: 1 });
  await adoption.run();
  expect([...adoption.failures.keys()]).toEqual(['c3']);
  expect(adoption.queued).toEqual(['c5']);
  expect(linked(adoption)).toBe(PEOPLE - 2);
  expect(ofContacts('Hub_Id__c').filter(Boolean)).toEqual(
    keys.filter((key) => key !== 'bench:c3' && key !== 'bench:c5'),
  );
});

it('what a job left is written also where Salesforce is down when it is to be written', async () => {
  let downs = 1;
  const adoption = adopt((bulk) => ({
    async outcome(...given) {
      const outcome = await bulk.outcome(...given);
      if (outcome !== undefined && downs-- > 0) org.fault({ kind: 'down', times: 1 });
      return outcome;
    },
  }));
  await adoption.run(({ checkpoint: { bulk } }) => typeof bulk === 'object' && bulk.sentAt !== undefined);
  org.fault({ kind: 'row-lock', times: 1 });
  await expect(adoption.run()).rejects.toMatchObject({ why: 'down' });
  await adoption.run();
  expect(ofContacts('Hub_Id__c')).toEqual(keys);
  expect(linked(adoption)).toBe(PEOPLE);
});

it('a cancelled job gives back at once the contacts that it has reserved, and keeps what is written', async () => {
  for (const isWritten of [false, true]) {
    const adoption = adopt();
    const { checkpoint } = await adoption.run(
      ({ checkpoint: { bulk } }) => typeof bulk === 'object' && bulk.sentAt !== undefined,
    );
    const work = typeof checkpoint.bulk === 'object' ? checkpoint.bulk.work : '';
    expect([...adoption.states.values()].filter(({ reservedUntil }) => reservedUntil)).toHaveLength(PEOPLE);
    for (let polls = 0; isWritten && polls < 3; polls++) await org.send('GET', `/jobs/ingest/${work}`);
    await adoption.cancelled();
    await adoption.cancelled();
    const states = [...adoption.states.values()];
    expect(states.filter(({ reservedUntil, bulk }) => reservedUntil ?? bulk)).toEqual([]);
    expect(ofContacts('Hub_Id__c').filter(Boolean)).toEqual(isWritten ? keys : []);
    await org.stop();
    await open();
  }
});

it('a job that somebody aborts is written without one', async () => {
  const adoption = adopt();
  const { checkpoint } = await adoption.run(
    ({ checkpoint: { bulk } }) => typeof bulk === 'object' && bulk.sentAt !== undefined,
  );
  const work = typeof checkpoint.bulk === 'object' ? checkpoint.bulk.work : '';
  await org.send('PATCH', `/jobs/ingest/${work}`, { state: 'Aborted' });
  await adoption.run();
  expect(ofContacts('Hub_Id__c')).toEqual(keys);
  expect([jobs(), linked(adoption)]).toEqual([1, PEOPLE]);
  expect(adoption.failures.size + adoption.queued.length).toBe(0);
});
