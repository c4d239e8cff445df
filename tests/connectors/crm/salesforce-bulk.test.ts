import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import type { BulkWrites, Call, CrmSession } from '../../../core/crm/connector.ts';
import { unsharedToken } from '../../../core/crm/connector.ts';
import { described, type Said, type ScriptedSalesforce, scriptedSalesforce } from './scripted-salesforce.ts';

let server: ScriptedSalesforce;
let session: CrmSession;
let bulk: BulkWrites;
let call: Call;

const KEY = 'Hub_Id__c';
const JOB = '750ak000009Dl5bAAC';
/** As Salesforce answered for jobs that upserted eight opportunities. */
const job = (more: object): Said => ({
  body: {
    ...{ id: JOB, operation: 'update', object: 'Contact', createdById: '005ak000005hvjJAAQ' },
    ...{ createdDate: '2024-09-10T13:12:38.000+0000', systemModstamp: '2024-09-10T13:12:47.000+0000' },
    ...{ concurrencyMode: 'Parallel', contentType: 'CSV', apiVersion: 60, jobType: 'V2Ingest' },
    ...{ lineEnding: 'LF', columnDelimiter: 'COMMA', numberRecordsProcessed: 8, numberRecordsFailed: 0 },
    ...{ retries: 0, totalProcessingTime: 478, apiActiveProcessingTime: 191, apexProcessingTime: 0 },
    ...more,
  },
});
const csv = (...lines: string[]): Said => ({
  text: lines.map((line) => `${line}\n`).join(''),
  headers: { 'content-type': 'text/csv' },
});
const refusal = (status: number, errorCode: string): Said => ({
  status,
  body: [{ errorCode, message: 'refused' }],
});
const paths = () => server.requests.map(({ method, path }) => `${method} ${path}`);
/** Answers by `METHOD path` below `/jobs`. */
const answering = (answers: Readonly<Record<string, Said>>): void => {
  server.script.whole = ({ method, path }) => answers[`${method} ${path.replace('/jobs/', '')}`];
};

beforeEach(async () => {
  server = await scriptedSalesforce();
  server.script.part = described(() => ({ body: { records: [], totalSize: 2001 } }));
  const signal = AbortSignal.timeout(60_000);
  const credentials = { loginUrl: server.url, clientId: 'app', clientSecret: 'secret' };
  session = await salesforce.open(credentials, unsharedToken, signal);
  if (session.bulkWrites === undefined) throw new Error('Salesforce has bulk updates.');
  bulk = session.bulkWrites;
  call = { signal, spend: async () => undefined, sleep: async () => undefined };
});
afterEach(() => server.stop());

