import { afterEach, expect, it } from 'vitest';
import { receiptFault, SignedReceipt } from '../../../core/privacy/receipt.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { eraseCustomer } from './erase-customer.ts';

let hub: TestHub;
const open = async (options: Parameters<typeof openTestHub>[0] = {}): Promise<void> => {
  hub = await openTestHub({ triggers: [], ...options });
};
afterEach(() => hub.stop());

const PHONE = 'phone:+14155550100';
const MAIL = 'email:ada@example.com';
const known = async (identifier: string): Promise<boolean> =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).status === 200;

it('deletes the rows at once and everything else within minutes, and returns a signed receipt', async () => {
  await open();
  hub.sendInteraction({ key: 'S1', identifiers: [PHONE, MAIL], text: 'Hello' });
  await hub.wait();
  const asked = await hub.api('POST', '/erasures', { customer: MAIL, by: 'ada', reason: 'ticket 7' });
  expect([asked.status, asked.body]).toMatchObject([202, { state: 'queued', by: 'ada', reason: 'ticket 7' }]);
  await hub.settle();
  expect(await known(PHONE)).toBe(false);
  await hub.wait(3 * 60_000);
  const { body } = await hub.api('GET', `/erasures/${asked.body.id}`);
  expect(body).toMatchObject({ state: 'succeeded' });
  const signed = SignedReceipt.parse(body.receipt);
  expect(receiptFault(signed)).toBeUndefined();
  const counts = Object.fromEntries(signed.receipt.systems.map(({ system, count }) => [system, count]));
  expect(counts).toMatchObject({ salesforce: 2, hubspot: 2, archive: 1, failures: 0 });
  expect(signed.receipt.systems.find(({ system }) => system === 'backups')?.left[0]).toContain('2026-04-06');
  expect(JSON.stringify(signed)).not.toMatch(/ada@|4155550100/u);
  const keys = JSON.parse(
    Buffer.from((await hub.front('GET', '/erasures/keys', undefined, '')).body).toString(),
  );
  expect(keys.keys).toEqual([signed.key]);
  const found = await hub.api('GET', `/erasures?identifier=${encodeURIComponent('email: Ada@example.com')}`);
  expect(found.body.items).toMatchObject([{ id: asked.body.id, by: 'ada' }]);
  expect((await hub.api('GET', `/erasures?identifier=${encodeURIComponent(PHONE)}`)).body.items).toEqual([]);
});

it('rejects a changed receipt', async () => {
  await open();
  hub.sendInteraction({ key: 'S1', identifiers: [PHONE] });
  await hub.wait();
  const signed = SignedReceipt.parse((await eraseCustomer(hub, PHONE)).receipt);
  const { receipt } = signed;
  const [head = '', payload = '', signature = ''] = signed.jws.split('.');
  const otherwise = Buffer.from(JSON.stringify({ ...receipt, by: 'eve' })).toString('base64url');
  const other = signature.startsWith('A') ? 'B' : 'A';
  for (const bad of [
    { ...signed, receipt: { ...receipt, by: 'eve' } },
    { ...signed, receipt: { ...receipt, by: 'eve' }, jws: `${head}.${otherwise}.${signature}` },
    { ...signed, jws: `${head}.${payload}.${other}${signature.slice(1)}` },
    { ...signed, key: { ...signed.key, kid: 'other' } },
  ])
    expect(receiptFault(bad)).toBeDefined();
});

it('answers 404 for an erased and for an unknown customer', async () => {
  await open();
  hub.sendInteraction({ key: 'S1', identifiers: [PHONE] });
  await hub.wait();
  expect(await eraseCustomer(hub, PHONE)).toMatchObject({ state: 'succeeded' });
  expect((await hub.api('POST', '/erasures', { customer: PHONE })).status).toBe(404);
  expect((await hub.api('POST', '/erasures', { customer: 'email:nobody@example.com' })).status).toBe(404);
  expect((await hub.api('POST', '/erasures', {})).status).toBe(400);
  expect((await hub.api('GET', '/erasures/none')).status).toBe(404);
  expect(
    (await hub.api('POST', '/jobs', { kind: 'erase', parameters: { erasure: 'x', profileId: 'y' } })).status,
  ).toBe(400);
});

it('waits for a CRM that is down with the state running, and ends when it is back', async () => {
  await open();
  hub.sendInteraction({ key: 'S1', identifiers: [PHONE] });
  await hub.wait();
  const recover = hub.crms.hubspot.fault({ kind: 'down' });
  const { id } = (await hub.api('POST', '/erasures', { customer: PHONE })).body;
  await hub.wait(6 * 3_600_000);
  expect((await hub.api('GET', `/erasures/${id}`)).body).toMatchObject({ state: 'running' });
  expect(hub.crms.countRecords(new Set())['salesforce']).toEqual({});
  recover();
  await hub.wait(2 * 3_600_000);
  expect((await hub.api('GET', `/erasures/${id}`)).body).toMatchObject({ state: 'succeeded' });
  expect(hub.crms.hubspot.records('contacts')).toEqual([]);
});
