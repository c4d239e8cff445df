import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Assembly } from '../../../infra/stack/assembly.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { synthesiseHub } from '../../support/synthesise-hub.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const OPS = 'ops@acme.example';

let assembly: Assembly;
beforeAll(() => {
  const synthesised = synthesiseHub({ alarms: OPS });
  assembly = synthesised;
  return synthesised.remove;
});

let hub: TestHub;
/** Invocations of the function of the CRM. */
let invocations: number;
const open = async (): Promise<void> => {
  invocations = 0;
  hub = await openTestHub({
    ...{ assembly, connectCrms: true },
    around(invoke, target, event) {
      if (/HubspotSync/u.test(target.name)) invocations++;
      return invoke(target, event);
    },
  });
};
beforeEach(open);
afterEach(() => hub.stop());

const phone = (n: number): string => `phone:+1415555${String(1000 + n)}`;
const send = (count: number, from = 0): void => {
  for (let n = from; n < from + count; n++) hub.sendInteraction({ key: `m${n}`, identifiers: [phone(n)] });
};
const contacts = (): number => hub.crms.hubspot.records('contacts').length;
const mails = () => hub.cloud.sentMessages.list().filter(({ to }) => to.includes(OPS));
const events = (): object[] =>
  hub.cloud.db
    .prepare("SELECT event FROM events_archived WHERE event LIKE '%connection.changed%'")
    .all()
    .map((row) => JSON.parse(String(row['event'])).detail);
const connection = async () => (await hub.api('GET', '/connections')).body.items[1];
const all = async () => hub.failures('?status=all');

describe('a CRM that is down for a day', () => {
  it('is one failure, one alarm and one event each way, and everything arrives afterwards', async () => {
    const end = hub.crms.hubspot.fault({ kind: 'down' });
    send(30);
    await hub.wait(15 * MINUTE_MS);
    expect(mails()).toHaveLength(1);
    expect(mails()[0]).toMatchObject({ subject: 'HubSpot stopped' });
    expect(await connection()).toMatchObject({ crm: 'hubspot', status: 'paused', why: 'down', waiting: 60 });
    await hub.wait(12 * HOUR_MS);
    send(30, 30);
    await hub.wait(12 * HOUR_MS);
    expect(await hub.failures()).toHaveLength(1);
    expect(invocations).toBeLessThan(130);
    end();
    await hub.wait(HOUR_MS);
    expect(contacts()).toBe(60);
    expect(await all()).toMatchObject([
      { code: 'stopped-connection', status: 'replayed', count: 1, replayed: { by: 'the hub' } },
    ]);
    expect(events()).toMatchObject([
      { crm: 'hubspot', status: 'paused', code: 'unavailable-crm' },
      { crm: 'hubspot', status: 'working' },
    ]);
    expect(mails()).toHaveLength(1);
    expect(await connection()).toMatchObject({ status: 'working', waiting: 0 });
  });
});
