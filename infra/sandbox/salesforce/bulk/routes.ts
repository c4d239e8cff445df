import * as z from 'zod';
import type { SandboxAnswer } from '../../protocol/server.ts';
import { ApiError, notFound, notInSandbox } from '../data/errors.ts';
import { normalId } from '../data/ids.ts';
import { type Call, isRecord, jsonBody } from '../rest/call.ts';
import { runQuery } from '../soql/run.ts';
import { writeCsv } from './csv.ts';
import { delimiters, type IngestJob, isUnfinished, poll, process, type QueryJob } from './jobs.ts';

const NewIngestJob = z.object({
  object: z.string(),
  operation: z.enum(['insert', 'update', 'upsert', 'delete', 'hardDelete']),
  externalIdFieldName: z.string().optional(),
  contentType: z.literal('CSV').default('CSV'),
  columnDelimiter: z.enum(['COMMA', 'BACKQUOTE', 'CARET', 'PIPE', 'SEMICOLON', 'TAB']).default('COMMA'),
  lineEnding: z.enum(['LF', 'CRLF']).default('LF'),
  assignmentRuleId: z.string().optional(),
});
const NewQueryJob = z.object({ operation: z.enum(['query', 'queryAll']), query: z.string() }).loose();
const Closing = z.object({ state: z.enum(['UploadComplete', 'Aborted']) });

const csvAnswer = (text: string, headers: Readonly<Record<string, string>> = {}): SandboxAnswer => ({
  status: 200,
  headers: { 'content-type': 'text/csv', ...headers },
  body: text,
});

