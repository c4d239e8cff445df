import * as z from 'zod';
import { ServiceError } from '../../protocol/json.ts';
import { conditionIsTrue, type Projection, projection } from '../expressions/evaluate.ts';
import { parseCondition, parseProjection, parseUpdate } from '../expressions/parser.ts';
import { Placeholders } from '../expressions/placeholders.ts';
import { type Condition, type Path, pathsIn, pathsOf, type Update } from '../expressions/syntax.ts';
import { applyUpdate } from '../expressions/update.ts';
import { parseInput } from '../input.ts';
import type { Store } from '../tables/store.ts';
import type { ItemKey, Table } from '../tables/table.ts';
import { type Item, invalid, itemSize, parseItem } from '../values/values.ts';
import { ConsumedCapacity, readUnits } from './capacity.ts';

export const Names = z.record(z.string(), z.string()).optional();
export const Raw = z.record(z.string(), z.unknown());
export const ReturnConsumedCapacity = z.enum(['INDEXES', 'TOTAL', 'NONE']).optional();
export const TableName = z.string().min(1).max(1024);

const Common = {
  TableName,
  ConditionExpression: z.string().optional(),
  ExpressionAttributeNames: Names,
  ExpressionAttributeValues: Raw.optional(),
  ReturnConsumedCapacity,
  ReturnItemCollectionMetrics: z.enum(['SIZE', 'NONE']).optional(),
  ReturnValues: z.enum(['ALL_NEW', 'UPDATED_OLD', 'ALL_OLD', 'NONE', 'UPDATED_NEW']).optional(),
  ReturnValuesOnConditionCheckFailure: z.enum(['ALL_OLD', 'NONE']).optional(),
};
const KeyInput = z.strictObject({ ...Common, Key: Raw });
const inputs = {
  Put: z.strictObject({ ...Common, Item: Raw }),
  Delete: KeyInput,
  Check: KeyInput.extend({ ConditionExpression: z.string() }),
  Update: KeyInput.extend({ UpdateExpression: z.string().optional() }),
};
export type Kind = keyof typeof inputs;

interface WriteInput extends z.infer<z.ZodObject<typeof Common>> {
  readonly Item?: Record<string, unknown>;
  readonly Key?: Record<string, unknown>;
  readonly UpdateExpression?: string | undefined;
}

const ITEM_LIMIT = 400 * 1024;

/** The parsed input of a write. */
export interface Write {
  readonly kind: Kind;
  readonly input: WriteInput;
  readonly key: Item;
  readonly condition: Condition | undefined;
  readonly update: Update | undefined;
}

/** Parses a write. Throws DynamoDB's errors that do not depend on the table. */
export const parseWrite = (kind: Kind, raw: unknown): Write => {
  const input: WriteInput = parseInput(inputs[kind], raw);
  const key = parseItem(input.Item ?? input.Key);
  if (
    kind !== 'Update' &&
    input.ReturnValues !== undefined &&
    !/^(?:ALL_OLD|NONE)$/u.test(input.ReturnValues)
  )
    throw invalid('ReturnValues can only be ALL_OLD or NONE');
  if (kind === 'Put' && itemSize(key) > ITEM_LIMIT)
    throw invalid('Item size has exceeded the maximum allowed size');
  const { UpdateExpression, ConditionExpression } = input;
  const expressions = UpdateExpression !== undefined || ConditionExpression !== undefined;
  const placeholders = new Placeholders(
    input.ExpressionAttributeNames,
    input.ExpressionAttributeValues,
    expressions,
  );
  const update = UpdateExpression === undefined ? undefined : parseUpdate(UpdateExpression, placeholders);
  const condition =
    ConditionExpression === undefined
      ? undefined
      : parseCondition(ConditionExpression, 'ConditionExpression', placeholders);
  placeholders.expectAllUsed();
  return { kind, input, key, condition, update };
};

/** A write with its table and its item's key. */
export interface Prepared extends Write {
  readonly table: Table;
  readonly itemKey: ItemKey;
}

/** Throws DynamoDB's errors of a write that depend on its table. */
export const prepare = (table: Table, write: Write): Prepared => {
  const itemKey = write.kind === 'Put' ? table.newItemKey(write.key) : table.requestedKey(write.key);
  if (write.update) expectKeysUntouched(table, write.update);
  if (write.condition) expectScalarKeys(table, pathsIn(write.condition));
  return { ...write, table, itemKey: itemKey };
};

const expectKeysUntouched = (table: Table, update: Update): void => {
  const paths = pathsOf(update);
  for (const name of table.keyNames)
    if (paths.some(([head]) => head === name))
      throw invalid(
        `One or more parameter values were invalid: Cannot update attribute ${name}. This attribute is part of the key`,
      );
  expectScalarKeys(table, paths);
};

/** Throws where a path leads into a key attribute, which is a scalar. */
export const expectScalarKeys = (table: Table, paths: readonly Path[]): void => {
  for (const [head, ...rest] of paths) {
    if (rest.length === 0) continue;
    const own = table.keyNames.some((name) => name === head);
    const indexed = table.indexes.some(({ keys }) => keys.hash === head || keys.range === head);
    if (own || indexed)
      throw invalid(
        `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: ${own ? 'Key' : 'IndexKey'}: ${String(head)}`,
      );
  }
};

