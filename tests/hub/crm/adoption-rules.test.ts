import { afterEach, expect, it } from 'vitest';
import { configKey } from '../../../functions/contracts/keys.ts';
import { type Crm, crmIds, type FullCrm, openFullCrm } from '../../support/crm/full-crm.ts';

const MINUTE = 60_000;

let full: FullCrm;
afterEach(() => full.close());

/** Changes the contact of a CRM's mapping, as `hub apply` does. */
const remap = async (crm: Crm, contact: object): Promise<void> => {
  const [row] = await full.hub.table.get([configKey(`crm/${crm}`)]);
  const body = Object(row)['body'];
  await full.hub.table.put({
    ...configKey(`crm/${crm}`),
    ...Object(row),
    body: { ...body, contact: { ...body.contact, ...contact } },
  });
  await full.hub.wait(2 * MINUTE);
};
const keyOf = (record: string): unknown =>
  full.contacts().find(({ id }) => id === record)?.fields[full.fieldOf('key')] || undefined;

it.each([
  ['newest', 1],
  ['oldest', 0],
] as const)(
  'ambiguous: %s chooses among records with one address, never among those with one number',
  async (ambiguous, chosen) => {
    full = await openFullCrm('salesforce');
    await remap('salesforce', { ambiguous });
    const ofAddress = [{ email: 'ada@example.com' }, { email: 'Ada@Example.com' }].map(full.seed);
    const ofNumber = [{ phone: '(415) 555-0140' }, { phone: '415-555-0140 ext. 2' }].map(full.seed);
    const ofOthers = [{ email: 'bob@example.com' }, { email: 'bob@example.com' }].map(full.seed);
    full.write(['email:ada@example.com', 'phone:+14155550140'], 'hello');
    await full.hub.wait(5 * MINUTE);
    await full.ended(await full.start());
    expect(await full.trouble()).toEqual([]);
    for (const [records, identifier] of [
      [ofAddress, 'email:ada@example.com'],
      [ofOthers, 'email:bob@example.com'],
    ] as const) {
      const key = `acme:${(await full.customer(identifier)).id}`;
      expect(records.map(keyOf)).toEqual(chosen === 0 ? [key, undefined] : [undefined, key]);
    }
    // Nobody knows which of the two wrote, so there is a third one.
    expect(ofNumber.map(keyOf)).toEqual([undefined, undefined]);
    expect(full.contacts()).toHaveLength(7);
  },
);

it.each(crmIds)('ambiguous: review asks which of two records in %s with one number is meant', async (crm) => {
  full = await openFullCrm(crm);
  const records = [{ phone: '(415) 555-0140' }, { phone: '1 415 555 0140' }].map(full.seed);
  full.write(['phone:+14155550140'], 'hello');
  await full.hub.wait(5 * MINUTE);
  expect(await full.trouble()).toMatchObject([{ type: 'record', crm, records }]);
  const job = await full.ended(await full.start());
  expect(job).toMatchObject({ state: 'succeeded', progress: { counts: { read: 2, linked: 0 } } });
  expect(await full.trouble()).toMatchObject([{ type: 'record', crm, records }]);
  expect(records.map(keyOf)).toEqual([undefined, undefined]);
  expect(full.contacts()).toHaveLength(2);
});

it.each(crmIds)(
  'an adoption of %s ends when it is cancelled; two more at once, beside people who write, double nobody',
  async (crm) => {
    let slices = 0;
    let cancelled = '';
    full = await openFullCrm(crm, {
      around: async (invoke, target, event) => {
        const answer = await invoke(target, event);
        const isSlice = cancelled !== '' && JSON.stringify(event).includes(cancelled);
        if (isSlice && ++slices === 2) await full.hub.api('POST', `/jobs/${cancelled}/cancel`);
        return answer;
      },
    });
    const people = Array.from({ length: 30 }, (_, number) => `p${number}@example.com`);
    for (const email of people) full.seed({ email });
    cancelled = await full.start();
    expect(await full.ended(cancelled)).toMatchObject({ state: 'cancelled' });
    expect(full.keyed().size).toBeLessThan(30);
    const jobs = [await full.start(), await full.start()];
    full.write(
      people.slice(0, 10).map((email) => `email:${email}`),
      'hello',
    );
    for (const id of jobs)
      expect(await full.ended(id)).toMatchObject({
        ...{ state: 'succeeded', progress: { counts: { read: 30, linked: 30, ambiguous: 0 } } },
      });
    await full.hub.wait(20 * MINUTE);
    expect(full.contacts()).toHaveLength(30);
    expect([...full.keyed().values()].map(({ length }) => length)).toEqual(Array(30).fill(1));
    expect(await full.trouble()).toEqual([]);
  },
);