const parsed = <Schema extends z.ZodType>(schema: Schema, call: Call): z.output<Schema> => {
  const result = schema.safeParse(jsonBody(call));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ApiError(
    400,
    'INVALIDJOB',
    `InvalidJob : ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  );
};

const shown = (call: Call, job: IngestJob): Readonly<Record<string, unknown>> => {
  const outcomes = job.loaded?.outcomes ?? [];
  const isDone = job.state === 'JobComplete';
  const open =
    job.state === 'Open' ? { contentUrl: `${call.base.slice(1)}/jobs/ingest/${job.id}/batches` } : {};
  const progress =
    job.state === 'Open' || job.state === 'UploadComplete'
      ? {}
      : {
          numberRecordsProcessed: isDone ? outcomes.length : 0,
          numberRecordsFailed: isDone ? outcomes.filter(({ error }) => error).length : 0,
          retries: 0,
          totalProcessingTime: 0,
          apiActiveProcessingTime: 0,
          apexProcessingTime: 0,
        };
  return {
    id: job.id,
    operation: job.load.operation,
    object: job.load.object,
    createdById: call.caller.user,
    createdDate: job.createdDate,
    systemModstamp: call.org.timestamp(),
    state: job.state,
    ...(job.load.keyField !== undefined && { externalIdFieldName: job.load.keyField }),
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    apiVersion: call.version,
    ...open,
    jobType: 'V2Ingest',
    lineEnding: job.lineEnding,
    columnDelimiter: job.columnDelimiter,
    ...progress,
    ...(job.state === 'Failed' && { errorMessage: job.errorMessage }),
  };
};

const create = (call: Call): SandboxAnswer => {
  const wanted = parsed(NewIngestJob, call);
  const type = call.org.schema.object(wanted.object);
  if (type === undefined)
    throw new ApiError(400, 'INVALIDENTITY', `InvalidEntity : Unable to find object: ${wanted.object}`);
  if (wanted.operation === 'upsert' && wanted.externalIdFieldName === undefined)
    throw new ApiError(400, 'INVALIDJOB', 'InvalidJob : External ID was blank for upsert');
  const job: IngestJob = {
    id: call.org.newId('750'),
    load: {
      operation: wanted.operation,
      object: type.name,
      keyField: wanted.externalIdFieldName,
      delimiter: delimiters[wanted.columnDelimiter],
    },
    columnDelimiter: wanted.columnDelimiter,
    lineEnding: wanted.lineEnding,
    createdDate: call.org.timestamp(),
    state: 'Open',
    pollsLeft: call.service.jobs.polls,
  };
  call.service.jobs.ingest.set(job.id, job);
  return { status: 200, body: shown(call, job) };
};

/** `/jobs/ingest…`: Bulk API 2.0. */
export const ingestJobs = (call: Call): SandboxAnswer => {
  const [, , text, resource] = call.path;
  const { ingest } = call.service.jobs;
  if (text === undefined && call.method === 'POST') return create(call);
  if (text === undefined)
    return {
      status: 200,
      body: {
        done: true,
        records: [...ingest.values()].map((job) => shown(call, job)),
        nextRecordsUrl: null,
      },
    };
  const job = ingest.get(normalId(text) ?? '');
  if (job === undefined) throw notFound();
  if (resource === 'batches' && call.method === 'PUT') return upload(call, job);
  if (resource !== undefined) return results(call, job, resource);
  if (call.method === 'GET') {
    poll(job, () => process(call.org, call.caller, job));
    return { status: 200, body: shown(call, job) };
  }
  if (call.method === 'PATCH') return close(call, job);
  if (call.method !== 'DELETE') throw notInSandbox(`${call.method} ${call.base}/${call.path.join('/')}`);
  if (['UploadComplete', 'InProgress'].includes(job.state))
    throw wrongState(`The job is in the state ${job.state} and cannot be deleted`);
  ingest.delete(job.id);
  return { status: 204, body: undefined };
};

const wrongState = (message: string): ApiError => new ApiError(400, 'INVALIDJOBSTATE', message);

const upload = (call: Call, job: IngestJob): SandboxAnswer => {
  if (job.state !== 'Open' || job.csv !== undefined)
    throw new ApiError(400, 'CLIENT_ERROR', 'InvalidJobState : Data has been uploaded already');
  job.csv = call.body;
  return { status: 201, body: undefined };
};

const close = (call: Call, job: IngestJob): SandboxAnswer => {
  const { state } = parsed(Closing, call);
  if (state === 'Aborted' ? !isUnfinished(job) : job.state !== 'Open')
    throw wrongState(`The job is in the state ${job.state}`);
  job.state = state;
  return { status: 200, body: shown(call, job) };
};

const results = (call: Call, job: IngestJob, resource: string): SandboxAnswer => {
  const { header = [], outcomes = [] } = job.loaded ?? {};
  const delimiter = delimiters[job.columnDelimiter];
  const ending = job.lineEnding === 'CRLF' ? '\r\n' : '\n';
  const finished = job.state === 'JobComplete' ? outcomes : [];
  if (resource === 'successfulResults') {
    const rows = finished.filter(({ error }) => !error).map(({ id, created, row }) => [id, created, ...row]);
    return csvAnswer(writeCsv([['sf__Id', 'sf__Created', ...header], ...rows], delimiter, ending));
  }
  if (resource === 'failedResults') {
    const rows = finished.flatMap(({ error, row }) => (error ? [['', error.inBulk(), ...row]] : []));
    return csvAnswer(writeCsv([['sf__Id', 'sf__Error', ...header], ...rows], delimiter, ending));
  }
  if (resource !== 'unprocessedrecords')
    throw notInSandbox(`${call.method} ${call.base}/${call.path.join('/')}`);
  // What was not worked on comes back as it was uploaded.
  return csvAnswer(
    job.state === 'Failed' || job.state === 'Aborted'
      ? (job.csv ?? '')
      : writeCsv([header], delimiter, ending),
  );
};

const shownQuery = (call: Call, { id, operation, object, createdDate, state, records }: QueryJob) => ({
  id,
  operation,
  object,
  createdById: call.caller.user,
  createdDate,
  systemModstamp: call.org.timestamp(),
  state,
  concurrencyMode: 'Parallel',
  contentType: 'CSV',
  apiVersion: call.version,
  jobType: 'V2Query',
  lineEnding: 'LF',
  columnDelimiter: 'COMMA',
  ...(state === 'JobComplete' && {
    numberRecordsProcessed: records.length,
    retries: 0,
    totalProcessingTime: 0,
    isPkChunkingSupported: true,
  }),
});

/** `Account.Name` for a field of a parent. */
const flat = (row: Readonly<Record<string, unknown>>, prefix = ''): (readonly [string, unknown])[] =>
  Object.entries(row).flatMap(([name, value]) => {
    if (name === 'attributes') return [];
    return isRecord(value) ? flat(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value]];
  });

const createQuery = (call: Call): SandboxAnswer => {
  const { operation, query } = parsed(NewQueryJob, call);
  const { type, records } = runQuery({
    org: call.org,
    text: query,
    withDeleted: operation === 'queryAll',
    base: call.base,
  });
  const rows = records.map((record) => Object.fromEntries(flat(record)));
  const job: QueryJob = {
    id: call.org.newId('750'),
    operation,
    query,
    object: type.name,
    createdDate: call.org.timestamp(),
    records: rows,
    header: Object.keys(rows[0] ?? {}),
    state: 'UploadComplete',
    pollsLeft: call.service.jobs.polls,
  };
  call.service.jobs.queries.set(job.id, job);
  return { status: 200, body: shownQuery(call, job) };
};

const queryResults = (call: Call, job: QueryJob): SandboxAnswer => {
  if (job.state !== 'JobComplete') throw new ApiError(400, 'INVALIDJOBSTATE', 'The job is not complete');
  const start = Number(call.query.get('locator') ?? 0);
  const end = start + Number(call.query.get('maxRecords') ?? 50_000);
  const rows = job.records.slice(start, end);
  return csvAnswer(writeCsv([job.header, ...rows.map((row) => job.header.map((name) => row[name]))]), {
    'sforce-locator': end < job.records.length ? String(end) : 'null',
    'sforce-numberofrecords': String(rows.length),
  });
};

/** `/jobs/query…`: Bulk API 2.0. */
export const queryJobs = (call: Call): SandboxAnswer => {
  const [, , text, resource] = call.path;
  const { queries } = call.service.jobs;
  if (text === undefined && call.method === 'POST') return createQuery(call);
  const job = queries.get(normalId(text ?? '') ?? '');
  if (job === undefined) throw notFound();
  if (resource === 'results') return queryResults(call, job);
  if (call.method === 'DELETE') {
    queries.delete(job.id);
    return { status: 204, body: undefined };
  }
  if (call.method === 'PATCH') job.state = 'Aborted';
  else poll(job);
  return { status: 200, body: shownQuery(call, job) };
};
