import { afterEach, expect, it } from 'vitest';
import * as z from 'zod';
import { profileKey } from '../../../functions/contracts/keys.ts';
import { crmIds, type FullCrm, openFullCrm } from '../../support/crm/full-crm.ts';
import { type LossyProxy, openLossyProxy } from '../../support/crm/lossy-proxy.ts';

const MINUTE = 60_000;
const WORKERS = 50;
const SYNC = /SyncFunction/u;
const QUEUES = {
  salesforce: /^SalesforceQueue/u,
  hubspot: /^HubspotQueue/u,
  servicenow: /^ServicenowQueue/u,
};

let full: FullCrm;
let proxy: LossyProxy | undefined;
afterEach(async () => {
  await full.close();
  await proxy?.stop();
  proxy = undefined;
});

const Batch = z.looseObject({ Records: z.array(z.unknown()) });
const Answer = z.object({ batchItemFailures: z.array(z.unknown()) });

it('fifty workers of HubSpot refresh one token once, at first and when it has expired', async () => {
  let isSplit = false;
  let workers = 0;
  full = await openFullCrm('hubspot', {
    ownWorkers: SYNC,
    // Each message of a large batch goes to a worker of its own, all at once.
    around: async (invoke, target, event) => {
      const batch = Batch.safeParse(event);
      if (!isSplit || !SYNC.test(target.name) || !batch.success || batch.data.Records.length < WORKERS)
        return invoke(target, event);
      isSplit = false;
      const { Records: records } = batch.data;
      const parts = [
        ...records.slice(1, WORKERS).map((one) => [one]),
        [records[0], ...records.slice(WORKERS)],
      ];
      workers += parts.length;
      const answers = await Promise.all(
        parts.map((some) => invoke(target, { ...batch.data, Records: some })),
      );
      return { batchItemFailures: answers.flatMap((one) => Answer.parse(one).batchItemFailures) };
    },
  });
  const opened = await openLossyProxy(full.sandbox.url);
  proxy = opened;
  await full.hub.setSecret('crm/hubspot', { ...full.hub.crms.hubspot.oauth, baseUrl: opened.url });
  const refreshes = (): number => opened.requests.filter((one) => one.endsWith('/token')).length;
  const people = Array.from({ length: WORKERS }, (_, number) => `email:p${number}@example.com`);
  // Whoever is found by an address costs no search, of which HubSpot answers five a second.
  for (const one of people) full.seed({ email: one.slice('email:'.length) });
  for (const [at, about] of ['first', 'second'].entries()) {
    isSplit = true;
    full.write(people, about);
    await full.hub.wait(2 * MINUTE);
    expect([workers, refreshes()]).toEqual([WORKERS * (at + 1), at + 1]);
    full.sandbox.fault({ kind: 'expired-session', times: 1 });
  }
  await full.hub.wait(10 * MINUTE);
  expect(full.contacts()).toHaveLength(WORKERS);
  // Two of each person, and the welcome.
  expect(full.sandbox.records('emails')).toHaveLength(3 * WORKERS);
  expect(await full.trouble()).toEqual([]);
});

it.each(crmIds)(
  'a worker that has read an older customer does not overwrite what a newer one wrote to %s',
  async (crm) => {
    full = await openFullCrm(crm);
    const write = async (...identifiers: string[]): Promise<void> => {
      full.hub.sendInteraction({ key: identifiers.join(), channel: 'email', provider: 'ses', identifiers });
      await full.hub.wait(2 * MINUTE);
    };
    const held = (): unknown => full.contacts()[0]?.fields[full.fieldOf('phone')];
    await write('email:ada@example.com');
    const { id } = await full.customer('email:ada@example.com');
    const key = profileKey(id);
    const [older] = await full.hub.table.get([key]);
    await write('email:ada@example.com', 'phone:+14155550140');
    const [newer] = await full.hub.table.get([key]);
    expect(held()).toBe('+14155550140');
    // What a worker sees that has read the customer before the change and goes on after the other one.
    await full.hub.table.put({ ...key, ...Object(older) });
    full.hub.send(QUEUES[crm], { profileId: id });
    await full.hub.wait(MINUTE);
    expect(held()).toBe('+14155550140');
    await full.hub.table.put({ ...key, ...Object(newer) });
    await full.hub.wait(20 * MINUTE);
    expect(held()).toBe('+14155550140');
    expect(full.contacts()).toHaveLength(1);
    expect(await full.trouble()).toEqual([]);
  },
);
