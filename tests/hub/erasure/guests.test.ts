import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestHub, type TestHub, type TestInteraction } from '../../support/open-test-hub.ts';
import { eraseCustomer } from './erase-customer.ts';

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub({ triggers: [] });
});
afterEach(() => hub.stop());

const [ADA, ADAS_PHONE, BOB] = ['email:ada@example.com', 'phone:+14155550100', 'email:bob@example.org'];
const [MALLORY, EVE] = ['email:mallory@example.net', 'email:eve@example.net'];
const form = { kind: 'form', channel: 'form' } as const;

const say = async (...interactions: TestInteraction[]): Promise<void> => {
  for (const one of interactions) hub.sendInteraction(one);
  await hub.wait(60_000);
};
/** A form that claims all its identifiers. */
const claim = (
  key: string,
  identifiers: string[],
  fields: Partial<TestInteraction> = {},
): TestInteraction => ({
  ...{ key, ...form, identifiers, claimed: identifiers },
  ...fields,
});
const find = async (identifier: string) =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;
/** The rows of the table that contain a text. */
const rowsWith = (text: string) => hub.rows(text);

const exportOf = async (profileId: string) => {
  const job = (await hub.api('POST', '/jobs', { kind: 'export', parameters: { profileId } })).body;
  await hub.wait(60_000);
  const done = (await hub.api('GET', `/jobs/${job.id}`)).body;
  if (done.state !== 'succeeded') return { error: done.error, text: '', document: undefined };
  const text = (await (await hub.runtime.aws?.fetch(new Request(done.result.url)))?.text()) ?? '';
  return { text, document: JSON.parse(text) };
};

it('erases the guests that claim only what the person owns, with every row that names them', async () => {
  await say({ key: 'M1', identifiers: [ADA, ADAS_PHONE], text: 'Hello' });
  await say(claim('F1', [ADA, EVE], { text: 'xyzzy', profile: { name: { full: 'Ada Lovelace' } } }));
  await say(claim('F2', [ADAS_PHONE]));
  expect((await find(ADA)).guests).toHaveLength(2);
  const { state, receipt } = await eraseCustomer(hub, ADA);
  expect(state).toBe('succeeded');
  for (const text of ['ada@example.com', '4155550100', 'eve@example.net', 'xyzzy', 'Lovelace'])
    expect(await rowsWith(text)).toEqual([]);
  const guests = receipt.receipt.systems.find(({ system }: { system: string }) => system === 'guests');
  expect(guests).toMatchObject({ count: 2, left: [] });
});

it('leaves a guest that claims somebody else too, without the identifiers of the person, and names it in the receipt', async () => {
  await say({ key: 'M1', identifiers: [ADA, ADAS_PHONE] }, { key: 'M2', identifiers: [BOB] });
  await say(
    claim('F1', [BOB, ADA], {
      text: 'Send it to Ada@Example.com or +1 (415) 555-0100',
      properties: { answers: { email: 'ada@example.com', page: '/thanks?email=ada%40example.com' } },
    }),
  );
  const [shared] = (await find(BOB)).guests;
  const { receipt } = await eraseCustomer(hub, ADA);
  expect(await rowsWith('ada@example.com')).toEqual([]);
  expect(await rowsWith('ada%40example.com')).toEqual([]);
  expect(await rowsWith('555-0100')).toEqual([]);
  const guests = receipt.receipt.systems.find(({ system }: { system: string }) => system === 'guests');
  expect(guests).toMatchObject({ count: 0 });
  expect(guests.left.join()).toContain(shared.id);
  const bob = await find(BOB);
  expect(bob.guests).toMatchObject([{ id: shared.id, claimed: [BOB] }]);
  const { items } = (await hub.api('GET', `/customers/${bob.id}/timeline`)).body;
  expect(items.map(({ identifiers }: { identifiers: string[] }) => identifiers)).toContainEqual([BOB]);
});

it('never erases a person by an identifier that a form named beside theirs', async () => {
  await say({ key: 'M1', identifiers: [ADA], text: 'mine' });
  await say(claim('F1', [MALLORY, ADA], { text: 'hers' }));
  const { state, receipt } = await eraseCustomer(hub, MALLORY);
  expect(state).toBe('succeeded');
  expect(receipt.receipt.systems.find(({ system }: { system: string }) => system === 'guests').count).toBe(0);
  expect((await find(ADA)).identifiers).toEqual([ADA]);
  expect(await rowsWith('mine')).toHaveLength(1);
  expect(await rowsWith('hers')).toHaveLength(1);
  expect(await rowsWith('mallory@example.net')).toEqual([]);
});

