import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const MINUTE_MS = 60_000;

let hub: TestHub;
beforeAll(async () => {
  hub = await openTestHub();
});
afterAll(() => hub.stop());

const failures = async (): Promise<readonly { readonly code: string; readonly reason: string }[]> =>
  hub.failures();

it.each([
  ['hubspot', 'contacts', ['lastname', 'jobtitle'], 'contacts.lastname does not exist'],
  ['salesforce', 'Contact', ['LastName', 'Title'], 'Contact.LastName does not exist'],
] as const)(
  'the failure of an object that %s refuses lists every fault of its mapping',
  async (crm, object, fields, first) => {
    const ends = fields.map((field) => hub.crms.byName[crm]?.fault({ kind: 'missing-field', object, field }));
    hub.sendInteraction({
      ...{ key: `of-${crm}`, identifiers: [crm === 'hubspot' ? 'phone:+14155551001' : 'phone:+14155551002'] },
      profile: { name: { first: 'Ada', last: 'Byron' }, traits: { title: 'Countess' } },
    });
    await hub.wait(MINUTE_MS);
    const about = (await failures()).find(({ reason }) => reason.includes(`${object} of`));
    expect(about).toMatchObject({ code: 'parked-object', reason: expect.stringContaining(first) });
    for (const field of fields)
      expect(about?.reason).toContain(`contact.fields.${field}: ${object}.${field}`);
    const [shown] = (await hub.api('GET', '/connections')).body.items.filter(
      (one: { readonly crm: string }) => one.crm === crm,
    );
    expect(shown).toMatchObject({
      status: 'limited',
      parked: [{ object, reason: expect.stringContaining(first) }],
    });
    await hub.wait(10 * MINUTE_MS);
    expect((await failures()).filter(({ code }) => code === 'parked-object')).toHaveLength(1);
    for (const end of ends) end?.();
    await hub.wait(60 * MINUTE_MS);
    expect((await failures()).filter(({ code }) => code === 'parked-object')).toEqual([]);
  },
);
