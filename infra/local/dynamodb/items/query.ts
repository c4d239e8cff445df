import * as z from 'zod';
import { conditionIsTrue, projection } from '../expressions/evaluate.ts';
import { type KeyCondition, keyCondition } from '../expressions/key-condition.ts';
import { parseCondition, parseProjection } from '../expressions/parser.ts';
import { Placeholders } from '../expressions/placeholders.ts';
import { type Condition, type Path, pathsIn } from '../expressions/syntax.ts';
import { parseInput } from '../input.ts';
import type { Store } from '../tables/store.ts';
import { expectFilled, type Index, type KeyBytes, type Table } from '../tables/table.ts';
import { equal, type Item, invalid, itemSize, parseItem, sortable, typeOf } from '../values/values.ts';
import { ConsumedCapacity, readUnits } from './capacity.ts';
import { expectScalarKeys, Names, type OnConsumed, Raw, ReturnConsumedCapacity, TableName } from './items.ts';

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

/** The parsed expressions of a query or scan. */
interface ParsedRead {
  readonly filter: Condition | undefined;
  readonly paths: readonly Path[] | undefined;
  readonly start: Item | undefined;
}

const parseRead = (input: Input, placeholders: Placeholders, what: 'Querying' | 'Scanning'): ParsedRead => {
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
    filter: filter === undefined ? undefined : parseCondition(filter, 'FilterExpression', placeholders),
    paths: projected === undefined ? undefined : parseProjection(projected, placeholders),
    start:
      input.ExclusiveStartKey === undefined ? undefined : ofStart(() => parseItem(input.ExclusiveStartKey)),
  };
};

/** The result of checking an ExclusiveStartKey; an error says that it is about the key. */
const ofStart = <Result>(check: () => Result): Result => {
  try {
    return check();
  } catch (error) {
    if (error instanceof Error) error.message = `The provided starting key is invalid: ${error.message}`;
    throw error;
  }
};

interface PreparedRead extends ParsedRead {
  readonly table: Table;
  readonly index: Index | undefined;
  readonly input: Input;
  readonly after: (KeyBytes & { readonly own: KeyBytes }) | undefined;
  /** Whether each item is read from the table, because a local index does not project every requested attribute. */
  readonly fetches: boolean;
}

const prepare = (store: Store, input: Input, parsed: ParsedRead): PreparedRead => {
  const table = store.table(input.TableName);
  const index = input.IndexName === undefined ? undefined : table.index(input.IndexName);
  if (index?.global && input.ConsistentRead === true)
    throw invalid('Consistent reads are not supported on global secondary indexes');
  const { paths = [], filter, start } = parsed;
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
    ...parsed,
    table,
    index,
    input,
    after: start && startKeyOf(table, index, start),
    fetches: all || outside.length > 0,
  };
};

/** The position of an ExclusiveStartKey. Throws unless it has exactly the keys of the table and of the index. */
const startKeyOf = (
  table: Table,
  index: Index | undefined,
  start: Item,
): KeyBytes & { readonly own: KeyBytes } => {
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
  for (const name of names) {
    const value = name === undefined ? undefined : start[name];
    if (name !== undefined && value !== undefined) ofStart(() => expectFilled(name, value));
  }
  const own = table.keyOf(start);
  const entry = index ? index.entry(start) : own;
  if (entry === undefined) throw invalid('The provided starting key is invalid');
  return { hash: entry.hash, range: entry.range, own };
};

