import type { Fields } from '../../protocol/sandbox.ts';
import type { SandboxAnswer } from '../../protocol/server.ts';
import { ApiError } from '../data/errors.ts';
import { runQuery } from '../soql/run.ts';
import type { Call } from './call.ts';

const BATCH = 2000;
const SMALLEST_BATCH = 200;
const batchSize = ({ headers }: Call): number => {
  const [, size] = /batchSize=(\d+)/iu.exec(headers['sforce-query-options'] ?? '') ?? [];
  return size === undefined ? BATCH : Math.min(BATCH, Math.max(SMALLEST_BATCH, Number(size)));
};

/** `/query` and `/queryAll`, and their next pages. */
export const query = (call: Call): SandboxAnswer => {
  const [resource, locator] = call.path;
  if (locator !== undefined) return nextPage(call, locator);
  const text = call.query.get('q');
  if (text === null && call.query.has('explain')) return plan(call, call.query.get('explain') ?? '');
  if (text === null)
    throw new ApiError(400, 'MALFORMED_QUERY', 'SOQL statement is required in the parameter q');
  const { totalSize, records } = runQuery({
    org: call.org,
    text,
    withDeleted: resource?.toLowerCase() === 'queryall',
    base: call.base,
  });
  const size = batchSize(call);
  if (records.length <= size) return { status: 200, body: { totalSize, done: true, records } };
  return page(call, call.service.cursors.open(records), records, 0);
};

const page = (call: Call, cursor: string, records: readonly Fields[], start: number): SandboxAnswer => {
  const end = start + batchSize(call);
  const done = end >= records.length;
  const more = done ? {} : { nextRecordsUrl: `${call.base}/query/${cursor}-${end}` };
  return {
    status: 200,
    body: { totalSize: records.length, done, ...more, records: records.slice(start, end) },
  };
};

const nextPage = (call: Call, locator: string): SandboxAnswer => {
  const [cursor = '', start] = locator.split('-');
  const records = call.service.cursors.get(cursor);
  if (records === undefined || start === undefined)
    throw new ApiError(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
  return page(call, cursor, records, Number(start));
};

/** The plan of a query: the sandbox reads the whole table. */
const plan = (call: Call, text: string): SandboxAnswer => {
  const { type, totalSize } = runQuery({ org: call.org, text, withDeleted: false, base: call.base });
  const sobjectCardinality = call.org.list(type).length;
  const only = {
    cardinality: totalSize,
    fields: [],
    leadingOperationType: 'TableScan',
    notes: [],
    relativeCost: 1,
    sobjectCardinality,
    sobjectType: type.name,
  };
  return { status: 200, body: { plans: [only], sourceQuery: text } };
};
