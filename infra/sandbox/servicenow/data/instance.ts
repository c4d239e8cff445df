import type { DatabaseSync } from 'node:sqlite';
import { Records } from '../../protocol/records.ts';
import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { Table } from '../schema/fields.ts';
import { fixedId, schemaRows } from '../schema/rows.ts';
import { Schema } from '../schema/schema.ts';
import { invalidTable } from './errors.ts';
import { fieldValue } from './values.ts';

/** What an administrator's business rule posts about a write. */
export interface Report {
  readonly table: string;
  readonly sys_id: string;
  readonly operation: 'insert' | 'update' | 'delete';
  /** The values that are new, entries of journal fields among them. */
  readonly changed: Readonly<Record<string, string>>;
  readonly sys_updated_on: string;
  readonly sys_updated_by: string;
}

/** Fields of a table without which a record is refused. */
export interface DataPolicy {
  readonly table: string;
  readonly mandatory: readonly string[];
}

interface Options {
  readonly db: DatabaseSync;
  readonly now: () => number;
  readonly staging: readonly Table[];
  readonly dataPolicies: readonly DataPolicy[];
  readonly report: (report: Report) => void;
}

/** The records of one instance by table, with the schema by which they are read and written. */
export class Instance {
  readonly schema: Schema;
  readonly now: () => number;
  readonly dataPolicies: readonly DataPolicy[];
  /** The records of the business. */
  readonly records: Records;
  readonly #system: Records;
  readonly #counters: Records;
  readonly #db: DatabaseSync;
  readonly #report: (report: Report) => void;
  readonly #reports: Report[] = [];

  constructor({ db, now, staging, dataPolicies, report }: Options) {
    this.records = new Records(db, 'servicenow');
    this.#system = new Records(db, 'servicenow-system');
    this.#counters = new Records(db, 'servicenow-counters');
    this.schema = new Schema(new Records(db, 'servicenow-schema'), staging);
    this.now = now;
    this.dataPolicies = dataPolicies;
    this.#db = db;
    this.#report = report;
  }

  /** Throws ServiceNow's refusal of a table that is not there. */
  table(name: string): Table {
    const table = this.schema.table(name);
    if (table === undefined) throw invalidTable(name);
    return table;
  }

  /** The records of a table and of those that extend it, the oldest first within each. */
  list(name: string): readonly HeldRecord[] {
    return (
      schemaRows(this.schema, name) ??
      this.schema.family(name).flatMap((table) => this.#store(table).list(table.name))
    );
  }

  /** The records of exactly this table. */
  own(name: string): readonly HeldRecord[] {
    const table = this.schema.table(name);
    return table === undefined ? [] : this.#store(table).list(name);
  }

  /** The records of a table whose field has this value, without regard to letter case. */
  findBy(name: string, field: string, value: string): readonly HeldRecord[] {
    return this.schema.family(name).flatMap((table) => this.#store(table).findBy(table.name, field, value));
  }

  get(name: string, id: string): HeldRecord | undefined {
    const rows = schemaRows(this.schema, name);
    if (rows) return rows.find((row) => row.id === id);
    for (const table of this.schema.family(name)) {
      const record = this.#store(table).get(table.name, id);
      if (record) return record;
    }
    return undefined;
  }

  /** The table to which a record belongs: the one that was asked for or one that extends it. */
  classOf(name: string, record: HeldRecord): string {
    return fieldValue(record, 'sys_class_name') || name;
  }

  put(table: Table, id: string, values: Readonly<Record<string, string>>): HeldRecord {
    return this.#store(table).put(table.name, id, values);
  }

  remove(table: Table, id: string): void {
    this.#store(table).remove(table.name, id);
  }

  /** The next number of a table, for example IMS0000001. */
  nextNumber(prefix: string): string {
    return `${prefix}${String(this.#count(prefix)).padStart(7, '0')}`;
  }

  nextId(table: string): string {
    return fixedId('record', table, String(this.#count(`id:${table}`)));
  }

  changed(report: Report): void {
    this.#reports.push(report);
  }

  /** Does work in one database transaction, then sends what the business rules post about it. */
  transaction<Result>(work: () => Result): Result {
    try {
      return this.#committed(work);
    } finally {
      for (const report of this.#reports.splice(0)) this.#report(report);
    }
  }

  #committed<Result>(work: () => Result): Result {
    if (this.#db.isTransaction) return work();
    this.#db.exec('BEGIN');
    try {
      return work();
    } finally {
      this.#db.exec('COMMIT');
    }
  }

  #store(table: Table): Records {
    return table.system ? this.#system : this.records;
  }

  #count(counter: string): number {
    const next = Number(this.#counters.get('counter', counter)?.fields['next'] ?? 1);
    this.#counters.put('counter', counter, { next: next + 1 });
    return next;
  }
}
