import { afterEach, beforeEach, expect, it } from 'vitest';
import * as z from 'zod';
import { erasedIdentifiers } from '../../../functions/aws/erasure/erased-identifiers.ts';
import { hashedKeysLoader } from '../../../functions/aws/erasure/hashed-keys.ts';
import { erasureParts } from '../../../functions/aws/erasure/parts.ts';
import { identifierKey, syncStateKey } from '../../../functions/contracts/keys.ts';
import { openTestHub, type TestHub, type TestInteraction } from '../../support/open-test-hub.ts';
import { eraseCustomer } from '../erasure/erase-customer.ts';

const [ADA, RECORD] = ['email:ada@example.com', 'hubspot:51'];
const occurredAt = Date.parse('2026-03-02T08:59:00Z');

const QueueEvent = z.object({ Records: z.array(z.object({ body: z.string() })) });

/** What the sync functions are invoked with. They do nothing here but report that they erased nothing. */
let synced: (readonly unknown[])[];
let hub: TestHub;
beforeEach(async () => {
  synced = [];
  hub = await openTestHub({
    around: async (invoke, target, event) => {
      if (target.environment['QUEUE_URL_SYNC'] === undefined) return invoke(target, event);
      const messages = QueueEvent.parse(event).Records.map(({ body }) => JSON.parse(body));
      synced.push(messages);
      for (const { erasure, part } of messages)
        for (const crm of ['hubspot', 'salesforce'])
          if (erasure !== undefined)
            await erasureParts(hub.table).putOutcome(erasure, crm, part, { count: 0, left: [] });
      return { batchItemFailures: [] };
    },
  });
});
afterEach(() => hub.stop());

/** A webhook of HubSpot as the queue carries it. */
const report = async (...events: object[]): Promise<void> => {
  const all = events.map((event, eventId) => ({
    ...{ eventId, subscriptionId: 2, occurredAt, objectId: 51, changeSource: 'CRM_UI', ...event },
  }));
  const body = Buffer.from(JSON.stringify(all)).toString('base64');
  const request = { method: 'POST', url: 'https://acme.example/webhooks/hubspot', headers: {}, body };
  const receivedAt = new Date(hub.clock.now()).toISOString();
  hub.send(/^DeliveriesQueue/, {
    type: 'delivery',
    id: `d${receivedAt}`,
    provider: 'hubspot',
    receivedAt,
    request,
  });
  await hub.wait(60_000);
};
/** What the sync of HubSpot learned of a record. */
const learn = async (
  key: string,
  identifiers: string[],
  more: Partial<TestInteraction> = {},
): Promise<void> => {
  hub.sendInteraction({
    ...{ key, kind: 'contact-update', channel: 'crm', provider: 'hubspot', direction: 'system' },
    ...{ identifiers, properties: { record: 'contacts', act: 'changed' }, ...more },
  });
  await hub.wait(60_000);
};
const find = async (identifier: string) =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;
const changesOf = () => synced.flat().filter((one) => JSON.stringify(one).includes('"change"'));

const change = { object: 'contacts', id: '51', act: 'changed', at: '2026-03-02T08:59:00.000Z', merged: [] };

it('sends what HubSpot reports of a contact to its sync alone, again if it is delivered again, and stores nothing', async () => {
  const events = [
    { subscriptionType: 'contact.propertyChange', propertyName: 'email', propertyValue: 'ada@example.com' },
    { subscriptionType: 'contact.deletion', objectId: 52 },
  ];
  await report(...events);
  const [first, second] = changesOf();
  expect([first, second]).toEqual(
    expect.arrayContaining([
      { change: { ...change, fields: { email: expect.any(String) } } },
      { change: { ...change, id: '52', act: 'deleted', fields: {} } },
    ]),
  );
  expect(synced).toHaveLength(1);
  expect([await hub.timeline(), await hub.rows('"sk":{"S":"owner"}')]).toEqual([[], []]);
  await report(...events);
  expect(changesOf()).toHaveLength(4);
  expect(JSON.stringify(synced)).not.toContain('ada@example.com');
});

it('opens a review besides where a contact was deleted for privacy', async () => {
  await learn('L1', [RECORD, ADA]);
  await report({ subscriptionType: 'contact.privacyDeletion' });
  expect(changesOf()).toMatchObject([{ change: { id: '51', act: 'erased' } }]);
  const { items } = (await hub.api('GET', '/reviews')).body;
  expect(items).toMatchObject([{ reason: 'erasure-request' }]);
});

