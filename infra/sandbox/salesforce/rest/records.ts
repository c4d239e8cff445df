import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import type { SandboxAnswer } from '../../protocol/server.ts';
import { remove } from '../data/bin.ts';
import { insert, update } from '../data/dml.ts';
import { ApiError, notFound, notInSandbox, SaveError } from '../data/errors.ts';
import { normalId } from '../data/ids.ts';
import { fieldsOfJson } from '../data/input.ts';
import { describe, summaryOf } from '../schema/describe.ts';
import type { Field, ObjectType } from '../schema/fields.ts';
import { follow, heldValue, resolve } from '../soql/paths.ts';
import { type Call, inTransaction, objectNamed, recordBody } from './call.ts';
import { deletedIn, updatedIn } from './replication.ts';

/** `/sobjects/…` */
export const sobjects = (call: Call): SandboxAnswer => {
  const [, name, key, value, ...rest] = call.path;
  if (name === undefined)
    return {
      status: 200,
      body: {
        encoding: 'UTF-8',
        maxBatchSize: 200,
        sobjects: call.org.schema.objects().map((type) => summaryOf(type, call.base)),
      },
    };
  const type = objectNamed(call, name);
  if ((key === 'describe' && value !== undefined) || key === 'listviews')
    throw notInSandbox(`${call.method} ${call.base}/${call.path.join('/')}`);
  if (rest.length > 0) throw notFound();
  if (key === undefined) return ofObject(call, type);
  if (key === 'describe') return { status: 200, body: describe(call.org.schema, type, call.base) };
  if (key === 'updated') return updatedIn(call, type);
  if (key === 'deleted') return deletedIn(call, type);
  return value === undefined ? ofRecord(call, type, key) : byKey(call, type, key, value);
};

const ofObject = (call: Call, type: ObjectType): SandboxAnswer => {
  if (call.method === 'GET')
    return { status: 200, body: { objectDescribe: summaryOf(type, call.base), recentItems: [] } };
  if (call.method !== 'POST') throw methodNotAllowed(call.method);
  const body = recordBody(call);
  refuseId(body, 'INVALID_FIELD_FOR_INSERT_UPDATE', 'cannot specify Id in an insert call');
  const id = inTransaction(call, (transaction) =>
    insert(transaction, type, fieldsOfJson(call.org, type, body, call.body)),
  );
  return saved(call, type, id, {});
};

const methodNotAllowed = (method: string): ApiError =>
  new ApiError(
    405,
    'METHOD_NOT_ALLOWED',
    `HTTP Method '${method}' not allowed. Allowed are HEAD,GET,POST,PATCH,DELETE`,
  );

const refuseId = (body: Fields, code: string, message: string): void => {
  const name = Object.keys(body).find((member) => member.toLowerCase() === 'id');
  if (name !== undefined) throw new SaveError(code, message, [name]);
};

const saved = (call: Call, type: ObjectType, id: string, more: Fields): SandboxAnswer => ({
  status: 201,
  headers: { location: `${call.base}/sobjects/${type.name}/${id}` },
  body: { id, success: true, errors: [], ...more },
});

const NOTHING: SandboxAnswer = { status: 204, body: undefined };

const ofRecord = (call: Call, type: ObjectType, text: string): SandboxAnswer => {
  const id = normalId(text);
  if (id === undefined || !id.startsWith(type.keyPrefix)) {
    if (call.method === 'GET')
      throw notFound(`Provided external ID field does not exist or is not accessible: ${text}`);
    throw new SaveError('MALFORMED_ID', `malformed id ${text}`);
  }
  return withId(call, type, id);
};

const withId = (call: Call, type: ObjectType, id: string): SandboxAnswer => {
  if (call.method === 'GET') return { status: 200, body: retrieved(call, type, readable(call, type, id)) };
  if (call.method === 'DELETE') {
    inTransaction(call, (transaction) => remove(transaction, type, id));
    return NOTHING;
  }
  if (call.method !== 'PATCH') throw methodNotAllowed(call.method);
  const body = recordBody(call);
  refuseId(body, 'INVALID_FIELD', 'The Id field should not be specified in the sobject data.');
  inTransaction(call, (transaction) =>
    update(transaction, type, id, fieldsOfJson(call.org, type, body, call.body)),
  );
  return NOTHING;
};

