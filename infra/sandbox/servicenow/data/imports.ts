import type { HeldRecord } from '../../protocol/sandbox.ts';
import { field, type Table } from '../schema/fields.ts';
import { RestError } from './errors.ts';
import type { Instance } from './instance.ts';
import { fieldValue, valuesOf } from './values.ts';
import { insert, update, type Writer } from './write.ts';

/** A staging table that an administrator made, with the transform map that leads from it to another table. */
export interface ImportTable {
  readonly table: string;
  /** Without a map every row ends in an error. */
  readonly transformMap?: {
    readonly name: string;
    readonly target: string;
    /** The fields of the target by column of the staging table. */
    readonly fields: Readonly<Record<string, string>>;
    /** The fields of the target by which its record is found. None: every row makes a record. */
    readonly coalesce: readonly string[];
  };
  /** How the administrator has set `insertMultiple` for this table. */
  readonly insertMultiple?: {
    /** Whether rows are transformed before the answer; default false. */
    readonly synchronous?: boolean;
    /** Whether rows name columns, and not their labels; default false. */
    readonly columnNames?: boolean;
  };
}

type State = 'pending' | 'inserted' | 'updated' | 'ignored' | 'skipped' | 'error';

interface Outcome {
  readonly state: State;
  readonly target?: HeldRecord;
  readonly comment?: string;
}

const ROWS = 'sys_import_set_row';
const MAPS = 'sys_transform_map';
const ENTRIES = 'sys_transform_entry';

/** A staging table with these columns. */
export const stagingTable = (name: string, label: string, columns: readonly string[] = []): Table => ({
  ...{ name, label, parent: ROWS, display: 'sys_import_row', system: true },
  fields: columns.map((column) => field(column, { maxLength: 4000 })),
});

/** Whether a table is one of an import set, by its entry in `sys_db_object`. */
export const isStaging = (parent: string): boolean => parent === ROWS;

/** Stores the transform map of a staging table, if it has none. */
export const addTransformMap = (
  instance: Instance,
  writer: Writer,
  { table, transformMap: map }: ImportTable,
): void => {
  if (map === undefined || instance.findBy(MAPS, 'source_table', table).length > 0) return;
  const { name, target, fields, coalesce } = map;
  const tables = { source_table: table, target_table: target };
  const { id } = insert(instance, writer, instance.table(MAPS), { ...tables, name });
  for (const [column, target_field] of Object.entries(fields))
    insert(instance, writer, instance.table(ENTRIES), {
      ...{ ...tables, map: id, source_field: column, target_field },
      coalesce: String(coalesce.includes(target_field)),
    });
};

interface Waiting {
  readonly due: number;
  readonly importSet: string;
  readonly table: ImportTable;
  readonly writer: Writer;
}

/** Rows of staging tables and what became of them. */
export class Imports {
  readonly #instance: Instance;
  readonly #tables: readonly ImportTable[];
  readonly #delay: number;
  readonly #runAs: string | undefined;
  readonly #waiting: Waiting[] = [];

  /** `importDelay`: after how many milliseconds rows are transformed that nobody waits for. */
  constructor(
    instance: Instance,
    tables: readonly ImportTable[],
    { importDelay = 0, importsRunAs }: { readonly importDelay?: number; readonly importsRunAs?: string },
  ) {
    this.#instance = instance;
    this.#tables = tables;
    this.#delay = importDelay;
    this.#runAs = importsRunAs;
  }

