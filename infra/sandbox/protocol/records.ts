import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { escapeHtml, htmlPage } from './html.ts';
import type { Fields, HeldRecord } from './sandbox.ts';

/**
 * The records of one sandbox CRM: in memory, and in SQLite so that they survive a restart. Values of fields are found by an
 * index that is made when it is first asked for; texts are compared without regard to letter case.
 */
export class Records {
  readonly #crm: string;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #objects = new Map<string, Map<string, HeldRecord>>();
  readonly #indexes = new Map<string, Map<string, Map<string, Set<string>>>>();

  constructor(db: DatabaseSync, crm: string) {
    this.#crm = crm;
    db.exec(`CREATE TABLE IF NOT EXISTS sandbox_records (
      serial INTEGER PRIMARY KEY AUTOINCREMENT, crm TEXT NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL,
      fields TEXT NOT NULL, UNIQUE (crm, object, id)) STRICT`);
    this.#put = db.prepare(
      'INSERT INTO sandbox_records (crm, object, id, fields) VALUES (?, ?, ?, ?) ON CONFLICT (crm, object, id) DO UPDATE SET fields = excluded.fields',
    );
    this.#remove = db.prepare('DELETE FROM sandbox_records WHERE crm = ? AND object = ? AND id = ?');
    for (const row of db
      .prepare('SELECT object, id, fields FROM sandbox_records WHERE crm = ? ORDER BY serial')
      .all(crm)) {
      const fields = JSON.parse(String(row['fields'])) as Fields;
      this.#of(String(row['object'])).set(String(row['id']), { id: String(row['id']), fields });
    }
  }

  /** The objects of which there are records. */
  objects(): string[] {
    return [...this.#objects].flatMap(([object, records]) => (records.size > 0 ? [object] : [])).sort();
  }

  /** The oldest first. */
  list(object: string): HeldRecord[] {
    return [...this.#of(object).values()];
  }

  get(object: string, id: string): HeldRecord | undefined {
    return this.#of(object).get(id);
  }

  /** The records whose field has this value, the oldest first. */
  findBy(object: string, field: string, value: unknown): HeldRecord[] {
    const records = this.#of(object);
    const ids = this.#index(object, field).get(indexed(value));
    return [...(ids ?? [])].flatMap((id) => records.get(id) ?? []);
  }

  /** Puts a record with these fields in place of the one with this id. */
  put(object: string, id: string, fields: Fields): HeldRecord {
    const before = this.get(object, id);
    const record = { id, fields };
    this.#of(object).set(id, record);
    for (const [field, index] of this.#indexes.get(object) ?? []) {
      if (before) index.get(indexed(before.fields[field]))?.delete(id);
      addTo(index, fields[field], id);
    }
    this.#put.run(this.#crm, object, id, JSON.stringify(fields));
    return record;
  }

  /** Whether there was such a record. */
  remove(object: string, id: string): boolean {
    const record = this.get(object, id);
    if (record === undefined) return false;
    this.#of(object).delete(id);
    for (const [field, index] of this.#indexes.get(object) ?? [])
      index.get(indexed(record.fields[field]))?.delete(id);
    this.#remove.run(this.#crm, object, id);
    return true;
  }

  /** An HTML page with a table per object. */
  page(title: string): string {
    const sections = this.objects().map((object) => {
      const records = this.list(object);
      const columns = [...new Set(records.flatMap(({ fields }) => Object.keys(fields)))].slice(0, 8);
      const rows = records.map(
        ({ id, fields }) =>
          `<tr><td>${escapeHtml(id)}</td>${columns.map((column) => `<td>${escapeHtml(String(fields[column] ?? ''))}</td>`).join('')}</tr>`,
      );
      return `<h2>${escapeHtml(object)} (${records.length})</h2><table><tr><th>Id</th>${columns.map((column) => `<th>${escapeHtml(column)}</th>`).join('')}</tr>${rows.join('')}</table>`;
    });
    return htmlPage(title, sections.join('') || '<p>No records yet.</p>');
  }

  #of(object: string): Map<string, HeldRecord> {
    const records = this.#objects.get(object) ?? new Map<string, HeldRecord>();
    this.#objects.set(object, records);
    return records;
  }

  #index(object: string, field: string): Map<string, Set<string>> {
    const indexes = this.#indexes.get(object) ?? new Map<string, Map<string, Set<string>>>();
    this.#indexes.set(object, indexes);
    const present = indexes.get(field);
    if (present) return present;
    const index = new Map<string, Set<string>>();
    for (const { id, fields } of this.#of(object).values()) addTo(index, fields[field], id);
    indexes.set(field, index);
    return index;
  }
}

const indexed = (value: unknown): string => String(value ?? '').toLowerCase();

const addTo = (index: Map<string, Set<string>>, value: unknown, id: string): void => {
  const ids = index.get(indexed(value)) ?? new Set();
  index.set(indexed(value), ids.add(id));
};
