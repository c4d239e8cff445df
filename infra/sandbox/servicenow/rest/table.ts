import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { SandboxAnswer } from '../../protocol/server.ts';
import { mayNotWrite, noResource, notFound, operationFailed, RestError } from '../data/errors.ts';
import { isStaging, stagingTable } from '../data/imports.ts';
import { insert, remove, update } from '../data/write.ts';
import { parseQuery } from '../query/parse.ts';
import { runQuery } from '../query/run.ts';
import { fieldTypes, type Table } from '../schema/fields.ts';
import { dictionaryId, fixedId } from '../schema/rows.ts';
import { schemaTables } from '../schema/schema-tables.ts';
import { answerOf, type Call, objectIn } from './call.ts';
import { shown } from './representation.ts';

const DEFAULT_LIMIT = 10_000;

export interface TableSettings {
  /** Whether the property `glide.invalid_query.returns_no_rows` is on. */
  readonly invalidFindsNothing: boolean;
}

/** `sysparm_query`, or the parameters that are names of fields. */
const encodedQuery = (query: URLSearchParams): string =>
  query.get('sysparm_query') ??
  [...query].flatMap(([name, value]) => (name.startsWith('sysparm_') ? [] : [`${name}=${value}`])).join('^');

/** A query may name the user who sends it. */
const ofUser = ({ instance, writer }: Call, query: string): string =>
  query.replaceAll(
    'javascript:gs.getUserID()',
    instance.findBy('sys_user', 'user_name', writer.user)[0]?.id ?? '',
  );

const count = (query: URLSearchParams, name: string, otherwise: number): number => {
  const given = Number.parseInt(query.get(name) ?? '', 10);
  return Number.isNaN(given) || given < 0 ? otherwise : given;
};

/** The `Link` header: the pages before and after this one, as far as there are any. */
const pages = ({ url, path, query }: Call, total: number, limit: number, offset: number): string => {
  const last = limit === 0 ? 0 : Math.max(0, Math.ceil(total / limit) - 1) * limit;
  const relations = [
    ['first', 0],
    ...(offset > 0 ? [['prev', Math.max(0, offset - limit)] as const] : []),
    ...(offset + limit < total ? [['next', offset + limit] as const] : []),
    ['last', last],
  ] as const;
  return relations
    .map(([relation, start]) => {
      const parameters = new URLSearchParams(query);
      parameters.set('sysparm_limit', String(limit));
      parameters.set('sysparm_offset', String(start));
      return `<${url}${path}?${parameters}>;rel="${relation}"`;
    })
    .join(',');
};

const list = (call: Call, table: string, settings: TableSettings): SandboxAnswer => {
  const { instance, query, path } = call;
  const found = runQuery(
    instance,
    table,
    parseQuery(ofUser(call, encodedQuery(query))),
    settings.invalidFindsNothing,
  );
  const limit = count(query, 'sysparm_limit', DEFAULT_LIMIT);
  const offset = count(query, 'sysparm_offset', 0);
  if (found.length === 0 && path.startsWith('/api/now/v1/')) throw notFound();
  return answerOf(
    200,
    { result: found.slice(offset, offset + limit).map((record) => shown(call, table, record)) },
    {
      ...(query.get('sysparm_no_count') !== 'true' && { 'X-Total-Count': String(found.length) }),
      ...(query.get('sysparm_suppress_pagination_header') !== 'true' && {
        Link: pages(call, found.length, limit, offset),
      }),
    },
  );
};

const text = (value: unknown): string => (typeof value === 'string' ? value : String(value ?? ''));

/** An administrator adds a column by a record of the dictionary. The prefix `u_` is put before a name that lacks it. */
const addColumn = ({ instance }: Call, given: Readonly<Record<string, unknown>>): string => {
  const table = instance.table(text(given['name'])).name;
  const element = text(given['element']).replace(/^(?!u_)/u, 'u_');
  const type = fieldTypes.find((name) => name === (text(given['internal_type']) || 'string'));
  if (!/^u_[a-z0-9_]+$/u.test(element) || type === undefined || instance.schema.field(table, element))
    throw operationFailed(`Error during insert of sys_dictionary (${element})`);
  instance.schema.addField({
    ...{ table, name: element, type },
    label: text(given['column_label']) || element.slice(2),
    maxLength: Number(text(given['max_length'])) || 40,
    mandatory: text(given['mandatory']) === 'true',
    unique: text(given['unique']) === 'true',
    reference: text(given['reference']),
  });
  return dictionaryId(table, element);
};

/** An administrator adds a staging table by a record of `sys_db_object`. Other tables are not made in the sandbox. */
const addTable = ({ instance }: Call, given: Readonly<Record<string, unknown>>): string => {
  const [name, label] = [text(given['name']), text(given['label'])];
  const parent = instance.get('sys_db_object', text(given['super_class']))?.fields['name'];
  if (!/^u_[a-z0-9_]+$/u.test(name) || label === '' || instance.schema.table(name) !== undefined)
    throw operationFailed(`Error during insert of sys_db_object (${label})`);
  if (!isStaging(text(parent))) throw mayNotWrite('Insert');
  instance.schema.addTable(stagingTable(name, label));
  return fixedId('sys_db_object', name);
};

/** Records that describe the schema, and how one is made where that is possible. */
const described: Readonly<Record<string, typeof addTable>> = {
  sys_dictionary: addColumn,
  sys_db_object: addTable,
};

const create = (call: Call, table: Table): SandboxAnswer => {
  const { instance, url } = call;
  const given = objectIn(call);
  const add = described[table.name];
  if (add === undefined && schemaTables.includes(table)) throw mayNotWrite('Insert');
  const id = add?.(call, given) ?? insert(instance, call.writer, table, given).id;
  const location = `${url}/api/now/table/${table.name}/${id}`;
  return answerOf(
    201,
    { result: shown(call, table.name, existing(call, table.name, id)) },
    { Location: location },
  );
};

const existing = ({ instance }: Call, table: string, id: string): HeldRecord => {
  const record = instance.get(table, id);
  if (record === undefined) throw notFound();
  return record;
};

const one = (call: Call, table: Table, id: string): SandboxAnswer => {
  const { instance, method, writer } = call;
  const record = existing(call, table.name, id);
  const own = instance.table(instance.classOf(table.name, record));
  if (method === 'GET') return answerOf(200, { result: shown(call, table.name, record) });
  if (schemaTables.includes(table)) throw mayNotWrite(method === 'DELETE' ? 'Delete' : 'Update');
  if (method === 'DELETE') {
    remove(instance, writer, own, record);
    return answerOf(204, undefined);
  }
  const { record: updated } = update(instance, writer, own, record, objectIn(call));
  return answerOf(200, { result: shown(call, table.name, updated) });
};

/** `/api/now/table/{table}` and `/api/now/table/{table}/{sys_id}` */
export const tableApi = (
  call: Call,
  [name, id, ...rest]: readonly string[],
  settings: TableSettings,
): SandboxAnswer => {
  if (name === undefined || rest.length > 0) throw noResource();
  const table = call.instance.table(name);
  const allowed = id === undefined ? ['GET', 'POST'] : ['GET', 'PUT', 'PATCH', 'DELETE'];
  if (!allowed.includes(call.method)) throw new RestError(405, 'Method not supported', null);
  if (id !== undefined) return one(call, table, id);
  return call.method === 'GET' ? list(call, name, settings) : create(call, table);
};