const readable = ({ org }: Call, type: ObjectType, id: string): HeldRecord => {
  const record = org.held(type, id);
  if (record === undefined) throw notFound();
  if (record.fields['IsDeleted'] === true)
    throw new ApiError(404, 'ENTITY_IS_DELETED', 'entity is deleted', []);
  return record;
};

const retrieved = (call: Call, type: ObjectType, record: HeldRecord): Fields => {
  const names = call.query
    .get('fields')
    ?.split(',')
    .map((name) => name.trim());
  return rowOf(call, type, record, names);
};

/** A record with these fields, or with all. */
export const rowOf = (
  { org, base }: Call,
  type: ObjectType,
  { id, fields }: HeldRecord,
  names?: readonly string[],
): Fields => {
  const attributes = { type: type.name, url: `${base}/sobjects/${type.name}/${id}` };
  const members = names?.map((name) => [name, resolvedOf(org, type, name)] as const);
  const values = members
    ? members.map(([name, resolved]) => [
        resolved.lookups.length > 0 ? name : resolved.field.name,
        follow(org, resolved, fields),
      ])
    : type.fields.map((field) => [field.name, heldValue(field, fields)]);
  return { attributes, ...Object.fromEntries(values), Id: id };
};

const resolvedOf = (org: Call['org'], type: ObjectType, name: string) => {
  if (!name.includes('.') && !org.schema.field(type, name))
    throw new ApiError(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${type.name}`);
  return resolve(org, type, { names: name.split('.'), at: 0 }, name);
};

/** The field by whose values records can be looked up. Throws the `ApiError` NOT_FOUND. */
export const keyField = ({ org }: Call, type: ObjectType, name: string): Field => {
  const field = org.schema.field(type, name);
  if (field === undefined || !(field.externalId || field.idLookup))
    throw notFound(`Provided external ID field does not exist or is not accessible: ${name}`);
  return field;
};

const byKey = (call: Call, type: ObjectType, name: string, value: string): SandboxAnswer => {
  const field = keyField(call, type, name);
  if (field.type === 'id') return ofRecord(call, type, value);
  const found = call.org
    .findBy(type, field.name, value)
    .filter(({ fields }) => !field.caseSensitive || fields[field.name] === value);
  if (found.length > 1)
    return { status: 300, body: found.map(({ id }) => `${call.base}/sobjects/${type.name}/${id}`) };
  const [record] = found;
  if (call.method === 'PATCH') return upsert(call, type, field, value, record);
  if (record === undefined) throw notFound();
  return withId(call, type, record.id);
};

const upsert = (
  call: Call,
  type: ObjectType,
  field: Field,
  value: string,
  record: HeldRecord | undefined,
): SandboxAnswer => {
  const body = recordBody(call);
  const given = fieldsOfJson(call.org, type, body, call.body);
  for (const name of ['Id', field.name])
    if (Object.keys(body).some((member) => member.toLowerCase() === name.toLowerCase()))
      throw new SaveError('INVALID_FIELD', `The ${name} field should not be specified in the sobject data.`, [
        name,
      ]);
  const key = fieldsOfJson(call.org, type, { [field.name]: value }, '');
  if (record === undefined)
    return saved(
      call,
      type,
      inTransaction(call, (transaction) => insert(transaction, type, { ...given, ...key })),
      { created: true },
    );
  inTransaction(call, (transaction) => update(transaction, type, record.id, given));
  return call.version < VERBOSE_UPSERT
    ? NOTHING
    : { status: 200, body: { id: record.id, success: true, errors: [], created: false } };
};

/** Older versions answer an upsert that updates with nothing. */
const VERBOSE_UPSERT = 46;
