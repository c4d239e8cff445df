import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crms, type Workplace, workplace } from './crms.ts';

describe.each(crms)('looking up in $connector.title', (crm) => {
  const { contact, names, secondEmail } = crm;
  let at: Workplace;

  beforeEach(async () => {
    at = await workplace(crm);
  });
  afterEach(() => at.sandbox.stop());

  const seeded = (fields: Readonly<Record<string, string>>): string =>
    at.sandbox.seed(contact, { [names.last]: 'Somebody', ...fields });
  const find = async (by: 'email' | 'phone', values: readonly string[]) => {
    const found = await at.session.find(contact, by, values, [names.last], at.call);
    return Object.fromEntries([...found].map(([value, records]) => [value, records.map(({ id }) => id)]));
  };

  it('by e-mail, in whatever case the record spells it', async () => {
    const ada = seeded({ [names.email]: 'Ada.Lovelace@Example.com' });
    seeded({ [names.email]: 'xada.lovelace@example.com' });
    expect(await find('email', ['ada.lovelace@example.com', 'nobody@example.com'])).toEqual({
      'ada.lovelace@example.com': [ada],
    });
  });

  it('by a further address of a record', async () => {
    const ada = seeded({ [names.email]: 'ada@example.com', [secondEmail]: 'Countess@example.com' });
    expect(await find('email', ['countess@example.com', 'ada@example.com'])).toEqual({
      'countess@example.com': [ada],
      'ada@example.com': [ada],
    });
    const [record] = (await at.session.find(contact, 'email', ['ada@example.com'], [], at.call)).get(
      'ada@example.com',
    ) ?? [undefined];
    expect(record?.emails.map((one) => one.toLowerCase())).toEqual([
      'ada@example.com',
      'countess@example.com',
    ]);
  });

  it('by an address with a quotation mark', async () => {
    const hara = seeded({ [names.email]: "o'hara@example.com" });
    expect(await find('email', ["o'hara@example.com"])).toEqual({ "o'hara@example.com": [hara] });
  });

  it.each([
    ['+14155550123', '+1 415 555 0123'],
    ['+14155550123', '+1 (415) 555-0123'],
    ['+14155550123', '(415) 555-0123'],
    ['+14155550123', '415.555.0123'],
    ['+14155550123', '4155550123'],
    ['+14155550123', '1-415-555-0123'],
    ['+390552100011', '+39 055 210 0011'],
    ['+390552100011', '055 2100011'],
    ['+390552100011', '0039 055 2100011'],
    ['+447911123456', '+44 7911 123456'],
    ['+447911123456', '07911 123456'],
    ['+447911123456', '+44 (0)7911 123456'],
    ['+4930901820', '030 / 90 18 20'],
    ['+4930901820', '+49 30 901820'],
  ])('by phone: %s is found as %s', async (wanted, typed) => {
    const one = seeded({ [names.phone]: typed });
    const other = seeded({ [names.mobile]: typed });
    seeded({ [names.phone]: `${typed}9` });
    expect(await find('phone', [wanted])).toEqual({ [wanted]: expect.toSatisfy(sameIds([one, other])) });
  });

  it('by phone: a number of another country is another number', async () => {
    seeded({ [names.phone]: '+44 415 555 0123' });
    seeded({ [names.phone]: '+1 415 555 0124' });
    expect(await find('phone', ['+14155550123'])).toEqual({});
  });

  it('by a field of its own, with as many records as hold the value', async () => {
    const [one, two] = [seeded({ [names.first]: 'Ada' }), seeded({ [names.first]: 'Ada' })];
    seeded({ [names.first]: 'Adam' });
    const found = await at.session.find(
      contact,
      { field: names.first },
      ['Ada', 'Eve'],
      [names.last],
      at.call,
    );
    expect([...found.keys()]).toEqual(['Ada']);
    expect(found.get('Ada')?.map(({ id }) => id)).toSatisfy(sameIds([one, two]));
    expect(found.get('Ada')?.[0]?.fields).toEqual({
      [names.last]: 'Somebody',
      ...(found.get('Ada')?.[0]?.fields ?? {}),
    });
  });

  it('a thousand phones, in spite of limits of searches by the second', async () => {
    const numbers = Array.from({ length: 1000 }, (_, index) => `+3905521${String(index).padStart(4, '0')}`);
    const last = seeded({ [names.phone]: '055 21 09 99' });
    expect(await find('phone', numbers)).toEqual({ '+39055210999': [last] });
  });

  it('finds several records by one phone, and none that was deleted', async () => {
    const [one, two] = [
      seeded({ [names.phone]: '+39 055 2100011', [names.first]: 'Ada' }),
      seeded({ [names.phone]: '055 2100011', [names.first]: 'Bob' }),
    ];
    seeded({ [names.phone]: '055 2100011', [names.first]: 'Eve' });
    at.sandbox.staff.delete(contact, { [names.first]: 'Eve' });
    expect(await find('phone', ['+390552100011'])).toEqual({
      '+390552100011': expect.toSatisfy(sameIds([one, two])),
    });
  });
});

const sameIds =
  (ids: readonly string[]) =>
  (found: readonly string[]): boolean =>
    found.toSorted().join() === ids.toSorted().join();
