import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Assembly } from '../../../infra/stack/assembly.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { synthesiseHub } from '../../support/synthesise-hub.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const OPS = 'ops@acme.example';

let assembly: Assembly;
beforeAll(() => {
  const synthesised = synthesiseHub({ alarms: OPS, crms: { salesforce: {} } });
  assembly = synthesised;
  return synthesised.remove;
});

let hub: TestHub;
/** Invocations of the function of the CRM. */
let invocations: number;
const open = async (): Promise<void> => {
  invocations = 0;
  hub = await openTestHub({
    assembly,
    around(invoke, target, event) {
      if (/SalesforceSync/u.test(target.name)) invocations++;
      return invoke(target, event);
    },
  });
  await hub.setSecret('crm/salesforce', hub.crms.salesforce.secret);
};
beforeEach(open);
afterEach(() => hub.stop());

const phone = (n: number): string => `phone:+1415555${String(1000 + n)}`;
const send = (count: number, from = 0): void => {
  for (let n = from; n < from + count; n++) hub.sendInteraction({ key: `m${n}`, identifiers: [phone(n)] });
};
const contacts = (): number => hub.crms.salesforce.records('Contact').length;
const mails = () => hub.cloud.sentMessages.list().filter(({ to }) => to.includes(OPS));
const events = (): object[] =>
  hub.cloud.db
    .prepare("SELECT event FROM events_archived WHERE event LIKE '%connection.changed%'")
    .all()
    .map((row) => JSON.parse(String(row['event'])).detail);
const connection = async () => (await hub.api('GET', '/connections')).body.items[0];
const deadLetters = (): number => hub.cloud.queue(hub.queueArn(/^SalesforceDead/u)).visible;
const all = async () => hub.failures('?status=all');

describe('a CRM that is down for a day', () => {
  it('is one failure, one alarm and one event each way, and everything arrives afterwards', async () => {
    const end = hub.crms.salesforce.fault({ kind: 'down' });
    send(10);
    await hub.wait(15 * MINUTE_MS);
    expect(mails()).toHaveLength(1);
    expect(mails()[0]).toMatchObject({ subject: 'Salesforce stopped' });
    expect(await connection()).toMatchObject({
      crm: 'salesforce',
      status: 'paused',
      why: 'down',
      waiting: 20,
    });
    await hub.wait(12 * HOUR_MS);
    send(10, 10);
    await hub.wait(12 * HOUR_MS);
    expect(await hub.failures()).toHaveLength(1);
    expect(invocations).toBeLessThan(130);
    end();
    await hub.wait(HOUR_MS);
    expect(contacts()).toBe(20);
    expect(await all()).toMatchObject([
      { code: 'stopped-connection', status: 'replayed', count: 1, replayed: { by: 'the hub' } },
    ]);
    expect(events()).toMatchObject([
      { crm: 'salesforce', status: 'paused', code: 'unavailable-crm' },
      { crm: 'salesforce', status: 'working' },
    ]);
    expect(mails()).toHaveLength(1);
    expect(await connection()).toMatchObject({ status: 'working', waiting: 0 });
  });
});

describe('an object that the CRM refuses', () => {
  it('is parked with one failure for all its messages, which are sent when it accepts them again', async () => {
    const fault = { kind: 'missing-field', object: 'Contact', field: 'Phone' } as const;
    const end = hub.crms.salesforce.fault(fault);
    send(50);
    await hub.wait(5 * MINUTE_MS);
    send(50, 50);
    await hub.wait(5 * MINUTE_MS);
    expect(contacts()).toBe(0);
    expect(await hub.failures()).toMatchObject([
      { code: 'parked-object', about: { crm: 'salesforce', object: 'Contact' }, count: 1 },
    ]);
    // Two messages for each: the interaction, and what it changes of the customer.
    expect(await connection()).toMatchObject({
      ...{ status: 'limited', waiting: 0 },
      parked: [{ object: 'Contact', why: 'setup', waiting: 200 }],
    });
    const calls = hub.crms.salesforce.requests();
    send(10, 100);
    await hub.wait(5000);
    expect(hub.crms.salesforce.requests()).toBe(calls);
    expect(mails()).toMatchObject([{ subject: 'Salesforce: Contact is parked' }]);
    end();
    await hub.wait(HOUR_MS);
    expect(contacts()).toBe(110);
    expect(await all()).toMatchObject([{ status: 'replayed', replayed: { by: 'the hub' } }]);
    expect(await connection()).toMatchObject({ status: 'working', waiting: 0, parked: [] });
    expect(events()).toMatchObject([
      { status: 'limited', object: 'Contact' },
      { status: 'working', object: 'Contact' },
    ]);
    expect(deadLetters()).toBe(0);
  });
});

describe('what only a person can correct', () => {
  it.each([['login-refused'], ['daily-limit']] as const)('%s is seen at once', async (kind) => {
    const end = hub.crms.salesforce.fault({ kind });
    send(3);
    await hub.wait(MINUTE_MS);
    expect(await connection()).toMatchObject({ status: 'paused', waiting: 6 });
    expect(await hub.failures()).toMatchObject([{ code: 'stopped-connection' }]);
    expect(mails()).toHaveLength(1);
    end();
    await hub.wait(HOUR_MS);
    expect(contacts()).toBe(3);
    expect(await hub.failures()).toEqual([]);
  });

  it('an empty secret is seen, and one that is stored is used at the next probe, which a replay makes at once', async () => {
    await hub.setSecret('crm/salesforce', {});
    send(3);
    await hub.wait(MINUTE_MS);
    const [failure] = await hub.failures();
    expect(failure).toMatchObject({ code: 'stopped-connection', stage: 'connection-salesforce' });
    await hub.api('POST', `/failures/${failure.id}/replay`);
    await hub.wait(1000);
    expect(await hub.failures()).toMatchObject([{ id: failure.id, count: 2 }]);
    await hub.setSecret('crm/salesforce', hub.crms.salesforce.secret);
    await hub.api('POST', `/failures/${failure.id}/replay`);
    await hub.wait(30_000);
    expect(await hub.failures()).toEqual([]);
    expect(contacts()).toBe(3);
  });

  it('a secret that was changed is used within a minute, and nothing stops', async () => {
    send(1);
    await hub.wait(25_000);
    const { loginUrl, ...rest } = hub.crms.salesforce.secret;
    await hub.setSecret('crm/salesforce', { ...rest, loginUrl: `${loginUrl}/` });
    hub.crms.salesforce.fault({ kind: 'login-refused', times: 1 });
    send(3, 1);
    await hub.wait(MINUTE_MS);
    expect(contacts()).toBe(4);
    expect(await all()).toEqual([]);
  });

  it('a probe can be asked for, and finds a fault before any message does', async () => {
    hub.crms.salesforce.fault({ kind: 'login-refused' });
    expect((await hub.api('POST', '/connections/salesforce/probe')).status).toBe(202);
    await hub.wait(5000);
    expect(await connection()).toMatchObject({ status: 'paused', why: 'setup' });
    expect((await hub.api('POST', '/connections/acme-crm/probe')).status).toBe(404);
  });
});