describe('an update by a bulk job', () => {
  const records = [
    { key: 'acme:a', id: '003000000000001AAA', fields: { LastName: 'O, "Hara"', Score__c: null } },
    { key: 'acme:b', id: '003000000000002AAA', fields: { Phone: '+1' } },
  ];

  it('is created, uploaded once and closed; an empty cell changes nothing, and #N/A empties', async () => {
    const done = { status: 201, text: '', headers: {} };
    answering({
      'POST ingest': job({ state: 'Open' }),
      [`PUT ingest/${JOB}/batches`]: done,
      [`PATCH ingest/${JOB}`]: job({ state: 'UploadComplete' }),
    });
    const work = await bulk.begin('Contact', undefined, call);
    expect(await bulk.send(work, KEY, records, call)).toBe(true);
    const [created, uploaded, closed] = server.requests;
    expect(created?.body).toEqual({
      ...{ object: 'Contact', operation: 'update', contentType: 'CSV', lineEnding: 'LF' },
    });
    expect(uploaded?.body).toBe(
      'Id,Hub_Id__c,LastName,Score__c,Phone\n"003000000000001AAA","acme:a","O, ""Hara""",#N/A,\n"003000000000002AAA","acme:b",,,"+1"\n',
    );
    expect(closed?.body).toEqual({ state: 'UploadComplete' });
  });

  it('that finds records by the key of the hub names it, and knows what it has written', async () => {
    const done = { status: 201, text: '', headers: {} };
    answering({
      'POST ingest': job({ state: 'Open' }),
      [`PUT ingest/${JOB}/batches`]: done,
      [`PATCH ingest/${JOB}`]: job({ state: 'UploadComplete' }),
      [`GET ingest/${JOB}`]: job({ state: 'JobComplete' }),
      [`GET ingest/${JOB}/successfulResults`]: csv(
        '"sf__Id","sf__Created",Hub_Id__c,Subject,WhoId',
        '"00T000000000001AAA","true","i1","Two\nlines","003000000000001AAA"',
      ),
    });
    await bulk.begin('Task', KEY, call);
    expect(server.requests[0]?.body).toMatchObject({ operation: 'upsert', externalIdFieldName: KEY });
    const [who, other] = ['003000000000001AAA', '003000000000002AAA'];
    const task = { key: 'i1', fields: { Subject: 'Two\nlines' }, links: { WhoId: who } };
    await bulk.send(JOB, KEY, [task], call);
    expect(server.requests[1]?.body).toBe(`Hub_Id__c,Subject,WhoId\n"i1","Two\nlines","${who}"\n`);
    const outcome = await bulk.outcome(JOB, KEY, call);
    expect(outcome?.idOf(task)).toBe('00T000000000001AAA');
    expect(outcome?.idOf({ ...task, links: { WhoId: other } })).toBeUndefined();
    expect(outcome?.idOf({ ...task, fields: { Subject: 'Other' } })).toBeUndefined();
    expect(outcome?.idOf({ ...task, key: 'i2' })).toBeUndefined();
  });

  it.each(['Open', 'InProgress'])(
    'that has data of an earlier try takes no others, in the state %s',
    async (state) => {
      answering({
        [`PUT ingest/${JOB}/batches`]: refusal(400, 'CLIENT_ERROR'),
        [`GET ingest/${JOB}`]: job({ state }),
        [`PATCH ingest/${JOB}`]: job({ state: 'UploadComplete' }),
      });
      expect(await bulk.send(JOB, KEY, records, call)).toBe(false);
      expect(paths().filter((one) => one.startsWith('PATCH'))).toHaveLength(state === 'Open' ? 1 : 0);
    },
  );

  it('in progress has no outcome yet', async () => {
    answering({ [`GET ingest/${JOB}`]: job({ state: 'InProgress', numberRecordsProcessed: 2000 }) });
    expect(await bulk.outcome(JOB, KEY, call)).toBeUndefined();
  });

  it('that is complete without a refusal is read by one request more', async () => {
    answering({
      [`GET ingest/${JOB}`]: job({ state: 'JobComplete' }),
      [`GET ingest/${JOB}/successfulResults`]: csv(
        '"sf__Id","sf__Created",Id,Hub_Id__c',
        '"003000000000001AAA","false","003000000000001AAA","acme:a"',
      ),
    });
    expect(await bulk.outcome(JOB, KEY, call)).toMatchObject({
      ...{ complete: true, untried: [] },
      results: [{ key: 'acme:a', id: '003000000000001AAA' }],
    });
    expect(server.requests).toHaveLength(2);
  });

  it('that is complete with refused rows names the fault of each', async () => {
    answering({
      [`GET ingest/${JOB}`]: job({ state: 'JobComplete', numberRecordsFailed: 3 }),
      [`GET ingest/${JOB}/successfulResults`]: csv('"sf__Id","sf__Created",Id,Hub_Id__c'),
      [`GET ingest/${JOB}/failedResults`]: csv(
        '"sf__Id","sf__Error",Id,Hub_Id__c',
        '"","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 200 records: 001xxx,001yyy,...:--","003000000000001AAA","acme:a"',
        '"","INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--","003000000000002AAA","acme:b"',
        '"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","003000000000003AAA","acme:c"',
      ),
    });
    const outcome = await bulk.outcome(JOB, KEY, call);
    expect(outcome).toMatchObject({
      ...{ complete: true, untried: [] },
      results: [
        { key: 'acme:a', fault: { scope: 'record', why: 'raced' } },
        { key: 'acme:b', fault: { scope: 'record', why: 'gone' } },
        { key: 'acme:c', fault: { scope: 'record', why: 'invalid', field: 'LastName' } },
      ],
    });
  });

  it.each(['Failed', 'Aborted'])('that %s gives back what was not tried', async (state) => {
    answering({
      [`GET ingest/${JOB}`]: job({
        state,
        errorMessage: 'InvalidBatch : Field name not found : StageName_invalid_field_on_purpose',
      }),
      [`GET ingest/${JOB}/successfulResults`]: csv(
        '"sf__Id","sf__Created",Id,Hub_Id__c',
        '"003000000000001AAA","false","003000000000001AAA","acme:a"',
      ),
      [`GET ingest/${JOB}/failedResults`]: csv('"sf__Id","sf__Error",Id,Hub_Id__c'),
      [`GET ingest/${JOB}/unprocessedrecords`]: csv('Id,Hub_Id__c', '003000000000002AAA,acme:b'),
    });
    expect(await bulk.outcome(JOB, KEY, call)).toMatchObject({
      ...{ complete: false, untried: ['acme:b'] },
      results: [{ key: 'acme:a', id: '003000000000001AAA' }],
    });
  });

  it('that Salesforce has deleted is one of which nothing is known', async () => {
    answering({ [`GET ingest/${JOB}`]: refusal(404, 'NOT_FOUND') });
    expect(await bulk.outcome(JOB, KEY, call)).toMatchObject({ complete: false, results: [], untried: [] });
  });

  it('whose results are a page of HTML is asked for again later', async () => {
    answering({
      [`GET ingest/${JOB}`]: job({ state: 'JobComplete' }),
      [`GET ingest/${JOB}/successfulResults`]: { text: '<html></html>' },
    });
    await expect(bulk.outcome(JOB, KEY, call)).rejects.toMatchObject({ scope: 'connection', why: 'down' });
  });
});

