import * as z from 'zod';
import { readUnits, Spendings } from './capacity.ts';
import {
  expectDistinct,
  Names,
  type OnSpent,
  outcome,
  prepare,
  projectionOf,
  Raw,
  ReturnConsumedCapacity,
  understand,
} from './items.ts';
import { read } from './shape.ts';
import type { Store } from './store.ts';
import { type Item, invalid, itemSize, parseItem } from './values.ts';

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

/** What does not fit into 16 MB stays unprocessed, for the client to ask again. */
export const batchGet =
  (store: Store, onSpent: OnSpent) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = read(GetInput, raw);
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
    const spendings = new Spendings('read');
    let size = 0;
    const placed = ready.map((one) => {
      const table = store.table(one.name);
      return { ...one, table, places: one.keys.map((key) => table.locate(key)) };
    });
    expectDistinct(
      placed.flatMap(({ places }) => places),
      DUPLICATES,
    );
    for (const { name, request, show, table, places } of placed) {
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
        spendings.of(table).add(readUnits(bytes, request.ConsistentRead === true));
        if (item) items.push(show(item));
      }
      responses[name] = items;
      if (rest.length > 0) unprocessed[name] = { ...request, Keys: rest };
    }
    for (const spending of spendings.all()) onSpent(spending);
    return {
      Responses: responses,
      UnprocessedKeys: unprocessed,
      ...spendings.consumed(input.ReturnConsumedCapacity),
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
  (store: Store, onSpent: OnSpent) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = read(WriteInput, raw);
    const understood = Object.entries(input.RequestItems).flatMap(([TableName, writes]) =>
      writes.map(({ PutRequest, DeleteRequest }) => {
        if (PutRequest && DeleteRequest)
          throw invalid(
            'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
          );
        if (PutRequest) return understand('Put', { TableName, Item: PutRequest.Item });
        if (DeleteRequest) return understand('Delete', { TableName, Key: DeleteRequest.Key });
        throw invalid(
          'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes',
        );
      }),
    );
    if (understood.length === 0 || understood.length > MOST_WRITES)
      throw invalid(
        understood.length === 0
          ? 'The batch write request list for a table cannot be null or empty'
          : 'Too many items requested for the BatchWriteItem call',
      );
    const prepared = understood.map((one) => prepare(store.table(one.input.TableName), one));
    expectDistinct(
      prepared.map(({ located }) => located),
      DUPLICATES,
    );
    const spendings = new Spendings('write');
    store.atomically(() => {
      for (const one of prepared) {
        const before = store.get(one.located);
        store.write(one.located, before, outcome(one, before), spendings.of(one.table));
      }
    });
    for (const spending of spendings.all()) onSpent(spending);
    return { UnprocessedItems: {}, ...spendings.consumed(input.ReturnConsumedCapacity) };
  };
