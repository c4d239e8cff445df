import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import { type Call, type CrmRecord, type CrmSession, unsharedToken } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { HubError } from '../../../core/errors.ts';
import { ofRecord, ofRequest } from './salesforce-answers.ts';
import {
  accept,
  described,
  rowsOf,
  type Said,
  type ScriptedSalesforce,
  type Sent,
  scriptedSalesforce,
} from './scripted-salesforce.ts';

let server: ScriptedSalesforce;
let session: CrmSession;
let spent: number;
let observed: unknown[];
let call: Call;

const KEY = 'Hub_Id__c';
const people = (count: number, from = 0): CrmRecord[] =>
  Array.from({ length: count }, (_, at) => ({
    key: `c${from + at}`,
    fields: { LastName: `Name ${from + at}` },
  }));
const credentials = () => ({ loginUrl: server.url, clientId: 'app', clientSecret: 'secret' });
const open = (more: object = {}): Promise<CrmSession> =>
  salesforce.open({ ...credentials(), ...more }, unsharedToken, AbortSignal.timeout(60_000));
const caught = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const sums = (some: readonly unknown[]): string[] =>
  some.map((one) => (typeof one === 'object' && one !== null && 'fault' in one ? 'fault' : 'ok'));
/** The fault as a plain value, without what is not expected. */
const plain = (fault: unknown) => {
  if (!(fault instanceof CrmFault)) return fault;
  const { scope, why, field, records, retry } = fault;
  return {
    ...{ scope, why },
    ...(field !== undefined && { field }),
    ...(records.length > 0 && { records }),
    ...(typeof retry === 'object' && retry),
  };
};

beforeEach(async () => {
  server = await scriptedSalesforce();
  server.script.part = described(accept);
  session = await open();
  spent = 0;
  observed = [];
  call = {
    signal: AbortSignal.timeout(60_000),
    spend: async () => {
      spent++;
    },
    sleep: async () => {},
    observe: (allowance) => observed.push(allowance),
  };
});
afterEach(() => server.stop());

