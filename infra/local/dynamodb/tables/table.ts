import * as z from 'zod';
import { type Projection, projection } from '../expressions/evaluate.ts';
import { type Item, invalid, sortable, typeOf, type Value } from '../values/values.ts';

const Name = z
  .string()
  .min(3)
  .max(255)
  .regex(/^[a-zA-Z0-9_.-]+$/u);
const KeySchema = z
  .array(z.object({ AttributeName: z.string().min(1).max(255), KeyType: z.enum(['HASH', 'RANGE']) }))
  .min(1)
  .max(2);
const Throughput = z.object({
  ReadCapacityUnits: z.int().min(1),
  WriteCapacityUnits: z.int().min(1),
});

export const IndexDefinition = z.looseObject({
  IndexName: Name,
  KeySchema,
  Projection: z.object({
    ProjectionType: z.enum(['ALL', 'INCLUDE', 'KEYS_ONLY']).optional(),
    NonKeyAttributes: z.array(z.string().min(1).max(255)).min(1).max(20).optional(),
  }),
  ProvisionedThroughput: Throughput.optional(),
});
export type IndexDefinition = z.infer<typeof IndexDefinition>;

export const AttributeDefinitions = z.array(
  z.object({ AttributeName: z.string().min(1).max(255), AttributeType: z.enum(['B', 'N', 'S']) }),
);

/** The input of CreateTable. */
export const Definition = z.looseObject({
  TableName: Name,
  AttributeDefinitions,
  KeySchema,
  BillingMode: z.enum(['PROVISIONED', 'PAY_PER_REQUEST']).optional(),
  ProvisionedThroughput: Throughput.optional(),
  GlobalSecondaryIndexes: z.array(IndexDefinition).optional(),
  LocalSecondaryIndexes: z.array(IndexDefinition).optional(),
  DeletionProtectionEnabled: z.boolean().optional(),
});
export type Definition = z.infer<typeof Definition>;

/** What the runtime stores of a table beside its definition. */
export const Details = z.object({
  createdAt: z.number().default(0),
  id: z.string().default(''),
  ttl: z.string().optional(),
});
export type Details = z.infer<typeof Details>;

export interface KeyNames {
  readonly hash: string;
  readonly range: string | undefined;
}

export const keyNamesOf = (schema: Definition['KeySchema']): KeyNames => ({
  hash: schema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName ?? '',
  range: schema.find(({ KeyType }) => KeyType === 'RANGE')?.AttributeName,
});

/** A key as bytes that sort in DynamoDB's order. */
export interface KeyBytes {
  readonly hash: Uint8Array;
  readonly range: Uint8Array;
}

export interface ItemKey extends KeyBytes {
  readonly table: Table;
}

export interface Index {
  readonly name: string;
  readonly keys: KeyNames;
  readonly global: boolean;
  readonly definition: IndexDefinition;
  /** The item's key in the index; undefined where the item lacks one of its attributes. */
  entry(item: Item): KeyBytes | undefined;
  /** The attributes of an item that the index projects. */
  readonly project: Projection;
  /** The top-level attributes that the index projects; undefined for all. */
  readonly attributes: ReadonlySet<string> | undefined;
}

const HASH_LIMIT = 2048;
const RANGE_LIMIT = 1024;
const EMPTY = new Uint8Array();

const isEmpty = (value: Value): boolean => ('S' in value ? value.S === '' : 'B' in value && value.B === '');

