import { afterEach, expect, it } from 'vitest';
import { syncStateKey } from '../../../functions/contracts/keys.ts';
import { openTestHub, type TestHub, type TestHubOptions } from '../../support/open-test-hub.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const crms = {
  hubspot: {
    object: 'contacts',
    email: 'email',
    phone: 'phone',
    first: 'firstname',
    last: 'lastname',
    key: 'hub_id',
  },
  salesforce: {
    ...{ object: 'Contact', email: 'Email', phone: 'Phone', first: 'FirstName', last: 'LastName' },
    key: 'Hub_Id__c',
  },
} as const;
type Crm = keyof typeof crms;

let hub: TestHub;
afterEach(() => hub.stop());
const open = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await openTestHub(options);
};

const seed = (crm: Crm, values: Partial<Record<'email' | 'phone' | 'first' | 'last', string>>): string => {
  const { object, ...names } = crms[crm];
  const given = { last: 'Known', ...values };
  const fields = Object.entries(given).map(([name, value]) => [names[name as keyof typeof given], value]);
  return hub.crms[crm].seed(object, Object.fromEntries(fields));
};
const contacts = (crm: Crm) => hub.crms[crm].records(crms[crm].object);
const fieldOf = (crm: Crm, id: string, name: keyof (typeof crms)['hubspot']) =>
  contacts(crm).find((one) => one.id === id)?.fields[crms[crm][name]];

const start = async (parameters: object, kind = 'adopt'): Promise<string> =>
  (await hub.api('POST', '/jobs', { kind, parameters, by: 'ada' })).body.id;
const job = async (id: string) => (await hub.api('GET', `/jobs/${id}`)).body;
const run = async (parameters: object, kind?: string) => {
  const id = await start(parameters, kind);
  for (let minutes = 0; minutes < 120; minutes++) {
    await hub.wait(MINUTE);
    const { state } = await job(id);
    if (state !== 'queued' && state !== 'running') break;
  }
  return job(id);
};
const find = async (identifier: string) =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;
const write = async (identifiers: string[], more: object = {}): Promise<void> => {
  const key = identifiers.join();
  hub.sendInteraction({ key, kind: 'message', channel: 'sms', text: 'Hi', identifiers, ...more });
  await hub.wait(5 * MINUTE);
};

it.each(['hubspot', 'salesforce'] as const)('links each contact of %s to one customer', async (crm) => {
  await open();
  const known = seed(crm, { email: 'Ada@Example.com', first: 'Ada', phone: '(415) 555-0140' });
  const unknown = seed(crm, { email: 'bob@example.com', phone: '+1 415 555 0141' });
  const nameless = seed(crm, { phone: '' });
  const id = await start({ crm });
  await hub.wait(30 * MINUTE);
  expect(await job(id)).toMatchObject({
    state: 'succeeded',
    progress: { counts: { read: 3, linked: 2, ambiguous: 0, withoutAddress: 1 } },
  });
  const [ada, bob] = [await find('email:ada@example.com'), await find('email:bob@example.com')];
  expect(bob.identifiers).toEqual(['email:bob@example.com', 'phone:+14155550141']);
  expect([fieldOf(crm, known, 'key'), fieldOf(crm, unknown, 'key')]).toEqual([
    `acme:${ada.id}`,
    `acme:${bob.id}`,
  ]);
  expect(fieldOf(crm, known, 'first')).toBe('Ada');
  expect(fieldOf(crm, nameless, 'key') ?? '').toBe('');
  expect(await hub.failures()).toEqual([]);
  expect(contacts(crm)).toHaveLength(3);
  expect(contacts(crm === 'hubspot' ? 'salesforce' : 'hubspot')).toHaveLength(0);
  expect((await hub.table.get([syncStateKey(ada.id, crm)]))[0]).toMatchObject({ record: known });
  await write(['email:bob@example.com']);
  expect(contacts(crm)).toHaveLength(3);
});

/** People as a CRM's own pages hold them: capitals, blanks, numbers as they are dialled, second addresses. */
const fill = (crm: Crm, count: number): void => {
  for (let number = 0; number < count; number++) {
    const digits = String(5550000 + number);
    const local = `(415) ${digits.slice(0, 3)}-${digits.slice(3)}`;
    const kind = number % 4;
    seed(crm, {
      first: `Person${number}`,
      ...(kind !== 3 && {
        email: kind === 0 ? ` Person${number}@Example.COM` : `person${number}@example.com`,
      }),
      ...(kind !== 1 && { phone: kind === 2 ? `+1 ${local}` : local }),
    });
  }
};

