// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
// One Composite call carries five collections of 200 records. A record without its key fails its whole collection, and
// jsforce retries a bad session without end: the key is checked first, and the session is renewed once, by the hub.

import { Connection } from 'jsforce/lib/core.js';
import * as z from 'zod';
import {
  type CrmConnector,
  type CrmRecord,
  type CrmResult,
  type CrmSession,
  HUB_CLIENT,
  type Removal,
  unsharedToken,
} from '../../../core/crm/connector.ts';
import { HubError } from '../../../core/errors.ts';

const VERSION = '62.0';
const PER_COLLECTION = 200;
const COLLECTIONS_PER_CALL = 5;
/** A collection can be deleted by Salesforce's own ids only; by ours each record takes a subrequest. */
const REMOVALS_PER_CALL = 25;

const Credentials = z.object({
  loginUrl: z.url(),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
});

/** The result of a login; the address of the org belongs to it. */
const Token = z.object({ accessToken: z.string(), instanceUrl: z.string() });

const Fault = z.looseObject({
  statusCode: z.string().optional(),
  errorCode: z.string().optional(),
  message: z.string().default(''),
});
const RowResult = z.looseObject({
  id: z.string().nullish(),
  success: z.boolean(),
  errors: z.array(Fault).default([]),
});
const Composite = z.object({
  compositeResponse: z.array(z.looseObject({ httpStatusCode: z.int(), body: z.unknown() })),
});

const later: ReadonlySet<string> = new Set([
  'UNABLE_TO_LOCK_ROW',
  'REQUEST_LIMIT_EXCEEDED',
  'SERVER_UNAVAILABLE',
  'INVALID_SESSION_ID',
  'REQUEST_RUNNING_TOO_LONG',
  'QUERY_TIMEOUT',
  'UNKNOWN_EXCEPTION',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
]);

/** Refusals by a unique field, or by a duplicate rule of the org. */
const duplicate: ReadonlySet<string> = new Set(['DUPLICATE_VALUE', 'DUPLICATES_DETECTED']);

const advice: Readonly<Record<string, string>> = {
  DUPLICATES_DETECTED:
    'A duplicate rule of the org refused the record. Decide in Salesforce which record is right, then replay.',
  REQUIRED_FIELD_MISSING: 'Map a value to the field in mappings/crm/salesforce.yaml, then replay.',
  INVALID_FIELD:
    'Create the field in Salesforce or remove it from mappings/crm/salesforce.yaml, then replay.',
  INVALID_FIELD_FOR_INSERT_UPDATE:
    'The integration user may not write this field. Grant the permission or remove the field from the mapping, then replay.',
  STRING_TOO_LONG: 'Add a truncate transform in mappings/crm/salesforce.yaml, then replay.',
};

const fault = (code: string, message: string, cause?: unknown): HubError => {
  const sentence = `Salesforce refused a record with ${code}: ${message.slice(0, 300)} ${advice[code] ?? 'Correct the cause in Salesforce or in mappings/crm/salesforce.yaml, then replay.'}`;
  const retry =
    code === 'REQUEST_LIMIT_EXCEEDED' ? { afterSeconds: 900 } : later.has(code) ? 'later' : 'never';
  return new HubError(`salesforce-${code.toLowerCase()}`, sentence, {
    retry,
    ...(cause !== undefined && { cause }),
  });
};

export const salesforce: CrmConnector = {
  id: 'salesforce',
  title: 'Salesforce',
  // The smallest production allocation is 100,000 calls a day, and other applications use the org too.
  budget: { calls: 3000, seconds: 3600 },
  perCall: PER_COLLECTION * COLLECTIONS_PER_CALL,
  callsToRemove: (_, records) => Math.ceil(records / REMOVALS_PER_CALL),
  keeps: [
    'Deleted records stay in the recycle bin of the org for 15 days; an administrator can empty it at once.',
  ],
  async open(raw, token = unsharedToken) {
    const { loginUrl, clientId, clientSecret } = Credentials.parse(raw);
    const login = async (): Promise<string> => {
      // With a client id the connection would refresh its session by itself, without a limit.
      const fresh = new Connection({ loginUrl, version: VERSION });
      const grant = {
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      };
      await fresh.authorize(grant).catch(rejectUnavailable);
      return JSON.stringify({ accessToken: fresh.accessToken, instanceUrl: fresh.instanceUrl });
    };
    let current = await token.get(undefined, login);
    const connection = new Connection({
      ...{ ...Token.parse(JSON.parse(current)), version: VERSION },
      callOptions: { client: HUB_CLIENT },
    });
    const authorize = async (): Promise<void> => {
      current = await token.get(current, login);
      Object.assign(connection, Token.parse(JSON.parse(current)));
    };
    return session(connection, authorize);
  },
};

