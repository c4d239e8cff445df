import { createHash } from 'node:crypto';
import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { Field, Table } from './fields.ts';
import type { Schema } from './schema.ts';

/** Ids of what an instance has from the start are the same in every sandbox. */
export const fixedId = (...parts: readonly string[]): string =>
  createHash('md5').update(parts.join(':')).digest('hex');

const row = (id: string, fields: Readonly<Record<string, string>>): HeldRecord => ({
  id,
  fields: {
    sys_id: id,
    sys_created_on: '2020-01-01 00:00:00',
    sys_created_by: 'system',
    sys_updated_on: '2020-01-01 00:00:00',
    sys_updated_by: 'system',
    sys_mod_count: '0',
    ...fields,
  },
});

export const dictionaryId = (table: string, element: string): string =>
  fixedId('sys_dictionary', table, element);

const dictionaryRow = (table: Table, column: Field): HeldRecord =>
  row(dictionaryId(table.name, column.name), {
    name: table.name,
    element: column.name,
    column_label: column.label,
    internal_type: column.type,
    max_length: String(column.maxLength),
    mandatory: String(column.mandatory),
    unique: String(column.unique || column.name === 'sys_id'),
    read_only: String(column.readOnly),
    display: String(table.display === column.name),
    active: 'true',
    reference: column.reference,
    choice: column.choices.length > 0 ? '1' : '0',
    default_value: column.initial,
  });

const choiceRows = (table: Table, column: Field): HeldRecord[] =>
  column.choices.map(([value, label], index) =>
    row(fixedId('sys_choice', table.name, column.name, value), {
      name: table.name,
      element: column.name,
      value,
      label,
      language: 'en',
      sequence: String(index),
      inactive: 'false',
    }),
  );

const tableRow = ({ name, label, parent }: Table): HeldRecord =>
  row(fixedId('sys_db_object', name), {
    name,
    label,
    super_class: parent === undefined ? '' : fixedId('sys_db_object', parent),
  });

/** Every table has an entry of its own in the dictionary, without an element. */
const collectionRow = ({ name, label }: Table): HeldRecord =>
  row(dictionaryId(name, ''), { name, column_label: label, internal_type: 'collection', active: 'true' });

/** The records of a table that describes others; undefined for other tables. */
export const schemaRows = (schema: Schema, name: string): HeldRecord[] | undefined => {
  const tables = schema.tables();
  const columns = <Row>(make: (table: Table, column: Field) => Row): Row[] =>
    tables.flatMap((table) => schema.ownFields(table.name).map((column) => make(table, column)));
  if (name === 'sys_db_object') return tables.map(tableRow);
  if (name === 'sys_dictionary') return [...tables.map(collectionRow), ...columns(dictionaryRow)];
  if (name === 'sys_choice') return columns(choiceRows).flat();
  return undefined;
};
