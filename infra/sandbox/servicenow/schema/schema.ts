import * as z from 'zod';
import type { Records } from '../../protocol/records.ts';
import { type Field, field, fieldTypes, type Table } from './fields.ts';
import { schemaTables } from './schema-tables.ts';
import { standardTables } from './standard.ts';

/** A field that an administrator added. Its name begins with `u_`. */
export const CustomField = z.object({
  table: z.string(),
  name: z.string(),
  label: z.string().optional(),
  type: z.enum(fieldTypes).default('string'),
  maxLength: z.number().int().positive().default(40),
  mandatory: z.boolean().default(false),
  unique: z.boolean().default(false),
  reference: z.string().default(''),
  choices: z.array(z.string()).readonly().default([]),
});
export type CustomField = z.input<typeof CustomField>;

/** What is taken for absent in one request; without an object, in every table. */
export interface Hidden {
  readonly object?: string;
  readonly field: string;
}

const COLUMNS = 'added-column';
const TABLES = 'added-table';
const AddedTable = z.object({ name: z.string(), label: z.string(), parent: z.string(), display: z.string() });

const remembered = <Value>(cache: Map<string, Value>, key: string, make: () => Value): Value => {
  const value = cache.get(key) ?? make();
  cache.set(key, value);
  return value;
};

/** The tables and their columns, with those that were added. */
export class Schema {
  readonly #tables = new Map<string, Table>();
  readonly #store: Records;
  #hidden: readonly Hidden[] = [];
  readonly #chains = new Map<string, readonly Table[]>();
  readonly #families = new Map<string, readonly Table[]>();
  readonly #fields = new Map<string, ReadonlyMap<string, Field>>();

  constructor(store: Records, staging: readonly Table[]) {
    this.#store = store;
    for (const table of [...standardTables, ...schemaTables, ...staging]) this.#tables.set(table.name, table);
    for (const { fields } of store.list(TABLES)) {
      const table = AddedTable.parse(fields);
      this.#tables.set(table.name, { ...table, system: true, fields: [] });
    }
    for (const { fields } of store.list(COLUMNS)) this.#add(CustomField.parse(fields));
  }

  tables(): readonly Table[] {
    return [...this.#tables.values()];
  }

  table(name: string): Table | undefined {
    return this.#tables.get(name);
  }

  /** The table and those that it extends, the nearest first. */
  chain(name: string): readonly Table[] {
    return remembered(this.#chains, name, () => {
      const table = this.#tables.get(name);
      return table === undefined ? [] : [table, ...this.chain(table.parent ?? '')];
    });
  }

  /** The table and those that extend it. */
  family(name: string): readonly Table[] {
    return remembered(this.#families, name, () =>
      this.tables().filter((table) => this.chain(table.name).some((ancestor) => ancestor.name === name)),
    );
  }

  /** The fields of a record of the table, inherited ones included. */
  fields(name: string): readonly Field[] {
    return [...this.#fieldsOf(name).values()];
  }

  /** The fields that the dictionary lists under the name of this table: those that it does not inherit. */
  ownFields(name: string): readonly Field[] {
    const fields = this.#tables.get(name)?.fields ?? [];
    return fields.filter((candidate) => !this.#isHidden(name, candidate.name));
  }

  field(table: string, name: string): Field | undefined {
    return this.#fieldsOf(table).get(name);
  }

  /** The table in which a field of this one is defined. */
  definedIn(table: string, name: string): string {
    return this.chain(table).find(({ fields }) => fields.some((one) => one.name === name))?.name ?? table;
  }

  /** Adds a column for good. The table must be there. */
  addField(given: CustomField): void {
    const added = CustomField.parse(given);
    this.#add(added);
    this.#store.put(COLUMNS, `${added.table}.${added.name}`, { ...added });
  }

  /** Adds a table of the system for good. */
  addTable({ name, label, parent = '', display }: Table): void {
    this.#tables.set(name, { name, label, parent, display, system: true, fields: [] });
    this.#store.put(TABLES, name, { name, label, parent, display });
    for (const cache of [this.#chains, this.#families, this.#fields]) cache.clear();
  }

  hide(hidden: readonly Hidden[]): void {
    if (this.#hidden.length + hidden.length > 0) this.#fields.clear();
    this.#hidden = hidden;
  }

  #fieldsOf(name: string): ReadonlyMap<string, Field> {
    return remembered(
      this.#fields,
      name,
      () =>
        new Map(
          this.chain(name).flatMap((table) => this.ownFields(table.name).map((field) => [field.name, field])),
        ),
    );
  }

  #add({ table: name, name: column, label, choices, ...given }: z.output<typeof CustomField>): void {
    const table = this.#tables.get(name);
    if (table === undefined) throw new Error(`ServiceNow has no table ${name}`);
    const added = field(column, {
      ...given,
      ...(label !== undefined && { label }),
      choices: choices.map((choice) => [choice, choice]),
    });
    const others = table.fields.filter((one) => one.name !== column);
    this.#tables.set(name, { ...table, fields: [...others, added] });
    for (const cache of [this.#chains, this.#families, this.#fields]) cache.clear();
  }

  #isHidden(table: string, name: string): boolean {
    return this.#hidden.some(
      ({ object, field: hidden }) =>
        hidden === name &&
        (object === undefined || this.chain(object).some((ancestor) => ancestor.name === table)),
    );
  }
}
