import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import { type Call, type CrmSession, unsharedToken } from '../../../core/crm/connector.ts';
import {
  described,
  type Said,
  type ScriptedSalesforce,
  type Sent,
  scriptedSalesforce,
} from './scripted-salesforce.ts';

let server: ScriptedSalesforce;
let session: CrmSession;
const call: Call = { signal: AbortSignal.timeout(60_000), spend: async () => {}, sleep: async () => {} };
const KEY = 'Hub_Id__c';
const ADA = '003000000000001AAA';
const BOB = '003000000000002AAA';
const TIMES = { CreatedDate: '2024-01-02T03:04:05.000+0000', SystemModstamp: '2025-01-02T03:04:05.000+0000' };
const STAFF = { CreatedById: '005000000000001AAA' };
const ada = { Id: ADA, LastName: 'Lovelace', Email: 'Ada@Example.com', ...TIMES, ...STAFF };

const queries: string[] = [];
const answering = (answer: (soql: string, sent: Sent) => object[] | Said): void => {
  server.script.part = described((sent) => {
    const soql = sent.path.slice(sent.path.indexOf('?q=') + 3);
    queries.push(soql);
    const said = answer(soql, sent);
    return Array.isArray(said) ? { body: { totalSize: said.length, done: true, records: said } } : said;
  });
};

beforeEach(async () => {
  queries.length = 0;
  server = await scriptedSalesforce();
  session = await salesforce.open(
    { loginUrl: server.url, clientId: 'app', clientSecret: 'secret' },
    unsharedToken,
    AbortSignal.timeout(60_000),
  );
});
afterEach(() => server.stop());

