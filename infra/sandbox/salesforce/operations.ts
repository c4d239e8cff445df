import type { Records } from '../protocol/records.ts';
import type { SandboxAnswer, SandboxRequest } from '../protocol/server.ts';
import { Collection, Composite, errorAnswer, notFound, recordId, type SalesforceFields } from './schema.ts';

/** An organisation: its records and its fields. */
export interface Organisation {
  readonly records: Records;
  readonly objects: SalesforceFields;
  readonly externalId: string;
}

const MOST_COLLECTIONS = 5;

/** Answers an API request of an open session. */
export const answerApi = (organisation: Organisation, request: SandboxRequest): SandboxAnswer => {
  const { method, path, body } = request;
  const [, described] = /\/sobjects\/(\w+)\/describe\/?$/u.exec(path) ?? [];
  if (described !== undefined) return describeObject(organisation, described);
  if (method === 'POST' && /\/services\/data\/v[\d.]+\/composite\/?$/u.test(path))
    return composite(organisation, body);
  return method === 'PATCH' ? upsertCollection(organisation, path, JSON.parse(body)) : notFound();
};

const describeObject = ({ objects, externalId }: Organisation, object: string): SandboxAnswer => {
  const fields = objects[object];
  if (fields === undefined) return notFound();
  return {
    status: 200,
    body: {
      name: object,
      fields: Object.entries(fields).map(([name, length]) => ({
        name,
        length: length ?? 0,
        updateable: true,
        externalId: name === externalId,
        unique: name === externalId,
        nillable: name !== 'LastName',
      })),
    },
  };
};

const composite = (organisation: Organisation, body: string): SandboxAnswer => {
  const parsed = Composite.safeParse(JSON.parse(body));
  if (!parsed.success) return errorAnswer(400, 'JSON_PARSER_ERROR', 'a composite takes up to 25 subrequests');
  const { compositeRequest } = parsed.data;
  const collections = compositeRequest.filter(({ url }) => url.includes('/composite/sobjects'));
  if (collections.length > MOST_COLLECTIONS)
    return errorAnswer(400, 'LIMIT_EXCEEDED', `at most ${MOST_COLLECTIONS} collections in a composite`);
  const compositeResponse = compositeRequest.map(({ method, url, body: inner, referenceId }) => {
    const answer =
      method === 'DELETE' ? removeRecord(organisation, url) : upsertCollection(organisation, url, inner);
    return { body: answer.body, httpHeaders: {}, httpStatusCode: answer.status, referenceId };
  });
  return { status: 200, body: { compositeResponse } };
};

/** Upserts a collection by an external id field. Invalid records fail alone. */
const upsertCollection = (organisation: Organisation, path: string, body: unknown): SandboxAnswer => {
  const [, object = '', keyField = ''] = /\/composite\/sobjects\/(\w+)\/(\w+)$/u.exec(path) ?? [];
  if (organisation.objects[object] === undefined) return notFound();
  const parsed = Collection.safeParse(body);
  if (!parsed.success)
    return errorAnswer(400, 'JSON_PARSER_ERROR', 'a collection takes up to 200 records, each with its type');
  const results = parsed.data.records.map((record) => upsertRecord(organisation, object, keyField, record));
  return { status: 200, body: results };
};

const upsertRecord = (
  organisation: Organisation,
  object: string,
  keyField: string,
  { attributes: _, ...fields }: Record<string, unknown>,
): object => {
  const { records } = organisation;
  const key = fields[keyField];
  const fault =
    typeof key !== 'string' || key === ''
      ? { statusCode: 'MISSING_ARGUMENT', message: `${keyField} not specified`, fields: [] }
      : recordFault(organisation, object, key, fields);
  if (fault) return { success: false, errors: [fault] };
  const { record, created } = records.upsert(object, String(key), fields, (serial) =>
    recordId(object, serial),
  );
  return { id: record.id, success: true, errors: [], created };
};

const recordFault = (
  { records, objects }: Organisation,
  object: string,
  key: string,
  fields: Readonly<Record<string, unknown>>,
):
  | { readonly statusCode: string; readonly message: string; readonly fields: readonly string[] }
  | undefined => {
  const fault = (statusCode: string, message: string, name: string) => ({
    statusCode,
    message,
    fields: [name],
  });
  const known = objects[object] ?? {};
  const unknown = Object.keys(fields).find((name) => !(name in known));
  if (unknown !== undefined)
    return fault('INVALID_FIELD', `No such column '${unknown}' on sobject of type ${object}`, unknown);
  const [long] =
    Object.entries(fields).find(
      ([name, value]) =>
        typeof value === 'string' && value.length > (known[name] ?? Number.POSITIVE_INFINITY),
    ) ?? [];
  if (long !== undefined) return fault('STRING_TOO_LONG', `${long}: data value too large`, long);
  if (object === 'Contact' && !fields['LastName'] && records.byKey(object, key) === undefined)
    return fault('REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]', 'LastName');
  if (fields['WhoId'] !== undefined && records.byId('Contact', String(fields['WhoId'])) === undefined)
    return fault('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', 'WhoId');
  return undefined;
};

const removeRecord = ({ records, objects }: Organisation, path: string): SandboxAnswer => {
  const [, object = '', keyField = '', key = ''] = /\/sobjects\/(\w+)\/(\w+)\/([^/]+)$/u.exec(path) ?? [];
  if (!(keyField in (objects[object] ?? {}))) return notFound();
  return records.remove(object, decodeURIComponent(key)) ? { status: 204, body: null } : notFound();
};
