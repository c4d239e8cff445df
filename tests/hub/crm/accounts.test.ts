import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, it } from 'vitest';
import { hubspotSandbox } from '../../../infra/sandbox/hubspot/sandbox.ts';
import { salesforceSandbox } from '../../../infra/sandbox/salesforce/server.ts';
import { bringReport } from '../../../infra/scenario/crm/work.ts';
import { crmFields, HUBSPOT_CLIENT_SECRET } from '../../../infra/scenario/hub/sandboxes.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const MINUTE_MS = 60_000;

let hub: TestHub;
let stopOther: () => Promise<void>;
afterEach(async () => {
  await stopOther();
  await hub.stop();
});

/** A second account of each CRM. What agents do in it is reported to the hub. */
const accounts = {
  salesforce: async () => {
    const sandbox = await salesforceSandbox(new DatabaseSync(':memory:'), {
      ...{ orgNumber: 2, customFields: crmFields.salesforce, now: () => hub.clock.now() },
      report: (event) => bringReport({ ...hub, errors: [] }, { crm: 'salesforce', event }),
    });
    return { sandbox, id: '00Dal0000000002EAA' };
  },
  hubspot: async () => {
    const sandbox = await hubspotSandbox(new DatabaseSync(':memory:'), {
      ...{ portalId: 7, customProperties: crmFields.hubspot, now: () => hub.clock.now() },
      webhook: {
        url: 'https://hub.example.com/webhooks/hubspot',
        clientSecret: HUBSPOT_CLIENT_SECRET,
      },
      report: (webhook) => bringReport({ ...hub, errors: [] }, { crm: 'hubspot', webhook }),
    });
    return { sandbox, id: '7' };
  },
} as const;
const names = {
  salesforce: { object: 'Contact', logged: 'Task', last: 'LastName', email: 'Email' },
  hubspot: {
    object: 'contacts',
    logged: 'communications',
    last: 'lastname',
    email: 'email',
  },
} as const;

let sent = 0;
const write = async (identifier = 'phone:+14155550100'): Promise<void> => {
  hub.sendInteraction({ key: `m${sent++}`, text: 'Hi', identifiers: [identifier] });
  await hub.wait(2 * MINUTE_MS);
};
const find = async (identifier: string) =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;

it.each(['salesforce', 'hubspot'] as const)(
  'stops where the secret of %s leads to another account, goes on there as if for the first time, and finds its links again on the way back',
  async (crm) => {
    const { object, logged, last, email } = names[crm];
    hub = await openTestHub({ triggers: [] });
    const first = hub.crms[crm];
    const { sandbox: second, id: account } = await accounts[crm]();
    stopOther = () => second.stop();
    const held = (sandbox: typeof first | typeof second, of: string): Record<string, unknown>[] =>
      sandbox.records(of).map((one) => ({ ...one.fields, id: one.id }));
    const connection = async () =>
      (await hub.api('GET', '/connections')).body.items.find((one: { crm: string }) => one.crm === crm);

    await write();
    const [ada] = first.records(object);
    expect(first.records(logged)).toHaveLength(1);
    const { account: before } = await connection();

    // In the other account the same id is somebody else.
    const zoe = second.seed(object, { [last]: 'Zoe', [email]: 'zoe@example.com' });
    expect(zoe).toBe(ada?.id);
    await hub.setSecret(`crm/${crm}`, second.secret);
    await write();
    expect(await connection()).toMatchObject({ status: 'paused', why: 'setup', account: before });
    expect(await hub.failures()).toMatchObject([
      {
        code: 'stopped-connection',
        reason: expect.stringMatching(
          new RegExp(`account ${account},.* account ${before}\\..*hub connect ${crm} --new-account`, 'su'),
        ),
      },
    ]);
    expect(second.records(logged)).toHaveLength(0);

    await hub.api('POST', `/connections/${crm}/probe`, { account });
    await hub.wait(5 * MINUTE_MS);
    expect(await connection()).toMatchObject({ status: 'working', account });
    expect(await hub.failures()).toEqual([]);
    expect(held(second, object)).toHaveLength(2);
    expect(held(second, object)).toContainEqual(expect.objectContaining({ id: zoe, [last]: 'Zoe' }));
    expect(second.records(logged)).toHaveLength(1);

    // What agents say of the stranger with Ada's former id is nothing of Ada.
    second.staff.update(object, { [last]: 'Zoe' }, { [last]: 'Zola' });
    await hub.wait(2 * MINUTE_MS);
    const { name } = await find('phone:+14155550100');
    expect(name).not.toMatchObject({ last: 'Zola' });
    expect((await find('email:zoe@example.com')).name).toMatchObject({ last: 'Zola' });

    // Back in the first account, the contact there is Ada's as before.
    await hub.setSecret(`crm/${crm}`, first.secret);
    await hub.api('POST', `/connections/${crm}/probe`, { account: before });
    await hub.wait(MINUTE_MS);
    await write();
    expect(await connection()).toMatchObject({ status: 'working', account: before });
    expect(held(first, object).map(({ id }) => id)).toEqual([ada?.id]);
    expect(first.records(logged)).toHaveLength(2);
    first.staff.update(object, { [last]: held(first, object)[0]?.[last] }, { [last]: 'Lovelace' });
    await hub.wait(2 * MINUTE_MS);
    expect((await find('phone:+14155550100')).name).toMatchObject({ last: 'Lovelace' });
    expect(await hub.failures()).toEqual([]);
  },
);

it('refuses to go on in an account to which the secret does not lead', async () => {
  hub = await openTestHub();
  stopOther = async () => undefined;
  await write();
  await hub.api('POST', '/connections/salesforce/probe', { account: '00Dal0000000099EAA' });
  await write();
  const [{ account }] = (await hub.api('GET', '/connections')).body.items;
  expect(account).not.toBe('00Dal0000000099EAA');
  expect(await hub.api('POST', '/connections/salesforce/probe', { acount: 'x' })).toMatchObject({
    status: 400,
    body: { code: 'invalid-probe' },
  });
});
