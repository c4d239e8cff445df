import * as z from 'zod';
import type { Fields } from '../../protocol/sandbox.ts';
import type { SandboxAnswer } from '../../protocol/server.ts';
import { remove } from '../data/bin.ts';
import { insert, update } from '../data/dml.ts';
import { ApiError, notInSandbox, SaveError } from '../data/errors.ts';
import { normalId } from '../data/ids.ts';
import { checkTypes, fieldsOfJson } from '../data/input.ts';
import type { Transaction } from '../data/org.ts';
import { upsertRow } from '../data/upsert.ts';
import type { ObjectType } from '../schema/fields.ts';
import { type Call, inTransaction, jsonBody, objectNamed } from './call.ts';
import { keyField, rowOf } from './records.ts';

const ROW_LIMIT = 200;
const RETRIEVE_LIMIT = 2000;

const Rows = z.object({
  allOrNone: z.boolean().default(false),
  records: z.array(z.record(z.string(), z.unknown())).default([]),
});
const Wanted = z.object({ ids: z.array(z.string()), fields: z.array(z.string()) });

interface Saved {
  readonly id: string;
  readonly more?: Fields;
}

/** One row: its work, and what its result says also when it fails. */
interface Row {
  readonly work: (transaction: Transaction) => Saved;
  readonly onFailure: () => Fields;
}

/** `/composite/sobjects…`: up to 200 records, each with its own result. */
export const collections = (call: Call): SandboxAnswer => {
  const [, , name, key] = call.path;
  if (name !== undefined && key !== undefined && call.method === 'PATCH')
    return upserts(call, objectNamed(call, name), key);
  if (name !== undefined && key === undefined && ['GET', 'POST'].includes(call.method))
    return retrieve(call, objectNamed(call, name));
  if (name !== undefined) throw notInSandbox(`${call.method} ${call.base}/${call.path.join('/')}`);
  if (call.method === 'POST') return creates(call);
  if (call.method === 'PATCH') return updates(call);
  if (call.method === 'DELETE') return deletes(call);
  throw new ApiError(
    405,
    'METHOD_NOT_ALLOWED',
    `HTTP Method '${call.method}' not allowed. Allowed are POST,PATCH,DELETE`,
  );
};

const limited = <Item>(items: readonly Item[]): readonly Item[] => {
  if (items.length === 0) throw new ApiError(400, 'REQUIRED_FIELD_MISSING', 'At least 1 record is required');
  if (items.length > ROW_LIMIT)
    throw new ApiError(
      400,
      'EXCEEDED_ID_LIMIT',
      `record limit reached. cannot submit more than ${ROW_LIMIT} records into this call`,
    );
  return items;
};

const rowsOf = (call: Call) => {
  const parsed = Rows.safeParse(jsonBody(call));
  if (!parsed.success)
    throw new ApiError(
      400,
      'JSON_PARSER_ERROR',
      `The body is { "allOrNone": …, "records": [ … ] }: ${parsed.error.issues[0]?.message ?? ''}`,
    );
  return { allOrNone: parsed.data.allOrNone, records: limited(parsed.data.records) };
};

const Attributes = z.object({ attributes: z.object({ type: z.string() }) });

/** The objects of the records; a value of a wrong type refuses the whole request before anything is done. */
const typesOf = (call: Call, records: readonly Fields[]): (() => ObjectType)[] =>
  records.map((record) => {
    const parsed = Attributes.safeParse(record);
    if (!parsed.success)
      throw new ApiError(
        400,
        'INVALID_FIELD',
        "Object type not specified: every record needs 'attributes' with 'type'",
      );
    const { type: name } = parsed.data.attributes;
    const type = call.org.schema.object(name);
    if (type) checkTypes(call.org, type, record, call.body);
    return () => {
      if (type === undefined) throw new SaveError('INVALID_TYPE', `sObject type '${name}' is not supported.`);
      return type;
    };
  });

const idIn = (record: Fields): unknown =>
  Object.entries(record).find(([name]) => name.toLowerCase() === 'id')?.[1];

const creates = (call: Call): SandboxAnswer => {
  const { records, allOrNone } = rowsOf(call);
  const types = typesOf(call, records);
  const rows = records.map(
    (record, index): Row => ({
      work: (transaction) => {
        const type = types[index]?.();
        if (type === undefined) throw new SaveError('INVALID_TYPE', 'no type');
        if (idIn(record) !== undefined)
          throw new SaveError('INVALID_FIELD_FOR_INSERT_UPDATE', 'cannot specify Id in an insert call', [
            'Id',
          ]);
        return { id: insert(transaction, type, fieldsOfJson(call.org, type, record, call.body)) };
      },
      onFailure: () => ({}),
    }),
  );
  return results(call, rows, allOrNone);
};

