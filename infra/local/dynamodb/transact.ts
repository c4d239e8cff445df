import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Clock } from '../protocol/clock.ts';
import { ServiceError } from '../protocol/json.ts';
import { readUnits, Spending, Spendings } from './capacity.ts';
import {
  expectDistinct,
  Names,
  type OnSpent,
  outcome,
  type Prepared,
  prepare,
  projectionOf,
  Raw,
  ReturnConsumedCapacity,
  satisfied,
  TableName,
  understand,
  type Write,
} from './items.ts';
import { read } from './shape.ts';
import type { Store } from './store.ts';
import { type Item, invalid, itemSize, parseItem } from './values.ts';

const MOST_ITEMS = 100;
const MOST_BYTES = 4 * 1024 * 1024;
const TOKEN_LIFE_MS = 600_000;

interface Reason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: Item;
}

const NONE: Reason = { Code: 'None' };

const cancelled = (reasons: readonly Reason[]): ServiceError =>
  new ServiceError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(', ')}]`,
    400,
    { CancellationReasons: reasons },
  );

/** Does something for each item; where one is invalid, the whole transaction is cancelled and says which. */
const each = <One, Result>(all: readonly One[], work: (one: One, at: number) => Result): Result[] => {
  const reasons: Reason[] = [];
  const results: Result[] = [];
  for (const [at, one] of all.entries()) {
    try {
      results.push(work(one, at));
      reasons.push(NONE);
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

const understandOne = ({ Put, Delete, Update, ConditionCheck }: WriteItem): Write => {
  const given = [Put, Delete, Update, ConditionCheck].filter((one) => one !== undefined);
  if (given.length !== 1) throw invalid('TransactItems can only contain one of Check, Put, Update or Delete');
  if (Put) return understand('Put', Put);
  if (Delete) return understand('Delete', Delete);
  return Update ? understand('Update', Update) : understand('Check', ConditionCheck);
};

/** TransactWriteItems. `conflict` lets a test say that another transaction is in the way. */
export const transactWrite =
  (store: Store, clock: Clock, conflict: () => boolean, onSpent: OnSpent) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = read(WriteInput, raw);
    const understood = input.TransactItems.map(understandOne);
    const tables = understood.map(({ input: { TableName: name } }) => store.table(name));
    const prepared = each(understood, (one, at) => {
      const table = tables[at];
      if (table === undefined) throw new Error('A write without a table.');
      return prepare(table, one);
    });
    expectDistinct(
      prepared.map(({ located }) => located),
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
    if (before !== undefined) return repeated(store, prepared, input.ReturnConsumedCapacity, onSpent);
    if (conflict())
      throw cancelled(
        prepared.map(() => ({ Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' })),
      );
    const spendings = store.atomically(() => {
      const spent = perform(store, prepared, onSpent);
      // Only what was done is remembered: a transaction that was cancelled may be tried again with its token.
      if (token !== undefined) store.remember(token, digest, now + TOKEN_LIFE_MS);
      return spent;
    });
    for (const spending of spendings.all()) onSpent(spending);
    return spendings.consumed(input.ReturnConsumedCapacity, true);
  };

const digestOf = ({ ClientRequestToken: _token, ...rest }: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(JSON.stringify(rest)).digest('base64');

/** A transaction that was done already costs only the reading of its items. */
const repeated = (
  store: Store,
  prepared: readonly Prepared[],
  wanted: unknown,
  onSpent: OnSpent,
): unknown => {
  const spendings = new Spendings('read');
  for (const { table, located } of prepared) {
    const item = store.get(located);
    spendings.of(table).add(2 * readUnits(item ? itemSize(item) : 0, true));
  }
  for (const spending of spendings.all()) onSpent(spending);
  return spendings.consumed(wanted, true);
};

const perform = (store: Store, prepared: readonly Prepared[], onSpent: OnSpent): Spendings => {
  const present = prepared.map(({ located }) => store.get(located));
  const reasons = prepared.map((one, at): Reason => {
    const item = present[at];
    if (satisfied(one, item)) return NONE;
    return {
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
      ...(one.input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && item && { Item: item }),
    };
  });
  if (reasons.some((reason) => reason !== NONE)) {
    for (const [at, { table }] of prepared.entries()) {
      const spending = new Spending(table, 'write');
      const item = present[at];
      spending.add(2 * Math.max(1, Math.ceil((item ? itemSize(item) : 0) / 1024)));
      onSpent(spending);
    }
    throw cancelled(reasons);
  }
  const outcomes = each(prepared, (one, at) => ({ after: outcome(one, present[at]) }));
  const bytes = outcomes.reduce((sum, { after }) => sum + (after ? itemSize(after) : 0), 0);
  if (bytes > MOST_BYTES)
    throw invalid('Collection size of items in the transaction exceeds the maximum of 4 MB');
  const spendings = new Spendings('write');
  for (const [at, one] of prepared.entries()) {
    const spending = new Spending(one.table, 'write');
    const after = outcomes[at]?.after;
    if (one.kind === 'Check') spending.add(Math.max(1, Math.ceil((after ? itemSize(after) : 0) / 1024)));
    else store.write(one.located, present[at], after, spending);
    spendings.of(one.table).addTwice(spending);
  }
  return spendings;
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
  (store: Store, onSpent: OnSpent) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const input = read(GetInput, raw);
    const ready = input.TransactItems.map(({ Get }) => ({
      key: parseItem(Get.Key),
      show: projectionOf(Get).show,
      table: store.table(Get.TableName),
    }));
    const placed = each(ready, ({ table, key }) => table.locate(key));
    expectDistinct(placed, 'Transaction request cannot include multiple operations on one item');
    const items = placed.map((place) => store.get(place));
    if (items.reduce((sum, item) => sum + (item ? itemSize(item) : 0), 0) > MOST_BYTES)
      throw invalid('Collection size of items in the transaction exceeds the maximum of 4 MB');
    const spendings = new Spendings('read');
    const responses = ready.map(({ table, show }, at) => {
      const item = items[at];
      spendings.of(table).add(2 * readUnits(item ? itemSize(item) : 0, true));
      return item ? { Item: show(item) } : {};
    });
    for (const spending of spendings.all()) onSpent(spending);
    return { Responses: responses, ...spendings.consumed(input.ReturnConsumedCapacity, true) };
  };
