import { beforeEach, expect, it } from 'vitest';
import { CrmFault } from '../../../core/crm/fault.ts';
import { type CrmConnection, crmConnection } from '../../../functions/sync/connection/connection.ts';
import type { Pending } from '../../../functions/sync/connection/pending.ts';
import { probe } from '../../../functions/sync/connection/probe.ts';
import { openTestTable, type TestTable } from '../../support/open-test-table.ts';

const DAY_MS = 86_400_000;
const refused = new CrmFault('unavailable-crm', 'Store another secret.', {
  scope: 'connection',
  why: 'setup',
});

let table: TestTable;
let connection: CrmConnection;
/** What the connection did to the world, in order. */
let done: string[];
/** The first of these that is tried ends the worker. */
let crashAt: string | undefined;
const does = (what: string) => {
  if (what !== crashAt) return void done.push(what);
  crashAt = undefined;
  throw new Error('The worker has ended.');
};

beforeEach(async () => {
  table = await openTestTable();
  [done, crashAt, parked] = [[], undefined, []];
  connection = crmConnection({
    ...{ crm: { id: 'acme-crm', title: 'Acme CRM' }, table: table.rows, runtime: table.runtime },
    source: {
      async setEnabled(isEnabled) {
        does(isEnabled ? 'on' : 'off');
        return true;
      },
    },
    probeIn: async (seconds) => does(`probe in ${seconds}`),
    announce: {
      stopped: async () => does('announced'),
      failedAgain: async () => does('failed again'),
      ended: async () => does('ended'),
    },
    retentionMs: 14 * DAY_MS,
    backfillSince: async (since) => does(`backfill since ${since}`),
  });
});

let outcome: CrmFault | undefined;
let parked: Pending[] = [];
const probeNow = (isAsked = false, object?: string): Promise<void> =>
  probe({
    ...{
      title: 'Acme CRM',
      connection,
      now: () => table.clock.now(),
      explained: async (_object, fault) => fault,
      hasTime: () => true,
    },
    async call() {
      does('call');
      if (outcome) throw outcome;
    },
    // The message has become work without a call.
    attempt: async () => ({ deferral: undefined, answered: false }),
    async look(one) {
      does(`look at ${one}`);
      if (outcome) throw outcome;
    },
    parked: {
      add: async () => {},
      some: async () => parked,
      remove: async () => {},
      release: async () => true,
    },
  })({ probe: true, ...(object !== undefined && { object }) }, { message: 'm1', isAsked });
const wait = (ms: number): Promise<void> => table.clock.runUntil(table.clock.now() + ms);

it('a pause sends its probe first, and ends with the event source', async () => {
  await connection.failed(refused);
  expect(done).toEqual(['probe in 30', 'off', 'announced']);
  done = [];
  await connection.failed(refused);
  expect(done).toEqual([]);
  await wait(30_000);
  outcome = undefined;
  await probeNow();
  expect(done).toEqual(['call', 'ended', 'on']);
  expect(await connection.read()).toMatchObject({ status: 'working' });
});

it('a parked object of which no message asks the CRM any more stays parked until the CRM has answered', async () => {
  const fault = new CrmFault('servicenow-setup', 'Allow it.', {
    scope: 'object',
    why: 'setup',
    object: 'cases',
  });
  await connection.objectFailed('cases', fault);
  await wait(30_000);
  parked = [
    {
      ...{ id: '1', body: '{"profileId":"c1"}', message: { profileId: 'c1' } },
      ...{ receives: 1, attributes: {} },
    },
  ];
  [outcome, done] = [fault, []];
  await probeNow(false, 'cases');
  expect(done).toEqual(['look at cases', 'probe in 60']);
  expect(await connection.read()).toMatchObject({ status: 'limited' });
});

it('a planned probe that is repeated is dropped, and one that is asked for moves no other', async () => {
  await connection.failed(refused);
  await wait(30_000);
  [outcome, done] = [refused, []];
  await probeNow();
  expect(done).toEqual(['call', 'probe in 60', 'off']);
  done = [];
  await probeNow();
  expect(done).toEqual([]);
  await probeNow(true);
  expect(done).toEqual(['call', 'off', 'failed again']);
  expect((await connection.read()).stop).toMatchObject({ probes: 1 });
});

it.each(['probe in 30', 'off', 'announced'])(
  'a worker that ends at "%s" leaves a pause that is known and probed',
  async (step) => {
    crashAt = step;
    await expect(connection.failed(refused)).rejects.toThrow('ended');
    // The messages of that worker are delivered again.
    const present = await connection.read();
    if (present.stop === undefined) await connection.failed(refused);
    else await connection.hold(present);
    await wait(30_000);
    outcome = refused;
    await probeNow();
    expect(new Set(done)).toEqual(new Set(['probe in 30', 'off', 'announced', 'call', 'probe in 60']));
  },
);

it.each(['call', 'ended', 'on'])(
  'a probe that ends at "%s" is delivered again and finishes',
  async (step) => {
    await connection.failed(refused);
    await wait(30_000);
    [outcome, done, crashAt] = [undefined, [], step];
    if (step === 'call') await probeNow();
    else await expect(probeNow()).rejects.toThrow('ended');
    await wait(180_000);
    await probeNow();
    expect(done).toContain('on');
    expect(await connection.read()).toMatchObject({ status: 'working' });
  },
);

it('a pause that outlasts the queue ends with a backfill from before its beginning', async () => {
  await connection.failed(refused);
  await wait(12 * DAY_MS);
  outcome = undefined;
  await probeNow();
  expect(done.filter((one) => one.startsWith('backfill'))).toEqual([]);
  await connection.failed(refused);
  const since = new Date(table.clock.now() - DAY_MS).toISOString();
  await wait(14 * DAY_MS);
  await probeNow();
  expect(done).toContain(`backfill since ${since}`);
});
