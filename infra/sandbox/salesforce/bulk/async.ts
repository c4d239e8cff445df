// Bulk API 1.0, as far as clients still load small files with it: jobs and batches in XML, data in CSV.
import type { SandboxAnswer } from '../../protocol/server.ts';
import type { Caller } from '../data/change.ts';
import type { Org } from '../data/org.ts';
import { runQuery } from '../soql/run.ts';
import { writeCsv } from './csv.ts';
import { LoadError, load, type Operation } from './load.ts';

const OPERATIONS: readonly Operation[] = ['insert', 'update', 'upsert', 'delete', 'hardDelete'];

interface AsyncJob {
  readonly id: string;
  readonly operation: Operation | 'query' | 'queryAll';
  readonly object: string;
  readonly keyField: string | undefined;
  readonly batches: Map<string, AsyncBatch>;
  state: 'Open' | 'Closed' | 'Aborted';
}

interface AsyncBatch {
  readonly id: string;
  readonly state: 'Completed' | 'Failed';
  readonly message: string;
  readonly processed: number;
  readonly failed: number;
  readonly result: string;
}

const element = (xml: string, name: string): string | undefined => {
  const start = xml.indexOf(`<${name}>`);
  const end = xml.indexOf(`</${name}>`);
  return start < 0 || end < start ? undefined : xml.slice(start + name.length + 2, end).trim();
};

const NAMESPACE = 'http://www.force.com/2009/06/asyncapi/dataload';
const escaped = (value: unknown): string => String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const inner = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(([name, value]) => `<${name}>${escaped(value)}</${name}>`)
    .join('');

const xmlAnswer = (status: number, root: string, content: string): SandboxAnswer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="${NAMESPACE}">${content}</${root}>`,
});

export const asyncError = (exceptionCode: string, exceptionMessage: string): SandboxAnswer =>
  xmlAnswer(400, 'error', inner({ exceptionCode, exceptionMessage }));

/** `/services/async/XX.X/job…` */
export class AsyncApi {
  readonly #org: Org;
  readonly #jobs = new Map<string, AsyncJob>();

  constructor(org: Org) {
    this.#org = org;
  }

  /** `path` is what follows the version. */
  answer(caller: Caller, method: string, path: readonly string[], body: string): SandboxAnswer {
    const [resource, id, list, batchId, result, resultId] = path;
    if (resource !== 'job')
      return asyncError('InvalidUrl', 'Destination URL not reset. The URL returned from login must be set');
    if (id === undefined) return this.#open(body);
    const job = this.#jobs.get(id);
    if (job === undefined) return asyncError('InvalidJob', `Unable to find job: ${id}`);
    if (list === undefined)
      return this.#shown(200, job, method === 'POST' ? element(body, 'state') : undefined);
    if (batchId === undefined && method === 'POST') return this.#load(caller, job, body);
    if (batchId === undefined)
      return xmlAnswer(
        200,
        'batchInfoList',
        [...job.batches.values()]
          .map((batch) => `<batchInfo>${inner(info(job, batch))}</batchInfo>`)
          .join(''),
      );
    const batch = job.batches.get(batchId);
    if (batch === undefined) return asyncError('InvalidBatch', `Unable to find batch: ${batchId}`);
    if (result === undefined) return xmlAnswer(200, 'batchInfo', inner(info(job, batch)));
    if (job.operation.startsWith('query') && resultId === undefined)
      return xmlAnswer(200, 'result-list', inner({ result: batch.id }));
    return { status: 200, headers: { 'content-type': 'text/csv' }, body: batch.result };
  }

  #open(xml: string): SandboxAnswer {
    const operation = [...OPERATIONS, 'query' as const, 'queryAll' as const].find(
      (name) => name === element(xml, 'operation'),
    );
    const type = this.#org.schema.object(element(xml, 'object') ?? '');
    if (operation === undefined || type === undefined)
      return asyncError('InvalidJob', 'The operation or the object is unknown');
    if (element(xml, 'contentType') !== 'CSV')
      return asyncError('FeatureNotEnabled', 'The sandbox takes the content type CSV only');
    const job: AsyncJob = {
      id: this.#org.newId('750'),
      operation,
      object: type.name,
      keyField: element(xml, 'externalIdFieldName'),
      batches: new Map(),
      state: 'Open',
    };
    this.#jobs.set(job.id, job);
    return this.#shown(201, job);
  }

  #shown(status: number, job: AsyncJob, wanted?: string): SandboxAnswer {
    if (wanted === 'Closed' || wanted === 'Aborted') job.state = wanted;
    const { id, operation, object, state } = job;
    return xmlAnswer(
      status,
      'jobInfo',
      inner({
        id,
        operation,
        object,
        state,
        concurrencyMode: 'Parallel',
        contentType: 'CSV',
        numberBatchesTotal: job.batches.size,
        numberBatchesCompleted: job.batches.size,
      }),
    );
  }

  #load(caller: Caller, job: AsyncJob, body: string): SandboxAnswer {
    if (body.trim() === '')
      return asyncError('ClientInputError', 'Failed to read request. Exception: the batch is empty');
    const id = this.#org.newId('751');
    const batch = { id, ...this.#work(caller, job, body) };
    job.batches.set(id, batch);
    return xmlAnswer(201, 'batchInfo', inner({ ...info(job, batch), state: 'Queued' }));
  }

  #work(caller: Caller, { operation, object, keyField }: AsyncJob, body: string): Omit<AsyncBatch, 'id'> {
    if (operation === 'query' || operation === 'queryAll') return this.#query(operation, body);
    try {
      const { outcomes } = load(this.#org, caller, { operation, object, keyField, delimiter: ',' }, body);
      const rows = outcomes.map(({ id, created, error }) => [
        id,
        String(error === undefined),
        String(created),
        error?.inBulk() ?? '',
      ]);
      return {
        state: 'Completed',
        message: '',
        processed: rows.length,
        failed: outcomes.filter(({ error }) => error).length,
        result: writeCsv([['Id', 'Success', 'Created', 'Error'], ...rows]),
      };
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      return { state: 'Failed', message: error.message, processed: 0, failed: 0, result: '' };
    }
  }

  #query(operation: 'query' | 'queryAll', text: string): Omit<AsyncBatch, 'id'> {
    const { records } = runQuery({
      org: this.#org,
      text,
      withDeleted: operation === 'queryAll',
      base: '/services/data/v62.0',
    });
    const header = Object.keys(records[0] ?? {}).filter((name) => name !== 'attributes');
    const result = writeCsv([header, ...records.map((record) => header.map((name) => record[name]))]);
    return { state: 'Completed', message: '', processed: records.length, failed: 0, result };
  }
}

const info = (job: AsyncJob, { id, state, message, processed, failed }: AsyncBatch) => ({
  id,
  jobId: job.id,
  state,
  ...(message !== '' && { stateMessage: message }),
  numberRecordsProcessed: processed,
  numberRecordsFailed: failed,
});