describe('a look-up', () => {
  it('by e-mail finds records in every field that can be searched, 1,000 addresses in a few requests', async () => {
    answering((soql) => (soql.includes("'ada@example.com'") ? [{ ...ada, Private_Email__c: 'x@y.z' }] : []));
    const many = Array.from({ length: 1000 }, (_, at) => `person${at}.of.a.long.name@mail.example.com`);
    const found = await session.find(
      'Contact',
      'email',
      ['ada@example.com', ...many],
      ['LastName', KEY],
      call,
    );
    expect([...found]).toEqual([
      [
        'ada@example.com',
        [
          {
            id: ADA,
            fields: { LastName: 'Lovelace', [KEY]: null },
            emails: ['Ada@Example.com', 'x@y.z'],
            phones: [],
            byStaff: true,
            createdAt: '2024-01-02T03:04:05.000Z',
            modifiedAt: '2025-01-02T03:04:05.000Z',
          },
        ],
      ],
    ]);
    expect(queries[0]).toContain(') OR Private_Email__c IN (');
    expect(queries[0]).not.toContain('Secret_Email__c IN');
    // Both objects of people are described, and asked in twelve queries each, five in a request.
    expect(server.requests.length).toBeLessThanOrEqual(6);
    expect(queries.every((soql) => encodeURIComponent(soql).length < 12_000)).toBe(true);
  });

  it('escapes values, and follows the pages of a query', async () => {
    answering(() => ({
      body: { totalSize: 2, done: false, nextRecordsUrl: '/services/data/v62.0/query/01g-1', records: [] },
    }));
    server.script.whole = ({ path }) =>
      path === '/query/01g-1'
        ? { body: { done: true, records: [{ ...ada, Email: "o'hara\\@x.org" }] } }
        : undefined;
    const found = await session.find('Contact', 'email', ["o'hara\\@x.org"], [], call);
    expect(queries[0]).toContain("'o\\'hara\\\\@x.org'");
    expect([...found.keys()]).toEqual(["o'hara\\@x.org"]);
  });

  it('by phone compares digits, in the forms of the country', async () => {
    const searches: string[] = [];
    answering(() => []);
    const typed = (Id: string, Phone: string) => ({ Id, Phone, ...TIMES, ...STAFF });
    server.script.whole = ({ path }) => {
      if (!path.startsWith('/search?q=')) return undefined;
      searches.push(path.slice('/search?q='.length));
      return {
        body: {
          searchRecords: [
            typed('003000000000001AAA', '(415) 555-0100'),
            typed('003000000000002AAA', '+44 (0)20 7946 0958'),
            typed('003000000000003AAA', '020 7946 0958 ext. 4'),
            typed('003000000000004AAA', '+1 415 555 0199'),
            typed('003000000000005AAA', '0044 20 7946 0958'),
            typed('003000000000006AAA', '+49 20 7946 0958'),
          ],
        },
      };
    };
    const found = await session.find(
      'Contact',
      'phone',
      ['+14155550100', '+442079460958', '+390612345'],
      [],
      call,
    );
    expect([...found].map(([phone, held]) => [phone, held.map(({ id }) => id.slice(14, 15))])).toEqual([
      ['+14155550100', ['1']],
      ['+442079460958', ['2', '3', '5']],
    ]);
    expect(searches).toHaveLength(1);
    expect(searches[0]).toMatch(
      /^FIND \{14155550100 OR 4155550100 OR 04155550100 OR 14155550100\* OR 4155550100\* OR "415 555 0100" OR 442079460958 .*\} IN PHONE FIELDS RETURNING Contact\(Id, Email, /u,
    );
  });

  it('by a field compares as Salesforce does, and leaves out what the field cannot hold', async () => {
    answering(() => [{ ...ada, LastName: 'LOVELACE', Score__c: 5 }]);
    const named = await session.find('Contact', { field: 'LastName' }, ['Lovelace', 'Byron'], [], call);
    expect([...named.keys()]).toEqual(['Lovelace']);
    const scored = await session.find('Contact', { field: 'Score__c' }, ['5', "5' OR 1"], [], call);
    expect([...scored.keys()]).toEqual(['5']);
    expect(queries[1]).toContain('(Score__c IN (5))');
  });

  it('trusts neither leads, nor contacts of the web or of the hub itself', async () => {
    const trust = async (object: string, more: object): Promise<boolean | undefined> => {
      answering(() => [{ ...ada, ...more }]);
      return (await session.find(object, 'email', ['ada@example.com'], [], call)).get('ada@example.com')?.[0]
        ?.byStaff;
    };
    expect(await trust('Contact', { LeadSource: 'Partner' })).toBe(true);
    expect(await trust('Contact', { LeadSource: 'Web' })).toBe(false);
    expect(await trust('Contact', { CreatedById: '005HUB00000userAAA' })).toBe(false);
    expect(await trust('Lead', { Id: '00Q000000000001AAA' })).toBe(false);
  });

  it('that is refused is a fault of the object', async () => {
    answering(() => ({
      ...{
        status: 400,
        body: [{ errorCode: 'INVALID_FIELD', message: "No such column 'Nope__c' on entity 'Contact'." }],
      },
    }));
    await expect(session.find('Contact', 'email', ['a@b.c'], ['Nope__c'], call)).rejects.toMatchObject({
      ...{ scope: 'object', why: 'setup', field: 'Nope__c' },
    });
  });
});

describe('reading', () => {
  it('follows merges to the record that remains, and leaves out what was deleted', async () => {
    const rows: Record<string, object> = {
      [ADA]: { ...ada, IsDeleted: false },
      [BOB]: { ...ada, Id: BOB, IsDeleted: true, MasterRecordId: '003000000000003AAA' },
      '003000000000003AAA': { ...ada, Id: '003000000000003AAA', IsDeleted: true, MasterRecordId: ADA },
      '003000000000004AAA': { ...ada, Id: '003000000000004AAA', IsDeleted: true, MasterRecordId: null },
    };
    answering((soql, { path }) => {
      expect(path).toMatch(/^\/queryAll\?q=/u);
      return Object.keys(rows).flatMap((id) => (soql.includes(id) ? [rows[id] ?? {}] : []));
    });
    const asked = [ADA.slice(0, 15), BOB, '003000000000004AAA', '003000000000009AAA', "no id'"];
    const read = await session.read('Contact', asked, ['LastName'], call);
    expect([...read].map(([id, held]) => [id, held.id])).toEqual([
      [ADA.slice(0, 15), ADA],
      [BOB, ADA],
    ]);
    expect(queries.join()).not.toContain('no id');
  });

  it('reads 1,000 records in one request', async () => {
    answering(() => []);
    const ids = Array.from({ length: 1000 }, (_, at) => `003${String(at).padStart(12, '0')}AAA`);
    await session.read('Contact', ids, [], call);
    expect(server.requests).toHaveLength(2);
  });

  it('lists an object by the time of its changes, with a cursor that does not expire', async () => {
    const page = (from: number, count: number) =>
      Array.from({ length: count }, (_, at) => ({
        ...ada,
        Id: `003${String(from + at).padStart(12, '0')}AAA`,
      }));
    answering((soql) =>
      soql.includes('COUNT()')
        ? { body: { totalSize: 1001, done: true, records: [] } }
        : page(soql.includes('WHERE') ? 1000 : 0, soql.includes('WHERE') ? 1 : 1000),
    );
    const first = await session.list('Contact', ['LastName'], undefined, call);
    expect([first.records.length, first.total]).toEqual([1000, 1001]);
    const second = await session.list('Contact', ['LastName'], first.next, call);
    expect([second.records.length, second.next, second.total]).toEqual([1, undefined, undefined]);
    const time = '2025-01-02T03:04:05.000Z';
    expect(queries.at(-1)).toContain(
      `WHERE (SystemModstamp > ${time} OR (SystemModstamp = ${time} AND Id > '003000000000999AAA')) ORDER BY SystemModstamp, Id`,
    );
    expect(server.requests).toHaveLength(3);
  });
});

describe('a removal', () => {
  it('deletes 1,000 records in two requests, each with its own result', async () => {
    const id = (at: number) => `00T${String(at).padStart(12, '0')}AAA`;
    answering((soql, { method, path }) => {
      if (method === 'GET')
        return [...soql.matchAll(/'k(\d+)'/gu)].flatMap(([, at]) =>
          at === '7' ? [] : [{ Id: id(Number(at)), [KEY]: `k${at}` }],
        );
      const ids = /ids=([^&]*)&allOrNone=false/u.exec(path)?.[1]?.split(',') ?? [];
      return {
        body: ids.map((one) =>
          one === id(3)
            ? {
                success: false,
                errors: [{ statusCode: 'UNABLE_TO_LOCK_ROW', message: 'locked', fields: [] }],
              }
            : one === id(5)
              ? {
                  success: false,
                  errors: [{ statusCode: 'ENTITY_IS_DELETED', message: 'entity is deleted', fields: [] }],
                }
              : { id: one, success: true, errors: [] },
        ),
      };
    });
    const keys = Array.from({ length: 1000 }, (_, at) => `k${at}`);
    const removals = await session.remove('Task', KEY, [...keys, ''], call);
    expect(removals).toHaveLength(1001);
    expect(removals.filter((one) => 'found' in one && one.found)).toHaveLength(997);
    expect(removals[3]).toMatchObject({ key: 'k3', fault: { scope: 'record', why: 'raced' } });
    expect([removals[5], removals[7], removals[1000]]).toEqual([
      { key: 'k5', found: false },
      { key: 'k7', found: false },
      { key: '', found: false },
    ]);
    expect(queries[0]).toContain('IsDeleted = false');
    expect(server.requests).toHaveLength(2);
  });
});

describe('an account', () => {
  it('describes its fields', async () => {
    answering(() => []);
    const objects = await session.describe(['Contact', 'Nothing__c'], call);
    expect([...objects.keys()]).toEqual(['Contact']);
    const contact = objects.get('Contact');
    const plain = { required: false, writable: true, isKey: false };
    expect(contact?.get('LastName')).toEqual({ ...plain, type: 'text', length: 80, required: true });
    expect(contact?.get(KEY)).toEqual({ ...plain, type: 'text', length: 64, isKey: true });
    expect(contact?.get('Rating')).toEqual({ ...plain, type: 'choice', choices: ['Hot'] });
    expect(contact?.get('CreatedById')).toMatchObject({ type: 'reference', writable: false });
    await session.describe(['Contact'], call);
    expect(server.requests).toHaveLength(1);
  });

  it('gets the key field, on activities for tasks; where nobody may write it, a fault says what to do', async () => {
    const created: unknown[] = [];
    answering(() => []);
    server.script.whole = ({ path, body }) => {
      if (path !== '/tooling/sobjects/CustomField') return undefined;
      created.push(body);
      return { status: 201, body: { id: '00N', success: true, errors: [] } };
    };
    await session.createKeyField?.('Task', KEY, call);
    expect(created).toMatchObject([
      {
        FullName: `Activity.${KEY}`,
        Metadata: { type: 'Text', label: 'Hub Id', length: 64, unique: true, externalId: true },
      },
    ]);
    await expect(session.createKeyField?.('Contact', 'Other__c', call)).rejects.toMatchObject({
      ...{ scope: 'object', why: 'setup', field: 'Other__c' },
      message: expect.stringContaining('permission set'),
    });
    server.script.whole = ({ path }) =>
      path === '/tooling/sobjects/CustomField'
        ? {
            status: 400,
            body: [{ errorCode: 'DUPLICATE_DEVELOPER_NAME', message: 'There is already a field' }],
          }
        : undefined;
    await session.createKeyField?.('Contact', KEY, call);
  });

  it('is examined: user, version, allowance and clock', async () => {
    const answers: Record<string, Said> = {
      '/services/oauth2/userinfo': {
        body: { preferred_username: 'hub@example.com', organization_id: '00D' },
      },
      '/services/data': { body: [{ version: '61.0' }, { version: '65.0' }] },
      '/limits': {
        body: { DailyApiRequests: { Max: 100_000, Remaining: 99 }, DataStorageMB: { Max: 5, Remaining: 0 } },
        headers: { date: 'Tue, 03 Mar 2026 09:00:00 GMT' },
      },
    };
    server.script.whole = ({ path }) => answers[path];
    const now = () => Date.parse('2026-03-03T09:05:00Z');
    const findings = await session.examine({ ...call, now });
    expect(findings.map(({ about, ok }) => [about, ok])).toEqual([
      ['user', true],
      ['version', true],
      ['API requests', true],
      ['storage', false],
      ['clock', false],
    ]);
    expect(findings.map(({ says }) => says).join('\n')).toMatch(
      /hub@example\.com[\s\S]*99 of 100000[\s\S]*300 seconds/u,
    );
    expect(server.requests).toHaveLength(3);
  });
});
