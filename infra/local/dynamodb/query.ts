import * as z from 'zod';
import { consumed, readUnits } from './capacity.ts';
import { holds, projected } from './evaluate.ts';
import {
  type Condition,
  type Path,
  type Placeholders,
  parseCondition,
  parseProjection,
} from './expression.ts';
import { placeholders } from './items.ts';
import { type Definition, type Keys, keyBytes, keysOf, type Store } from './store.ts';
import { compare, type Item, invalid, itemSize, parseItem, sortable, type Value } from './values.ts';

const PAGE_BYTES = 1024 * 1024;
const Raw = z.record(z.string(), z.unknown());

const Shared = {
  TableName: z.string(),
  IndexName: z.string().optional(),
  Limit: z.int().positive().optional(),
  ConsistentRead: z.boolean().optional(),
  ExclusiveStartKey: Raw.optional(),
  FilterExpression: z.string().optional(),
  ProjectionExpression: z.string().optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
  ExpressionAttributeValues: Raw.optional(),
  ReturnConsumedCapacity: z.enum(['NONE', 'TOTAL', 'INDEXES']).optional(),
  Select: z.enum(['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'COUNT', 'SPECIFIC_ATTRIBUTES']).optional(),
};
const QueryInput = z.strictObject({
  ...Shared,
  KeyConditionExpression: z.string(),
  ScanIndexForward: z.boolean().optional(),
});
const ScanInput = z.strictObject({
  ...Shared,
  Segment: z.int().nonnegative().optional(),
  TotalSegments: z.int().positive().max(1_000_000).optional(),
});

interface Reading {
  readonly definition: Definition;
  /** The keys of the table or index that is read. */
  readonly keys: Keys;
  readonly filter: Condition | undefined;
  readonly projection: readonly Path[] | undefined;
  readonly start: Item | undefined;
}

type Input = z.infer<typeof QueryInput> | z.infer<typeof ScanInput>;

const prepare = (store: Store, input: Input, marks: Placeholders): Reading => {
  const definition = store.definition(input.TableName);
  const index = [
    ...(definition.GlobalSecondaryIndexes ?? []),
    ...(definition.LocalSecondaryIndexes ?? []),
  ].find(({ IndexName }) => IndexName === input.IndexName);
  if (input.IndexName !== undefined && index === undefined)
    throw invalid(`The table does not have the specified index: ${input.IndexName}`);
  if (
    input.ConsistentRead === true &&
    definition.GlobalSecondaryIndexes?.some(({ IndexName }) => IndexName === input.IndexName)
  ) {
    throw invalid('Consistent reads are not supported on global secondary indexes');
  }
  return {
    definition,
    keys: keysOf(index?.KeySchema ?? definition.KeySchema),
    filter: input.FilterExpression === undefined ? undefined : parseCondition(input.FilterExpression, marks),
    projection:
      input.ProjectionExpression === undefined
        ? undefined
        : parseProjection(input.ProjectionExpression, marks),
    start: input.ExclusiveStartKey === undefined ? undefined : parseItem(input.ExclusiveStartKey),
  };
};

/** The page of items that a reader offers in order, and where the next one begins. */
const page = (reading: Reading, input: Input, offered: Iterable<Item>): unknown => {
  const { definition, filter, projection } = reading;
  const items: Item[] = [];
  let scanned = 0;
  let bytes = 0;
  let last: Item | undefined;
  let more = false;
  for (const item of offered) {
    if (scanned === input.Limit || bytes >= PAGE_BYTES) {
      more = true;
      break;
    }
    scanned++;
    bytes += itemSize(item);
    last = item;
    if (filter === undefined || holds(filter, item))
      items.push(projection ? projected(item, projection) : item);
  }
  const stopped = more || (input.Limit !== undefined && scanned === input.Limit);
  return {
    ...(input.Select !== 'COUNT' && { Items: items }),
    Count: items.length,
    ScannedCount: scanned,
    ...(stopped && last && { LastEvaluatedKey: keyOf(reading, last) }),
    ConsumedCapacity: consumed(
      definition.TableName,
      { read: readUnits(bytes, input.ConsistentRead === true) },
      input.ReturnConsumedCapacity,
    ),
  };
};

const keyOf = ({ definition, keys }: Reading, item: Item): Item => {
  const own = keysOf(definition.KeySchema);
  const names = [keys.hash, keys.range, own.hash, own.range].filter((name) => name !== undefined);
  return Object.fromEntries(names.flatMap((name) => (item[name] ? [[name, item[name]]] : [])));
};

export const query =
  (store: Store) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = QueryInput.parse(raw);
    const marks = placeholders(input);
    const condition = parseCondition(input.KeyConditionExpression, marks);
    const reading = prepare(store, input, marks);
    marks.expectAllUsed();
    const { hash, range } = keyParts(condition, reading.keys);
    const backwards = input.ScanIndexForward === false;
    const offered =
      input.IndexName === undefined
        ? ownPartition(store, reading, hash, range, backwards)
        : indexPartition(store, reading, hash, range, backwards);
    return page(reading, input, offered);
  };

export const scan =
  (store: Store) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = ScanInput.parse(raw);
    const marks = placeholders(input);
    const reading = prepare(store, input, marks);
    marks.expectAllUsed();
    const { Segment: segment = 0, TotalSegments: segments = 1 } = input;
    if (segment >= segments)
      throw invalid('The Segment parameter is zero-based and must be less than parameter TotalSegments');
    const after = reading.start && store.locate(reading.definition, ownKey(reading, reading.start), true);
    return page(reading, input, segmentOf(store, reading, after, segment, segments));
  };

