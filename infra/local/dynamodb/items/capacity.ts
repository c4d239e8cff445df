import type { Index, Table } from '../tables/table.ts';
import { type Item, itemSize } from '../values/values.ts';

const READ_UNIT = 4096;
const WRITE_UNIT = 1024;

/** The units of a read of this size in bytes; an eventually consistent one costs half. */
export const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / READ_UNIT)) * (consistent ? 1 : 0.5);

/** The units of a write: those of the larger item, at least one. */
export const writeUnits = (before: Item | undefined, after: Item | undefined): number =>
  Math.max(1, Math.ceil(Math.max(before ? itemSize(before) : 0, after ? itemSize(after) : 0) / WRITE_UNIT));

/** The units of a write in an index: none where no projected attribute changed, twice where the index key changed. */
export const indexUnits = (index: Index, before: Item | undefined, after: Item | undefined): number => {
  const [old, fresh] = [before && index.entry(before), after && index.entry(after)];
  if (old === undefined && fresh === undefined) return 0;
  if (old === undefined || fresh === undefined)
    return writeUnits(old && before && index.project(before), fresh && after && index.project(after));
  if (before === undefined || after === undefined) return 0;
  const [was, is] = [index.project(before), index.project(after)];
  const moved = Buffer.compare(old.hash, fresh.hash) !== 0 || Buffer.compare(old.range, fresh.range) !== 0;
  if (moved) return writeUnits(was, undefined) + writeUnits(undefined, is);
  return JSON.stringify(was) === JSON.stringify(is) ? 0 : writeUnits(was, is);
};

/** The capacity that one request consumes of one table and of its indexes. */
export class ConsumedCapacity {
  readonly table: Table;
  readonly mode: 'read' | 'write';
  #own = 0;
  readonly #indexes = new Map<Index, number>();

  constructor(table: Table, mode: 'read' | 'write') {
    this.table = table;
    this.mode = mode;
  }

  add(units: number, index?: Index): void {
    if (index === undefined) this.#own += units;
    else if (units > 0) this.#indexes.set(index, (this.#indexes.get(index) ?? 0) + units);
  }

  /** Adds twice the capacity of another: transactions cost double. */
  addTwice(other: ConsumedCapacity): void {
    this.add(2 * other.#own);
    for (const [index, units] of other.#indexes) this.add(2 * units, index);
  }

  get total(): number {
    return this.#own + [...this.#indexes.values()].reduce((sum, units) => sum + units, 0);
  }

  /** The `ConsumedCapacity` of a response. That of a transaction names read or write units. */
  consumed(wanted: unknown, transaction = false): object | undefined {
    if (wanted !== 'TOTAL' && wanted !== 'INDEXES') return undefined;
    const units = (count: number): object => ({
      CapacityUnits: count,
      ...(transaction && { [this.mode === 'read' ? 'ReadCapacityUnits' : 'WriteCapacityUnits']: count }),
    });
    const of = (global: boolean): object | undefined => {
      const own = [...this.#indexes].filter(([index]) => index.global === global);
      return own.length === 0
        ? undefined
        : Object.fromEntries(own.map(([index, count]) => [index.name, units(count)]));
    };
    return {
      TableName: this.table.name,
      ...units(this.total),
      ...(wanted === 'INDEXES' && {
        Table: units(this.#own),
        GlobalSecondaryIndexes: of(true),
        LocalSecondaryIndexes: of(false),
      }),
    };
  }
}

/** The capacity that one request consumes of several tables. */
export class ConsumedCapacities {
  readonly #tables = new Map<Table, ConsumedCapacity>();
  readonly #mode: 'read' | 'write';

  constructor(mode: 'read' | 'write') {
    this.#mode = mode;
  }

  of(table: Table): ConsumedCapacity {
    const known = this.#tables.get(table) ?? new ConsumedCapacity(table, this.#mode);
    this.#tables.set(table, known);
    return known;
  }

  consumed(wanted: unknown, transaction = false): { ConsumedCapacity?: object[] } {
    const all = [...this.#tables.values()].flatMap((one) => one.consumed(wanted, transaction) ?? []);
    return all.length > 0 ? { ConsumedCapacity: all } : {};
  }

  all(): Iterable<ConsumedCapacity> {
    return this.#tables.values();
  }
}