  /** A staging table, with its active transform map as it is now. */
  table(name: string): ImportTable | undefined {
    const instance = this.#instance;
    if (!isStaging(instance.schema.table(name)?.parent ?? '')) return undefined;
    const insertMultiple = this.#tables.find(({ table }) => table === name)?.insertMultiple;
    const map = instance
      .findBy(MAPS, 'source_table', name)
      .find((one) => fieldValue(one, 'active') === 'true');
    const entries = map === undefined ? [] : instance.findBy(ENTRIES, 'map', map.id);
    const targetOf = (entry: HeldRecord): string => fieldValue(entry, 'target_field');
    return {
      ...{ table: name, ...(insertMultiple && { insertMultiple }) },
      ...(map && {
        transformMap: {
          ...{ name: fieldValue(map, 'name'), target: fieldValue(map, 'target_table') },
          fields: Object.fromEntries(entries.map((one) => [fieldValue(one, 'source_field'), targetOf(one)])),
          coalesce: entries.filter((one) => fieldValue(one, 'coalesce') === 'true').map(targetOf),
        },
      }),
    };
  }

  /** Puts rows into the staging table as one import set. Returns the set. */
  stage(table: ImportTable, writer: Writer, rows: readonly Readonly<Record<string, unknown>>[]): HeldRecord {
    const instance = this.#instance;
    const set = insert(instance, writer, instance.table('sys_import_set'), {
      table_name: table.table,
      state: 'loaded',
    });
    rows.forEach((row, index) => {
      insert(instance, writer, instance.table(table.table), {
        ...row,
        ...{ sys_import_set: set.id, sys_import_row: index, sys_import_state: 'pending' },
      });
    });
    return set;
  }

  /** Transforms the rows of an import set. Returns them. */
  transform(table: ImportTable, writer: Writer, importSet: string): HeldRecord[] {
    const instance = this.#instance;
    const staging = instance.table(table.table);
    return instance.findBy(table.table, 'sys_import_set', importSet).map((row) => {
      const user = this.#runAs ?? writer.user;
      const { state, target, comment = '' } = this.#outcome(table, { ...writer, user }, row);
      return update(instance, writer, staging, row, {
        ...{ sys_import_state: state, sys_import_state_comment: comment },
        sys_transform_map: table.transformMap?.name ?? '',
        sys_target_table: table.transformMap?.target ?? '',
        sys_target_sys_id: target?.id ?? '',
      }).record;
    });
  }

  transformLater(table: ImportTable, writer: Writer, importSet: string): void {
    this.#waiting.push({ due: this.#instance.now() + this.#delay, importSet, table, writer });
  }

  /** Transforms what is due. */
  runDue(): void {
    for (;;) {
      const index = this.#waiting.findIndex(({ due }) => due <= this.#instance.now());
      const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (next === undefined) return;
      this.#instance.transaction(() => this.transform(next.table, next.writer, next.importSet));
    }
  }

  #outcome({ transformMap }: ImportTable, writer: Writer, row: HeldRecord): Outcome {
    if (transformMap === undefined)
      return {
        state: 'error',
        comment: 'No transform entry or scripts are defined; Target record not found',
      };
    const { target, fields, coalesce } = transformMap;
    const values: Record<string, string> = {};
    // A transform map does not copy empty fields unless it is told to.
    for (const [column, value] of Object.entries(valuesOf(row.fields)))
      if (fields[column] !== undefined && value !== '') values[fields[column]] = value;
    if (coalesce.length > 0 && coalesce.every((name) => !values[name]))
      return { state: 'skipped', comment: 'No key value is specified' };
    try {
      return this.#write(writer, target, coalesce, values);
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      return { state: 'error', comment: error.detail ?? error.message };
    }
  }

  #write(
    writer: Writer,
    target: string,
    coalesce: readonly string[],
    values: Readonly<Record<string, string>>,
  ): Outcome {
    const instance = this.#instance;
    const [first] = coalesce;
    const found = first === undefined ? [] : instance.findBy(target, first, values[first] ?? '');
    const match = found.find((record) =>
      coalesce.every((name) => fieldValue(record, name).toLowerCase() === (values[name] ?? '').toLowerCase()),
    );
    if (match === undefined)
      return { state: 'inserted', target: insert(instance, writer, instance.table(target), values) };
    const own = instance.table(instance.classOf(target, match));
    const { record, changed } = update(instance, writer, own, match, values);
    return { state: changed ? 'updated' : 'ignored', target: record };
  }
}
