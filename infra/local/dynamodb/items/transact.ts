import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Clock } from '../../protocol/clock.ts';
import { ServiceError } from '../../protocol/json.ts';
import { parseInput } from '../input.ts';
import type { Store } from '../tables/store.ts';
import { type Item, invalid, itemSize, parseItem } from '../values/values.ts';
import { ConsumedCapacities, ConsumedCapacity, readUnits } from './capacity.ts';
import {
  applyWrite,
  conditionHolds,
  expectDistinct,
  Names,
  type OnConsumed,
  type Prepared,
  parseWrite,
  prepare,
  projectionOf,
  Raw,
  ReturnConsumedCapacity,
  TableName,
  type Write,
} from './items.ts';

const MOST_ITEMS = 100;
const MOST_BYTES = 4 * 1024 * 1024;
const TOKEN_LIFE_MS = 600_000;

interface Reason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: Item;
}

const NO_REASON: Reason = { Code: 'None' };

const cancelled = (reasons: readonly Reason[]): ServiceError =>
  new ServiceError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(', ')}]`,
    400,
    { CancellationReasons: reasons },
  );

/** Applies `work` to each item. Where one is invalid, throws the cancellation of the transaction with its reasons. */
const forEachItem = <One, Result>(all: readonly One[], work: (one: One, at: number) => Result): Result[] => {
  const reasons: Reason[] = [];
  const results: Result[] = [];
  for (const [at, one] of all.entries()) {
    try {
      results.push(work(one, at));
      reasons.push(NO_REASON);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.type !== 'ValidationException') throw error;
      reasons.push({ Code: 'ValidationError', Message: error.message });
    }
  }
  if (results.length < all.length) throw cancelled(reasons);
  return results;
};

const WriteInput = z.strictObject({
  TransactItems: z
    .array(
      z.strictObject({
        Put: Raw.optional(),
        Delete: Raw.optional(),
        Update: Raw.optional(),
        ConditionCheck: Raw.optional(),
      }),
    )
    .min(1)
    .max(MOST_ITEMS),
  ClientRequestToken: z.string().min(1).max(36).optional(),
  ReturnConsumedCapacity,
  ReturnItemCollectionMetrics: z.enum(['SIZE', 'NONE']).optional(),
});
type WriteItem = z.infer<typeof WriteInput>['TransactItems'][number];

const parseTransactItem = ({ Put, Delete, Update, ConditionCheck }: WriteItem): Write => {
  const given = [Put, Delete, Update, ConditionCheck].filter((one) => one !== undefined);
  if (given.length !== 1) throw invalid('TransactItems can only contain one of Check, Put, Update or Delete');
  if (Put) return parseWrite('Put', Put);
  if (Delete) return parseWrite('Delete', Delete);
  return Update ? parseWrite('Update', Update) : parseWrite('Check', ConditionCheck);
};

/** TransactWriteItems. */
export const transactWrite =
  (store: Store, clock: Clock, onConsumed: OnConsumed) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = parseInput(WriteInput, raw);
    const parsed = input.TransactItems.map(parseTransactItem);
    const tables = parsed.map(({ input: { TableName: name } }) => store.table(name));
    // An empty key is an error of the request; what else is wrong with an item cancels the transaction.
    for (const [at, { key }] of parsed.entries()) tables[at]?.expectFilledKeys(key);
    const prepared = forEachItem(parsed, (one, at) => {
      const table = tables[at];
      if (table === undefined) throw new Error('A write without a table.');
      return prepare(table, one);
    });
    expectDistinct(
      prepared.map(({ itemKey }) => itemKey),
      'Transaction request cannot include multiple operations on one item',
    );
    const token = input.ClientRequestToken;
    const digest = token === undefined ? '' : digestOf(raw);
    const now = clock.now();
    const before = token === undefined ? undefined : store.token(token, now);
    if (before !== undefined && before !== digest)
      throw new ServiceError(
        'IdempotentParameterMismatchException',
        'The request uses the same client token as a previous, but non-identical request.',
      );
    if (before !== undefined)
      return repeatTransaction(store, prepared, input.ReturnConsumedCapacity, onConsumed);
    const capacities = store.atomically(() => {
      const capacities = writeAll(store, prepared, onConsumed);
      // A cancelled transaction may be retried with its token, so only a successful one stores it.
      if (token !== undefined) store.remember(token, digest, now + TOKEN_LIFE_MS);
      return capacities;
    });
    for (const capacity of capacities.all()) onConsumed(capacity);
    return capacities.consumed(input.ReturnConsumedCapacity, true);
  };

/** The same for requests whose members are in another order, or that ask for other capacity. */
const digestOf = ({
  ClientRequestToken: _token,
  ReturnConsumedCapacity: _capacity,
  ...rest
}: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(JSON.stringify(rest, sortMembers)).digest('base64');

const sortMembers = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;

/** A repeated transaction consumes only the reads of its items. */
const repeatTransaction = (
  store: Store,
  prepared: readonly Prepared[],
  wanted: unknown,
  onConsumed: OnConsumed,
): unknown => {
  const capacities = new ConsumedCapacities('read');
  for (const { table, itemKey } of prepared) {
    const item = store.get(itemKey);
    capacities.of(table).add(2 * readUnits(item ? itemSize(item) : 0, true));
  }
  for (const capacity of capacities.all()) onConsumed(capacity);
  return capacities.consumed(wanted, true);
};

const writeAll = (
  store: Store,
  prepared: readonly Prepared[],
  onConsumed: OnConsumed,
): ConsumedCapacities => {
  const present = prepared.map(({ itemKey }) => store.get(itemKey));
  const reasons = prepared.map((one, at): Reason => {
    const item = present[at];
    if (conditionHolds(one, item)) return NO_REASON;
    return {
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
      ...(one.input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && item && { Item: item }),
    };
  });
  if (reasons.some((reason) => reason !== NO_REASON)) {
    for (const [at, { table }] of prepared.entries()) {
      const capacity = new ConsumedCapacity(table, 'write');
      const item = present[at];
      capacity.add(2 * Math.max(1, Math.ceil((item ? itemSize(item) : 0) / 1024)));
      onConsumed(capacity);
    }
    throw cancelled(reasons);
  }
  const outcomes = forEachItem(prepared, (one, at) => ({ after: applyWrite(one, present[at]) }));
  const bytes = outcomes.reduce((sum, { after }) => sum + (after ? itemSize(after) : 0), 0);
  if (bytes > MOST_BYTES)
    throw invalid('Collection size of items in the transaction exceeds the maximum of 4 MB');
  const capacities = new ConsumedCapacities('write');
  for (const [at, one] of prepared.entries()) {
    const capacity = new ConsumedCapacity(one.table, 'write');
    const after = outcomes[at]?.after;
    if (one.kind === 'Check') capacity.add(Math.max(1, Math.ceil((after ? itemSize(after) : 0) / 1024)));
    else store.write(one.itemKey, present[at], after, capacity);
    capacities.of(one.table).addTwice(capacity);
  }
  return capacities;
};

const GetInput = z.strictObject({
  TransactItems: z
    .array(
      z.strictObject({
        Get: z.strictObject({
          TableName,
          Key: Raw,
          ProjectionExpression: z.string().optional(),
          ExpressionAttributeNames: Names,
        }),
      }),
    )
    .min(1)
    .max(MOST_ITEMS),
  ReturnConsumedCapacity,
});

export const transactGet =
  (store: Store, onConsumed: OnConsumed) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = parseInput(GetInput, raw);
    const ready = input.TransactItems.map(({ Get }) => ({
      key: parseItem(Get.Key),
      show: projectionOf(Get).show,
      table: store.table(Get.TableName),
    }));
    const keyed = forEachItem(ready, ({ table, key }) => table.requestedKey(key));
    expectDistinct(keyed, 'Transaction request cannot include multiple operations on one item');
    const items = keyed.map((place) => store.get(place));
    if (items.reduce((sum, item) => sum + (item ? itemSize(item) : 0), 0) > MOST_BYTES)
      throw invalid('Collection size of items in the transaction exceeds the maximum of 4 MB');
    const capacities = new ConsumedCapacities('read');
    const responses = ready.map(({ table, show }, at) => {
      const item = items[at];
      capacities.of(table).add(2 * readUnits(item ? itemSize(item) : 0, true));
      return item ? { Item: show(item) } : {};
    });
    for (const capacity of capacities.all()) onConsumed(capacity);
    return { Responses: responses, ...capacities.consumed(input.ReturnConsumedCapacity, true) };
  };
