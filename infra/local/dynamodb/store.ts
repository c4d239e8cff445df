import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ServiceError } from '../protocol/json.ts';
import { transaction } from '../protocol/transaction.ts';
import { indexUnits, type Spending, writeUnits } from './capacity.ts';
import { Definition, Details, type Index, type Located, type Place, Table } from './table.ts';
import { type Item, sortable } from './values.ts';

/** The entries by which items expire; no index can have this name. */
const TTL = '#ttl';
const NOTHING = new Uint8Array();
const LAST = new Uint8Array(2100).fill(0xff);

/** Where reading begins and ends in one partition, in the order of reading. */
export interface Range {
  /** The lowest and highest range key, inclusive. */
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
  readonly backwards: boolean;
  /** Reading goes on behind this place. */
  readonly after: (Place & { readonly own: Place }) | undefined;
}

/** Tables and items in SQLite. Everything is synchronous: one request is one SQLite transaction. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;
  readonly #tables = new Map<string, Table>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    const had = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'dynamodb_entries'").get() !== undefined;
    db.exec(`
      CREATE TABLE IF NOT EXISTS dynamodb_tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL, ttl TEXT) STRICT;
      CREATE TABLE IF NOT EXISTS dynamodb_details (name TEXT PRIMARY KEY, details TEXT NOT NULL) STRICT;
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
    const known = db.prepare(
      'SELECT definition, ttl, details FROM dynamodb_tables LEFT JOIN dynamodb_details USING (name)',
    );
    for (const row of known.all()) {
      const details = Details.parse({
        ...JSON.parse(String(row['details'] ?? '{}')),
        ...(row['ttl'] !== null && { ttl: String(row['ttl']) }),
      });
      const table = new Table(Definition.parse(JSON.parse(String(row['definition']))), details);
      this.#tables.set(table.name, table);
      // State from before there were entries has none yet.
      if (!had) this.#backfill(table, [...table.indexes.map(({ name }) => name), TTL]);
    }
  }

  /** Everything inside happens, or nothing. */
  atomically<Result>(work: () => Result): Result {
    return transaction(this.#db, work);
  }

  create(table: Table): void {
    if (this.#tables.has(table.name))
      throw new ServiceError('ResourceInUseException', `Table already exists: ${table.name}`);
    this.atomically(() => this.#save(table));
  }

  /** Puts another definition in a table's place; what new indexes and expiry need is made from the items. */
  replace(table: Table): void {
    const before = this.table(table.name);
    const names = new Set(before.indexes.map(({ name }) => name));
    const kept = new Set(table.indexes.map(({ name }) => name));
    const fresh = [...kept].filter((name) => !names.has(name));
    if (table.details.ttl !== before.details.ttl) fresh.push(TTL);
    this.atomically(() => {
      this.#save(table);
      for (const gone of [...names].filter((name) => !kept.has(name))) this.#sql.forget.run(table.name, gone);
      this.#backfill(table, fresh);
    });
  }

  #save(table: Table): void {
    const { ttl = null, ...details } = table.details;
    this.#sql.saveTable.run(table.name, JSON.stringify(table.definition), ttl);
    this.#sql.saveDetails.run(table.name, JSON.stringify(details));
    this.#tables.set(table.name, table);
  }

  #backfill(table: Table, names: readonly string[]): void {
    if (names.length === 0) return;
    for (const name of names) this.#sql.forget.run(table.name, name);
    for (const item of [...this.scan(table)])
      for (const [name, entry] of entriesOf(table, item))
        if (names.includes(name)) this.#enter(table, name, entry, table.place(item));
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

  /** The table of a name or ARN. `named` tells the name in the refusal, as the calls about tables do. */
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

  /** Items of a table, and about how many bytes they take. */
  extent(table: Table): { readonly count: number; readonly bytes: number } {
    const row = this.#sql.extent.get(table.name);
    return { count: Number(row?.['count'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  }

  entryCount(table: Table, index: Index): number {
    return Number(this.#sql.entryCount.get(table.name, index.name)?.['count'] ?? 0);
  }

  get({ table, hash, range }: Located): Item | undefined {
    const row = this.#sql.get.get(table.name, hash, range);
    return row && itemOf(row);
  }

  /** Writes what comes after `before` at a place, into the indexes too, and counts it. */
  write(located: Located, before: Item | undefined, after: Item | undefined, spending: Spending): void {
    const { table, hash, range } = located;
    spending.add(writeUnits(before, after));
    if (after === undefined && before === undefined) return;
    if (after === undefined) this.#sql.remove.run(table.name, hash, range);
    else this.#sql.put.run(table.name, hash, range, JSON.stringify(after));
    if (table.indexes.length === 0 && table.details.ttl === undefined) return;
    for (const index of table.indexes) spending.add(indexUnits(index, before, after), index);
    this.#reindex(located, before, after);
  }

  #reindex(located: Located, before: Item | undefined, after: Item | undefined): void {
    const old = new Map(before ? entriesOf(located.table, before) : []);
    const fresh = new Map(after ? entriesOf(located.table, after) : []);
    for (const [name, entry] of old) {
      const stays = fresh.get(name);
      if (stays && samePlace(stays, entry)) fresh.delete(name);
      else
        this.#sql.leave.run(located.table.name, name, entry.hash, entry.range, located.hash, located.range);
    }
    for (const [name, entry] of fresh) this.#enter(located.table, name, entry, located);
  }

  #enter(table: Table, name: string, entry: Place, own: Place): void {
    this.#sql.enter.run(table.name, name, entry.hash, entry.range, own.hash, own.range);
  }

  /** One partition of the table or of an index, in order. Stop reading by leaving the loop. */
  *partition(table: Table, index: Index | undefined, hash: Uint8Array, range: Range): Generator<Item> {
    const { low = NOTHING, high = LAST, backwards, after } = range;
    if (index === undefined) {
      const rows = backwards
        ? this.#sql.backward.iterate(table.name, hash, low, after?.range ?? high)
        : this.#sql.forward.iterate(table.name, hash, after?.range ?? low, high);
      for (const row of rows) {
        const item = itemOf(row);
        if (after === undefined || !samePlace(table.place(item), after.own)) yield item;
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
          after?.own.hash ?? LAST,
          after?.own.range ?? LAST,
        )
      : this.#sql.indexForward.iterate(
          table.name,
          index.name,
          hash,
          high,
          after?.range ?? low,
          after?.own.hash ?? NOTHING,
          after?.own.range ?? NOTHING,
        );
    for (const row of rows) yield itemOf(row);
  }

  /** The whole table or index in its own stable order, behind a place. */
  *scan(table: Table, index?: Index, after?: (Place & { readonly own: Place }) | undefined): Generator<Item> {
    const [hash, range] = [after?.hash ?? NOTHING, after?.range ?? NOTHING];
    const rows =
      index === undefined
        ? this.#sql.scan.iterate(table.name, hash, range)
        : this.#sql.indexScan.iterate(
            table.name,
            index.name,
            hash,
            range,
            after?.own.hash ?? NOTHING,
            after?.own.range ?? NOTHING,
          );
    for (const row of rows) yield itemOf(row);
  }

  /** Items of a table whose time, in seconds, was before an instant. */
  expired(table: Table, seconds: number): Item[] {
    const rows = this.#sql.expired.all(table.name, TTL, sortable({ N: String(seconds) }));
    return rows.map(itemOf);
  }

  expiring(): Table[] {
    return [...this.#tables.values()].filter(({ details }) => details.ttl !== undefined);
  }

  /** The digest of the request that a token belongs to, where it is remembered. */
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

/** True for a time that has come but not more than five years ago: older values are taken for a mistake. */
export const isDue = (item: Item, attribute: string, seconds: number): boolean => {
  const value = item[attribute];
  return (
    value !== undefined &&
    'N' in value &&
    Number(value.N) < seconds &&
    Number(value.N) > seconds - OLDEST_SECONDS
  );
};

/** Items were checked when they were written. */
const itemOf = (row: Record<string, unknown>): Item => JSON.parse(String(row['item'])) as Item;

const samePlace = (one: Place, other: Place): boolean =>
  Buffer.compare(one.range, other.range) === 0 && Buffer.compare(one.hash, other.hash) === 0;

const entriesOf = (table: Table, item: Item): [string, Place][] => {
  const entries = table.indexes.flatMap((index): [string, Place][] => {
    const entry = index.entry(item);
    return entry ? [[index.name, entry]] : [];
  });
  const time = table.details.ttl === undefined ? undefined : item[table.details.ttl];
  if (time !== undefined && 'N' in time) entries.push([TTL, { hash: NOTHING, range: sortable(time) }]);
  return entries;
};

const JOINED = `SELECT item FROM dynamodb_entries AS e CROSS JOIN dynamodb_items AS i
  ON i.tbl = e.tbl AND i.hash = e.own_hash AND i.range = e.own_range WHERE e.tbl = ? AND e.idx = ?`;

const statements = (db: DatabaseSync) => {
  const own = 'SELECT item FROM dynamodb_items WHERE tbl = ? AND hash = ?';
  const drop: StatementSync[] = [
    db.prepare('DELETE FROM dynamodb_items WHERE tbl = ?'),
    db.prepare('DELETE FROM dynamodb_entries WHERE tbl = ?'),
    db.prepare('DELETE FROM dynamodb_details WHERE name = ?'),
    db.prepare('DELETE FROM dynamodb_tables WHERE name = ?'),
  ];
  return {
    drop,
    saveTable: db.prepare('INSERT OR REPLACE INTO dynamodb_tables (name, definition, ttl) VALUES (?, ?, ?)'),
    saveDetails: db.prepare('INSERT OR REPLACE INTO dynamodb_details VALUES (?, ?)'),
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
