import type { Fields, HeldRecord, Staff } from '../protocol/sandbox.ts';
import { RestError } from './data/errors.ts';
import type { Instance } from './data/instance.ts';
import { fieldValue, sameText, valuesOf } from './data/values.ts';
import { insert, remove, update, type Writer } from './data/write.ts';
import type { Table } from './schema/fields.ts';

const YEAR = 365 * 86_400_000;

/** Does work as somebody in the pages. What the instance refuses is an `Error` with the reason. */
const act = <Result>(instance: Instance, work: () => Result): Result => {
  try {
    return instance.transaction(work);
  } catch (error) {
    throw error instanceof RestError
      ? new Error(`${error.message}: ${error.detail ?? ''}`, { cause: error })
      : error;
  }
};

const checkNames = (instance: Instance, table: string, fields: Fields): void => {
  for (const name of Object.keys(fields))
    if (instance.schema.field(table, name) === undefined) throw new Error(`${table} has no field ${name}`);
};

/** The only record with these values. `id` may stand among them for `sys_id`. */
const only = (instance: Instance, object: string, { id, ...where }: Fields): HeldRecord => {
  const wanted: Fields = { ...where, ...(id !== undefined && { sys_id: id }) };
  instance.table(object);
  checkNames(instance, object, wanted);
  const found = instance
    .list(object)
    .filter((record) =>
      Object.entries(wanted).every(([name, value]) =>
        sameText(fieldValue(record, name), String(value ?? '')),
      ),
    );
  const [record] = found;
  if (record === undefined || found.length > 1)
    throw new Error(`${found.length} records of ${object} are as described, not one`);
  return record;
};

const tableOf = (instance: Instance, object: string, record: HeldRecord): Table =>
  instance.table(instance.classOf(object, record));

/** Makes every reference to one record lead to another. */
const repoint = (instance: Instance, writer: Writer, object: string, from: string, to: string): void => {
  const targets = instance.schema.chain(object).map(({ name }) => name);
  for (const table of instance.schema.tables())
    for (const { name, reference } of table.fields)
      if (targets.includes(reference))
        for (const record of instance.findBy(table.name, name, from))
          update(instance, writer, tableOf(instance, table.name, record), record, { [name]: to });
};

export const staffOf = (instance: Instance, writer: Writer): Staff => ({
  create: (object, fields) =>
    act(instance, () => {
      const table = instance.table(object);
      checkNames(instance, object, fields);
      return insert(instance, writer, table, fields).id;
    }),
  update: (object, where, set) =>
    act(instance, () => {
      const record = only(instance, object, where);
      checkNames(instance, object, set);
      update(instance, writer, tableOf(instance, object, record), record, set);
    }),
  delete: (object, where) =>
    act(instance, () => {
      const record = only(instance, object, where);
      remove(instance, writer, tableOf(instance, object, record), record);
    }),
  // ServiceNow has no merge of contacts: people move what belongs to the second record, and then delete it.
  merge: (object, keep, other) =>
    act(instance, () => {
      const [first, second] = [only(instance, object, keep), only(instance, object, other)];
      if (first.id === second.id) throw new Error(`Both descriptions fit the same record of ${object}`);
      repoint(instance, writer, object, second.id, first.id);
      remove(instance, writer, tableOf(instance, object, second), second);
      const lacking = Object.entries(valuesOf(second.fields)).filter(
        ([name]) => fieldValue(first, name) === '',
      );
      update(instance, writer, tableOf(instance, object, first), first, Object.fromEntries(lacking));
    }),
});

/** Puts a record there that is a year old. */
export const seedRecord = (instance: Instance, user: string, object: string, fields: Fields): string =>
  act(instance, () => {
    const table = instance.table(object);
    checkNames(instance, object, fields);
    return insert(instance, { user, at: instance.now() - YEAR, silent: true }, table, fields).id;
  });
