import { escapeHtml, htmlPage } from '../pages/html.ts';

/** One record of a sandbox CRM. */
export interface SandboxRecord {
  readonly id: string;
  readonly key: string;
  fields: Record<string, unknown>;
  updates: number;
}

/** The records of a sandbox CRM by object and our key. */
export class Records {
  readonly #objects = new Map<string, Map<string, SandboxRecord>>();
  #next = 1;

  of(object: string): SandboxRecord[] {
    return [...(this.#objects.get(object)?.values() ?? [])];
  }

  objects(): string[] {
    return [...this.#objects.keys()].sort();
  }

  find(object: string, test: (record: SandboxRecord) => boolean): SandboxRecord | undefined {
    return this.of(object).find(test);
  }

  /** Creates or updates by key. */
  upsert(
    object: string,
    key: string,
    fields: Record<string, unknown>,
    idOf: (serial: number) => string,
  ): { record: SandboxRecord; created: boolean } {
    const all = this.#objects.get(object) ?? new Map<string, SandboxRecord>();
    this.#objects.set(object, all);
    const present = all.get(key);
    if (present) {
      present.fields = { ...present.fields, ...fields };
      present.updates++;
      return { record: present, created: false };
    }
    const record = { id: idOf(this.#next++), key, fields, updates: 0 };
    all.set(key, record);
    return { record, created: true };
  }

  /** Every object as a table, for people. */
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
    return htmlPage(
      title,
      `<header><h1>${escapeHtml(title)}</h1></header><main>${sections.join('') || '<p class="soft">No records yet.</p>'}</main>`,
    );
  }
}
