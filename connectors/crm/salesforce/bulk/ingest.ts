// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0_ingest.htm
// A job takes data once and works on nothing before it is closed, so that one whose id was lost does no harm; Salesforce
// deletes it after seven days. jsforce's jobs are not used: they wait in memory, and delete a job that takes too long.

import * as z from 'zod';
import type { BulkOutcome, BulkWrites, Call, CrmRecord, CrmResult } from '../../../../core/crm/connector.ts';
import type { CrmFault } from '../../../../core/crm/fault.ts';
import type { Objects } from '../describe.ts';
import { EMAIL } from '../emails.ts';
import { incomplete } from '../rest/composite.ts';
import { faultOf, faultOfAnswer } from '../rest/faults.ts';
import type { Answer } from '../rest/http.ts';
import type { Client, Request } from '../rest/session.ts';
import { byParent } from '../upsert.ts';
import { cellText, csvOf, rowsOf } from './csv.ts';

const Job = z.looseObject({
  id: z.string(),
  state: z.enum(['Open', 'UploadComplete', 'InProgress', 'JobComplete', 'Failed', 'Aborted']),
  numberRecordsFailed: z.int().default(0),
});

/**
 * Salesforce asks for jobs from 2,000 records on. One costs five requests and more: to create, upload, close, ask and read;
 * an upsert takes one for 1,000 records.
 */
const FROM = 2000;
/** Far less than the 150 MB that a job takes. */
const MOST = 50_000;

const NOTHING_KNOWN: BulkOutcome = { complete: false, results: [], untried: [], idOf: () => undefined };

/** Writes by bulk jobs. A row bears the hub's key, also in the results, which repeat what was sent. */
export const bulkWrites = (client: Client, objects: Objects): BulkWrites => {
  const ask = async (request: Request, call: Call) => {
    const answer = await client.request(request, call);
    return { answer, fault: faultOfAnswer(answer) };
  };
  const accepted = async (request: Request, call: Call): Promise<Answer> => {
    const { answer, fault } = await ask(request, call);
    if (fault !== undefined) throw fault;
    return answer;
  };
  const pathOf = (work: string, ...parts: readonly string[]): string =>
    ['/jobs/ingest', work, ...parts].join('/');
  /** Undefined where Salesforce does not have the job any more. */
  const read = async (work: string, call: Call) => {
    const { answer, fault } = await ask({ method: 'GET', path: pathOf(work) }, call);
    if (answer.status === 404) return undefined;
    if (fault !== undefined) throw fault;
    return jobOf(answer);
  };
  const close = (work: string, state: 'UploadComplete' | 'Aborted', call: Call) =>
    ask({ method: 'PATCH', path: pathOf(work), body: { state } }, call);
  return {
    ...{ from: FROM, most: MOST },
    async takes(object, keyField, call) {
      const known = (await objects.describe([object], call)).get(object);
      return object !== EMAIL && known?.fields.get(keyField)?.isKey === true;
    },
    async begin(object, keyField, call) {
      const operation = keyField === undefined ? 'update' : 'upsert';
      const by = keyField === undefined ? {} : { externalIdFieldName: keyField };
      const body = { object, operation, ...by, contentType: 'CSV', lineEnding: 'LF' };
      return jobOf(await accepted({ method: 'POST', path: '/jobs/ingest', body }, call)).id;
    },
    async send(work, keyField, records, call) {
      const body = csvOf(records.toSorted(byParent).map((record) => rowOf(keyField, record)));
      const upload = await ask({ method: 'PUT', path: pathOf(work, 'batches'), body }, call);
      if (upload.fault === undefined) {
        const { fault } = await close(work, 'UploadComplete', call);
        if (fault !== undefined) throw fault;
        return true;
      }
      // It has data already: those of an earlier try, whose answer was lost.
      const job = await read(work, call);
      if (job?.state === 'Open') await close(work, 'UploadComplete', call);
      return false;
    },
    async outcome(work, keyField, call) {
      const job = await read(work, call);
      if (job === undefined) return NOTHING_KNOWN;
      const { state, numberRecordsFailed: failed } = job;
      if (state === 'UploadComplete' || state === 'InProgress') return undefined;
      const complete = state === 'JobComplete';
      const rows = async (part: string) =>
        rowsOf(await accepted({ method: 'GET', path: pathOf(work, part) }, call));
      const succeeded = await rows('successfulResults');
      const refused = complete && failed === 0 ? [] : await rows('failedResults');
      const untried = complete ? [] : await rows('unprocessedrecords');
      const keyOf = (row: Readonly<Record<string, string>>): string => row[keyField] ?? '';
      return {
        complete,
        results: [
          ...succeeded.map((row) => ({ key: keyOf(row), id: row['sf__Id'] ?? '' })),
          ...refused.map((row): CrmResult => ({ key: keyOf(row), fault: faultOfRow(keyField, row) })),
        ],
        untried: untried.map(keyOf),
        idOf: writtenRows(keyField, succeeded),
      };
    },
    async abort(work, call) {
      // One that has ended cannot be ended, which is as well.
      await close(work, 'Aborted', call);
    },
  };
};

const jobOf = ({ body }: Answer): z.infer<typeof Job> => {
  const job = Job.safeParse(body);
  if (!job.success) throw incomplete();
  return job.data;
};

/** A job that finds records by the hub's key refuses a column of ids. */
const rowOf = (keyField: string, { id, key, fields, links }: CrmRecord) => ({
  ...(id !== undefined && { Id: id }),
  ...{ [keyField]: key, ...fields, ...links },
});

const writtenRows = (
  keyField: string,
  rows: readonly Readonly<Record<string, string>>[],
): BulkOutcome['idOf'] => {
  const byKey = new Map(rows.map((row) => [row[keyField], row]));
  return (record) => {
    const row = byKey.get(record.key);
    const isSame = Object.entries(rowOf(keyField, record)).every(
      ([name, value]) => (row?.[name] ?? '') === cellText(value),
    );
    return isSame ? row?.['sf__Id'] : undefined;
  };
};

/** An error is written as `CODE:message:fields --`. */
const faultOfRow = (keyField: string, row: Readonly<Record<string, string>>): CrmFault => {
  const error = row['sf__Error'] ?? '';
  const [statusCode = '', ...rest] = error.split(':');
  const fields = (rest.at(-1) ?? '').replace(/--$/u, '').split(',');
  return faultOf(
    {
      statusCode,
      message: rest.slice(0, -1).join(':'),
      fields: fields.map((one) => one.trim()).filter((one) => one !== ''),
    },
    { keyField, id: row['Id'] },
  );
};
