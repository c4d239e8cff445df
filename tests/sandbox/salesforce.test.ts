import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type OpenOrg, openOrg } from './org.ts';

let org: OpenOrg;
let ids: { account: string; contact: string };

beforeAll(async () => {
  org = await openOrg();
  ids = {
    account: org.seed('Account', { Name: 'Acme' }),
    contact: org.seed('Contact', {
      LastName: 'Rossi',
      Email: 'rossi@example.com',
      MobilePhone: '+39 333 123 4567',
    }),
  };
});
afterAll(() => org.stop());

/** A page of a query. */
const Page = z.object({
  totalSize: z.number(),
  done: z.boolean(),
  nextRecordsUrl: z.string().optional(),
  records: z.array(z.unknown()),
});

const refused = (errorCode: string) => [expect.objectContaining({ errorCode })];

describe('describe', () => {
  test('says what a client must know before it writes', async () => {
    const { fields } = await org.conn.sobject('Contact').describe();
    const find = (name: string) => fields.find((field) => field.name === name);
    expect(find('Hub_Id__c')).toMatchObject({
      type: 'string',
      length: 64,
      externalId: true,
      unique: true,
      idLookup: true,
      createable: true,
      custom: true,
    });
    expect(find('AccountId')).toMatchObject({
      type: 'reference',
      referenceTo: ['Account'],
      relationshipName: 'Account',
    });
    expect(find('LastName')).toMatchObject({ nillable: false, length: 80, defaultedOnCreate: false });
    expect(find('Name')).toMatchObject({ createable: false, updateable: false });
  });

  test('an administrator adds a field', async () => {
    const field = { FullName: 'Account.Hub_Id__c', Metadata: { type: 'Text', length: 20, externalId: true } };
    const send = () => org.send('POST', '/tooling/sobjects/CustomField', field);
    expect(await send()).toMatchObject({ status: 201, body: { success: true } });
    expect(await send()).toMatchObject({ status: 400, body: refused('DUPLICATE_DEVELOPER_NAME') });
    await org.conn.sobject('Account').update({ Id: ids.account, Hub_Id__c: 'a-1' });
    expect(await org.conn.sobject('Account').findOne({ Hub_Id__c: 'a-1' }, ['Name'])).toMatchObject({
      Name: 'Acme',
    });
  });
});

describe('composite', () => {
  test('a later part takes a value of an earlier one', async () => {
    const compositeRequest = [
      {
        method: 'POST',
        url: '/services/data/v62.0/sobjects/Account',
        referenceId: 'parent',
        body: { Name: 'Parent' },
      },
      {
        method: 'POST',
        url: '/services/data/v62.0/sobjects/Contact',
        referenceId: 'child',
        body: { LastName: 'Child', AccountId: '@{parent.id}' },
      },
    ];
    await org.send('POST', '/composite', { compositeRequest });
    expect(await org.conn.sobject('Contact').findOne({ LastName: 'Child' }, ['Account.Name'])).toMatchObject({
      Account: { Name: 'Parent' },
    });
  });

  test('all or none undoes what was done before the failure', async () => {
    const url = '/services/data/v62.0/sobjects/Account';
    const compositeRequest = [
      { method: 'POST', url, referenceId: 'good', body: { Name: 'Undone' } },
      { method: 'POST', url, referenceId: 'bad', body: {} },
    ];
    const { body } = await org.send('POST', '/composite', { allOrNone: true, compositeRequest });
    expect(body).toMatchObject({
      compositeResponse: [
        { referenceId: 'good', httpStatusCode: 400, body: refused('PROCESSING_HALTED') },
        { referenceId: 'bad', httpStatusCode: 400, body: refused('REQUIRED_FIELD_MISSING') },
      ],
    });
    expect(await org.conn.sobject('Account').count({ Name: 'Undone' })).toBe(0);
  });
});

