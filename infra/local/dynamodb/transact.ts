import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Clock } from '../../../core/clock.ts';
import { ServiceError } from '../json.ts';
import { consumed, readUnits } from './capacity.ts';
import { projected } from './evaluate.ts';
import { parseProjection } from './expression.ts';
import { expectDistinct, type Prepared, placeholders, prepare, satisfied, write } from './items.ts';
import type { Store } from './store.ts';
import { type Item, invalid, itemSize, parseItem } from './values.ts';

const Raw = z.record(z.string(), z.unknown());
const MOST_ITEMS = 100;
const MOST_BYTES = 4 * 1024 * 1024;
const TOKEN_LIFE_MS = 600_000;

interface Reason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: Item;
}

const cancelled = (reasons: readonly Reason[]): ServiceError =>
  new ServiceError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(', ')}]`,
    400,
    { CancellationReasons: reasons },
  );

const Writes = z
  .array(
    z.strictObject({
      Put: Raw.optional(),
      Delete: Raw.optional(),
      Update: Raw.optional(),
      ConditionCheck: Raw.optional(),
    }),
  )
  .min(1);

/** TransactWriteItems. `conflict` lets a test say that another transaction is in the way. */
export const transactWrite = (store: Store, clock: Clock, conflict: () => boolean) => {
  const tokens = new Map<string, { readonly until: number; readonly digest: string }>();
  return (raw: Readonly<Record<string, unknown>>): unknown => {
    const items = Writes.parse(raw['TransactItems']);
    if (items.length > MOST_ITEMS)
      throw invalid(`Member must have length less than or equal to ${MOST_ITEMS}`);
    const token = tokenOf(tokens, raw, clock.now());
    if (token?.repeated === true) return {};
    const prepared = items.map(({ Put, Delete, Update, ConditionCheck }) => {
      if (Put) return prepare(store, 'Put', Put);
      if (Delete) return prepare(store, 'Delete', Delete);
      if (Update) return prepare(store, 'Update', Update);
      return prepare(store, 'Check', ConditionCheck);
    });
    expectDistinct(
      prepared.map(({ located }) => located),
      'Transaction request cannot include multiple operations on one item',
    );
    if (conflict())
      throw cancelled(
        prepared.map(() => ({ Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' })),
      );
    const units = store.atomically(() => perform(store, prepared));
    // Only what has been done counts as done before: a transaction that failed may be tried again with its token.
    if (token) tokens.set(token.name, { until: clock.now() + TOKEN_LIFE_MS, digest: token.digest });
    const capacity = [...units].flatMap(
      ([name, count]) => consumed(name, { write: count }, raw['ReturnConsumedCapacity']) ?? [],
    );
    return capacity.length > 0 ? { ConsumedCapacity: capacity } : {};
  };
};

const perform = (store: Store, prepared: readonly Prepared[]): Map<string, number> => {
  const present = prepared.map(({ located }) => store.get(located));
  const reasons = prepared.map((one, at): Reason => {
    const before = present[at];
    if (satisfied(one, before)) return { Code: 'None' };
    return {
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
      ...(one.returnsOld && before && { Item: before }),
    };
  });
  if (reasons.some(({ Code }) => Code !== 'None')) throw cancelled(reasons);
  const units = new Map<string, number>();
  let bytes = 0;
  for (const [at, one] of prepared.entries()) {
    const written = write(store, one, present[at]);
    bytes += written.after ? itemSize(written.after) : 0;
    const name = one.definition.TableName;
    units.set(name, (units.get(name) ?? 0) + 2 * written.units);
  }
  if (bytes > MOST_BYTES) throw invalid('Transaction payload size has exceeded the maximum limit of 4 MB');
  return units;
};

const tokenOf = (
  tokens: Map<string, { readonly until: number; readonly digest: string }>,
  raw: Readonly<Record<string, unknown>>,
  now: number,
): { readonly name: string; readonly digest: string; readonly repeated: boolean } | undefined => {
  const { ClientRequestToken: token, ...rest } = raw;
  if (typeof token !== 'string') return undefined;
  for (const [old, { until }] of tokens) if (until <= now) tokens.delete(old);
  const digest = createHash('sha256').update(JSON.stringify(rest)).digest('hex');
  const before = tokens.get(token);
  if (before && before.digest !== digest) {
    throw new ServiceError(
      'IdempotentParameterMismatchException',
      'The request uses the same client token as a previous, but non-identical request.',
    );
  }
  return { name: token, digest, repeated: before !== undefined };
};

const Gets = z
  .array(
    z.strictObject({
      Get: z.strictObject({
        TableName: z.string(),
        Key: Raw,
        ProjectionExpression: z.string().optional(),
        ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
      }),
    }),
  )
  .min(1)
  .max(MOST_ITEMS);

export const transactGet =
  (store: Store) =>
  (raw: Readonly<Record<string, unknown>>): unknown => {
    const gets = Gets.parse(raw['TransactItems']);
    const units = new Map<string, number>();
    const responses = gets.map(({ Get }) => {
      const definition = store.definition(Get.TableName);
      const item = store.get(store.locate(definition, parseItem(Get.Key), true));
      const count = 2 * readUnits(item ? itemSize(item) : 0, true);
      units.set(definition.TableName, (units.get(definition.TableName) ?? 0) + count);
      if (item === undefined) return {};
      const marks = placeholders(Get);
      return {
        Item:
          Get.ProjectionExpression === undefined
            ? item
            : projected(item, parseProjection(Get.ProjectionExpression, marks)),
      };
    });
    const capacity = [...units].flatMap(
      ([name, count]) => consumed(name, { read: count }, raw['ReturnConsumedCapacity']) ?? [],
    );
    return { Responses: responses, ...(capacity.length > 0 && { ConsumedCapacity: capacity }) };
  };