describe('a list of many records', () => {
  const results = (count: number, from = 0): Said =>
    csv(
      '"Id","LastName","Score__c","Email","SystemModstamp","CreatedDate"',
      ...Array.from({ length: count }, (_, at) => {
        const id = `003${String(from + at).padStart(12, '0')}AAA`;
        return `"${id}","Name; ${from + at}","${at}","","2025-01-02T03:04:05.000Z","2024-01-02T03:04:05.000Z"`;
      }),
    );
  const list = (cursor?: string) => session.list('Contact', ['LastName', 'Score__c'], cursor, call);

  it('is read by one job, whose id is the cursor before anything waits for it', async () => {
    let state = 'InProgress';
    server.script.whole = ({ method, path }) => {
      if (`${method} ${path}` === 'POST /jobs/query') return job({ state: 'UploadComplete' });
      if (path === `/jobs/query/${JOB}`) return job({ state });
      if (path === `/jobs/query/${JOB}/results?maxRecords=10000`)
        return { ...results(1500), headers: { 'content-type': 'text/csv', 'sforce-locator': 'MTAw' } };
      if (path === `/jobs/query/${JOB}/results?maxRecords=10000&locator=MTAw`)
        return { ...results(2, 1500), headers: { 'content-type': 'text/csv', 'sforce-locator': 'null' } };
      return undefined;
    };
    const started = await list();
    expect(started).toMatchObject({ records: [], total: 2001, afterSeconds: 0 });
    expect(started.next).toContain(JOB);
    const waiting = await list(started.next);
    expect([waiting.records, waiting.afterSeconds]).toEqual([[], 5]);
    expect((await list(waiting.next)).afterSeconds).toBe(10);
    state = 'JobComplete';
    const pages = [await list(waiting.next)];
    for (let page = pages[0]; page?.next !== undefined; ) {
      page = await list(page.next);
      pages.push(page);
    }
    expect(pages.map(({ records }) => records.length)).toEqual([1000, 500, 2]);
    expect(pages[0]?.records[7]).toMatchObject({
      ...{ id: '003000000000007AAA', fields: { LastName: 'Name; 7', Score__c: 7 }, emails: [] },
      ...{ modifiedAt: '2025-01-02T03:04:05.000Z' },
    });
    const asked = paths();
    expect(asked.filter((one) => one.startsWith('POST /jobs/query'))).toHaveLength(1);
    expect(asked.filter((one) => one.includes('/results'))).toHaveLength(2);
    // Another worker goes on at the same place.
    const anew = await salesforce.open(
      { loginUrl: server.url, clientId: 'app', clientSecret: 'secret' },
      ...([unsharedToken, call.signal] as const),
    );
    const second = await anew.list('Contact', ['LastName'], pages[0]?.next, call);
    expect(second.records[0]?.id).toBe('003000000001000AAA');
  });

  it.each([
    ['Failed', job({ state: 'Failed' })],
    ['Aborted', job({ state: 'Aborted' })],
    ['deleted', refusal(404, 'NOT_FOUND')],
  ])('whose job is %s is read by queries', async (_, said) => {
    answering({ 'POST query': job({ state: 'UploadComplete' }), [`GET query/${JOB}`]: said });
    const { next } = await list();
    const ended = await list(next);
    expect([ended.records, ended.afterSeconds]).toEqual([[], undefined]);
    expect(await list(ended.next)).toMatchObject({ records: [] });
    expect(paths().filter((one) => one.startsWith('POST /jobs/query'))).toHaveLength(1);
  });

  it('whose results are gone halfway says what to do', async () => {
    server.script.whole = ({ path }) => (path.includes('/results') ? refusal(404, 'NOT_FOUND') : undefined);
    const cursor = JSON.stringify({ job: JOB, part: { skip: 1000 } });
    await expect(list(cursor)).rejects.toMatchObject({ message: expect.stringContaining('again') });
  });
});
