import * as z from 'zod';
import { ServiceError } from '../json.ts';
import { consumed, readUnits, writeUnits } from './capacity.ts';
import { holds, projected, updated } from './evaluate.ts';
import {
  type Condition,
  type Path,
  Placeholders,
  parseCondition,
  parseProjection,
  parseUpdate,
  pathsOf,
  type Update,
} from './expression.ts';
import { type Definition, keysOf, type Located, type Store } from './store.ts';
import { type Item, invalid, itemSize, parseItem, parseValue } from './values.ts';

const Names = z.record(z.string(), z.string()).optional();
const Raw = z.record(z.string(), z.unknown());

/** The members that single-item operations share. */
const Common = {
  TableName: z.string(),
  ConditionExpression: z.string().optional(),
  ExpressionAttributeNames: Names,
  ExpressionAttributeValues: Raw.optional(),
  ReturnConsumedCapacity: z.enum(['NONE', 'TOTAL', 'INDEXES']).optional(),
  ReturnItemCollectionMetrics: z.string().optional(),
  ReturnValues: z.enum(['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW']).optional(),
  ReturnValuesOnConditionCheckFailure: z.enum(['NONE', 'ALL_OLD']).optional(),
};

const PutInput = z.strictObject({ ...Common, Item: Raw });
const KeyInput = z.strictObject({ ...Common, Key: Raw });
const UpdateInput = KeyInput.extend({ UpdateExpression: z.string().optional() });
const GetInput = z.strictObject({
  TableName: z.string(),
  Key: Raw,
  ConsistentRead: z.boolean().optional(),
  ProjectionExpression: z.string().optional(),
  ExpressionAttributeNames: Names,
  ReturnConsumedCapacity: z.enum(['NONE', 'TOTAL', 'INDEXES']).optional(),
});

export const placeholders = (input: {
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
}): Placeholders =>
  new Placeholders(
    input.ExpressionAttributeNames,
    Object.fromEntries(
      Object.entries(input.ExpressionAttributeValues ?? {}).map(([name, value]) => [name, parseValue(value)]),
    ),
  );

/** A write that was checked and not yet done. */
export interface Prepared {
  readonly located: Located;
  readonly definition: Definition;
  readonly condition: Condition | undefined;
  readonly returnsOld: boolean;
  /** The item after the write; undefined where nothing is left. Given the item as it is. */
  readonly apply: (before: Item | undefined) => Item | undefined;
  readonly paths: readonly Path[];
  readonly checkOnly: boolean;
}

type Kind = 'Put' | 'Delete' | 'Update' | 'Check';

interface WriteInput extends z.infer<z.ZodObject<typeof Common>> {
  readonly Item?: Record<string, unknown>;
  readonly Key?: Record<string, unknown>;
  readonly UpdateExpression?: string | undefined;
}

const parseInput = (kind: Kind, raw: unknown): WriteInput => {
  if (kind === 'Put') return PutInput.parse(raw);
  return kind === 'Update' ? UpdateInput.parse(raw) : KeyInput.parse(raw);
};

export const prepare = (store: Store, kind: Kind, raw: unknown): Prepared => {
  const input = parseInput(kind, raw);
  const definition = store.definition(input.TableName);
  const marks = placeholders(input);
  const condition =
    input.ConditionExpression === undefined ? undefined : parseCondition(input.ConditionExpression, marks);
  const update =
    input.UpdateExpression === undefined ? undefined : parseUpdate(input.UpdateExpression, marks);
  marks.expectAllUsed();
  const key = parseItem(input.Item ?? input.Key);
  const located = store.locate(definition, key, kind !== 'Put');
  if (update) expectKeysUntouched(definition, update);
  return {
    located,
    definition,
    condition,
    returnsOld: input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD',
    apply: applying(kind, key, update),
    paths: update ? pathsOf(update) : [],
    checkOnly: kind === 'Check',
  };
};

const applying = (kind: Kind, key: Item, update: Update | undefined): Prepared['apply'] => {
  if (kind === 'Put') return () => key;
  if (kind === 'Delete') return () => undefined;
  if (kind === 'Check') return (before) => before;
  return (before) => (update ? updated(before ?? key, update) : (before ?? key));
};

const expectKeysUntouched = (definition: Definition, update: Update): void => {
  const { hash, range } = keysOf(definition.KeySchema);
  for (const [name] of pathsOf(update)) {
    if (name === hash || name === range) {
      throw invalid(
        `One or more parameter values were invalid: Cannot update attribute ${name}. This attribute is part of the key`,
      );
    }
  }
};

export const satisfied = ({ condition }: Prepared, before: Item | undefined): boolean =>
  condition === undefined || holds(condition, before ?? {});

export interface Written {
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  readonly units: number;
}

export const write = (store: Store, prepared: Prepared, before: Item | undefined): Written => {
  const after = prepared.apply(before);
  if (after === undefined) store.remove(prepared.located);
  else if (!prepared.checkOnly) store.put(prepared.located, after);
  return { before, after, units: writeUnits(before ? itemSize(before) : 0, after ? itemSize(after) : 0) };
};

/** PutItem, UpdateItem and DeleteItem. */
export const writeOne =
  (store: Store, kind: 'Put' | 'Delete' | 'Update') =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const prepared = prepare(store, kind, raw);
    const { before, after, units } = store.atomically(() => {
      const present = store.get(prepared.located);
      if (!satisfied(prepared, present)) {
        throw new ServiceError(
          'ConditionalCheckFailedException',
          'The conditional request failed',
          400,
          prepared.returnsOld && present ? { Item: present } : {},
        );
      }
      return write(store, prepared, present);
    });
    const returned = returnedValues(raw['ReturnValues'], kind, prepared.paths, before, after);
    return {
      ...(returned && { Attributes: returned }),
      ConsumedCapacity: consumed(
        prepared.definition.TableName,
        { write: units },
        raw['ReturnConsumedCapacity'],
      ),
    };
  };

