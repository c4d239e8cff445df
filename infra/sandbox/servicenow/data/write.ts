import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import type { Table } from '../schema/fields.ts';
import { operationFailed } from './errors.ts';
import type { Instance, Report } from './instance.ts';
import { fieldValue, stored, timestamp, type Values, valuesOf } from './values.ts';

/** Who writes, and how. */
export interface Writer {
  /** The user id, as `sys_updated_by` shows it. */
  readonly user: string;
  /** Epoch milliseconds; default the clock of the instance. */
  readonly at?: number;
  /** Without business rules, so that nothing is reported. */
  readonly silent?: boolean;
}

interface Input {
  readonly values: Values;
  readonly journal: Values;
}

/** The values that the columns of a table take. Names that it does not have are passed over, as are read-only columns. */
const read = (instance: Instance, table: Table, given: Fields): Input => {
  const values: Record<string, string> = {};
  const journal: Record<string, string> = {};
  for (const field of instance.schema.fields(table.name)) {
    const value = Object.hasOwn(given, field.name) ? stored(field, given[field.name]) : undefined;
    if (value === undefined || field.readOnly) continue;
    if (field.type !== 'journal_input') values[field.name] = value;
    else if (value !== '') journal[field.name] = value;
  }
  return { values, journal };
};

const named = (instance: Instance, table: Table, values: Values): Values =>
  instance.schema.field(table.name, 'first_name') === undefined
    ? values
    : {
        ...values,
        name: [values['first_name'], values['middle_name'], values['last_name']].filter(Boolean).join(' '),
      };

/** Data policies are no older than the records that `silent` writers put there. */
const checkPolicies = (instance: Instance, writer: Writer, table: Table, values: Values): void => {
  if (writer.silent) return;
  const chain = instance.schema.chain(table.name).map(({ name }) => name);
  const missing = instance.dataPolicies
    .filter((policy) => chain.includes(policy.table))
    .flatMap((policy) => policy.mandatory.filter((name) => !values[name]))
    .map((name) => instance.schema.field(table.name, name)?.label ?? name);
  if (missing.length > 0)
    throw operationFailed(`Data Policy Exception: The following fields are mandatory: ${missing.join(', ')}`);
};

const checkUnique = (
  instance: Instance,
  table: Table,
  values: Values,
  operation: 'insert' | 'update',
  own?: string,
): void => {
  for (const field of instance.schema.fields(table.name)) {
    const value = values[field.name];
    if (!field.unique || !value) continue;
    const holders = instance.findBy(instance.schema.definedIn(table.name, field.name), field.name, value);
    if (holders.some(({ id }) => id !== own))
      throw operationFailed(`Error during ${operation} of ${table.name} (${values[table.display] ?? ''})`);
  }
};

const report = (
  instance: Instance,
  writer: Writer,
  operation: Report['operation'],
  table: string,
  id: string,
  changed: Values,
): void => {
  if (writer.silent || instance.schema.table(table)?.system) return;
  const at = timestamp(writer.at ?? instance.now());
  instance.changed({
    ...{ table, sys_id: id, operation, changed },
    ...{ sys_updated_on: at, sys_updated_by: writer.user },
  });
};

const writeJournal = (
  instance: Instance,
  writer: Writer,
  table: Table,
  id: string,
  journal: Values,
): void => {
  for (const [element, value] of Object.entries(journal))
    insert(instance, { ...writer, silent: true }, instance.table('sys_journal_field'), {
      name: table.name,
      element_id: id,
      element,
      value,
    });
};

/** Makes a record. Throws ServiceNow's refusal of a value that must be unique and is not, or of a field that is missing. */
export const insert = (instance: Instance, writer: Writer, table: Table, given: Fields): HeldRecord => {
  const at = timestamp(writer.at ?? instance.now());
  const { values: own, journal } = read(instance, table, given);
  const initial = Object.fromEntries(
    instance.schema.fields(table.name).flatMap(({ name, initial }) => (initial ? [[name, initial]] : [])),
  );
  const number = table.prefix === undefined ? {} : { number: instance.nextNumber(table.prefix) };
  const values = { ...named(instance, table, { ...initial, ...own }), ...number };
  checkPolicies(instance, writer, table, values);
  checkUnique(instance, table, values, 'insert');
  const id = instance.nextId(table.name);
  const hasClass = instance.schema.field(table.name, 'sys_class_name') !== undefined;
  const record = instance.put(table, id, {
    ...values,
    ...(hasClass && { sys_class_name: table.name }),
    ...{ sys_id: id, sys_created_on: at, sys_created_by: writer.user },
    ...{ sys_updated_on: at, sys_updated_by: writer.user, sys_mod_count: '0' },
  });
  writeJournal(instance, writer, table, id, journal);
  const filled = Object.entries({ ...valuesOf(record.fields), ...journal }).filter(
    ([name, value]) => value !== '' && !name.startsWith('sys_'),
  );
  report(instance, writer, 'insert', table.name, id, Object.fromEntries(filled));
  return record;
};

/** Changes a record and says whether there was anything to change; where not, it stays as it is and no rule runs. */
export const update = (
  instance: Instance,
  writer: Writer,
  table: Table,
  record: HeldRecord,
  given: Fields,
): { readonly record: HeldRecord; readonly changed: boolean } => {
  const { values: own, journal } = read(instance, table, given);
  const before = valuesOf(record.fields);
  const after = named(instance, table, { ...before, ...own });
  const changed = Object.fromEntries(
    Object.entries(after).filter(([name, value]) => value !== (before[name] ?? '')),
  );
  if (Object.keys(changed).length + Object.keys(journal).length === 0) return { record, changed: false };
  checkPolicies(instance, writer, table, after);
  checkUnique(instance, table, after, 'update', record.id);
  const updated = instance.put(table, record.id, {
    ...after,
    sys_updated_on: timestamp(writer.at ?? instance.now()),
    sys_updated_by: writer.user,
    sys_mod_count: String(Number(before['sys_mod_count'] ?? 0) + 1),
  });
  writeJournal(instance, writer, table, record.id, journal);
  report(instance, writer, 'update', table.name, record.id, { ...changed, ...journal });
  return { record: updated, changed: true };
};

/** Empties the references to a record, which is the cascade rule that every reference has from the start. No rule runs. */
const clearReferences = (instance: Instance, name: string, id: string): void => {
  const targets = instance.schema.chain(name).map((table) => table.name);
  for (const table of instance.schema.tables())
    for (const field of table.fields)
      if (targets.includes(field.reference))
        for (const holder of instance.findBy(table.name, field.name, id))
          instance.put(instance.table(instance.classOf(table.name, holder)), holder.id, {
            ...valuesOf(holder.fields),
            [field.name]: '',
          });
};

/** Deletes a record and what its journal fields hold, and lists it among what was deleted. */
export const remove = (instance: Instance, writer: Writer, table: Table, record: HeldRecord): void => {
  const entries = instance.table('sys_journal_field');
  for (const entry of instance.findBy(entries.name, 'element_id', record.id))
    instance.remove(entries, entry.id);
  clearReferences(instance, table.name, record.id);
  instance.remove(table, record.id);
  insert(instance, { ...writer, silent: true }, instance.table('sys_audit_delete'), {
    tablename: table.name,
    documentkey: record.id,
    display_value: displayOf(instance, table.name, record),
  });
  report(instance, writer, 'delete', table.name, record.id, {});
};

/** How a record is shown where one value must stand for it. */
export const displayOf = (instance: Instance, table: string, record: HeldRecord): string =>
  fieldValue(record, instance.table(table).display);