/** Throws where the value of a key attribute is empty, in an item, a key or a condition. */
export const expectFilled = (name: string, value: Value): void => {
  if (isEmpty(value))
    throw invalid(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${'S' in value ? 'string' : 'binary'} value. Key: ${name}`,
    );
};

/** Throws where a value in a condition on a range key is longer than such a key may be, of a table or an index. */
export const expectRangeSize = (value: Value): void => {
  const size =
    'S' in value ? Buffer.byteLength(value.S) : 'B' in value ? Buffer.from(value.B, 'base64').byteLength : 0;
  if (size > RANGE_LIMIT)
    throw invalid(
      `One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of ${RANGE_LIMIT} bytes`,
    );
};

const emptyIndexKey = (index: string, name: string, value: Value): Error =>
  invalid(
    `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty ${'S' in value ? 'string' : 'binary'} value. IndexName: ${index}, IndexKey: ${name}`,
  );

/** A table: its keys, its indexes, and the validation of items against them. */
export class Table {
  readonly name: string;
  readonly definition: Definition;
  readonly details: Details;
  readonly keys: KeyNames;
  readonly indexes: readonly Index[];
  readonly #types: ReadonlyMap<string, string>;

  constructor(definition: Definition, details: Details) {
    this.name = definition.TableName;
    this.definition = definition;
    this.details = details;
    this.keys = keyNamesOf(definition.KeySchema);
    this.#types = new Map(
      definition.AttributeDefinitions.map(({ AttributeName, AttributeType }) => [
        AttributeName,
        AttributeType,
      ]),
    );
    this.indexes = [
      ...(definition.GlobalSecondaryIndexes ?? []).map((one) => this.#index(one, true)),
      ...(definition.LocalSecondaryIndexes ?? []).map((one) => this.#index(one, false)),
    ];
  }

  get keyNames(): readonly string[] {
    return this.keys.range === undefined ? [this.keys.hash] : [this.keys.hash, this.keys.range];
  }

  typeOfKey(name: string): string | undefined {
    return this.#types.get(name);
  }

  index(name: string): Index {
    const found = this.indexes.find((one) => one.name === name);
    if (found === undefined) throw invalid(`The table does not have the specified index: ${name}`);
    return found;
  }

  #index(definition: IndexDefinition, global: boolean): Index {
    const keys = keyNamesOf(definition.KeySchema);
    const { ProjectionType: type = 'ALL', NonKeyAttributes: others = [] } = definition.Projection;
    const names = [keys.hash, keys.range, ...this.keyNames, ...(type === 'INCLUDE' ? others : [])];
    const projected = [...new Set(names.filter((name) => name !== undefined))];
    return {
      name: definition.IndexName,
      keys,
      global,
      definition,
      entry: (item) => {
        const hash = item[keys.hash];
        const range = keys.range === undefined ? undefined : item[keys.range];
        if (hash === undefined || (keys.range !== undefined && range === undefined)) return undefined;
        return { hash: sortable(hash), range: range === undefined ? EMPTY : sortable(range) };
      },
      project: type === 'ALL' ? (item) => item : projection(projected.map((name) => [name])),
      attributes: type === 'ALL' ? undefined : new Set(projected),
    };
  }

  /** Throws where a key attribute of the table or of an index is empty in an item or a key. */
  expectFilledKeys(item: Item): void {
    for (const name of this.keyNames) {
      const value = item[name];
      if (value !== undefined) expectFilled(name, value);
    }
    for (const { name: index, keys } of this.indexes)
      for (const name of [keys.hash, keys.range]) {
        const value = name === undefined ? undefined : item[name];
        if (name !== undefined && value !== undefined && isEmpty(value))
          throw emptyIndexKey(index, name, value);
      }
  }

  /** The key that a request names. Throws unless it has exactly the table's key attributes. */
  requestedKey(key: Item): ItemKey {
    const names = this.keyNames;
    const mismatch = (): Error => invalid('The provided key element does not match the schema');
    if (Object.keys(key).length !== names.length) throw mismatch();
    for (const name of names) {
      const value = key[name];
      if (value === undefined || typeOf(value) !== this.#types.get(name)) throw mismatch();
      expectFilled(name, value);
    }
    return this.keyOf(key);
  }

  /** The key of an item that is to be written. Throws where a key of the table or of an index is invalid. */
  newItemKey(item: Item): ItemKey {
    for (const name of this.keyNames) {
      const value = item[name];
      if (value === undefined)
        throw invalid(`One or more parameter values were invalid: Missing the key ${name} in the item`);
      const actual = typeOf(value);
      if (actual !== this.#types.get(name))
        throw invalid(
          `One or more parameter values were invalid: Type mismatch for key ${name} expected: ${this.#types.get(name)} actual: ${actual}`,
        );
      expectFilled(name, value);
    }
    this.expectIndexKeys(item);
    return this.keyOf(item);
  }

  /** Throws where an attribute that is a key of an index has another type, is empty or is too long. */
  expectIndexKeys(item: Item): void {
    for (const { name: index, keys } of this.indexes) {
      for (const name of [keys.hash, keys.range]) {
        const value = name === undefined ? undefined : item[name];
        if (name === undefined || value === undefined || this.keyNames.includes(name)) continue;
        const actual = typeOf(value);
        if (actual !== this.#types.get(name))
          throw invalid(
            `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: ${this.#types.get(name)} Actual: ${actual} IndexName: ${index}`,
          );
        if (isEmpty(value)) throw emptyIndexKey(index, name, value);
        if (sortable(value).byteLength > (name === keys.hash ? HASH_LIMIT : RANGE_LIMIT))
          throw invalid(
            `One or more parameter values were invalid: Size of ${name === keys.hash ? 'hashkey' : 'rangekey'} has exceeded the maximum size limit of ${name === keys.hash ? HASH_LIMIT : RANGE_LIMIT} bytes. IndexName: ${index}, IndexKey: ${name}`,
          );
      }
    }
  }

  /** The key of a valid item or key. */
  keyOf(item: Item): ItemKey {
    const part = (name: string): Uint8Array => {
      const value = item[name];
      return value === undefined ? EMPTY : sortable(value);
    };
    const hash = part(this.keys.hash);
    const range = this.keys.range === undefined ? EMPTY : part(this.keys.range);
    if (hash.byteLength > HASH_LIMIT)
      throw invalid(
        `One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of${HASH_LIMIT} bytes`,
      );
    if (range.byteLength > RANGE_LIMIT)
      throw invalid(
        `One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of ${RANGE_LIMIT} bytes`,
      );
    return { table: this, hash, range };
  }
}