it.each([
  // Two pages: three lists of each, the look-up by number, and the writes.
  ['hubspot', 10],
  ['salesforce', 6],
] as const)(
  'two hundred contacts of %s cost few calls, a dry run counts the same, and nobody is doubled',
  async (crm, most) => {
    await open();
    fill(crm, 200);
    // Some of those without an e-mail address are customers already, known by their number.
    for (const number of [3, 7, 11, 15]) {
      const identifiers = [`phone:+1415${5550000 + number}`];
      await hub.api('POST', '/commands', { command: 'import', identifiers });
    }
    await hub.wait(5 * MINUTE);
    const dry = await run({ crm, dryRun: true });
    const between = hub.crms[crm].requests();
    const real = await run({ crm });
    const after = hub.crms[crm].requests();
    expect(real.progress.counts).toEqual({
      read: 200,
      linked: 154,
      ambiguous: 0,
      withoutAddress: 46,
      erased: 0,
    });
    expect(dry.progress.counts).toEqual(real.progress.counts);
    expect(after - between).toBeLessThanOrEqual(most);
    expect(contacts(crm)).toHaveLength(200);
    expect(await hub.failures()).toEqual([]);
    const keys = contacts(crm).flatMap(({ fields }) => fields[crms[crm].key] || []);
    expect(new Set(keys).size).toBe(keys.length);
    await write(['email:person1@example.com']);
    expect(contacts(crm)).toHaveLength(200);
  },
);

it('two runs at once, one of them killed in the middle, and live traffic make nobody twice', async () => {
  let writes = 0;
  let kills = 0;
  await open({
    before(service, operation, caller) {
      if (service !== 'dynamodb' || !/Sync/.test(caller) || operation !== 'PutItem') return;
      writes++;
      if (kills >= 4 || writes % 37 !== 0) return;
      kills++;
      throw new Error('the function is gone');
    },
  });
  fill('hubspot', 40);
  const parameters = { crm: 'hubspot' };
  const ids = [await start(parameters), await start(parameters)];
  for (const number of [0, 1, 4, 5, 9]) {
    const identifiers = [`email:person${number}@example.com`];
    hub.sendInteraction({ key: `w${number}`, kind: 'message', channel: 'email', text: 'Hi', identifiers });
  }
  await hub.wait(3 * 60 * MINUTE);
  expect(kills).toBe(4);
  for (const id of ids)
    expect(await job(id)).toMatchObject({
      state: 'succeeded',
      progress: { counts: { read: 40, linked: 30, ambiguous: 0, withoutAddress: 10 } },
    });
  expect(contacts('hubspot')).toHaveLength(40);
  const keys = contacts('hubspot').flatMap(({ fields }) => fields['hub_id'] || []);
  expect([keys.length, new Set(keys).size]).toEqual([30, 30]);
  expect(await hub.rows('"sk":{"S":"profile"}')).toHaveLength(30);
  expect(await hub.failures()).toEqual([]);
});

it('a contact that shares its address waits for a person, and what happened until then is written after the decision', async () => {
  await open({ triggers: [] });
  const [older, newer] = [
    seed('salesforce', { email: 'ada@example.com', first: 'Ada' }),
    seed('salesforce', { email: 'Ada@example.com', phone: '+14155550140', first: 'Ada' }),
  ];
  const { progress, refused } = await run({ crm: 'salesforce' });
  expect(progress.counts).toMatchObject({ read: 2, linked: 0, ambiguous: 2 });
  expect(refused).toEqual({ parts: 1 });
  const ada = ['email:ada@example.com'];
  await write(ada, { key: 'first', channel: 'email', provider: 'ses' });
  await write(ada, { key: 'second', channel: 'email', provider: 'ses' });
  const [review] = (await hub.api('GET', '/reviews')).body.items;
  expect(review).toMatchObject({ type: 'record', crm: 'salesforce', records: [older, newer] });
  expect(hub.crms.salesforce.records('Task')).toHaveLength(0);
  const decide = (decision: object) =>
    hub.api('POST', '/commands', { command: 'resolve', review: review.id, by: 'eve', ...decision });
  expect(await decide({ decision: 'record', record: 'another' })).toMatchObject({
    status: 400,
    body: { code: 'invalid-decision', detail: expect.stringContaining(`${older}, ${newer}`) },
  });
  expect(await decide({ decision: 'record', record: newer })).toMatchObject({ status: 202 });
  await hub.wait(5 * MINUTE);
  expect(await decide({ decision: 'new' })).toMatchObject({
    status: 409,
    body: { code: 'decided-review', detail: expect.stringMatching(`^eve decided .*: record ${newer}\\.$`) },
  });
  expect(await hub.failures()).toEqual([]);
  expect((await hub.api('GET', '/reviews')).body.items).toEqual([]);
  const { id } = await find('email:ada@example.com');
  expect([fieldOf('salesforce', newer, 'key'), fieldOf('salesforce', older, 'key') ?? '']).toEqual([
    `acme:${id}`,
    '',
  ]);
  const tasks = hub.crms.salesforce.records('Task').map(({ fields }) => fields['WhoId']);
  expect(tasks).toEqual([newer, newer]);
  expect(contacts('salesforce')).toHaveLength(2);
});