describe('bulk', () => {
  test('a job says row by row what became of it; an empty cell changes nothing, #N/A empties', async () => {
    const input = `Id,Title,Email\n${ids.contact},,#N/A\n003al0000099999,Boss,\n`;
    const results = await org.conn.bulk2.loadAndWaitForResults({
      object: 'Contact',
      operation: 'update',
      input,
    });
    expect(results.successfulResults).toMatchObject([{ sf__Id: ids.contact, sf__Created: 'false' }]);
    expect(results.failedResults).toMatchObject([
      { sf__Error: 'INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--' },
    ]);
    expect(await org.conn.sobject('Contact').retrieve(ids.contact)).toMatchObject({
      Email: null,
      MobilePhone: '+39 333 123 4567',
    });
  });

  test('a column that is no field fails the job', async () => {
    const job = org.conn.bulk2.createJob({ object: 'Contact', operation: 'insert' });
    await job.open();
    await job.uploadData('LastName,Nickname\nA,B\n');
    await job.close();
    expect(await job.check()).toMatchObject({
      state: 'Failed',
      errorMessage: 'InvalidBatch : Field name not found : Nickname',
      numberRecordsProcessed: 0,
    });
  });
});

test('a phone is found however it is written', async () => {
  const { searchRecords } = await org.conn.search(
    'FIND {3331234567} IN PHONE FIELDS RETURNING Contact(Id, MobilePhone)',
  );
  expect(searchRecords).toMatchObject([{ Id: ids.contact }]);
});

describe('queries', () => {
  const query = async (soql: string) =>
    (await org.conn.query(soql)).records.map(({ attributes: _, ...fields }) => fields);

  test.each([
    ["Name LIKE 'q_%' AND (NumberOfEmployees > 2 OR Industry = null) ORDER BY Name DESC", ['Q4', 'Q3', 'Q1']],
    ["Name LIKE 'Q%' AND NOT Industry IN ('Retail', 'banking') ORDER BY Name", ['Q1']],
    [
      "Name LIKE 'Q%' AND CreatedDate = LAST_MONTH AND CreatedDate >= 2026-04-04T10:00:00Z ORDER BY Name LIMIT 1 OFFSET 1",
      ['Q2'],
    ],
    ["Name LIKE 'Q%' AND CreatedDate = LAST_N_DAYS:3", []],
    ["Parent.Name = 'q1'", ['Q4']],
    ["Id IN (SELECT AccountId FROM Contact WHERE LastName = 'O\\'Hara')", ['Q3']],
  ])('WHERE %s', async (where, names) => {
    expect(await query(`SELECT Name FROM Account WHERE ${where}`)).toEqual(names.map((Name) => ({ Name })));
  });

  beforeAll(() => {
    const q1 = org.seed('Account', { Name: 'Q1' });
    org.seed('Account', { Name: 'Q2', NumberOfEmployees: 2, Industry: 'Retail' });
    const q3 = org.seed('Account', { Name: 'Q3', NumberOfEmployees: 3, Industry: 'Retail' });
    org.seed('Account', { Name: 'Q4', NumberOfEmployees: 4, Industry: 'Banking', ParentId: q1 });
    org.seed('Contact', { LastName: "O'Hara", AccountId: q3 });
  });

  test('groups and children', async () => {
    const groups =
      "SELECT Industry, COUNT(Id) many FROM Account WHERE Name LIKE 'Q%' GROUP BY Industry ORDER BY Industry";
    expect(await query(groups)).toEqual([
      { Industry: null, many: 1 },
      { Industry: 'Banking', many: 1 },
      { Industry: 'Retail', many: 2 },
    ]);
    const children =
      "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Name IN ('Q2', 'Q3') ORDER BY Name";
    expect(await query(children)).toMatchObject([
      { Contacts: null },
      { Contacts: { totalSize: 1, records: [{ LastName: "O'Hara" }] } },
    ]);
  });

  test('large results come in pages', async () => {
    for (let made = 0; made < 250; made++) org.seed('Lead', { LastName: `L${made}`, Company: 'Acme' });
    const headers = { 'sforce-query-options': 'batchSize=200' };
    const page = async (path: string) => Page.parse((await org.send('GET', path, undefined, headers)).body);
    const first = await page('/query?q=SELECT+Id+FROM+Lead');
    expect(first).toMatchObject({ totalSize: 250, done: false });
    const second = await page(first.nextRecordsUrl?.replace('/services/data/v62.0', '') ?? '');
    expect([first.records.length, second.records.length, second.done]).toEqual([200, 50, true]);
  });
});
