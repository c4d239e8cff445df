import type { Fields } from '../../protocol/sandbox.ts';

/** A user has this many open cursors; the oldest goes. */
const CURSOR_LIMIT = 10;

/** Results of queries that are fetched in pages. */
export class Cursors {
  readonly #results = new Map<string, readonly Fields[]>();
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  open(records: readonly Fields[]): string {
    const id = this.#newId();
    this.#results.set(id, records);
    const [oldest] = this.#results.keys();
    if (this.#results.size > CURSOR_LIMIT && oldest !== undefined) this.#results.delete(oldest);
    return id;
  }

  get(id: string): readonly Fields[] | undefined {
    return this.#results.get(id);
  }
}
