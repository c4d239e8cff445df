import * as z from 'zod';
import { readUnits, Spending } from './capacity.ts';
import { holds, projection } from './evaluate.ts';
import { parseCondition, parseProjection } from './expression.ts';
import { expectScalarKeys, Names, type OnSpent, Raw, ReturnConsumedCapacity, TableName } from './items.ts';
import { type KeyCondition, keyCondition } from './key-condition.ts';
import { Placeholders } from './placeholders.ts';
import { read } from './shape.ts';
import type { Store } from './store.ts';
import { type Condition, type Path, pathsIn } from './syntax.ts';
import type { Index, Place, Table } from './table.ts';
import { equal, type Item, invalid, itemSize, parseItem, sortable, typeOf } from './values.ts';

const PAGE_BYTES = 1024 * 1024;

const Shared = {
  TableName,
  IndexName: z.string().min(3).max(255).optional(),
  Limit: z.int().min(1).optional(),
  ConsistentRead: z.boolean().optional(),
  ExclusiveStartKey: Raw.optional(),
  FilterExpression: z.string().optional(),
  ProjectionExpression: z.string().optional(),
  ExpressionAttributeNames: Names,
  ExpressionAttributeValues: Raw.optional(),
  ReturnConsumedCapacity,
  Select: z.enum(['SPECIFIC_ATTRIBUTES', 'COUNT', 'ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES']).optional(),
};
const QueryInput = z.strictObject({
  ...Shared,
  KeyConditionExpression: z.string().optional(),
  ScanIndexForward: z.boolean().optional(),
});
const ScanInput = z.strictObject({
  ...Shared,
  Segment: z.int().min(0).max(999_999).optional(),
  TotalSegments: z.int().min(1).max(1_000_000).optional(),
});
type Input = z.infer<z.ZodObject<typeof Shared>>;

/** A query or scan whose expressions were understood. */
interface Understood {
  readonly filter: Condition | undefined;
  readonly paths: readonly Path[] | undefined;
  readonly start: Item | undefined;
}

const understand = (input: Input, marks: Placeholders, what: 'Querying' | 'Scanning'): Understood => {
  const { Select: select, FilterExpression: filter, ProjectionExpression: projected } = input;
  if (select === 'ALL_PROJECTED_ATTRIBUTES' && input.IndexName === undefined)
    throw invalid(`ALL_PROJECTED_ATTRIBUTES can be used only when ${what} using an IndexName`);
  if (select === 'SPECIFIC_ATTRIBUTES' && projected === undefined)
    throw invalid(
      'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES',
    );
  if (projected !== undefined && select !== undefined && select !== 'SPECIFIC_ATTRIBUTES')
    throw invalid(
      `Cannot specify the ProjectionExpression when choosing to get ${select === 'COUNT' ? 'only the Count' : select}`,
    );
  return {
    filter: filter === undefined ? undefined : parseCondition(filter, 'FilterExpression', marks),
    paths: projected === undefined ? undefined : parseProjection(projected, marks),
    start: input.ExclusiveStartKey === undefined ? undefined : startOf(input.ExclusiveStartKey),
  };
};

const startOf = (raw: Record<string, unknown>): Item => {
  try {
    return parseItem(raw);
  } catch (error) {
    if (error instanceof Error) error.message = `The provided starting key is invalid: ${error.message}`;
    throw error;
  }
};

interface Reading extends Understood {
  readonly table: Table;
  readonly index: Index | undefined;
  readonly input: Input;
  readonly after: (Place & { readonly own: Place }) | undefined;
  /** A local index gives what it does not hold where it is asked for it, at the cost of a read of each item. */
  readonly fetches: boolean;
}

const prepare = (store: Store, input: Input, understood: Understood): Reading => {
  const table = store.table(input.TableName);
  const index = input.IndexName === undefined ? undefined : table.index(input.IndexName);
  if (index?.global && input.ConsistentRead === true)
    throw invalid('Consistent reads are not supported on global secondary indexes');
  const { paths = [], filter, start } = understood;
  expectScalarKeys(table, [...paths, ...(filter ? pathsIn(filter) : [])]);
  const outside = paths.filter(([head]) => index?.attributes?.has(String(head)) === false);
  const all = input.Select === 'ALL_ATTRIBUTES' && index?.attributes !== undefined;
  if (all && index.global)
    throw invalid(
      `One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.name} because its projection type is not ALL`,
    );
  if (index?.global && outside.length > 0)
    throw invalid(
      `One or more parameter values were invalid: Global secondary index ${index.name} does not project [${[...new Set(outside.map(([head]) => head))].join(', ')}]`,
    );
  return {
    ...understood,
    table,
    index,
    input,
    after: start && placeOf(table, index, start),
    fetches: all || outside.length > 0,
  };
};

/** Where an ExclusiveStartKey stands: it has the keys of the table and of the index, and no more. */
const placeOf = (table: Table, index: Index | undefined, start: Item): Place & { readonly own: Place } => {
  const names = new Set([...table.keyNames, ...(index ? [index.keys.hash, index.keys.range] : [])]);
  names.delete(undefined);
  const fits =
    Object.keys(start).length === names.size &&
    [...names].every((name) => {
      const value = name === undefined ? undefined : start[name];
      return value !== undefined && name !== undefined && typeOf(value) === table.typeOfKey(name);
    });
  if (!fits)
    throw invalid(
      `The provided starting key is invalid${index ? '' : ': The provided key element does not match the schema'}`,
    );
  const own = table.place(start);
  const entry = index ? index.entry(start) : own;
  if (entry === undefined) throw invalid('The provided starting key is invalid');
  return { hash: entry.hash, range: entry.range, own };
};