it('links a customer to a record, shows it nowhere among the identifiers, and finds the customer by it', async () => {
  await learn('L1', [RECORD, ADA]);
  const ada = await find(ADA);
  expect(ada.identifiers).toEqual([ADA]);
  expect((await find(RECORD)).id).toBe(ada.id);
  const [state] = await hub.table.get([syncStateKey(ada.id, 'hubspot')]);
  expect(state).toMatchObject({ version: 1, record: '51', fields: {} });
  const recorded = synced.flat();
  expect(recorded).toContainEqual(expect.objectContaining({ profileId: ada.id }));
  await report(
    {
      subscriptionType: 'ticket.associationChange',
      associationType: 'TICKET_TO_CONTACT',
      fromObjectId: 7,
      toObjectId: 51,
    },
    {
      subscriptionType: 'ticket.associationChange',
      associationType: 'TICKET_TO_CONTACT',
      fromObjectId: 8,
      toObjectId: 99,
    },
    { subscriptionType: 'deal.creation', objectId: 9 },
  );
  const { items } = (await hub.api('GET', `/customers/${ada.id}/timeline`)).body;
  expect(items).toMatchObject([{ kind: 'contact-update' }, { kind: 'crm-record', externalId: '7' }]);
  expect((await hub.api('GET', '/reviews')).body.items).toEqual([]);
  expect(await hub.timeline()).toHaveLength(2);
});

it('takes the records of an imported customer, and refuses to confirm or split one', async () => {
  const command = { type: 'command', at: '2026-03-02T09:00:00.000Z', by: 'ada' };
  hub.send(/^DeliveriesQueue/, {
    ...{
      ...command,
      id: 'c1',
      command: 'import',
      identifiers: [ADA],
      references: [RECORD, 'salesforce:003A'],
    },
    toCrms: true,
  });
  await hub.wait(60_000);
  const ada = await find('salesforce:003A');
  expect(ada.identifiers).toEqual([ADA]);
  for (const [crm, record] of [
    ['hubspot', '51'],
    ['salesforce', '003A'],
  ] as const)
    expect(await hub.table.get([syncStateKey(ada.id, crm)])).toMatchObject([{ record }]);
  hub.send(/^DeliveriesQueue/, { ...command, id: 'c2', command: 'split', identifier: RECORD });
  hub.send(/^DeliveriesQueue/, {
    ...command,
    id: 'c3',
    command: 'confirm',
    customer: ADA,
    identifier: 'hubspot:99',
  });
  await hub.wait(60_000);
  expect(await hub.failures()).toMatchObject([{ code: 'crm-reference' }, { code: 'crm-reference' }]);
  expect(await hub.table.get([identifierKey('hubspot:99')])).toEqual([]);
});

it('does not bring an erased person back by their record, whatever else it names and however late', async () => {
  await learn('L1', [RECORD, ADA]);
  await learn('L2', ['hubspot:52', ADA], { kind: 'crm-record' });
  const ada = await find(ADA);
  const { state, receipt } = await eraseCustomer(hub, ADA);
  expect(state).toBe('succeeded');
  expect(await hub.table.get([RECORD, 'hubspot:52'].map(identifierKey))).toEqual([]);
  const table = receipt.receipt.systems.find(({ system }: { system: string }) => system === 'table');
  expect(table.left.join()).toContain('ids of CRM records stay');
  const erased = erasedIdentifiers(
    hub.table,
    hashedKeysLoader({ ...hub.runtime, env: { ...hub.runtime.env, HUB: hub.name } }),
  );
  expect([...(await erased([RECORD, 'hubspot:52', 'hubspot:53'])).keys()]).toEqual([RECORD, 'hubspot:52']);
  await hub.wait(30 * 86_400_000);
  hub.sendInteraction({ key: 'M1', kind: 'message', channel: 'email', provider: 'ses', identifiers: [ADA] });
  await hub.wait(60_000);
  await learn('L3', [RECORD, ADA]);
  await learn('L4', ['hubspot:52', 'email:bob@example.com']);
  const again = await find(ADA);
  expect(again.id).not.toBe(ada.id);
  expect(await hub.timeline()).toMatchObject([{ kind: { S: 'message' } }]);
  expect((await hub.api('GET', '/customers?identifier=email:bob@example.com')).status).toBe(404);
  expect(await hub.table.get([identifierKey(RECORD)])).toEqual([]);
});