function* segmentOf(
  store: Store,
  { definition, keys }: Reading,
  after: Parameters<Store['scan']>[1],
  segment: number,
  segments: number,
): Generator<Item> {
  for (const item of store.scan(definition.TableName, after)) {
    const hash = item[keys.hash];
    if (hash === undefined || (keys.range !== undefined && item[keys.range] === undefined)) continue;
    if (segments === 1 || spread(sortable(hash)) % segments === segment) yield item;
  }
}

const spread = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7);

const ownKey = ({ definition }: Reading, item: Item): Item => {
  const { hash, range } = keysOf(definition.KeySchema);
  return Object.fromEntries(
    [hash, range].flatMap((name) => (name !== undefined && item[name] ? [[name, item[name]]] : [])),
  );
};

interface Parts {
  readonly hash: Value;
  readonly range: Condition | undefined;
}

/** A key condition is `hash = :v`, alone or with one condition on the range key. */
const keyParts = (condition: Condition, keys: Keys): Parts => {
  const [one, other] = 'and' in condition ? condition.and : [condition, undefined];
  const equality = [one, other].find(
    (part) => part !== undefined && hashValue(part, keys.hash) !== undefined,
  );
  const hash = equality && hashValue(equality, keys.hash);
  if (hash === undefined) throw invalid(`Query condition missed key schema element: ${keys.hash}`);
  const range = equality === one ? other : one;
  if (range !== undefined && subjectOf(range) !== keys.range)
    throw invalid('Query key condition not supported');
  return { hash, range };
};

const hashValue = (condition: Condition, hash: string): Value | undefined => {
  if (!('compare' in condition)) return undefined;
  const [left, operator, right] = condition.compare;
  const named = 'path' in left && left.path.length === 1 && left.path[0] === hash;
  return named && operator === '=' && 'value' in right ? right.value : undefined;
};

/** The attribute that a range condition is about, where the condition is one that a key may have. */
const subjectOf = (condition: Condition): string | undefined => {
  const subject =
    'compare' in condition && condition.compare[1] !== '<>'
      ? condition.compare[0]
      : 'between' in condition
        ? condition.between[0]
        : 'test' in condition && condition.test === 'begins_with'
          ? condition.args[0]
          : undefined;
  const [name] = subject && 'path' in subject && subject.path.length === 1 ? subject.path : [];
  return typeof name === 'string' ? name : undefined;
};

/** The lowest and highest range key that can satisfy a condition; the condition itself is still tested. */
const bounds = (condition: Condition | undefined): { low?: Value; high?: Value } => {
  if (condition === undefined) return {};
  if ('between' in condition) {
    const [, low, high] = condition.between;
    return { ...('value' in low && { low: low.value }), ...('value' in high && { high: high.value }) };
  }
  if ('test' in condition) {
    const prefix = condition.args[1];
    if (prefix === undefined || !('value' in prefix)) return {};
    return 'S' in prefix.value
      ? { low: prefix.value, high: { S: `${prefix.value.S}\u{10ffff}` } }
      : { low: prefix.value };
  }
  if (!('compare' in condition)) return {};
  const [, operator, right] = condition.compare;
  if (!('value' in right)) return {};
  return {
    ...(operator.includes('=') || operator === '>'
      ? operator.startsWith('<')
        ? {}
        : { low: right.value }
      : {}),
    ...(operator.includes('=') || operator === '<'
      ? operator.startsWith('>')
        ? {}
        : { high: right.value }
      : {}),
  };
};

function* ownPartition(
  store: Store,
  { definition, keys, start }: Reading,
  hash: Value,
  range: Condition | undefined,
  backwards: boolean,
): Generator<Item> {
  const { low, high } = bounds(range);
  const begun = keys.range === undefined ? undefined : start?.[keys.range];
  const first = backwards ? (begun ?? high) : (begun ?? low);
  const bytes = keyBytes(definition, keys.hash, hash, true);
  for (const item of store.partition(definition.TableName, bytes, first && sortable(first), backwards)) {
    const key = keys.range === undefined ? undefined : item[keys.range];
    if (key && begun && compare(key, begun) === 0) continue;
    if (key === undefined && start) continue;
    const beyond =
      key && (backwards ? low && (compare(key, low) ?? 0) < 0 : high && (compare(key, high) ?? 0) > 0);
    if (beyond) return;
    if (range === undefined || holds(range, item)) yield item;
  }
}

/** Indexes are not kept: a query of one sorts what the table holds. */
function* indexPartition(
  store: Store,
  reading: Reading,
  hash: Value,
  range: Condition | undefined,
  backwards: boolean,
): Generator<Item> {
  const { definition, keys, start } = reading;
  const order = (one: Item, other: Item): number => {
    const [left, right] = keys.range === undefined ? [] : [one[keys.range], other[keys.range]];
    const byRange = left && right ? (compare(left, right) ?? 0) : 0;
    return byRange || Buffer.compare(place(one), place(other));
  };
  const place = (item: Item): Buffer => {
    const located = store.locate(definition, ownKey(reading, item), true);
    return Buffer.concat([located.hash, Buffer.of(0), located.range]);
  };
  const found = [...store.scan(definition.TableName)].filter((item) => {
    const value = item[keys.hash];
    return (
      value !== undefined &&
      compare(value, hash) === 0 &&
      (keys.range === undefined || item[keys.range] !== undefined) &&
      (range === undefined || holds(range, item))
    );
  });
  found.sort((one, other) => (backwards ? -order(one, other) : order(one, other)));
  for (const item of found) {
    if (start && (backwards ? order(item, start) >= 0 : order(item, start) <= 0)) continue;
    yield item;
  }
}
