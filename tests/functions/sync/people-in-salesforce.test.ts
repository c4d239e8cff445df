import { afterEach, expect, it } from 'vitest';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import { unsharedToken } from '../../../core/crm/connector.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import { sync } from '../../../functions/sync/sync.ts';
import { type OpenOrg, openOrg } from '../../sandbox/org.ts';
import { openAdoption } from '../../support/crm/adoption.ts';
import { customerOf, linksInMemory, syncPortsOf } from '../../support/crm/in-memory.ts';

const AT = '2026-03-01T09:00:00.000Z';
let org: OpenOrg;
afterEach(() => org.stop());

/** Ada, with the address ada1@example.com and the number +1 415 555 0001, and what she writes. */
const open = async (options: Parameters<typeof openOrg>[0] = {}) => {
  org = await openOrg(options);
  const ada = customerOf(1, 'Ada');
  const interactions = new Map<string, StoredInteraction>();
  const { links, states } = linksInMemory();
  const failures: string[] = [];
  const ports = syncPortsOf(salesforce, org, {
    ...{ customers: new Map([[ada.id, ada]]), interactions, links },
    saveFailure: (_, { message }) => failures.push(message),
  });
  const writes = async (id: string): Promise<void> => {
    interactions.set(id, {
      ...{ id, kind: 'message', channel: 'sms', provider: 'twilio', direction: 'inbound' },
      ...{ occurredAt: AT, receivedAt: AT, identifiers: [...ada.identifiers], text: id },
      ...{ profileId: ada.id, customer: { guest: false } },
    } as unknown as StoredInteraction);
    const message = { profileId: ada.id, interaction: id, occurredAt: AT };
    const waiting = await sync(ports)([{ id, message }]);
    expect([...waiting.values()]).toEqual([]);
    expect(failures).toEqual([]);
  };
  return { writes, states, ada };
};
const tasks = () => org.records('Task').map(({ fields }) => [fields['Description'], fields['WhoId']]);
const only = (object: string) => {
  const [record, ...others] = org.records(object);
  if (record === undefined || others.length > 0) throw new Error(`There is not one ${object}.`);
  return record;
};
const LEAD = { LastName: 'Byron', Company: 'Analytical', Email: 'Ada1@Example.com' };

it('a person who is a lead gets no contact: activity is logged at the lead, until it is converted', async () => {
  const { writes, states, ada } = await open();
  const lead = org.seed('Lead', LEAD);
  await writes('one');
  await writes('two');
  expect(org.records('Contact')).toEqual([]);
  expect(tasks()).toEqual([
    ['one', lead],
    ['two', lead],
  ]);
  expect(states.get(ada.id)).toMatchObject({ record: lead, object: 'Lead', activityOnly: true });
  expect(only('Lead').fields).not.toHaveProperty('FirstName');
  org.staff.convert({ LastName: 'Byron' });
  await writes('three');
  const contact = only('Contact');
  expect(tasks().map(([, who]) => who)).toEqual([contact.id, contact.id, contact.id]);
  expect(contact.fields).toMatchObject({
    ...{ LastName: 'Byron', FirstName: 'Ada', Phone: '+14155550001', Hub_Id__c: 'bench:c1' },
  });
  const state = states.get(ada.id);
  expect([state?.record, state?.object, state?.activityOnly]).toEqual([contact.id, undefined, undefined]);
});

it('a lead that was converted is its contact, whatever address that has by now', async () => {
  const { writes } = await open();
  org.seed('Lead', LEAD);
  org.staff.convert({ LastName: 'Byron' });
  org.staff.update('Contact', { LastName: 'Byron' }, { Email: 'new@example.com' });
  await writes('one');
  expect(only('Contact').fields).toMatchObject({ Email: 'new@example.com', Hub_Id__c: 'bench:c1' });
  expect(tasks()).toEqual([['one', only('Contact').id]]);
});

