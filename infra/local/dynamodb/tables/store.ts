import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ServiceError } from '../../protocol/json.ts';
import { transaction } from '../../protocol/transaction.ts';
import { type ConsumedCapacity, indexUnits, writeUnits } from '../items/capacity.ts';
import { type Item, sortable } from '../values/values.ts';
import { Definition, Details, type Index, type ItemKey, type KeyBytes, Table } from './table.ts';

/** The name under which the expiry times are indexed; no index can have this name. */
const TTL = '#ttl';
const EMPTY = new Uint8Array();
const HIGHEST = new Uint8Array(2100).fill(0xff);

/** The part of a partition that is read. */
export interface Range {
  /** The lowest and highest range key, inclusive. */
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
  readonly backwards: boolean;
  /** Reading continues after this key. */
  readonly after: (KeyBytes & { readonly own: KeyBytes }) | undefined;
}

/** Tables and items in SQLite. Everything is synchronous: one request is one SQLite transaction. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;
  readonly #tables = new Map<string, Table>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`
      CREATE TABLE IF NOT EXISTS dynamodb_tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL, details TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS dynamodb_items (
        tbl TEXT NOT NULL, hash BLOB NOT NULL, range BLOB NOT NULL, item TEXT NOT NULL,
        PRIMARY KEY (tbl, hash, range)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS dynamodb_entries (
        tbl TEXT NOT NULL, idx TEXT NOT NULL, hash BLOB NOT NULL, range BLOB NOT NULL,
        own_hash BLOB NOT NULL, own_range BLOB NOT NULL,
        PRIMARY KEY (tbl, idx, hash, range, own_hash, own_range)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS dynamodb_tokens (token TEXT PRIMARY KEY, digest TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
    `);
    this.#sql = statements(db);
    for (const { definition, details } of db.prepare('SELECT * FROM dynamodb_tables').all()) {
      const table = new Table(
        Definition.parse(JSON.parse(String(definition))),
        Details.parse(JSON.parse(String(details))),
      );
      this.#tables.set(table.name, table);
    }
  }

  /** Runs `work` as one transaction. */
  atomically<Result>(work: () => Result): Result {
    return transaction(this.#db, work);
  }

  create(table: Table): void {
    if (this.#tables.has(table.name))
      throw new ServiceError('ResourceInUseException', `Table already exists: ${table.name}`);
    this.atomically(() => this.#save(table));
  }

  /** Replaces a table's definition; new indexes and a new expiry are filled from the items. */
  replace(table: Table): void {
    const before = this.table(table.name);
    const names = new Set(before.indexes.map(({ name }) => name));
    const current = new Set(table.indexes.map(({ name }) => name));
    const fresh = [...current].filter((name) => !names.has(name));
    if (table.details.ttl !== before.details.ttl) fresh.push(TTL);
    this.atomically(() => {
      this.#save(table);
      for (const dropped of [...names].filter((name) => !current.has(name)))
        this.#sql.forget.run(table.name, dropped);
      this.#backfill(table, fresh);
    });
  }

  #save(table: Table): void {
    this.#sql.saveTable.run(table.name, JSON.stringify(table.definition), JSON.stringify(table.details));
    this.#tables.set(table.name, table);
  }

  #backfill(table: Table, names: readonly string[]): void {
    if (names.length === 0) return;
    for (const name of names) this.#sql.forget.run(table.name, name);
    for (const item of [...this.scan(table)])
      for (const [name, entry] of entriesOf(table, item))
        if (names.includes(name)) this.#enter(table, name, entry, table.keyOf(item));
  }

  drop(table: Table): void {
    this.atomically(() => {
      for (const statement of this.#sql.drop) statement.run(table.name);
    });
    this.#tables.delete(table.name);
  }

  names(): string[] {
    return [...this.#tables.keys()].sort();
  }

  /** The table with this name or ARN. With `named` the error contains the name, as in the operations on tables. */
  table(nameOrArn: string, named = false): Table {
    const name = nameOrArn.includes(':table/') ? (nameOrArn.split(':table/')[1] ?? '') : nameOrArn;
    const table = this.#tables.get(name);
    if (table === undefined)
      throw new ServiceError(
        'ResourceNotFoundException',
        `Requested resource not found${named ? `: Table: ${name} not found` : ''}`,
      );
    return table;
  }

  /** The number of a table's items and their size in bytes, about. */
  extent(table: Table): { readonly count: number; readonly bytes: number } {
    const row = this.#sql.extent.get(table.name);
    return { count: Number(row?.['count'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  }

  entryCount(table: Table, index: Index): number {
    return Number(this.#sql.entryCount.get(table.name, index.name)?.['count'] ?? 0);
  }

  get({ table, hash, range }: ItemKey): Item | undefined {
    const row = this.#sql.get.get(table.name, hash, range);
    return row && itemOf(row);
  }

  /** Replaces `before` by `after` in the table and its indexes, and counts the capacity. */
  write(
    itemKey: ItemKey,
    before: Item | undefined,
    after: Item | undefined,
    capacity: ConsumedCapacity,
  ): void {
    const { table, hash, range } = itemKey;
    capacity.add(writeUnits(before, after));
    if (after === undefined && before === undefined) return;
    if (after === undefined) this.#sql.remove.run(table.name, hash, range);
    else this.#sql.put.run(table.name, hash, range, JSON.stringify(after));
    if (table.indexes.length === 0 && table.details.ttl === undefined) return;
    for (const index of table.indexes) capacity.add(indexUnits(index, before, after), index);
    this.#reindex(itemKey, before, after);
  }

  #reindex(itemKey: ItemKey, before: Item | undefined, after: Item | undefined): void {
    const old = new Map(before ? entriesOf(itemKey.table, before) : []);
    const fresh = new Map(after ? entriesOf(itemKey.table, after) : []);
    for (const [name, entry] of old) {
      const unchanged = fresh.get(name);
      if (unchanged && isSameKey(unchanged, entry)) fresh.delete(name);
      else
        this.#sql.leave.run(itemKey.table.name, name, entry.hash, entry.range, itemKey.hash, itemKey.range);
    }
    for (const [name, entry] of fresh) this.#enter(itemKey.table, name, entry, itemKey);
  }

  #enter(table: Table, name: string, entry: KeyBytes, own: KeyBytes): void {
    this.#sql.enter.run(table.name, name, entry.hash, entry.range, own.hash, own.range);
  }

  /** The items of one partition of the table or of an index, in order. */
  *partition(table: Table, index: Index | undefined, hash: Uint8Array, range: Range): Generator<Item> {
    const { low = EMPTY, high = HIGHEST, backwards, after } = range;
    if (index === undefined) {
      const rows = backwards
        ? this.#sql.backward.iterate(table.name, hash, low, after?.range ?? high)
        : this.#sql.forward.iterate(table.name, hash, after?.range ?? low, high);
      for (const row of rows) {
        const item = itemOf(row);
        if (after === undefined || !isSameKey(table.keyOf(item), after.own)) yield item;
      }
      return;
    }
    const rows = backwards
      ? this.#sql.indexBackward.iterate(
          table.name,
          index.name,
          hash,
          low,
          after?.range ?? high,
          after?.own.hash ?? HIGHEST,
          after?.own.range ?? HIGHEST,
        )
      : this.#sql.indexForward.iterate(
          table.name,
          index.name,
          hash,
          high,
          after?.range ?? low,
          after?.own.hash ?? EMPTY,
          after?.own.range ?? EMPTY,
        );
    for (const row of rows) yield itemOf(row);
  }

  /** The items of the whole table or index in a stable order, after a key. */
  *scan(
    table: Table,
    index?: Index,
    after?: (KeyBytes & { readonly own: KeyBytes }) | undefined,
  ): Generator<Item> {
    const [hash, range] = [after?.hash ?? EMPTY, after?.range ?? EMPTY];
    const rows =
      index === undefined
        ? this.#sql.scan.iterate(table.name, hash, range)
        : this.#sql.indexScan.iterate(
            table.name,
            index.name,
            hash,
            range,
            after?.own.hash ?? EMPTY,
            after?.own.range ?? EMPTY,
          );
    for (const row of rows) yield itemOf(row);
  }

  /** The items of a table whose expiry time, in epoch seconds, is before an instant. */
  expired(table: Table, seconds: number): Item[] {
    const rows = this.#sql.expired.all(table.name, TTL, sortable({ N: String(seconds) }));
    return rows.map(itemOf);
  }

  expiring(): Table[] {
    return [...this.#tables.values()].filter(({ details }) => details.ttl !== undefined);
  }

  /** The digest of the request that used a token; undefined once the token has expired. */
  token(token: string, now: number): string | undefined {
    const row = this.#sql.token.get(token, now);
    return row && String(row['digest']);
  }

  forgetTokens(now: number): void {
    this.#sql.forgetTokens.run(now);
  }

  remember(token: string, digest: string, until: number): void {
    this.#sql.remember.run(token, digest, until);
  }
}

const OLDEST_SECONDS = 5 * 365 * 24 * 3600;

/** Whether an item has expired. DynamoDB ignores times that lie more than five years in the past. */
export const isDue = (item: Item, attribute: string, seconds: number): boolean => {
  const value = item[attribute];
  return (
    value !== undefined &&
    'N' in value &&
    Number(value.N) < seconds &&
    Number(value.N) > seconds - OLDEST_SECONDS
  );
};

/** Items are validated when they are written. */
const itemOf = (row: Record<string, unknown>): Item => JSON.parse(String(row['item'])) as Item;

const isSameKey = (one: KeyBytes, other: KeyBytes): boolean =>
  Buffer.compare(one.range, other.range) === 0 && Buffer.compare(one.hash, other.hash) === 0;

const entriesOf = (table: Table, item: Item): [string, KeyBytes][] => {
  const entries = table.indexes.flatMap((index): [string, KeyBytes][] => {
    const entry = index.entry(item);
    return entry ? [[index.name, entry]] : [];
  });
  const time = table.details.ttl === undefined ? undefined : item[table.details.ttl];
  if (time !== undefined && 'N' in time) entries.push([TTL, { hash: EMPTY, range: sortable(time) }]);
  return entries;
};

const JOINED = `SELECT item FROM dynamodb_entries AS e CROSS JOIN dynamodb_items AS i
  ON i.tbl = e.tbl AND i.hash = e.own_hash AND i.range = e.own_range WHERE e.tbl = ? AND e.idx = ?`;

const statements = (db: DatabaseSync) => {
  const own = 'SELECT item FROM dynamodb_items WHERE tbl = ? AND hash = ?';
  const drop: StatementSync[] = [
    db.prepare('DELETE FROM dynamodb_items WHERE tbl = ?'),
    db.prepare('DELETE FROM dynamodb_entries WHERE tbl = ?'),
    db.prepare('DELETE FROM dynamodb_tables WHERE name = ?'),
  ];
  return {
    drop,
    saveTable: db.prepare('INSERT OR REPLACE INTO dynamodb_tables VALUES (?, ?, ?)'),
    extent: db.prepare(
      'SELECT count(*) AS count, sum(length(item)) AS bytes FROM dynamodb_items WHERE tbl = ?',
    ),
    entryCount: db.prepare('SELECT count(*) AS count FROM dynamodb_entries WHERE tbl = ? AND idx = ?'),
    get: db.prepare(`${own} AND range = ?`),
    put: db.prepare(
      'INSERT INTO dynamodb_items (tbl, hash, range, item) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET item = excluded.item',
    ),
    remove: db.prepare('DELETE FROM dynamodb_items WHERE tbl = ? AND hash = ? AND range = ?'),
    forward: db.prepare(`${own} AND range >= ? AND range <= ? ORDER BY range`),
    backward: db.prepare(`${own} AND range >= ? AND range <= ? ORDER BY range DESC`),
    scan: db.prepare(
      'SELECT item FROM dynamodb_items WHERE tbl = ? AND (hash, range) > (?, ?) ORDER BY hash, range',
    ),
    enter: db.prepare('INSERT OR REPLACE INTO dynamodb_entries VALUES (?, ?, ?, ?, ?, ?)'),
    leave: db.prepare(
      'DELETE FROM dynamodb_entries WHERE tbl = ? AND idx = ? AND hash = ? AND range = ? AND own_hash = ? AND own_range = ?',
    ),
    forget: db.prepare('DELETE FROM dynamodb_entries WHERE tbl = ? AND idx = ?'),
    indexForward: db.prepare(
      `${JOINED} AND e.hash = ? AND e.range <= ? AND (e.range, e.own_hash, e.own_range) > (?, ?, ?) ORDER BY e.range, e.own_hash, e.own_range`,
    ),
    indexBackward: db.prepare(
      `${JOINED} AND e.hash = ? AND e.range >= ? AND (e.range, e.own_hash, e.own_range) < (?, ?, ?) ORDER BY e.range DESC, e.own_hash DESC, e.own_range DESC`,
    ),
    indexScan: db.prepare(
      `${JOINED} AND (e.hash, e.range, e.own_hash, e.own_range) > (?, ?, ?, ?) ORDER BY e.hash, e.range, e.own_hash, e.own_range`,
    ),
    expired: db.prepare(`${JOINED} AND e.range < ? ORDER BY e.range`),
    token: db.prepare('SELECT digest FROM dynamodb_tokens WHERE token = ? AND until > ?'),
    forgetTokens: db.prepare('DELETE FROM dynamodb_tokens WHERE until <= ?'),
    remember: db.prepare('INSERT OR REPLACE INTO dynamodb_tokens VALUES (?, ?, ?)'),
  };
};