/** One page of the candidates that pass the filter, and the key at which the next page starts. */
const page = (prepared: PreparedRead, candidates: Iterable<Item>, onConsumed: OnConsumed): unknown => {
  const { table, index, input, filter, paths, fetches } = prepared;
  const seen = index && !fetches ? index.project : (item: Item) => item;
  const show = paths ? projection(paths) : (item: Item) => item;
  const items: Item[] = [];
  let [count, scanned, bytes, fetched] = [0, 0, 0, 0];
  let last: Item | undefined;
  let stopped = false;
  const consistent = input.ConsistentRead === true;
  for (const candidate of candidates) {
    const item = seen(candidate);
    const size = itemSize(index ? index.project(candidate) : candidate);
    if (scanned > 0 && bytes + size > PAGE_BYTES) {
      stopped = true;
      break;
    }
    scanned++;
    bytes += size;
    if (fetches) fetched += readUnits(itemSize(candidate), consistent);
    last = candidate;
    if (filter === undefined || conditionIsTrue(filter, item)) {
      count++;
      if (input.Select !== 'COUNT') items.push(show(item));
    }
    if (scanned === input.Limit || bytes >= PAGE_BYTES) {
      stopped = true;
      break;
    }
  }
  const capacity = new ConsumedCapacity(table, 'read');
  capacity.add(readUnits(bytes, consistent), index);
  if (fetched > 0) capacity.add(fetched);
  onConsumed(capacity);
  return {
    ...(input.Select !== 'COUNT' && { Items: items }),
    Count: count,
    ScannedCount: scanned,
    ...(stopped && last && { LastEvaluatedKey: keyOf(prepared, last) }),
    ConsumedCapacity: capacity.consumed(input.ReturnConsumedCapacity),
  };
};

const keyOf = ({ table, index }: PreparedRead, item: Item): Item => {
  const names = [index?.keys.hash, index?.keys.range, ...table.keyNames].filter((name) => name !== undefined);
  return Object.fromEntries(names.flatMap((name) => (item[name] ? [[name, item[name]]] : [])));
};

export const query =
  (store: Store, onConsumed: OnConsumed) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = parseInput(QueryInput, raw);
    if (input.KeyConditionExpression === undefined)
      throw invalid(
        'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.',
      );
    const placeholders = new Placeholders(
      input.ExpressionAttributeNames,
      input.ExpressionAttributeValues,
      true,
    );
    const condition = parseCondition(input.KeyConditionExpression, 'KeyConditionExpression', placeholders);
    const parsed = parseRead(input, placeholders, 'Querying');
    placeholders.expectAllUsed();
    const prepared = prepare(store, input, parsed);
    const { table, index, filter } = prepared;
    const keys = index?.keys ?? table.keys;
    const parts = keyCondition(table, keys, condition);
    for (const [head] of filter ? pathsIn(filter) : [])
      if (head === keys.hash || head === keys.range)
        throw invalid(
          `Filter Expression can only contain non-primary key attributes: Primary key attribute: ${head}`,
        );
    if (prepared.start) expectWithin(prepared.start, parts, keys);
    const backwards = input.ScanIndexForward === false;
    return page(prepared, partition(store, prepared, parts, backwards), onConsumed);
  };

const expectWithin = (start: Item, { hash, range }: KeyCondition, keys: Table['keys']): void => {
  const own = start[keys.hash];
  if (own === undefined || !equal(own, hash))
    throw invalid(
      range === undefined
        ? 'The provided starting key is outside query boundaries based on provided conditions'
        : 'The query can return at most one row and cannot be restarted',
    );
  if (range !== undefined && !conditionIsTrue(range, start))
    throw invalid('The provided starting key does not match the range key predicate');
};

function* partition(
  store: Store,
  { table, index, after }: PreparedRead,
  { hash, range, low, high }: KeyCondition,
  backwards: boolean,
): Generator<Item> {
  if (low && high && Buffer.compare(low, high) > 0) return;
  for (const item of store.partition(table, index, sortable(hash), { low, high, backwards, after }))
    if (range === undefined || conditionIsTrue(range, item)) yield item;
}

export const scan =
  (store: Store, onConsumed: OnConsumed) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = parseInput(ScanInput, raw);
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
    const placeholders = new Placeholders(
      input.ExpressionAttributeNames,
      input.ExpressionAttributeValues,
      expressions,
    );
    const parsed = parseRead(input, placeholders, 'Scanning');
    placeholders.expectAllUsed();
    const prepared = prepare(store, input, parsed);
    const { table, index, after } = prepared;
    const share = { segment: segment ?? 0, segments: segments ?? 1 };
    if (after && spread(after.hash) % share.segments !== share.segment)
      throw invalid(
        'The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. ' +
          `TotalSegments: ${share.segments} Segment: ${share.segment}`,
      );
    return page(
      prepared,
      segmentOf(store.scan(table, index, after), index?.keys ?? table.keys, share),
      onConsumed,
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

/** The segment of a partition in a parallel scan. */
const spread = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7);