it('a contact goes before leads of the same address', async () => {
  const { writes } = await open();
  org.seed('Lead', LEAD);
  const contact = org.seed('Contact', { LastName: 'Byron', Email: 'ada1@example.com' });
  await writes('one');
  expect(tasks()).toEqual([['one', contact]]);
});

it('a case, which takes contacts only, is written without the lead', async () => {
  const Metadata = { type: 'Text', length: 64, externalId: true, unique: true };
  await open({ customFields: [{ FullName: 'Case.Hub_Id__c', Metadata }] });
  const lead = org.seed('Lead', LEAD);
  const signal = AbortSignal.timeout(10_000);
  const session = await salesforce.open(org.secret, unsharedToken, signal);
  const record = { key: 'k', fields: { Subject: 'Help' }, links: { ContactId: lead } };
  const call = { signal, spend: async () => undefined, sleep: async () => undefined };
  expect(await session.upsert('Case', 'Hub_Id__c', [record], call)).toEqual([
    { key: 'k', id: only('Case').id },
  ]);
});

it('an org whose leads the hub may not see costs no more requests', async () => {
  const { writes } = await open();
  const end = org.fault({ kind: 'missing-scope', object: 'Lead' });
  await writes('one');
  const signal = AbortSignal.timeout(10_000);
  const session = await salesforce.open(org.secret, unsharedToken, signal);
  const call = { signal, spend: async () => undefined, sleep: async () => undefined };
  const look = () => session.find('Contact', 'email', ['ada1@example.com'], [], call);
  expect((await look()).size).toBe(1);
  const before = org.requests();
  await look();
  expect(org.requests() - before).toBe(1);
  end();
});

it('is found by a number that a lead holds in another spelling', async () => {
  const { writes } = await open();
  const lead = org.seed('Lead', { LastName: 'Byron', Company: 'Analytical', MobilePhone: '(415) 555-0001' });
  await writes('one');
  expect([org.records('Contact').length, tasks()]).toEqual([0, [['one', lead]]]);
});

it.each([
  ['e-mail address', { Email: 'ada1@example.com' }],
  ['number, by which only the account is found', { MobilePhone: '(415) 555-0001' }],
])('a person account is adopted by its %s, and erased as a whole', async (_, fields) => {
  const { writes } = await open({ personAccounts: true });
  const contact = org.staff.createPersonAccount({ LastName: 'Byron', ...fields });
  await writes('one');
  expect(only('Contact')).toMatchObject({ id: contact, fields: { FirstName: 'Ada', Hub_Id__c: 'bench:c1' } });
  expect(only('Account').fields).toMatchObject({ FirstName: 'Ada', Phone: '+14155550001' });
  expect(tasks()).toEqual([['one', contact]]);
  const signal = AbortSignal.timeout(10_000);
  const session = await salesforce.open(org.secret, unsharedToken, signal);
  const call = { signal, spend: async () => undefined, sleep: async () => undefined };
  const removals = await session.remove('Contact', 'Hub_Id__c', ['bench:c1', 'bench:c2'], call);
  expect(removals).toEqual([
    { key: 'bench:c1', found: true },
    { key: 'bench:c2', found: false },
  ]);
  expect([org.records('Contact'), org.records('Account')]).toEqual([[], []]);
});

it('an adoption gives the contact of a converted lead to the customer who was at the lead', async () => {
  const { ada } = await open();
  const lead = org.seed('Lead', LEAD);
  org.staff.convert({ LastName: 'Byron' });
  const adoption = openAdoption(salesforce, org, [ada]);
  adoption.states.set(ada.id, {
    version: 1,
    fields: {},
    profiles: {},
    record: lead,
    object: 'Lead',
    activityOnly: true,
  });
  expect((await adoption.run()).counts).toMatchObject({ read: 1, linked: 1, ambiguous: 0 });
  const state = adoption.states.get(ada.id);
  expect([state?.record, state?.object]).toEqual([only('Contact').id, undefined]);
  expect(only('Contact').fields['Hub_Id__c']).toBe('bench:c1');
});
