import type { Fields } from '../../protocol/sandbox.ts';
import type { SandboxAnswer, SandboxRequest } from '../../protocol/server.ts';
import type { Jobs } from '../bulk/jobs.ts';
import type { Caller } from '../data/change.ts';
import { ApiError, notFound, SaveError } from '../data/errors.ts';
import type { Org, Transaction } from '../data/org.ts';
import type { ObjectType } from '../schema/fields.ts';
import type { Cursors } from './cursors.ts';

/** What outlives a request. */
export interface Service {
  readonly org: Org;
  readonly cursors: Cursors;
  readonly jobs: Jobs;
  /** Requests of the last 24 hours, and how many are allowed. */
  usage(): { readonly used: number; readonly allowed: number };
  readonly url: string;
  /** Answers a part of a composite request. */
  dispatch(call: Call): SandboxAnswer;
}

/** A request to `/services/data/vXX.X/…`, or a part of a composite one. */
export interface Call {
  readonly service: Service;
  readonly org: Org;
  readonly caller: Caller;
  readonly method: string;
  /** What follows the version, decoded. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly version: number;
  /** `/services/data/v62.0` */
  readonly base: string;
  /** Of the composite request of which this is a part. */
  readonly transaction?: Transaction;
}

export const OLDEST_VERSION = 31;

/** The parts of a request. Throws `ApiError` where its version is none. */
export const callOf = (
  service: Service,
  caller: Caller,
  request: SandboxRequest,
  transaction?: Transaction,
): Call => {
  const [, version = '', rest = ''] = /^\/services\/data\/v(\d+\.0)\/?(.*)$/u.exec(request.path) ?? [];
  if (Number(version) < OLDEST_VERSION) throw notFound();
  return {
    service,
    org: service.org,
    caller,
    method: request.method,
    path: rest
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent),
    query: request.query,
    headers: request.headers,
    body: request.body,
    version: Number(version),
    base: `/services/data/v${version}`,
    ...(transaction && { transaction }),
  };
};

/** The JSON body. Throws `ApiError`. */
export const jsonBody = ({ body }: Pick<Call, 'body'>): unknown => {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new ApiError(
      400,
      'JSON_PARSER_ERROR',
      `The HTTP entity body is required to be JSON: ${error instanceof Error ? error.message : ''}`,
    );
  }
};

export const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The JSON body that is one record. Throws `ApiError`. */
export const recordBody = (call: Call): Fields => {
  const body = jsonBody(call);
  if (!isRecord(body))
    throw new ApiError(
      400,
      'JSON_PARSER_ERROR',
      'Cannot deserialize instance of sobject from START_ARRAY value [line:1, column:1]',
    );
  return body;
};

/** The object of this name. Throws the `ApiError` NOT_FOUND. */
export const objectNamed = ({ org }: Call, name: string): ObjectType => {
  const type = org.schema.object(name);
  if (type === undefined) throw notFound();
  return type;
};

/** Does writes in the transaction of the composite request, or in one of their own. */
export const inTransaction = <Result>(
  { org, caller, transaction }: Call,
  work: (transaction: Transaction) => Result,
): Result => {
  if (transaction === undefined) return org.transaction(caller, work);
  const savepoint = transaction.savepoint();
  try {
    return work(transaction);
  } catch (error) {
    transaction.rollback(savepoint);
    throw error;
  }
};

/** The answer, or that of the refusal. */
export const answering = (work: () => SandboxAnswer): SandboxAnswer => {
  try {
    return work();
  } catch (error) {
    if (error instanceof ApiError || error instanceof SaveError) return error.answer();
    throw error;
  }
};
