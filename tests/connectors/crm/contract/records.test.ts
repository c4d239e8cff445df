import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callOf, crms, idIn, people, servicenowByImport, type Workplace, workplace } from './crms.ts';

describe.each([...crms, servicenowByImport])('the records of $connector.title', (crm) => {
  const { key, contact, names, activity } = crm;
  let at: Workplace;

  beforeEach(async () => {
    at = await workplace(crm);
  });
  afterEach(() => at.sandbox.stop());

  const readFields = (ids: readonly string[], fields: readonly string[]) =>
    at.session.read(contact, ids, fields, at.call);

  it('describes an object, and leaves out one that the CRM does not have', async () => {
    const described = await at.session.describe([contact, 'Butterfly__c'], at.call);
    expect([...described.keys()]).toEqual([contact]);
    const fields = described.get(contact);
    expect(fields?.get(key)).toMatchObject({ type: 'text', isKey: true, writable: true, required: false });
    expect(fields?.get(names.last)).toMatchObject({ type: 'text', isKey: false, writable: true });
    expect(fields?.get(crm.readOnly)).toMatchObject({ type: 'datetime', writable: false });
    expect(fields?.has('Nothing__c')).toBe(false);
  });

  it('creates the field of the key, by which records are written then; a second time is none', async () => {
    const bare = await workplace(crm, { isPrepared: false });
    try {
      for (const _ of [1, 2]) await bare.session.createKeyField?.(contact, key, at.call);
      const described = await bare.session.describe([contact], at.call);
      expect(described.get(contact)?.get(key)).toMatchObject({ isKey: true, writable: true });
      const [first] = await bare.contacts(people(crm, 1));
      const [again] = await bare.contacts(people(crm, 1));
      expect(idIn(again)).toBe(idIn(first));
    } finally {
      await bare.sandbox.stop();
    }
  });

  it('makes records by the key, and changes them by it when they are written again', async () => {
    const first = await at.contacts(people(crm, 3));
    const again = await at.contacts(
      people(crm, 3).map((one) => ({ ...one, fields: { ...one.fields, [names.first]: 'Ada' } })),
    );
    expect(again.map(idIn)).toEqual(first.map(idIn));
    expect(at.sandbox.records(contact)).toMatchObject(
      people(crm, 3).map((one) => ({ fields: { ...one.fields, [key]: one.key, [names.first]: 'Ada' } })),
    );
  });

  it('writes by the CRM’s id where it is known, and gives that record the key', async () => {
    const id = at.sandbox.seed(contact, { [names.last]: 'Old', [names.email]: 'ada@example.com' });
    const [result] = await at.contacts([{ key: 'hub:ada', id, fields: { [names.first]: 'Ada' } }]);
    expect(idIn(result)).toBe(id);
    expect(at.sandbox.records(contact)).toMatchObject([
      { id, fields: { [names.last]: 'Old', [names.first]: 'Ada', [key]: 'hub:ada' } },
    ]);
  });

  it('empties a field with null, and leaves alone what is not named', async () => {
    const [made] = await at.contacts([
      { key: 'hub:a', fields: { [names.last]: 'A', [names.first]: 'Ada', [names.phone]: '+39055210001' } },
    ]);
    await at.contacts([{ key: 'hub:a', fields: { [names.phone]: null } }]);
    const read = (await readFields([idIn(made)], [names.first, names.phone])).get(idIn(made));
    expect(read?.fields[names.first]).toBe('Ada');
    expect(read?.fields[names.phone] ?? '').toBe('');
    expect(read?.phones).toEqual([]);
  });

  it('takes a key of any characters', async () => {
    const odd = ['hub:a/b', 'hub:a?b=c&d', 'hub:#%20', "hub:o'hara", 'hub:\\"x"', 'hub:è,ü'];
    const written = await at.contacts(odd.map((one) => ({ key: one, fields: { [names.last]: 'x' } })));
    const again = await at.contacts(odd.map((one) => ({ key: one, fields: { [names.last]: 'y' } })));
    expect(again.map(idIn)).toEqual(written.map(idIn));
    expect(at.sandbox.records(contact).map(({ fields }) => fields[key])).toEqual(odd);
    const found = await at.session.find(contact, { field: key }, odd, [], at.call);
    expect(odd.map((one) => found.get(one)?.map(({ id }) => id))).toEqual(written.map((one) => [idIn(one)]));
  });

  it('links an activity to its contact, once, and to another one later', async () => {
    const [ada, bob] = (await at.contacts(people(crm, 2))).map(idIn);
    const log = (to = '') =>
      at.session.upsert(
        activity.object,
        key,
        [{ key: 'hub:i1', fields: { ...activity.fields }, links: { [activity.link]: to } }],
        at.call,
      );
    const [logged] = await log(ada);
    await log(ada);
    expect(at.sandbox.records(activity.object)).toHaveLength(1);
    expect(crm.linked(at.sandbox, idIn(logged))).toEqual([ada]);
    await log(bob);
    expect(crm.linked(at.sandbox, idIn(logged))).toContain(bob);
  });

  it('a link to a contact that is gone is the fault of that record, and names the link', async () => {
    const [ada, bob] = (await at.contacts(people(crm, 2))).map(idIn);
    await at.session.remove(contact, key, ['hub:c1'], at.call);
    const logged = await at.session.upsert(
      activity.object,
      key,
      [ada, bob].map((to = '', index) => ({
        ...{ key: `hub:i${index}`, fields: { ...activity.fields }, links: { [activity.link]: to } },
      })),
      at.call,
    );
    expect(logged).toMatchObject([
      { key: 'hub:i0', id: expect.any(String) },
      { key: 'hub:i1', fault: { scope: 'record', why: 'gone', field: activity.link } },
    ]);
  });

  it('reads by id: the deleted are absent, a merged one is the one that remains where the CRM merges', async () => {
    const [one = '', two = '', three = '', four = ''] = (await at.contacts(people(crm, 4))).map(idIn);
    await at.session.remove(contact, key, ['hub:c3'], at.call);
    at.sandbox.staff.merge(contact, { [key]: 'hub:c0' }, { [key]: 'hub:c1' });
    const read = await readFields([one, two, three, four, one], [names.last, key]);
    const remains = at.sandbox.records(contact).find(({ fields }) => fields[names.last] === 'Name 0')?.id;
    expect([one, two].map((id) => read.get(id)?.id)).toEqual([remains, crm.merges ? remains : undefined]);
    expect(read.get(three)).toMatchObject({ id: three, fields: { [names.last]: 'Name 2', [key]: 'hub:c2' } });
    expect(read.has(four)).toBe(false);
  });

  it('tells who made a record: staff, or the hub itself, which may have written what a visitor typed', async () => {
    const [ours = ''] = (await at.contacts(people(crm, 1))).map(idIn);
    const theirs = at.sandbox.staff.create(contact, {
      [names.last]: 'Lovelace',
      [names.email]: 'ada@example.com',
      [names.phone]: '+39 055 210001',
    });
    const read = await readFields([ours, theirs], [names.last]);
    expect(read.get(ours)?.byStaff).toBe(false);
    expect(read.get(theirs)).toMatchObject({
      ...{ byStaff: true, emails: ['ada@example.com'], phones: ['+39 055 210001'] },
      fields: { [names.last]: 'Lovelace' },
    });
  });

  it('lists every record once, some hundred at a time', async () => {
    const written = (await at.contacts(people(crm, 1203))).map(idIn);
    const listed: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await at.session.list(contact, [key], cursor, at.call);
      listed.push(...page.records.map(({ id }) => id));
      cursor = page.next;
      pages++;
    } while (cursor !== undefined && pages < 50);
    expect(pages).toBeGreaterThan(1);
    expect(listed.toSorted()).toEqual(written.toSorted());
  });

  it('removes by the key; what is not there was not found', async () => {
    await at.contacts(people(crm, 3));
    expect(await at.session.remove(contact, key, ['hub:c0', 'hub:nobody', 'hub:c2'], at.call)).toEqual([
      { key: 'hub:c0', found: true },
      { key: 'hub:nobody', found: false },
      { key: 'hub:c2', found: true },
    ]);
    expect(at.sandbox.records(contact).map(({ fields }) => fields[key])).toEqual(['hub:c1']);
    expect(await at.session.remove(contact, key, ['hub:c0'], at.call)).toEqual([
      { key: 'hub:c0', found: false },
    ]);
  });

  it('examines the account, whichever way the hub has logged in', async () => {
    for (const secret of [at.sandbox.secret, crm.secretOf(at.sandbox)]) {
      const findings = await (await at.connected(secret)).examine(callOf({ now: Date.now }));
      expect(findings.length).toBeGreaterThan(2);
      expect(findings.filter(({ ok }) => !ok)).toEqual([]);
      expect(findings.filter(({ says }) => /does not tell/u.test(says))).toEqual([]);
    }
  });

  it('needs no more requests than there are batches', async () => {
    const { requests } = crm;
    const spent = async (work: (call: ReturnType<typeof callOf>) => Promise<unknown>): Promise<number> => {
      let reserved = 0;
      const before = at.sandbox.requests();
      await work(
        callOf({
          spend: async () => {
            reserved++;
          },
        }),
      );
      expect(reserved).toBe(at.sandbox.requests() - before);
      return reserved;
    };
    const thousand = people(crm, 1000);
    let ids: string[] = [];
    const counted = {
      thousandNew: await spent(async (call) => {
        ids = (await at.contacts(thousand, call)).map(idIn);
      }),
      thousandKnown: await spent((call) =>
        at.contacts(
          thousand.map((one, index) => ({ ...one, id: ids[index] ?? '' })),
          call,
        ),
      ),
      oneKnown: await spent((call) =>
        at.contacts(
          people(crm, 1).map((one) => ({ ...one, id: ids[0] ?? '' })),
          call,
        ),
      ),
      thousandEmails: await spent((call) =>
        at.session.find(
          contact,
          'email',
          thousand.map((_, index) => `p${index}@example.com`),
          [],
          call,
        ),
      ),
      hundredPhones: await spent((call) =>
        at.session.find(
          contact,
          'phone',
          Array.from({ length: 100 }, (_, index) => `+3905521${String(index).padStart(4, '0')}`),
          [],
          call,
        ),
      ),
      thousandIds: await spent((call) => at.session.read(contact, ids, [key], call)),
    };
    expect(counted).toEqual(requests);
  });
});
