import * as z from 'zod';
import { parseInput } from '../input.ts';
import type { Store } from '../tables/store.ts';
import { type Item, invalid, itemSize, parseItem } from '../values/values.ts';
import { ConsumedCapacities, readUnits } from './capacity.ts';
import {
  applyWrite,
  expectDistinct,
  Names,
  type OnConsumed,
  parseWrite,
  prepare,
  projectionOf,
  Raw,
  ReturnConsumedCapacity,
} from './items.ts';

const MOST_KEYS = 100;
const MOST_WRITES = 25;
const LIMIT_BYTES = 16 * 1024 * 1024;
const DUPLICATES = 'Provided list of item keys contains duplicates';

const GetInput = z.strictObject({
  RequestItems: z
    .record(
      z.string(),
      z.strictObject({
        Keys: z.array(Raw).min(1).max(MOST_KEYS),
        ConsistentRead: z.boolean().optional(),
        ProjectionExpression: z.string().optional(),
        ExpressionAttributeNames: Names,
      }),
    )
    .refine((tables) => Object.keys(tables).length > 0),
  ReturnConsumedCapacity,
});

/** BatchGetItem. Keys beyond 16 MB of items are returned as unprocessed. */
export const batchGet =
  (store: Store, onConsumed: OnConsumed) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = parseInput(GetInput, raw);
    const requests = Object.entries(input.RequestItems);
    if (requests.reduce((sum, [, { Keys }]) => sum + Keys.length, 0) > MOST_KEYS)
      throw invalid('Too many items requested for the BatchGetItem call');
    const ready = requests.map(([name, request]) => ({
      name,
      request,
      show: projectionOf(request).show,
      keys: request.Keys.map((key) => parseItem(key)),
    }));
    const responses: Record<string, Item[]> = {};
    const unprocessed: Record<string, object> = {};
    const capacities = new ConsumedCapacities('read');
    let size = 0;
    const keyed = ready.map((one) => {
      const table = store.table(one.name);
      return { ...one, table, places: one.keys.map((key) => table.requestedKey(key)) };
    });
    expectDistinct(
      keyed.flatMap(({ places }) => places),
      DUPLICATES,
    );
    for (const { name, request, show, table, places } of keyed) {
      const items: Item[] = [];
      const rest: unknown[] = [];
      for (const [position, place] of places.entries()) {
        const item = store.get(place);
        const bytes = item ? itemSize(item) : 0;
        if (size + bytes > LIMIT_BYTES) {
          rest.push(request.Keys[position]);
          continue;
        }
        size += bytes;
        capacities.of(table).add(readUnits(bytes, request.ConsistentRead === true));
        if (item) items.push(show(item));
      }
      responses[name] = items;
      if (rest.length > 0) unprocessed[name] = { ...request, Keys: rest };
    }
    for (const capacity of capacities.all()) onConsumed(capacity);
    return {
      Responses: responses,
      UnprocessedKeys: unprocessed,
      ...capacities.consumed(input.ReturnConsumedCapacity),
    };
  };

const WriteRequest = z.strictObject({
  PutRequest: z.strictObject({ Item: Raw }).optional(),
  DeleteRequest: z.strictObject({ Key: Raw }).optional(),
});
const WriteInput = z.strictObject({
  RequestItems: z.record(z.string(), z.array(WriteRequest).min(1).max(MOST_WRITES)),
  ReturnConsumedCapacity,
  ReturnItemCollectionMetrics: z.enum(['SIZE', 'NONE']).optional(),
});

export const batchWrite =
  (store: Store, onConsumed: OnConsumed) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = parseInput(WriteInput, raw);
    const parsed = Object.entries(input.RequestItems).flatMap(([TableName, writes]) =>
      writes.map(({ PutRequest, DeleteRequest }) => {
        if (PutRequest && DeleteRequest)
          throw invalid(
            'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
          );
        if (PutRequest) return parseWrite('Put', { TableName, Item: PutRequest.Item });
        if (DeleteRequest) return parseWrite('Delete', { TableName, Key: DeleteRequest.Key });
        throw invalid(
          'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes',
        );
      }),
    );
    if (parsed.length === 0 || parsed.length > MOST_WRITES)
      throw invalid(
        parsed.length === 0
          ? 'The batch write request list for a table cannot be null or empty'
          : 'Too many items requested for the BatchWriteItem call',
      );
    const prepared = parsed.map((one) => prepare(store.table(one.input.TableName), one));
    expectDistinct(
      prepared.map(({ itemKey }) => itemKey),
      DUPLICATES,
    );
    const capacities = new ConsumedCapacities('write');
    store.atomically(() => {
      for (const one of prepared) {
        const before = store.get(one.itemKey);
        store.write(one.itemKey, before, applyWrite(one, before), capacities.of(one.table));
      }
    });
    for (const capacity of capacities.all()) onConsumed(capacity);
    return { UnprocessedItems: {}, ...capacities.consumed(input.ReturnConsumedCapacity) };
  };