export const conditionHolds = ({ condition }: Write, before: Item | undefined): boolean =>
  condition === undefined || conditionIsTrue(condition, before ?? {});

/** The item after a write; undefined where it is deleted. Throws DynamoDB's errors that depend on the item. */
export const applyWrite = (prepared: Prepared, before: Item | undefined): Item | undefined => {
  const { kind, key, update, table } = prepared;
  if (kind === 'Put') return key;
  if (kind === 'Delete') return undefined;
  if (kind === 'Check') return before;
  const after = update ? applyUpdate(before ?? key, update) : (before ?? key);
  table.expectIndexKeys(after);
  if (itemSize(after) > ITEM_LIMIT)
    throw invalid('Item size to update has exceeded the maximum allowed size');
  return after;
};

/** Called with the capacity of each request, also where the response omits it. */
export type OnConsumed = (capacity: ConsumedCapacity) => void;

/** PutItem, UpdateItem and DeleteItem. */
export const writeOne =
  (store: Store, kind: 'Put' | 'Delete' | 'Update', onConsumed: OnConsumed) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const parsed = parseWrite(kind, raw);
    const { input } = parsed;
    const prepared = prepare(store.table(input.TableName), parsed);
    const { table, itemKey } = prepared;
    const capacity = new ConsumedCapacity(table, 'write');
    const { before, after } = store.atomically(() => {
      const present = store.get(itemKey);
      if (!conditionHolds(prepared, present)) {
        // A failed condition consumes the units of a write of the present item.
        capacity.add(Math.max(1, Math.ceil((present ? itemSize(present) : 0) / 1024)));
        onConsumed(capacity);
        throw new ServiceError(
          'ConditionalCheckFailedException',
          'The conditional request failed',
          400,
          input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && present ? { Item: present } : {},
        );
      }
      const next = applyWrite(prepared, present);
      store.write(itemKey, present, next, capacity);
      return { before: present, after: next };
    });
    onConsumed(capacity);
    const returned = returnedValues(prepared, before, after);
    return {
      ...(returned && { Attributes: returned }),
      ConsumedCapacity: capacity.consumed(input.ReturnConsumedCapacity),
      ...(input.ReturnItemCollectionMetrics === 'SIZE' && {
        ItemCollectionMetrics: itemCollectionMetrics(prepared),
      }),
    };
  };

/** The item collection of a write. Only tables with local indexes have any; the size is an estimate in gigabytes. */
const itemCollectionMetrics = ({ table, key }: Prepared): object | undefined => {
  const value = key[table.keys.hash];
  if (value === undefined || table.indexes.every(({ global }) => global)) return undefined;
  return { ItemCollectionKey: { [table.keys.hash]: value }, SizeEstimateRangeGB: [0, 1] };
};

const returnedValues = (
  { input: { ReturnValues: wanted = 'NONE' }, update }: Prepared,
  before: Item | undefined,
  after: Item | undefined,
): Item | undefined => {
  if (wanted === 'NONE') return undefined;
  if (wanted === 'ALL_OLD') return before;
  if (wanted === 'ALL_NEW') return after;
  const source = wanted === 'UPDATED_OLD' ? before : after;
  const picked = source && update && projection(pathsOf(update))(source);
  return picked && Object.keys(picked).length > 0 ? picked : undefined;
};

const GetInput = z.strictObject({
  TableName,
  Key: Raw,
  ConsistentRead: z.boolean().optional(),
  ProjectionExpression: z.string().optional(),
  ExpressionAttributeNames: Names,
  ReturnConsumedCapacity,
});

/** The projection of a read and its paths. */
export const projectionOf = (input: {
  readonly ProjectionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
}): { readonly show: Projection; readonly paths: readonly Path[] } => {
  const { ProjectionExpression: text } = input;
  const placeholders = new Placeholders(input.ExpressionAttributeNames, undefined, text !== undefined);
  if (text === undefined) return { show: (item) => item, paths: [] };
  const paths = parseProjection(text, placeholders);
  placeholders.expectAllUsed();
  return { show: projection(paths), paths };
};

export const getOne =
  (store: Store, onConsumed: OnConsumed) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = parseInput(GetInput, raw);
    const key = parseItem(input.Key);
    const { show, paths } = projectionOf(input);
    const table = store.table(input.TableName);
    const itemKey = table.requestedKey(key);
    expectScalarKeys(table, paths);
    const item = store.get(itemKey);
    const capacity = new ConsumedCapacity(table, 'read');
    capacity.add(readUnits(item ? itemSize(item) : 0, input.ConsistentRead === true));
    onConsumed(capacity);
    return {
      ...(item && { Item: show(item) }),
      ConsumedCapacity: capacity.consumed(input.ReturnConsumedCapacity),
    };
  };

/** Throws where a key occurs twice. */
export const expectDistinct = (all: readonly ItemKey[], message: string): void => {
  if (all.length < 2) return;
  const keys = new Set(
    all.map(
      ({ table, hash, range }) =>
        `${table.name} ${Buffer.from(hash).toString('latin1')}\u0000${hash.length} ${Buffer.from(range).toString('latin1')}`,
    ),
  );
  if (keys.size < all.length) throw invalid(message);
};
