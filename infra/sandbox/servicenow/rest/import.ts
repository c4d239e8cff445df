import * as z from 'zod';
import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { SandboxAnswer } from '../../protocol/server.ts';
import { invalidTable, noResource, notFound, RestError } from '../data/errors.ts';
import type { Imports, ImportTable } from '../data/imports.ts';
import { fieldValue } from '../data/values.ts';
import { displayOf } from '../data/write.ts';
import { fixedId } from '../schema/rows.ts';
import { answerOf, type Call, objectIn } from './call.ts';

const ROWS = 200;

const Rows = z.object({ records: z.array(z.record(z.string(), z.unknown())) });

/** What became of a row, in the shape of the API. */
const resultOf = ({ instance, url }: Call, table: ImportTable, row: HeldRecord): object => {
  const status = fieldValue(row, 'sys_import_state');
  const comment = fieldValue(row, 'sys_import_state_comment');
  const map = table.transformMap;
  const known = { ...(map && { transform_map: map.name }), table: map?.target ?? table.table };
  const id = fieldValue(row, 'sys_target_sys_id');
  const target = map && instance.get(map.target, id);
  if (status === 'error') return { ...known, status, error_message: comment };
  if (map === undefined || target === undefined)
    return { ...known, status, ...(comment && { status_message: comment }), sys_id: row.id };
  return {
    ...known,
    display_name: instance.table(map.target).display,
    display_value: displayOf(instance, map.target, target),
    record_link: `${url}/api/now/table/${map.target}/${id}`,
    status,
    sys_id: id,
  };
};

const oneRow = (call: Call, imports: Imports, table: ImportTable): SandboxAnswer => {
  const set = imports.stage(table, call.writer, [objectIn(call)]);
  const rows = imports.transform(table, call.writer, set.id);
  return answerOf(201, {
    import_set: fieldValue(set, 'number'),
    staging_table: table.table,
    result: rows.map((row) => resultOf(call, table, row)),
  });
};

/** The columns of a row by name. Without the administrator's setting a row names their labels, and other keys are dropped. */
const columnsOf = (call: Call, table: ImportTable, row: Readonly<Record<string, unknown>>) => {
  if (table.insertMultiple?.columnNames) return row;
  const fields = call.instance.schema.fields(table.table);
  return Object.fromEntries(
    Object.entries(row).flatMap(([key, value]) => {
      const column = fields.find(({ label }) => label.toLowerCase() === key.toLowerCase());
      return column ? [[column.name, value]] : [];
    }),
  );
};

/** The answer names the import set only; what became of the rows is read from the staging table. */
const manyRows = (call: Call, imports: Imports, table: ImportTable): SandboxAnswer => {
  const parsed = Rows.safeParse(objectIn(call));
  if (!parsed.success) throw new RestError(400, 'Invalid request body', 'The body has no array "records"');
  const { records } = parsed.data;
  if (records.length > ROWS)
    throw new RestError(400, 'Too many records', `The limit is ${ROWS} records, and ${records.length} came`);
  const set = imports.stage(
    table,
    call.writer,
    records.map((row) => columnsOf(call, table, row)),
  );
  if (table.insertMultiple?.synchronous) imports.transform(table, call.writer, set.id);
  else imports.transformLater(table, call.writer, set.id);
  return answerOf(201, { import_set_id: set.id, multi_import_set_id: fixedId('multi', set.id) });
};

const readRow = (call: Call, table: ImportTable, id: string): SandboxAnswer => {
  const { instance } = call;
  const row = instance.get(table.table, id);
  if (row === undefined) throw notFound();
  const set = instance.get('sys_import_set', fieldValue(row, 'sys_import_set'));
  return answerOf(200, {
    import_set: set && fieldValue(set, 'number'),
    staging_table: table.table,
    result: [resultOf(call, table, row)],
  });
};

/** `/api/now/import/{stagingTable}`, with `/insertMultiple` or the id of a row. */
export const importApi = (
  call: Call,
  [name = '', last, ...rest]: readonly string[],
  imports: Imports,
): SandboxAnswer => {
  const table = imports.table(name);
  if (table === undefined) throw invalidTable(name);
  if (rest.length > 0) throw noResource();
  if (call.method === 'POST' && last === undefined) return oneRow(call, imports, table);
  if (call.method === 'POST' && last === 'insertMultiple') return manyRows(call, imports, table);
  if (call.method === 'GET' && last !== undefined) return readRow(call, table, last);
  throw new RestError(405, 'Method not supported', null);
};
