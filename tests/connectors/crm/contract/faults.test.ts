import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultKinds } from '../../../../infra/sandbox/protocol/sandbox.ts';
import { callOf, caught, crms, idIn, people, servicenowByImport, type Workplace, workplace } from './crms.ts';

/** What a write meets, by the kind of fault; `expired-session` and `slow` have tests of their own. */
const expected = {
  'missing-field': { scope: 'object', why: 'setup' },
  'missing-scope': { scope: 'object', why: 'setup' },
  'login-refused': { scope: 'connection', why: 'setup' },
  down: { scope: 'connection', why: 'down' },
  'rate-limited': { scope: 'connection', why: 'throttled', retry: { afterSeconds: expect.any(Number) } },
  'daily-limit': { scope: 'connection', why: 'throttled', retry: { afterSeconds: expect.any(Number) } },
  'lost-response': { scope: 'connection', why: 'down' },
  'row-lock': { scope: 'record', why: 'raced' },
  html: { scope: 'connection', why: 'down' },
} as const;

describe.each([...crms, servicenowByImport])('$connector.title out of order', (crm) => {
  const { contact, key, names } = crm;
  let at: Workplace;

  beforeEach(async () => {
    at = await workplace(crm);
    // The object is known to the session, as it is to a worker that runs.
    await at.contacts([{ key: 'hub:first', fields: { [names.last]: 'First' } }]);
  });
  afterEach(() => at.sandbox.stop());

  /** The fault of a write of two contacts, whether it rejects or each of them bears it. */
  const faultOfWrite = async (): Promise<unknown> => {
    const rows = at.contacts(people(crm, 2));
    const error = await caught(rows);
    if (error !== undefined) return error;
    const [one, other] = (await rows).map((row) => ('fault' in row ? row.fault : undefined));
    expect(other).toMatchObject({ scope: one?.scope, why: one?.why });
    return one;
  };

  it('knows every kind of fault', () => {
    expect(Object.keys(expected).concat('expired-session', 'slow').toSorted()).toEqual(faultKinds.toSorted());
  });

  it.each(Object.entries(expected))('%s', async (kind, fault) => {
    const field = kind === 'missing-field' ? names.email : undefined;
    const end = at.sandbox.fault({
      kind: faultKinds.find((one) => one === kind) ?? 'down',
      object: contact,
      ...(field !== undefined && { field }),
    });
    const met = await faultOfWrite();
    expect(met).toMatchObject({ ...fault, ...(field !== undefined && { field }) });
    expect(met).toMatchObject({ message: expect.not.stringContaining('example.com') });
    end();
    expect(await caught(at.contacts(people(crm, 2)))).toBeUndefined();
    expect(at.sandbox.records(contact)).toHaveLength(3);
  });

  it('a login that is refused stops the opening, or the first call', async () => {
    at.sandbox.fault({ kind: 'login-refused' });
    const opened = at.connected(crm.secretOf(at.sandbox));
    expect(await caught(opened)).toMatchObject({ scope: 'connection', why: 'setup' });
  });

  it('an object that the login may not use is absent from its description', async () => {
    at.sandbox.fault({ kind: 'missing-scope', object: crm.activity.object });
    const described = await (await at.connected()).describe([contact, crm.activity.object], at.call);
    expect([...described.keys()]).toEqual([contact]);
  });

  it('an answer that was lost leaves no double when the write is repeated', async () => {
    at.sandbox.fault({ kind: 'lost-response', times: 1 });
    expect(await caught(at.contacts(people(crm, 5)))).toMatchObject({ scope: 'connection', why: 'down' });
    const repeated = await at.contacts(people(crm, 5));
    expect(new Set(repeated.map(idIn)).size).toBe(5);
    expect(at.sandbox.records(contact)).toHaveLength(6);
  });

  it('two workers that write the same contacts make each once', async () => {
    const other = await at.connected();
    const [one, two] = await Promise.all([
      at.contacts(people(crm, 150)),
      other.upsert(contact, key, people(crm, 150), callOf()),
    ]);
    expect(one?.map(idIn)).toEqual(two?.map(idIn));
    expect(at.sandbox.records(contact)).toHaveLength(151);
  });

  it('renews a session that has expired once', async () => {
    const session = await at.connected(crm.secretOf(at.sandbox));
    const [id = ''] = (await session.upsert(contact, key, people(crm, 1), callOf())).map(idIn);
    at.sandbox.fault({ kind: 'expired-session', times: 1 });
    const before = at.sandbox.requests();
    const known = people(crm, 1).map((one) => ({ ...one, id }));
    const written = await session.upsert(contact, key, known, callOf());
    expect(written).toMatchObject([{ key: 'hub:c0', id: expect.any(String) }]);
    expect(at.sandbox.requests() - before).toBe(1 + crm.requests.oneKnown);
  });

  it('a slow answer ends with the signal, and what it did is found by the repetition', async () => {
    const end = at.sandbox.fault({ kind: 'slow' });
    const aborted = at.contacts(people(crm, 1), callOf({ signal: AbortSignal.timeout(50) }));
    expect(await caught(aborted)).toMatchObject({ scope: 'connection', why: 'down' });
    end();
    await at.contacts(people(crm, 1));
    expect(at.sandbox.records(contact)).toHaveLength(2);
  });

  it('sends nothing after the signal, and nothing that the budget does not allow', async () => {
    const before = at.sandbox.requests();
    const aborted = at.contacts(people(crm, 1), callOf({ signal: AbortSignal.abort() }));
    expect(await caught(aborted)).toMatchObject({ scope: 'connection', why: 'down' });
    const pause = new Error('no call is left');
    const unpaid = at.contacts(people(crm, 1), callOf({ spend: () => Promise.reject(pause) }));
    expect(await caught(unpaid)).toBe(pause);
    expect(at.sandbox.requests()).toBe(before);
  });

  it('a record at fault fails alone, and the others are written', async () => {
    const results = await at.contacts([
      ...people(crm, 2),
      { key: 'hub:bad', fields: crm.refused.fields },
      { key: 'hub:good', fields: { [names.last]: 'Good' } },
    ]);
    expect(results).toMatchObject([
      { id: expect.any(String) },
      { id: expect.any(String) },
      {
        key: 'hub:bad',
        fault: { scope: 'record', why: 'invalid', retry: 'never', field: crm.refused.field },
      },
      { id: expect.any(String) },
    ]);
    expect(JSON.stringify(results)).not.toContain('no address');
  });

  it('a field that the CRM lacks is a fault of the object', async () => {
    const unknown = at.contacts([{ key: 'hub:x', fields: { [names.last]: 'x', nothing__c: 'y' } }]);
    const error = await caught(unknown);
    const [row] = error === undefined ? await unknown : [{ fault: error }];
    expect(row).toMatchObject({ fault: { scope: 'object', why: 'setup', field: 'nothing__c' } });
  });

  it('a key that another record holds already is taken, and names that record', async () => {
    const [holder] = (await at.contacts(people(crm, 1))).map(idIn);
    const id = at.sandbox.seed(contact, { [names.last]: 'Other' });
    expect(await at.contacts([{ key: 'hub:c0', id, fields: { [names.last]: 'Other' } }])).toMatchObject([
      { fault: { scope: 'record', why: expect.stringMatching(/^(?:taken|raced)$/u), records: [holder] } },
    ]);
  });

  it('a record that is gone says so when it is written by its id', async () => {
    const [id = ''] = (await at.contacts(people(crm, 1))).map(idIn);
    await at.session.remove(contact, key, ['hub:c0'], at.call);
    expect(await at.contacts([{ key: 'hub:c0', id, fields: { [names.last]: 'Again' } }])).toMatchObject([
      { fault: { scope: 'record', why: 'gone' } },
    ]);
  });

  it('a record that was merged into another one says so', async () => {
    const [, loser = ''] = (await at.contacts(people(crm, 2))).map(idIn);
    at.sandbox.staff.merge(contact, { [key]: 'hub:c0' }, { [key]: 'hub:c1' });
    const [row] = await at.contacts([{ key: 'hub:c1', id: loser, fields: { [names.first]: 'Late' } }]);
    expect(row).toMatchObject({
      fault: { scope: 'record', why: expect.stringMatching(/^(?:gone|taken)$/u) },
    });
  });
});
