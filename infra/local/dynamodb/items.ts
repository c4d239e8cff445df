import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import { readUnits, Spending } from './capacity.ts';
import { holds, type Projection, projection } from './evaluate.ts';
import { parseCondition, parseProjection, parseUpdate } from './expression.ts';
import { Placeholders } from './placeholders.ts';
import { read } from './shape.ts';
import type { Store } from './store.ts';
import { type Condition, type Path, pathsIn, pathsOf, type Update } from './syntax.ts';
import type { Located, Table } from './table.ts';
import { updated } from './update.ts';
import { type Item, invalid, itemSize, parseItem } from './values.ts';

export const Names = z.record(z.string(), z.string()).optional();
export const Raw = z.record(z.string(), z.unknown());
export const ReturnConsumedCapacity = z.enum(['INDEXES', 'TOTAL', 'NONE']).optional();
export const TableName = z.string().min(1).max(1024);

/** The members that the writes share. */
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
  Check: KeyInput,
  Update: KeyInput.extend({ UpdateExpression: z.string().optional() }),
};
export type Kind = keyof typeof inputs;

interface WriteInput extends z.infer<z.ZodObject<typeof Common>> {
  readonly Item?: Record<string, unknown>;
  readonly Key?: Record<string, unknown>;
  readonly UpdateExpression?: string | undefined;
}

const ITEM_LIMIT = 400 * 1024;

/** A write whose input was understood; the table was not yet asked. */
export interface Write {
  readonly kind: Kind;
  readonly input: WriteInput;
  readonly key: Item;
  readonly condition: Condition | undefined;
  readonly update: Update | undefined;
}

/** Throws what is wrong with a write, whatever the table is like. */
export const understand = (kind: Kind, raw: unknown): Write => {
  const input: WriteInput = read(inputs[kind], raw);
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
  const marks = new Placeholders(
    input.ExpressionAttributeNames,
    input.ExpressionAttributeValues,
    expressions,
  );
  const update = UpdateExpression === undefined ? undefined : parseUpdate(UpdateExpression, marks);
  const condition =
    ConditionExpression === undefined
      ? undefined
      : parseCondition(ConditionExpression, 'ConditionExpression', marks);
  marks.expectAllUsed();
  return { kind, input, key, condition, update };
};

/** A write whose place in its table is known. */
export interface Prepared extends Write {
  readonly table: Table;
  readonly located: Located;
}

/** Throws what is wrong with a write for its table. */
export const prepare = (table: Table, write: Write): Prepared => {
  const located = write.kind === 'Put' ? table.locateItem(write.key) : table.locate(write.key);
  if (write.update) expectKeysUntouched(table, write.update);
  if (write.condition) expectScalarKeys(table, pathsIn(write.condition));
  return { ...write, table, located };
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

/** A key attribute is a scalar, so nothing can lie within it. */
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

export const satisfied = ({ condition }: Write, before: Item | undefined): boolean =>
  condition === undefined || holds(condition, before ?? {});

/** The item after a write; undefined where nothing is left. Throws what only the item itself shows to be wrong. */
export const outcome = (prepared: Prepared, before: Item | undefined): Item | undefined => {
  const { kind, key, update, table } = prepared;
  if (kind === 'Put') return key;
  if (kind === 'Delete') return undefined;
  if (kind === 'Check') return before;
  const after = update ? updated(before ?? key, update) : (before ?? key);
  table.expectIndexKeys(after);
  if (itemSize(after) > ITEM_LIMIT)
    throw invalid('Item size to update has exceeded the maximum allowed size');
  return after;
};

/** Told of the capacity of each request, also where the answer does not say it. */
export type OnSpent = (spending: Spending) => void;

/** PutItem, UpdateItem and DeleteItem. */
export const writeOne =
  (store: Store, kind: 'Put' | 'Delete' | 'Update', onSpent: OnSpent) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const understood = understand(kind, raw);
    const { input } = understood;
    const prepared = prepare(store.table(input.TableName), understood);
    const { table, located } = prepared;
    const spending = new Spending(table, 'write');
    const { before, after } = store.atomically(() => {
      const present = store.get(located);
      if (!satisfied(prepared, present)) {
        // A condition that fails costs what the write of the item that is there would have cost.
        spending.add(Math.max(1, Math.ceil((present ? itemSize(present) : 0) / 1024)));
        onSpent(spending);
        throw new ServiceError(
          'ConditionalCheckFailedException',
          'The conditional request failed',
          400,
          input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && present ? { Item: present } : {},
        );
      }
      const next = outcome(prepared, present);
      store.write(located, present, next, spending);
      return { before: present, after: next };
    });
    onSpent(spending);
    const returned = returnedValues(prepared, before, after);
    return {
      ...(returned && { Attributes: returned }),
      ConsumedCapacity: spending.consumed(input.ReturnConsumedCapacity),
      ...(input.ReturnItemCollectionMetrics === 'SIZE' && { ItemCollectionMetrics: metrics(prepared) }),
    };
  };

/** Only a table with local indexes has item collections; their size is an estimate in gigabytes. */
export const metrics = ({ table, key }: Prepared): object | undefined => {
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

/** What a read shows of an item, and the paths that it names. */
export const projectionOf = (input: {
  readonly ProjectionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
}): { readonly show: Projection; readonly paths: readonly Path[] } => {
  const { ProjectionExpression: text } = input;
  const marks = new Placeholders(input.ExpressionAttributeNames, undefined, text !== undefined);
  if (text === undefined) return { show: (item) => item, paths: [] };
  const paths = parseProjection(text, marks);
  marks.expectAllUsed();
  return { show: projection(paths), paths };
};

export const getOne =
  (store: Store, onSpent: OnSpent) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = read(GetInput, raw);
    const key = parseItem(input.Key);
    const { show, paths } = projectionOf(input);
    const table = store.table(input.TableName);
    const located = table.locate(key);
    expectScalarKeys(table, paths);
    const item = store.get(located);
    const spending = new Spending(table, 'read');
    spending.add(readUnits(item ? itemSize(item) : 0, input.ConsistentRead === true));
    onSpent(spending);
    return {
      ...(item && { Item: show(item) }),
      ConsumedCapacity: spending.consumed(input.ReturnConsumedCapacity),
    };
  };

/** Refuses a list of places in which one occurs twice. */
export const expectDistinct = (all: readonly Located[], message: string): void => {
  if (all.length < 2) return;
  const keys = new Set(
    all.map(
      ({ table, hash, range }) =>
        `${table.name} ${Buffer.from(hash).toString('latin1')}\u0000${hash.length} ${Buffer.from(range).toString('latin1')}`,
    ),
  );
  if (keys.size < all.length) throw invalid(message);
};