it.each(crmIds)(
  'a form adopts nobody in %s and changes no field, before and after the adoption',
  async (crm) => {
    full = await openFullCrm(crm);
    const record = full.seed({ email: 'sofia@example.com', phone: '(415) 555-0140', last: 'Duarte' });
    const held = () => {
      const { [full.fieldOf('key')]: key, ...fields } =
        full.contacts().find(({ id }) => id === record)?.fields ?? {};
      const shown = ['first', 'last', 'email', 'phone', 'mobile'] as const;
      return { key, fields: shown.map((name) => fields[full.fieldOf(name)] ?? '') };
    };
    const before = held();
    const fill = async (key: string): Promise<void> => {
      const identifiers = ['email:sofia@example.com', 'phone:+14155550199'];
      full.hub.sendInteraction({
        ...{ key, kind: 'form', channel: 'form', provider: 'typeform', text: 'Call me', identifiers },
        ...{ claimed: identifiers, profile: { name: { first: 'Mallory', last: 'Mallory' } } },
      });
      await full.hub.wait(5 * MINUTE);
    };
    await fill('before');
    expect(held()).toEqual(before);
    await full.ended(await full.start());
    const { id } = await full.customer('email:sofia@example.com');
    const adopted = held();
    expect(adopted).toEqual({ key: `acme:${id}`, fields: before.fields });
    await fill('after');
    expect(held()).toEqual(adopted);
    expect(full.contacts()).toHaveLength(1);
    expect(await full.trouble()).toEqual([]);
  },
);

it('the record of somebody who was erased, brought back by staff, makes nobody', async () => {
  full = await openFullCrm('salesforce');
  full.seed({ email: 'ada@example.com' });
  full.write(['email:ada@example.com'], 'hello');
  await full.hub.wait(5 * MINUTE);
  const { id } = (await full.hub.api('POST', '/erasures', { customer: 'email:ada@example.com' })).body;
  await full.hub.wait(60 * MINUTE);
  expect((await full.hub.api('GET', `/erasures/${id}`)).body).toMatchObject({ state: 'succeeded' });
  expect(full.contacts()).toEqual([]);
  full.hub.crms.salesforce.staff.undelete('Contact', { Email: 'ada@example.com' });
  await full.hub.wait(5 * MINUTE);
  expect(await full.ended(await full.start())).toMatchObject({
    progress: { counts: { read: 1, linked: 0, erased: 1 } },
  });
  expect((await full.hub.front('GET', '/customers?identifier=email:ada@example.com')).status).toBe(404);
  expect(await full.trouble()).toEqual([]);
});

it.each(crmIds)(
  'a second record of an erased person in %s, which the hub never had, makes nobody; a later one is a new person',
  async (crm) => {
    full = await openFullCrm(crm);
    full.write(['phone:+14155550140', 'email:bob@example.com'], 'hello');
    await full.hub.wait(5 * MINUTE);
    const second = full.seed({ phone: '+14155550140' });
    const { id } = (await full.hub.api('POST', '/erasures', { customer: 'phone:+14155550140' })).body;
    await full.hub.wait(60 * MINUTE);
    expect((await full.hub.api('GET', `/erasures/${id}`)).body).toMatchObject({ state: 'succeeded' });
    expect(await full.ended(await full.start())).toMatchObject({
      progress: { counts: { read: 2, linked: 1, erased: 1, ambiguous: 0 } },
    });
    expect((await full.hub.front('GET', '/customers?identifier=phone:%2B14155550140')).status).toBe(404);
    expect(keyOf(second)).toBeUndefined();
    const later = full.create({ phone: '+14155550140' });
    expect(await full.ended(await full.start())).toMatchObject({
      progress: { counts: { read: 3, linked: 2, erased: 1, ambiguous: 0 } },
    });
    expect(keyOf(later)).toBe(`acme:${(await full.customer('phone:+14155550140')).id}`);
    expect(keyOf(second)).toBeUndefined();
    expect(await full.trouble()).toEqual([]);
  },
);