const session = (connection: Connection, authorize: () => Promise<void>): CrmSession => ({
  async upsert(object, keyField, records) {
    const results: CrmResult[] = [];
    const chunks = chunked(records, PER_COLLECTION);
    for (const call of chunked(chunks, COLLECTIONS_PER_CALL)) {
      const body = {
        allOrNone: false,
        collateSubrequests: false,
        compositeRequest: call.map((chunk, position) => subrequest(object, keyField, chunk, position)),
      };
      const answer = await composite(connection, body, authorize);
      for (const [position, chunk] of call.entries())
        results.push(...resultsOf(chunk, answer.compositeResponse[position]));
    }
    return results;
  },
  async remove(object, keyField, keys) {
    const removals: Removal[] = [];
    for (const chunk of chunked(keys, REMOVALS_PER_CALL)) {
      const compositeRequest = chunk.map((key, position) => ({
        method: 'DELETE',
        url: `/services/data/v${VERSION}/sobjects/${object}/${keyField}/${encodeURIComponent(key)}`,
        referenceId: `record${position}`,
      }));
      const body = { allOrNone: false, collateSubrequests: false, compositeRequest };
      const { compositeResponse } = await composite(connection, body, authorize);
      for (const [position, key] of chunk.entries())
        removals.push(removalOf(key, compositeResponse[position]));
    }
    return removals;
  },
});

const subrequest = (
  object: string,
  keyField: string,
  records: readonly CrmRecord[],
  position: number,
): object => ({
  method: 'PATCH',
  url: `/services/data/v${VERSION}/composite/sobjects/${object}/${keyField}`,
  referenceId: `chunk${position}`,
  body: {
    allOrNone: false,
    records: records.map(({ key, fields, contact }) => ({
      attributes: { type: object },
      ...fields,
      [keyField]: key,
      ...(contact !== undefined && { WhoId: contact }),
    })),
  },
});

const composite = async (
  connection: Connection,
  body: object,
  authorize: () => Promise<void>,
): Promise<z.infer<typeof Composite>> => {
  const attempt = async (): Promise<z.infer<typeof Composite>> =>
    Composite.parse(
      await connection.request({
        method: 'POST',
        url: `/services/data/v${VERSION}/composite`,
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    );
  return attempt().catch(async (error: unknown) => {
    if (codeOf(error) !== 'INVALID_SESSION_ID') return rejectUnavailable(error);
    await authorize();
    return attempt().catch(rejectUnavailable);
  });
};

const resultsOf = (
  chunk: readonly CrmRecord[],
  answer: z.infer<typeof Composite>['compositeResponse'][number] | undefined,
): CrmResult[] => {
  const rows = z.array(RowResult).safeParse(answer?.body);
  if (answer === undefined || answer.httpStatusCode >= 400 || !rows.success) {
    const [first] = z.array(Fault).safeParse(answer?.body).data ?? [];
    const error = fault(
      first?.errorCode ?? 'UNKNOWN_EXCEPTION',
      first?.message ?? `The answer to a collection had status ${answer?.httpStatusCode}.`,
    );
    return chunk.map(({ key }) => ({ key, error }));
  }
  return chunk.map(({ key }, position): CrmResult => {
    const row = rows.data[position];
    if (row?.success === true && row.id) return { key, id: row.id };
    const [first] = row?.errors ?? [];
    const code = first?.statusCode ?? first?.errorCode ?? 'UNKNOWN_EXCEPTION';
    return { key, error: fault(code, first?.message ?? 'no reason was given'), taken: duplicate.has(code) };
  });
};

/** A record that was deleted before is reported as not found or as deleted. */
const removalOf = (
  key: string,
  answer: z.infer<typeof Composite>['compositeResponse'][number] | undefined,
): Removal => {
  if (answer !== undefined && answer.httpStatusCode < 300) return { key, found: true };
  const [first] = z.array(Fault).safeParse(answer?.body).data ?? [];
  const code = first?.errorCode ?? first?.statusCode ?? 'UNKNOWN_EXCEPTION';
  if (code === 'NOT_FOUND' || code === 'ENTITY_IS_DELETED') return { key, found: false };
  return {
    key,
    error: fault(code, first?.message ?? `The answer to a deletion had status ${answer?.httpStatusCode}.`),
  };
};

const codeOf = (error: unknown): string => {
  const known = z
    .looseObject({
      errorCode: z.string().optional(),
      code: z.string().optional(),
      cause: z.unknown().optional(),
    })
    .safeParse(error);
  if (!known.success) return 'UNKNOWN_EXCEPTION';
  return (
    known.data.errorCode ??
    known.data.code ??
    (known.data.cause === undefined ? 'UNKNOWN_EXCEPTION' : codeOf(known.data.cause))
  );
};

/** No record could be tried: the org, the network or the credentials are at fault. */
const rejectUnavailable = (error: unknown): never => {
  const code = codeOf(error);
  throw new HubError(
    'unavailable-crm',
    `Salesforce could not be used (${code}). The records wait in the queue. Is the org in maintenance, its API allocation used up, or the connected app changed?`,
    { retry: code === 'REQUEST_LIMIT_EXCEEDED' ? { afterSeconds: 900 } : 'later', cause: error },
  );
};

const chunked = <One>(list: readonly One[], size: number): One[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
