import { afterEach, expect, it } from 'vitest';
import { syncStateKey } from '../../../functions/contracts/keys.ts';
import { openTestHub, type TestHub, type TestHubOptions } from '../../support/open-test-hub.ts';

const MINUTE = 60_000;
const crms = {
  hubspot: { object: 'contacts', email: 'email', phone: 'phone', first: 'firstname', last: 'lastname', key: 'hub_id' },
  salesforce: {
    ...{ object: 'Contact', email: 'Email', phone: 'Phone', first: 'FirstName', last: 'LastName' },
    key: 'Hub_Id__c',
  },
} as const;
type Crm = keyof typeof crms;

let hub: TestHub;
afterEach(() => hub.stop());
const open = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await openTestHub({ connectCrms: true, ...options });
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
      ...(kind !== 3 && { email: kind === 0 ? ` Person${number}@Example.COM` : `person${number}@example.com` }),
      ...(kind !== 1 && { phone: kind === 2 ? `+1 ${local}` : local }),
    });
  }
};

it.each([
  ['hubspot', 100],
  ['salesforce', 1000],
] as const)('a thousand contacts of %s cost some calls per page of %i, and live traffic doubles nobody', async (crm, perPage) => {
  await open();
  fill(crm, 1000);
  // Half of those without an e-mail address are customers already, known by their number.
  for (let number = 3; number < 1000; number += 8)
    hub.sendInteraction({
      ...{ key: `n${number}`, kind: 'message', channel: 'sms', provider: 'standard', text: 'Hi' },
      identifiers: [`phone:+1415${5550000 + number}`],
    });
  hub.crms[crm].fault({ kind: 'down', times: 10_000 })();
  const dry = await run({ crm, dryRun: true });
  const before = hub.crms[crm].requests();
  const real = await run({ crm });
  const { counts } = real.progress;
  console.log(JSON.stringify({ crm, dry: dry.progress, real: real.progress, requests: hub.crms[crm].requests() - before }));
  expect(dry.progress.counts).toEqual(counts);
  expect(contacts(crm)).toHaveLength(1000);
  expect(await hub.failures()).toEqual([]);
  const keys = contacts(crm).flatMap(({ fields }) => fields[crms[crm].key] || []);
  expect(new Set(keys).size).toBe(keys.length);
  // Those of whom the hub cannot know the number's country are met when they write.
  await write(['phone:+14155550007']);
  await write(['email:person1@example.com']);
  expect(contacts(crm)).toHaveLength(1000);
  expect(hub.crms[crm].requests(perPage === 100 ? 'search' : '/search')).toBeLessThan(30);
});