/** The page of items that a reader offers in order, and where the next one begins. */
const page = (reading: Reading, offered: Iterable<Item>, onSpent: OnSpent): unknown => {
  const { table, index, input, filter, paths, fetches } = reading;
  const seen = index && !fetches ? index.project : (item: Item) => item;
  const show = paths ? projection(paths) : (item: Item) => item;
  const items: Item[] = [];
  let [count, scanned, bytes, fetched] = [0, 0, 0, 0];
  let last: Item | undefined;
  let stopped = false;
  const consistent = input.ConsistentRead === true;
  for (const offer of offered) {
    const item = seen(offer);
    const size = itemSize(index ? index.project(offer) : offer);
    if (scanned > 0 && bytes + size > PAGE_BYTES) {
      stopped = true;
      break;
    }
    scanned++;
    bytes += size;
    if (fetches) fetched += readUnits(itemSize(offer), consistent);
    last = offer;
    if (filter === undefined || holds(filter, item)) {
      count++;
      if (input.Select !== 'COUNT') items.push(show(item));
    }
    if (scanned === input.Limit || bytes >= PAGE_BYTES) {
      stopped = true;
      break;
    }
  }
  const spending = new Spending(table, 'read');
  spending.add(readUnits(bytes, consistent), index);
  if (fetched > 0) spending.add(fetched);
  onSpent(spending);
  return {
    ...(input.Select !== 'COUNT' && { Items: items }),
    Count: count,
    ScannedCount: scanned,
    ...(stopped && last && { LastEvaluatedKey: keyOf(reading, last) }),
    ConsumedCapacity: spending.consumed(input.ReturnConsumedCapacity),
  };
};

const keyOf = ({ table, index }: Reading, item: Item): Item => {
  const names = [index?.keys.hash, index?.keys.range, ...table.keyNames].filter((name) => name !== undefined);
  return Object.fromEntries(names.flatMap((name) => (item[name] ? [[name, item[name]]] : [])));
};

export const query =
  (store: Store, onSpent: OnSpent) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = read(QueryInput, raw);
    if (input.KeyConditionExpression === undefined)
      throw invalid(
        'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.',
      );
    const marks = new Placeholders(input.ExpressionAttributeNames, input.ExpressionAttributeValues, true);
    const condition = parseCondition(input.KeyConditionExpression, 'KeyConditionExpression', marks);
    const understood = understand(input, marks, 'Querying');
    marks.expectAllUsed();
    const reading = prepare(store, input, understood);
    const { table, index, filter } = reading;
    const keys = index?.keys ?? table.keys;
    const parts = keyCondition(table, keys, condition);
    for (const [head] of filter ? pathsIn(filter) : [])
      if (head === keys.hash || head === keys.range)
        throw invalid(
          `Filter Expression can only contain non-primary key attributes: Primary key attribute: ${head}`,
        );
    if (reading.start) expectWithin(reading.start, parts, keys);
    const backwards = input.ScanIndexForward === false;
    return page(reading, partition(store, reading, parts, backwards), onSpent);
  };

const expectWithin = (start: Item, { hash, range }: KeyCondition, keys: Table['keys']): void => {
  const own = start[keys.hash];
  if (own === undefined || !equal(own, hash))
    throw invalid(
      range === undefined
        ? 'The provided starting key is outside query boundaries based on provided conditions'
        : 'The query can return at most one row and cannot be restarted',
    );
  if (range !== undefined && !holds(range, start))
    throw invalid('The provided starting key does not match the range key predicate');
};

function* partition(
  store: Store,
  { table, index, after }: Reading,
  { hash, range, low, high }: KeyCondition,
  backwards: boolean,
): Generator<Item> {
  if (low && high && Buffer.compare(low, high) > 0) return;
  for (const item of store.partition(table, index, sortable(hash), { low, high, backwards, after }))
    if (range === undefined || holds(range, item)) yield item;
}

export const scan =
  (store: Store, onSpent: OnSpent) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = read(ScanInput, raw);
    const { Segment: segment, TotalSegments: segments } = input;
    if (segment !== undefined && segments === undefined)
      throw invalid(
        'The TotalSegments parameter is required but was not present in the request when Segment parameter is present',
      );
    if (segments !== undefined && segment === undefined)
      throw invalid(
        'The Segment parameter is required but was not present in the request when parameter TotalSegments is present',
      );
    if (segment !== undefined && segments !== undefined && segment >= segments)
      throw invalid(
        `The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: ${segment} is not less than TotalSegments: ${segments}`,
      );
    const expressions = input.FilterExpression !== undefined || input.ProjectionExpression !== undefined;
    const marks = new Placeholders(
      input.ExpressionAttributeNames,
      input.ExpressionAttributeValues,
      expressions,
    );
    const understood = understand(input, marks, 'Scanning');
    marks.expectAllUsed();
    const reading = prepare(store, input, understood);
    const { table, index, after } = reading;
    const share = { segment: segment ?? 0, segments: segments ?? 1 };
    if (after && spread(after.hash) % share.segments !== share.segment)
      throw invalid(
        'The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. ' +
          `TotalSegments: ${share.segments} Segment: ${share.segment}`,
      );
    return page(
      reading,
      segmentOf(store.scan(table, index, after), index?.keys ?? table.keys, share),
      onSpent,
    );
  };

function* segmentOf(
  items: Iterable<Item>,
  { hash }: Table['keys'],
  { segment, segments }: { readonly segment: number; readonly segments: number },
): Generator<Item> {
  for (const item of items) {
    const value = item[hash];
    if (segments === 1 || (value !== undefined && spread(sortable(value)) % segments === segment)) yield item;
  }
}

/** Spreads partitions over segments, always in the same way. */
const spread = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7);