describe('an upsert', () => {
  it('takes one request for 1,000 records, beside one that describes the object', async () => {
    const results = await session.upsert('Contact', KEY, people(1000), call);
    expect(new Set(sums(results))).toEqual(new Set(['ok']));
    expect(results.map(({ key }) => key)).toEqual(people(1000).map(({ key }) => key));
    expect(server.requests).toHaveLength(2);
    await session.upsert('Contact', KEY, people(1000, 1000), call);
    expect(server.requests).toHaveLength(3);
    expect(spent).toBe(3);
    expect(observed.at(-1)).toEqual({ used: 25, limit: 15_000, perSeconds: 86_400 });
    expect(
      server.requests.every(({ headers }) => headers['sforce-call-options'] === 'client=tributary'),
    ).toBe(true);
  });

  it('describes nothing for records whose ids are known', async () => {
    const known = people(1000).map((one, at) => ({ ...one, id: `003${String(at).padStart(12, '0')}AAA` }));
    const parts: Sent[] = [];
    server.script.part = (sent) => {
      parts.push(sent);
      return accept(sent);
    };
    const results = await session.upsert('Contact', KEY, known, call);
    expect(results[7]).toEqual({ key: 'c7', id: known[7]?.id });
    expect(server.requests).toHaveLength(1);
    expect(parts.map(({ path }) => path)).toEqual(Array(5).fill('/composite/sobjects'));
    expect(rowsOf(parts[0] as Sent)[0]).toEqual({
      ...{ attributes: { type: 'Contact' }, id: known[0]?.id },
      ...{ LastName: 'Name 0', [KEY]: 'c0' },
    });
  });

  it('writes a key of any characters, its links, and the later of two records with one key', async () => {
    const parts: Sent[] = [];
    server.script.part = described((sent) => {
      parts.push(sent);
      return accept(sent);
    });
    const odd = "hub/4?2 'ä";
    const results = await session.upsert(
      'Contact',
      KEY,
      [
        { key: odd, fields: { LastName: 'old' } },
        { key: odd, fields: { LastName: 'new', type: 'x' }, links: { AccountId: '001' } },
      ],
      call,
    );
    expect(sums(results)).toEqual(['ok', 'ok']);
    expect(parts.map(({ path }) => path)).toEqual([`/composite/sobjects/Contact/${KEY}`]);
    expect(rowsOf(parts[0] as Sent)).toEqual([
      { attributes: { type: 'Contact' }, LastName: 'new', type: 'x', AccountId: '001', [KEY]: odd },
    ]);
  });

  it('puts records of one parent beside each other', async () => {
    let order: unknown[] = [];
    server.script.part = described((sent) => {
      order = rowsOf(sent).map((row) => row['AccountId']);
      return accept(sent);
    });
    const records = people(6).map((one, at) => ({ ...one, links: { AccountId: `001${at % 2}` } }));
    const results = await session.upsert('Contact', KEY, records, call);
    expect(order).toEqual(['0010', '0010', '0010', '0011', '0011', '0011']);
    expect(results.map(({ key }) => key)).toEqual(records.map(({ key }) => key));
  });

  it('looks up by a key that is no external id, updates what is there and creates the rest', async () => {
    const writes: Sent[] = [];
    server.script.part = described((sent) => {
      if (sent.method === 'GET')
        return { body: { totalSize: 1, records: [{ Id: '00T000000000001AAA', [KEY]: 'c1' }], done: true } };
      writes.push(sent);
      return accept(sent);
    });
    const results = await session.upsert('Task', KEY, people(1000), call);
    expect(results[1]).toEqual({ key: 'c1', id: '00T000000000001AAA' });
    expect(new Set(sums(results))).toEqual(new Set(['ok']));
    const [updates, ...created] = writes;
    expect(updates?.method).toBe('PATCH');
    expect(rowsOf(updates as Sent)).toHaveLength(1);
    expect(created.map(({ method }) => method)).toEqual(Array(5).fill('POST'));
    // A description, the look-up, and six collections in two requests.
    expect(server.requests).toHaveLength(4);
  });

  it('writes a task that is there without what only a new one takes', async () => {
    const writes: Record<string, unknown>[] = [];
    server.script.part = described((sent) => {
      const [row = {}] = rowsOf(sent);
      writes.push(row);
      if (!('TaskSubtype' in row)) return accept(sent);
      const message = 'Unable to create/update fields: TaskSubtype.';
      const errors = [{ statusCode: 'INVALID_FIELD_FOR_INSERT_UPDATE', message, fields: ['TaskSubtype'] }];
      return { body: [{ success: false, errors }] };
    });
    const record = { key: 'i1', id: '00T000000000001AAA', fields: { Subject: 'x', TaskSubtype: 'Call' } };
    expect(await session.upsert('Task', KEY, [record], call)).toEqual([{ key: 'i1', id: record.id }]);
    expect(writes).toHaveLength(2);
  });

  it('halves a collection that is refused as a whole until the record at fault is alone', async () => {
    server.script.part = described((sent) =>
      rowsOf(sent).some((row) => row['LastName'] === 'Name 137')
        ? {
            status: 400,
            body: [{ errorCode: 'JSON_PARSER_ERROR', message: 'Cannot deserialize secret value' }],
          }
        : accept(sent),
    );
    const results = await session.upsert('Contact', KEY, people(1000), call);
    const faults = results.flatMap((one) =>
      'fault' in one ? [[one.key, one.fault.why, one.fault.scope]] : [],
    );
    expect(faults).toEqual([['c137', 'invalid', 'record']]);
    // Each further request carries both halves: 100, 50, 25, 13, 6, 3 and one or two records.
    expect(server.requests).toHaveLength(2 + 7);
  });

  it('halves a request that is refused as a whole', async () => {
    server.script.whole = ({ body }) =>
      JSON.stringify(body).includes('"Name 137"')
        ? { status: 400, body: [{ errorCode: 'JSON_PARSER_ERROR', message: 'Unexpected character' }] }
        : undefined;
    const results = await session.upsert('Contact', KEY, people(300), call);
    expect(results.flatMap((one) => ('fault' in one ? [one.key] : []))).toEqual(['c137']);
  });

  it('keeps what a customer wrote out of the reason', async () => {
    const message = 'Email: invalid email address: ada@secret';
    server.script.part = described(() => ({
      body: [
        { success: false, errors: [{ statusCode: 'INVALID_EMAIL_ADDRESS', message, fields: ['Email'] }] },
      ],
    }));
    const [result] = await session.upsert('Contact', KEY, people(1), call);
    const reason = result !== undefined && 'fault' in result ? result.fault.message : '';
    expect(reason).toContain('INVALID_EMAIL_ADDRESS (Email)');
    expect(reason).not.toContain('secret');
  });

  it('tries a locked row again, apart from the others, and returns it as raced after some times', async () => {
    const tries: string[][] = [];
    let locks = 2;
    server.script.part = described((sent) => {
      const rows = rowsOf(sent);
      tries.push(rows.map((row) => String(row[KEY])));
      return {
        body: rows.map((row, at) =>
          row[KEY] === 'c1' && locks-- > 0
            ? {
                success: false,
                errors: [
                  {
                    statusCode: 'UNABLE_TO_LOCK_ROW',
                    message:
                      'unable to obtain exclusive access to this record or 1 records: 001xx000003DGb2AAG',
                    fields: [],
                  },
                ],
              }
            : { id: `00300000000000${at}AAA`, success: true, created: false, errors: [] },
        ),
      };
    });
    expect(sums(await session.upsert('Contact', KEY, people(3), call))).toEqual(['ok', 'ok', 'ok']);
    expect(tries).toEqual([['c0', 'c1', 'c2'], ['c1'], ['c1']]);
    locks = 100;
    const [, held] = await session.upsert('Contact', KEY, people(3), call);
    expect(held !== undefined && 'fault' in held && plain(held.fault)).toEqual({
      scope: 'record',
      why: 'raced',
    });
    expect(tries.length).toBe(3 + 1 + 3);
  });

  it('gives every record of a half answer its own result', async () => {
    server.script.part = described((sent) => {
      const { body } = accept(sent);
      return { body: Array.isArray(body) ? body.slice(0, 2) : body };
    });
    expect(sums(await session.upsert('Contact', KEY, people(4), call))).toEqual([
      'ok',
      'ok',
      'fault',
      'fault',
    ]);
  });

  it.each(Object.entries(ofRecord))('classifies %s', async (_, [said, expected]) => {
    server.script.part = described(() => said);
    const [result] = await session.upsert('Contact', KEY, people(1), call);
    expect(plain(result !== undefined && 'fault' in result ? result.fault : result)).toEqual(expected);
  });

  it.each(Object.entries(ofRequest))(
    'rejects for %s, and keeps what was written before',
    async (_, [said, expected]) => {
      await session.upsert('Contact', KEY, people(1), call);
      server.script.whole = () => said;
      expect(plain(await caught(session.upsert('Contact', KEY, people(1), call)))).toEqual(expected);
      let requests = 0;
      server.script.whole = () => (requests++ === 0 ? undefined : said);
      const results = await session.upsert('Contact', KEY, people(1001), call);
      expect(sums(results)).toEqual([...Array(1000).fill('ok'), 'fault']);
      const last = results.at(-1);
      expect(plain(last !== undefined && 'fault' in last ? last.fault : last)).toEqual(expected);
      expect(requests).toBe(2);
    },
  );

  it('passes the pause of the hub on, and keeps what was written before it', async () => {
    await session.upsert('Contact', KEY, people(1), call);
    let left = 1;
    const spend = async (): Promise<void> => {
      if (left-- <= 0) throw new HubError('crm-pause', 'paused', { retry: { afterSeconds: 30 } });
    };
    const results = await session.upsert('Contact', KEY, people(1001), { ...call, spend });
    expect(sums(results).filter((one) => one === 'ok')).toHaveLength(1000);
    const last = results.at(-1);
    expect(plain(last !== undefined && 'fault' in last ? last.fault : last)).toEqual({
      ...{ scope: 'connection', why: 'throttled', afterSeconds: 30 },
    });
    expect(await caught(session.upsert('Contact', KEY, people(1), { ...call, spend }))).toMatchObject({
      code: 'crm-pause',
    });
  });

  it('says which link is gone, if it is not the record', async () => {
    const said: Said = {
      body: [
        {
          success: false,
          errors: [
            { statusCode: 'INVALID_CROSS_REFERENCE_KEY', message: 'invalid cross reference id', fields: [] },
          ],
        },
      ],
    };
    server.script.part = described(() => said);
    const of = async (record: Omit<CrmRecord, 'key' | 'fields'>) => {
      const [result] = await session.upsert('Contact', KEY, [{ key: 'k', fields: {}, ...record }], call);
      return plain(result !== undefined && 'fault' in result ? result.fault : result);
    };
    expect(await of({ links: { AccountId: '001' } })).toEqual({
      scope: 'record',
      why: 'gone',
      field: 'AccountId',
    });
    expect(await of({ links: { AccountId: '001' }, id: '003000000000001AAA' })).toEqual({
      ...{ scope: 'record', why: 'gone' },
    });
    const errors = [{ statusCode: 'ENTITY_IS_DELETED', message: 'entity is deleted', fields: ['AccountId'] }];
    server.script.part = described(() => ({ body: [{ success: false, errors }] }));
    expect(await of({ links: { AccountId: '001' }, id: '003000000000001AAA' })).toEqual({
      ...{ scope: 'record', why: 'gone', field: 'AccountId' },
    });
  });

  it('sends what would be a reference inside a composite request on its own', async () => {
    const record = { key: 'odd', fields: { LastName: '@{part0[0].id}' } };
    const results = await session.upsert('Contact', KEY, [...people(2), record], call);
    expect(sums(results)).toEqual(['ok', 'ok', 'ok']);
    expect(server.requests.map(({ path }) => path).slice(1)).toEqual([
      '/composite',
      `/composite/sobjects/Contact/${KEY}`,
    ]);
  });

  it('names the record that has our key, if another one was to be written', async () => {
    const [said] = ofRecord['our key on another record'] ?? [];
    server.script.part = () => said ?? {};
    const [result] = await session.upsert(
      'Contact',
      KEY,
      [{ key: 'k', fields: {}, id: '003000000000009AAA' }],
      call,
    );
    expect(plain(result !== undefined && 'fault' in result ? result.fault : result)).toEqual({
      ...{ scope: 'record', why: 'taken', field: KEY, records: ['003000000000001AAA'] },
    });
  });

  it('is the admin who lets records pass a duplicate rule', async () => {
    const headers: unknown[] = [];
    server.script.part = described((sent) => {
      headers.push(sent.headers['Sforce-Duplicate-Rule-Header']);
      return accept(sent);
    });
    await session.upsert('Contact', KEY, people(1), call);
    await (await open({ duplicateRules: 'save' })).upsert('Contact', KEY, people(1), call);
    expect(headers).toEqual([undefined, 'allowSave=true']);
  });

  it('rejects if the key field is not there', async () => {
    expect(plain(await caught(session.upsert('Contact', 'Other__c', people(1), call)))).toEqual({
      ...{ scope: 'object', why: 'setup', field: 'Other__c' },
    });
    expect(plain(await caught(session.upsert('Nothing__c', KEY, people(1), call)))).toEqual({
      ...{ scope: 'object', why: 'setup' },
    });
  });
});