const returnedValues = (
  wanted: unknown,
  kind: Kind,
  paths: readonly Path[],
  before: Item | undefined,
  after: Item | undefined,
): Item | undefined => {
  if (wanted === undefined || wanted === 'NONE') return undefined;
  if (kind !== 'Update' && wanted !== 'ALL_OLD') throw invalid('Return values set to invalid value');
  if (wanted === 'ALL_OLD') return before;
  if (wanted === 'ALL_NEW') return after;
  const source = wanted === 'UPDATED_OLD' ? before : after;
  return source && projected(source, paths);
};

export const getOne =
  (store: Store) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = GetInput.parse(raw);
    const definition = store.definition(input.TableName);
    const item = store.get(store.locate(definition, parseItem(input.Key), true));
    const consistent = input.ConsistentRead === true;
    return {
      ...(item && { Item: shown(item, input) }),
      ConsumedCapacity: consumed(
        definition.TableName,
        { read: readUnits(item ? itemSize(item) : 0, consistent) },
        input.ReturnConsumedCapacity,
      ),
    };
  };

const shown = (
  item: Item,
  input: {
    ProjectionExpression?: string | undefined;
    ExpressionAttributeNames?: Record<string, string> | undefined;
  },
): Item => {
  const marks = placeholders(input);
  const paths =
    input.ProjectionExpression === undefined ? undefined : parseProjection(input.ProjectionExpression, marks);
  marks.expectAllUsed();
  return paths ? projected(item, paths) : item;
};

const Batch = z.record(
  z.string(),
  z.strictObject({
    Keys: z.array(Raw).min(1),
    ConsistentRead: z.boolean().optional(),
    ProjectionExpression: z.string().optional(),
    ExpressionAttributeNames: Names,
  }),
);
const RESPONSE_LIMIT = 16 * 1024 * 1024;

export const batchGet =
  (store: Store) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const requests = Batch.parse(raw['RequestItems']);
    const total = Object.values(requests).reduce((sum, { Keys }) => sum + Keys.length, 0);
    if (total === 0 || total > 100) throw invalid('Too many items requested for the BatchGetItem call');
    const responses: Record<string, Item[]> = {};
    const unprocessed: Record<string, object> = {};
    const capacity: unknown[] = [];
    let size = 0;
    for (const [name, request] of Object.entries(requests)) {
      const definition = store.definition(name);
      const located = request.Keys.map((key) => ({
        key,
        at: store.locate(definition, parseItem(key), true),
      }));
      expectDistinct(located.map(({ at }) => at));
      const items: Item[] = [];
      let units = 0;
      const rest: unknown[] = [];
      for (const { key, at } of located) {
        const item = store.get(at);
        const bytes = item ? itemSize(item) : 0;
        if (size + bytes > RESPONSE_LIMIT) {
          rest.push(key);
          continue;
        }
        size += bytes;
        units += readUnits(bytes, request.ConsistentRead === true);
        if (item) items.push(shown(item, request));
      }
      responses[name] = items;
      if (rest.length > 0) unprocessed[name] = { ...request, Keys: rest };
      capacity.push(consumed(definition.TableName, { read: units }, raw['ReturnConsumedCapacity']));
    }
    return {
      Responses: responses,
      UnprocessedKeys: unprocessed,
      ConsumedCapacity: capacity[0] === undefined ? undefined : capacity,
    };
  };

export const expectDistinct = (
  all: readonly Located[],
  message = 'Provided list of item keys contains duplicates',
): void => {
  const keys = new Set(
    all.map(
      ({ table, hash, range }) =>
        `${table} ${Buffer.from(hash).toString('hex')} ${Buffer.from(range).toString('hex')}`,
    ),
  );
  if (keys.size < all.length) throw invalid(message);
};

const BatchWrite = z.record(
  z.string(),
  z
    .array(
      z.union([
        z.strictObject({ PutRequest: z.strictObject({ Item: Raw }) }),
        z.strictObject({ DeleteRequest: z.strictObject({ Key: Raw }) }),
      ]),
    )
    .min(1),
);

export const batchWrite =
  (store: Store) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const requests = Object.entries(BatchWrite.parse(raw['RequestItems']));
    const prepared = requests.flatMap(([TableName, writes]) =>
      writes.map((one) =>
        'PutRequest' in one
          ? prepare(store, 'Put', { TableName, Item: one.PutRequest.Item })
          : prepare(store, 'Delete', { TableName, Key: one.DeleteRequest.Key }),
      ),
    );
    if (prepared.length > 25) throw invalid('Too many items requested for the BatchWriteItem call');
    expectDistinct(prepared.map(({ located }) => located));
    const units = new Map<string, number>();
    store.atomically(() => {
      for (const one of prepared) {
        const name = one.definition.TableName;
        units.set(name, (units.get(name) ?? 0) + write(store, one, store.get(one.located)).units);
      }
    });
    const capacity = [...units].flatMap(
      ([name, count]) => consumed(name, { write: count }, raw['ReturnConsumedCapacity']) ?? [],
    );
    return { UnprocessedItems: {}, ...(capacity.length > 0 && { ConsumedCapacity: capacity }) };
  };