it('the decision that no record is the customer makes a new one without another look-up', async () => {
  await open({ triggers: [] });
  for (const first of ['Ada', 'Adam']) seed('hubspot', { phone: '(415) 555-0140', first });
  await write(['phone:+14155550140']);
  const [review] = (await hub.api('GET', '/reviews')).body.items;
  expect(review).toMatchObject({ type: 'record', crm: 'hubspot' });
  const lookUps = hub.crms.hubspot.requests('/search');
  await hub.api('POST', '/commands', { command: 'resolve', review: review.id, decision: 'new' });
  await hub.wait(5 * MINUTE);
  expect(contacts('hubspot')).toHaveLength(3);
  expect(hub.crms.hubspot.records('communications')).toHaveLength(1);
  expect(hub.crms.hubspot.requests('/search')).toBe(lookUps);
});

it('a pause that outlasts the queue ends with a backfill of everybody and what they did', async () => {
  await open({ triggers: [] });
  const end = hub.crms.hubspot.fault({ kind: 'down' });
  for (const number of [1, 2, 3]) {
    const identifiers = [`email:person${number}@example.com`];
    hub.sendInteraction({
      ...{ key: `b${number}`, kind: 'message', channel: 'email', provider: 'ses', text: 'Hi', identifiers },
    });
  }
  await hub.wait(15 * DAY);
  expect(contacts('hubspot')).toHaveLength(0);
  end();
  await hub.wait(3 * HOUR);
  const { items } = (await hub.api('GET', '/jobs')).body;
  expect(items).toMatchObject([
    {
      kind: 'backfill',
      state: 'succeeded',
      by: 'hub',
      progress: { counts: { customers: 3, interactions: 3 } },
    },
  ]);
  expect(contacts('hubspot')).toHaveLength(3);
  expect(hub.crms.hubspot.records('emails')).toHaveLength(3);
  const before = hub.crms.hubspot.requests();
  const later = await run({ crm: 'hubspot', since: '2030-01-01' }, 'backfill');
  expect([later.state, hub.crms.hubspot.requests()]).toEqual(['succeeded', before]);
});

it('a contact that was deleted comes back where an import names its customer', async () => {
  await open();
  const ada = ['email:ada@example.com'];
  await write(ada, { channel: 'email', provider: 'ses' });
  hub.crms.hubspot.staff.delete('contacts', { email: 'ada@example.com' });
  await write(ada, {
    key: 'again',
    channel: 'email',
    provider: 'ses',
    profile: { name: { full: 'Ada Byron' } },
  });
  expect(contacts('hubspot')).toHaveLength(0);
  const row = { command: 'import', identifiers: ada, toCrms: true };
  await hub.api('POST', '/commands', row);
  await hub.wait(5 * MINUTE);
  expect(contacts('hubspot')).toHaveLength(1);
});

it('a job about a CRM that is not switched on fails with what to do', async () => {
  await open();
  const { state, error } = await run({ crm: 'dynamics' });
  expect([state, error.code]).toEqual(['failed', 'unknown-crm']);
});

it.each(['record', 'new'] as const)(
  'the form of a stranger waits for the decision among several records (%s), then is logged, and changes no record of others',
  async (decision) => {
    await open({ triggers: [] });
    const shared = 'shared@example.com';
    const records = ['Rossi', 'Bianchi'].map((last) => seed('salesforce', { email: shared, last }));
    const before = contacts('salesforce');
    const identifiers = [`email:${shared}`];
    await write(identifiers, { kind: 'form', channel: 'form', provider: 'typeform', claimed: identifiers });
    expect(hub.crms.salesforce.records('Task')).toEqual([]);
    const [review] = (await hub.api('GET', '/reviews')).body.items;
    expect(review).toMatchObject({ type: 'record', crm: 'salesforce', records });
    const record = decision === 'record' ? { record: records[1] } : {};
    await hub.api('POST', '/commands', { command: 'resolve', review: review.id, decision, ...record });
    await hub.wait(5 * MINUTE);
    const all = contacts('salesforce');
    expect(all.slice(0, 2)).toEqual(before);
    const chosen = decision === 'record' ? records[1] : all[2]?.id;
    expect(hub.crms.salesforce.records('Task').map(({ fields }) => fields['WhoId'])).toEqual([chosen]);
    expect((await hub.api('GET', '/reviews')).body.items).toEqual([]);
  },
);
