import type { DatabaseSync } from 'node:sqlite';
import { escapeHtml, htmlPage } from './html.ts';

/** One record of a sandbox CRM. */
export interface SandboxRecord {
  readonly id: string;
  readonly key: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly updates: number;
}

const recordOf = (row: Record<string, unknown>): SandboxRecord => ({
  id: String(row['id']),
  key: String(row['key']),
  fields: JSON.parse(String(row['fields'])) as Record<string, unknown>,
  updates: Number(row['updates']),
});

/** The records of a sandbox CRM in SQLite, by object and external key. */
export class Records {
  readonly #db: DatabaseSync;
  readonly #crm: string;

  constructor(db: DatabaseSync, crm: string) {
    this.#db = db;
    this.#crm = crm;
    db.exec(`CREATE TABLE IF NOT EXISTS sandbox_records (
      serial INTEGER PRIMARY KEY AUTOINCREMENT, crm TEXT NOT NULL, object TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL DEFAULT '',
      fields TEXT NOT NULL, updates INTEGER NOT NULL DEFAULT 0, UNIQUE (crm, object, key)) STRICT`);
  }

  of(object: string): SandboxRecord[] {
    return this.#db
      .prepare(
        'SELECT id, key, fields, updates FROM sandbox_records WHERE crm = ? AND object = ? ORDER BY serial',
      )
      .all(this.#crm, object)
      .map(recordOf);
  }

  objects(): string[] {
    return this.#db
      .prepare('SELECT DISTINCT object FROM sandbox_records WHERE crm = ? ORDER BY object')
      .all(this.#crm)
      .map((row) => String(row['object']));
  }

  find(object: string, test: (record: SandboxRecord) => boolean): SandboxRecord | undefined {
    return this.of(object).find(test);
  }

  byKey(object: string, key: string): SandboxRecord | undefined {
    const row = this.#db
      .prepare(
        'SELECT id, key, fields, updates FROM sandbox_records WHERE crm = ? AND object = ? AND key = ?',
      )
      .get(this.#crm, object, key);
    return row && recordOf(row);
  }

  byId(object: string, id: string): SandboxRecord | undefined {
    const row = this.#db
      .prepare('SELECT id, key, fields, updates FROM sandbox_records WHERE crm = ? AND object = ? AND id = ?')
      .get(this.#crm, object, id);
    return row && recordOf(row);
  }

  /** Creates or updates by key. */
  upsert(
    object: string,
    key: string,
    fields: Readonly<Record<string, unknown>>,
    idOf: (serial: number) => string,
  ): { record: SandboxRecord; created: boolean } {
    const present = this.byKey(object, key);
    const merged = JSON.stringify({ ...present?.fields, ...fields });
    if (present) {
      this.#db
        .prepare(
          'UPDATE sandbox_records SET fields = ?, updates = updates + 1 WHERE crm = ? AND object = ? AND key = ?',
        )
        .run(merged, this.#crm, object, key);
    } else {
      const { lastInsertRowid } = this.#db
        .prepare('INSERT INTO sandbox_records (crm, object, key, fields) VALUES (?, ?, ?, ?)')
        .run(this.#crm, object, key, merged);
      this.#db
        .prepare('UPDATE sandbox_records SET id = ? WHERE serial = ?')
        .run(idOf(Number(lastInsertRowid)), lastInsertRowid);
    }
    const record = this.byKey(object, key);
    if (record === undefined) throw new Error(`The sandbox lost ${object} ${key}.`);
    return { record, created: present === undefined };
  }

  /** Whether there was such a record. */
  remove(object: string, key: string): boolean {
    const { changes } = this.#db
      .prepare('DELETE FROM sandbox_records WHERE crm = ? AND object = ? AND key = ?')
      .run(this.#crm, object, key);
    return changes > 0;
  }

  /** An HTML page with a table per object. */
  page(title: string): string {
    const sections = this.objects().map((object) => {
      const records = this.of(object);
      const columns = [...new Set(records.flatMap(({ fields }) => Object.keys(fields)))].slice(0, 8);
      const rows = records.map(
        ({ id, fields }) =>
          `<tr><td>${escapeHtml(id)}</td>${columns.map((column) => `<td>${escapeHtml(String(fields[column] ?? ''))}</td>`).join('')}</tr>`,
      );
      return `<h2>${escapeHtml(object)} (${records.length})</h2><table><tr><th>Id</th>${columns.map((column) => `<th>${escapeHtml(column)}</th>`).join('')}</tr>${rows.join('')}</table>`;
    });
    return htmlPage(title, sections.join('') || '<p>No records yet.</p>');
  }
}