const givenId = (type: ObjectType, text: unknown): string => {
  if (typeof text !== 'string') throw new SaveError('MISSING_ARGUMENT', 'Id not specified in an update call');
  const id = normalId(text);
  if (id === undefined || !id.startsWith(type.keyPrefix))
    throw new SaveError('MALFORMED_ID', `malformed id ${text}`);
  return id;
};

const updates = (call: Call): SandboxAnswer => {
  const { records, allOrNone } = rowsOf(call);
  const types = typesOf(call, records);
  const rows = records.map(
    (record, index): Row => ({
      work: (transaction) => {
        const type = types[index]?.();
        if (type === undefined) throw new SaveError('INVALID_TYPE', 'no type');
        const id = givenId(type, idIn(record));
        update(transaction, type, id, fieldsOfJson(call.org, type, record, call.body));
        return { id };
      },
      onFailure: () => (idIn(record) === undefined ? {} : { id: idIn(record) }),
    }),
  );
  return results(call, rows, allOrNone);
};

const upserts = (call: Call, type: ObjectType, name: string): SandboxAnswer => {
  const { records, allOrNone } = rowsOf(call);
  const key = keyField(call, type, name);
  typesOf(call, records);
  const seen = new Set<string>();
  const rows = records.map((record): Row => {
    let created = true;
    return {
      work: (transaction) => {
        const done = upsertRow(
          transaction,
          type,
          key,
          {
            ...fieldsOfJson(call.org, type, record, call.body),
            ...(idIn(record) !== undefined && { Id: idIn(record) }),
          },
          seen,
          (isNew) => {
            created = isNew;
          },
        );
        return { id: done.id, more: { created: done.created } };
      },
      onFailure: () => ({ created }),
    };
  });
  return results(call, rows, allOrNone);
};

const deletes = (call: Call): SandboxAnswer => {
  const ids = limited((call.query.get('ids') ?? '').split(',').filter((id) => id !== ''));
  const rows = ids.map(
    (text): Row => ({
      work: (transaction) => {
        const id = normalId(text);
        const type = id && call.org.schema.objectOfId(id);
        if (id === undefined || !type) throw new SaveError('MALFORMED_ID', `malformed id ${text}`);
        remove(transaction, type, id);
        return { id };
      },
      onFailure: () => ({ id: text }),
    }),
  );
  return results(call, rows, call.query.get('allOrNone') === 'true');
};

const results = (call: Call, rows: readonly Row[], allOrNone: boolean): SandboxAnswer => {
  const body = inTransaction(call, (transaction) => {
    const start = transaction.savepoint();
    const outcomes = rows.map((row) => ({ row, ...attempt(transaction, row) }));
    const rolledBack = allOrNone && outcomes.some(({ error }) => error !== undefined);
    if (rolledBack) transaction.rollback(start);
    return outcomes.map(({ row, done, error }) => {
      const reason = error ?? (rolledBack ? ROLLED_BACK : undefined);
      return reason || done === undefined
        ? { ...row.onFailure(), success: false, errors: reason ? [reason.inCollection()] : [] }
        : { id: done.id, success: true, errors: [], ...done.more };
    });
  });
  return { status: 200, body };
};

const ROLLED_BACK = new SaveError(
  'ALL_OR_NONE_OPERATION_ROLLED_BACK',
  'Record rolled back because not all records were valid and the request was using AllOrNone header',
);

const attempt = (
  transaction: Transaction,
  { work }: Row,
): { readonly done?: Saved; readonly error?: SaveError } => {
  const savepoint = transaction.savepoint();
  try {
    return { done: work(transaction) };
  } catch (error) {
    transaction.rollback(savepoint);
    if (error instanceof SaveError) return { error };
    throw error;
  }
};

const retrieve = (call: Call, type: ObjectType): SandboxAnswer => {
  const listed = (name: string) => (call.query.get(name) ?? '').split(',').filter((item) => item !== '');
  const parsed = Wanted.safeParse(
    call.method === 'GET' ? { ids: listed('ids'), fields: listed('fields') } : jsonBody(call),
  );
  if (!parsed.success)
    throw new ApiError(400, 'JSON_PARSER_ERROR', 'The body is { "ids": [ … ], "fields": [ … ] }');
  const { ids, fields } = parsed.data;
  if (ids.length > RETRIEVE_LIMIT)
    throw new ApiError(
      400,
      'EXCEEDED_ID_LIMIT',
      `record limit reached. cannot submit more than ${RETRIEVE_LIMIT} records into this call`,
    );
  const records = ids.map((text) => {
    const id = normalId(text);
    const record = id && call.org.get(type, id);
    return record ? rowOf(call, type, record, fields) : null;
  });
  return { status: 200, body: records };
};