it('erases the guest of an identifier that nobody owns, and no other guest', async () => {
  await say(claim('F1', [EVE], { text: 'first words' }));
  await say(claim('F2', ['user-id:someone', EVE], { text: 'second' }));
  const { state } = await eraseCustomer(hub, EVE);
  expect(state).toBe('succeeded');
  expect(await rowsWith('"first words"')).toEqual([]);
  expect(await rowsWith('"second"')).toHaveLength(1);
  expect(await rowsWith('eve@example.net')).toEqual([]);
  expect((await find('user-id:someone')).claimed).toEqual(['user-id:someone']);
});

it('touches nobody where a person has come to own the identifier since it was asked for', async () => {
  await say(claim('F1', [EVE], { text: 'typed' }));
  const { body } = await hub.api('POST', '/erasures', { customer: EVE, by: 'ada' });
  // The erasure waits in its queue while a person gets the identifier.
  const owner = { identifier: EVE, profileId: 'eve', customerProfileIds: ['eve'] };
  await hub.table.put({ pk: `identifier#${EVE}`, sk: 'owner', ...owner });
  await hub.wait();
  expect((await hub.api('GET', `/erasures/${body.id}`)).body.state).toBe('succeeded');
  expect(await rowsWith('"typed"')).toHaveLength(1);
  expect(await rowsWith('"sk":{"S":"guest"}')).toHaveLength(1);
  expect((await rowsWith('"claimed":{"L":[{"S":"email:eve@example.net"}]}')).length).toBeGreaterThan(0);
});

it('keeps an address muted that was muted by a claim, under a hash', async () => {
  await say({ key: 'M1', identifiers: [ADA], channel: 'email' });
  await say(claim('O1', [ADA], { kind: 'opt-out', channel: 'email' }));
  expect(await rowsWith('"sk":{"S":"mute"}')).toHaveLength(1);
  await eraseCustomer(hub, ADA);
  expect(await rowsWith('"sk":{"S":"mute"}')).toEqual([]);
  await say({ key: 'M2', identifiers: [ADA], channel: 'email' });
  expect((await find(ADA)).consent).toMatchObject({ email: { status: 'service-only' } });
});

it('keeps an address closed to what forms cause after its owner was erased', async () => {
  await say({ key: 'M1', identifiers: [ADAS_PHONE], text: 'STOP' });
  await eraseCustomer(hub, ADAS_PHONE);
  await say(claim('F1', [ADAS_PHONE]));
  expect((await find(ADAS_PHONE)).closed).toMatchObject({ [ADAS_PHONE]: { reason: 'opt-out' } });
});

it('frees the open pairs of others', async () => {
  await say({ key: 'M1', identifiers: [ADA] }, { key: 'M2', identifiers: [BOB] });
  await say(claim('F1', [ADA, BOB]));
  expect((await hub.api('GET', '/reviews')).body.items).toHaveLength(1);
  const { id } = await find(BOB);
  await eraseCustomer(hub, ADA);
  expect((await hub.api('GET', '/reviews')).body.items).toEqual([]);
  expect(JSON.stringify(await rowsWith(`claims#${id}`))).toContain('"open":{"L":[]}');
});

it('exports the guests that go with the person, and masks the identifiers and the names of others', async () => {
  await say(
    { key: 'M1', identifiers: [ADA], profile: { name: { full: 'Ada Lovelace' } } },
    { key: 'M2', identifiers: [BOB], profile: { name: { full: 'Bob Babbage' } } },
  );
  await say(claim('F1', [ADA], { text: 'of her guest' }));
  await say(claim('F2', [BOB, ADA], { text: 'of both' }));
  await say({
    ...{ key: 'G1', identifiers: [ADA, BOB], claimed: [BOB], kind: 'order', channel: 'web' },
    ...{ text: 'A gift for bob@example.org', profile: { name: { full: 'Bob Babbage' } } },
  });
  const { text, document } = await exportOf((await find(ADA)).id);
  expect(text).toContain('of her guest');
  expect(text).not.toContain('of both');
  expect(text).toContain('email:b…@example.org');
  expect(text).not.toMatch(/bob@|Babbage/u);
  expect(document.guests).toMatchObject([{ claimed: [ADA] }]);
});

it('refuses to export a guest that claims what a person owns', async () => {
  await say({ key: 'M1', identifiers: [ADA], text: 'mine' });
  await say(claim('F1', [MALLORY, ADA], { text: 'typed by Ada' }));
  const { error, text } = await exportOf((await find(MALLORY)).id);
  expect(error).toMatchObject({ code: 'claims-of-another' });
  expect(text).toBe('');
});

it('exports a guest that nobody owns', async () => {
  await say(claim('F1', [EVE], { text: 'hers' }));
  expect((await exportOf((await find(EVE)).id)).text).toContain('hers');
});
