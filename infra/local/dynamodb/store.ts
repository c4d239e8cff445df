import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { ServiceError } from '../json.ts';
import { type Item, invalid, itemSize, sortable, type Value } from './values.ts';

const KeySchema = z
  .array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))
  .min(1)
  .max(2);

const Index = z.looseObject({
  IndexName: z.string(),
  KeySchema,
  Projection: z.looseObject({
    ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']).optional(),
    NonKeyAttributes: z.array(z.string()).optional(),
  }),
});

/** A table's definition as CreateTable takes it. */
export const Definition = z.looseObject({
  TableName: z.string().regex(/^[a-zA-Z0-9_.-]{3,255}$/u),
  AttributeDefinitions: z.array(
    z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  KeySchema,
  BillingMode: z.enum(['PROVISIONED', 'PAY_PER_REQUEST']).optional(),
  GlobalSecondaryIndexes: z.array(Index).optional(),
  LocalSecondaryIndexes: z.array(Index).optional(),
});
export type Definition = z.infer<typeof Definition>;

export interface Keys {
  readonly hash: string;
  readonly range: string | undefined;
}

export const keysOf = (schema: z.infer<typeof KeySchema>): Keys => ({
  hash: schema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName ?? '',
  range: schema.find(({ KeyType }) => KeyType === 'RANGE')?.AttributeName,
});

export interface Located {
  readonly table: string;
  readonly hash: Uint8Array;
  readonly range: Uint8Array;
}

const ITEM_LIMIT = 400 * 1024;

/** Tables and items in SQLite. Everything is synchronous: one request is one SQLite transaction. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #statements: Record<
    'get' | 'put' | 'remove' | 'forward' | 'backward' | 'scan',
    ReturnType<DatabaseSync['prepare']>
  >;
  readonly #definitions = new Map<string, Definition>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`
      CREATE TABLE IF NOT EXISTS dynamodb_tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL, ttl TEXT) STRICT;
      CREATE TABLE IF NOT EXISTS dynamodb_items (
        tbl TEXT NOT NULL, hash BLOB NOT NULL, range BLOB NOT NULL, item TEXT NOT NULL,
        PRIMARY KEY (tbl, hash, range)
      ) STRICT, WITHOUT ROWID;
    `);
    this.#statements = {
      get: db.prepare(
        'SELECT hash, range, item FROM dynamodb_items WHERE tbl = ? AND hash = ? AND range = ?',
      ),
      put: db.prepare(
        'INSERT INTO dynamodb_items (tbl, hash, range, item) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET item = excluded.item',
      ),
      remove: db.prepare('DELETE FROM dynamodb_items WHERE tbl = ? AND hash = ? AND range = ?'),
      forward: db.prepare(
        'SELECT hash, range, item FROM dynamodb_items WHERE tbl = ? AND hash = ? AND range >= ? ORDER BY range ASC',
      ),
      backward: db.prepare(
        'SELECT hash, range, item FROM dynamodb_items WHERE tbl = ? AND hash = ? AND range <= ? ORDER BY range DESC',
      ),
      scan: db.prepare(
        'SELECT hash, range, item FROM dynamodb_items WHERE tbl = ? AND (hash, range) > (?, ?) ORDER BY hash, range',
      ),
    };
    for (const row of db.prepare('SELECT definition FROM dynamodb_tables').all()) {
      const definition = Definition.parse(JSON.parse(String(row['definition'])));
      this.#definitions.set(definition.TableName, definition);
    }
  }

  /** Everything inside happens, or nothing. */
  atomically<Result>(work: () => Result): Result {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  create(definition: Definition): void {
    if (this.#definitions.has(definition.TableName)) {
      throw new ServiceError('ResourceInUseException', `Table already exists: ${definition.TableName}`);
    }
    this.replace(definition);
  }

  replace(definition: Definition): void {
    this.#db
      .prepare(
        'INSERT INTO dynamodb_tables (name, definition) VALUES (?, ?) ON CONFLICT DO UPDATE SET definition = excluded.definition',
      )
      .run(definition.TableName, JSON.stringify(definition));
    this.#definitions.set(definition.TableName, definition);
  }

  drop(name: string): void {
    this.definition(name);
    this.#db.prepare('DELETE FROM dynamodb_items WHERE tbl = ?').run(name);
    this.#db.prepare('DELETE FROM dynamodb_tables WHERE name = ?').run(name);
    this.#definitions.delete(name);
  }

  names(): string[] {
    return [...this.#definitions.keys()].sort();
  }

  definition(nameOrArn: string): Definition {
    const name = nameOrArn.includes(':table/') ? (nameOrArn.split(':table/')[1] ?? '') : nameOrArn;
    const definition = this.#definitions.get(name);
    if (definition === undefined)
      throw new ServiceError('ResourceNotFoundException', 'Requested resource not found');
    return definition;
  }

  ttl(name: string): string | undefined {
    const row = this.#db.prepare('SELECT ttl FROM dynamodb_tables WHERE name = ?').get(name);
    return typeof row?.['ttl'] === 'string' ? row['ttl'] : undefined;
  }

  setTtl(name: string, attribute: string | undefined): void {
    this.#db.prepare('UPDATE dynamodb_tables SET ttl = ? WHERE name = ?').run(attribute ?? null, name);
  }

  /** Tables whose items may expire, with the attribute that says when. */
  expiring(): { name: string; attribute: string }[] {
    return this.names().flatMap((name) => {
      const attribute = this.ttl(name);
      return attribute === undefined ? [] : [{ name, attribute }];
    });
  }

  locate(definition: Definition, key: Item, exact: boolean): Located {
    const { hash, range } = keysOf(definition.KeySchema);
    const names = range === undefined ? [hash] : [hash, range];
    if (
      exact &&
      (Object.keys(key).length !== names.length || names.some((name) => key[name] === undefined))
    ) {
      throw invalid('The provided key element does not match the schema');
    }
    const part = (name: string, limit: number): Uint8Array => {
      const value = key[name];
      if (value === undefined)
        throw invalid(`One or more parameter values were invalid: Missing the key ${name} in the item`);
      const bytes = keyBytes(definition, name, value, exact);
      if (bytes.byteLength > limit) {
        throw invalid(
          `One or more parameter values were invalid: Size of ${limit === 2048 ? 'hashkey' : 'rangekey'} has exceeded the maximum size limit of ${limit} bytes`,
        );
      }
      return bytes;
    };
    return {
      table: definition.TableName,
      hash: part(hash, 2048),
      range: range === undefined ? new Uint8Array() : part(range, 1024),
    };
  }

  get({ table, hash, range }: Located): Item | undefined {
    const row = this.#statements.get.get(table, hash, range);
    return row && itemOf(row);
  }

  put({ table, hash, range }: Located, item: Item): void {
    if (itemSize(item) > ITEM_LIMIT) throw invalid('Item size has exceeded the maximum allowed size');
    this.#statements.put.run(table, hash, range, JSON.stringify(item));
  }

  remove({ table, hash, range }: Located): void {
    this.#statements.remove.run(table, hash, range);
  }

  /** One partition in order, from a range key onwards (inclusive). */
  *partition(
    table: string,
    hash: Uint8Array,
    from: Uint8Array | undefined,
    backwards: boolean,
  ): Generator<Item> {
    const last = Buffer.alloc(1100, 0xff);
    const rows = backwards
      ? this.#statements.backward.iterate(table, hash, from ?? last)
      : this.#statements.forward.iterate(table, hash, from ?? new Uint8Array());
    for (const row of rows) yield itemOf(row);
  }

  /** The whole table in its own stable order, behind a place. */
  *scan(table: string, after?: Located): Generator<Item> {
    const rows = this.#statements.scan.iterate(
      table,
      after?.hash ?? new Uint8Array(),
      after?.range ?? new Uint8Array(),
    );
    for (const row of rows) yield itemOf(row);
  }
}

/** Items were checked when they were written. */
const itemOf = (row: Record<string, unknown>): Item => JSON.parse(String(row['item'])) as Item;

export const keyBytes = (definition: Definition, name: string, value: Value, exact: boolean): Uint8Array => {
  const type = definition.AttributeDefinitions.find(
    ({ AttributeName }) => AttributeName === name,
  )?.AttributeType;
  const [actual] = Object.keys(value);
  if (type !== actual) {
    throw invalid(
      exact
        ? 'The provided key element does not match the schema'
        : `One or more parameter values were invalid: Type mismatch for key ${name} expected: ${type} actual: ${actual}`,
    );
  }
  const bytes = sortable(value);
  if (bytes.byteLength === 0) {
    throw invalid(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
    );
  }
  return bytes;
};
