import {
  type AttributeValue,
  BatchGetItemCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import { type Key, keyText } from '../../contracts/keys.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { clientConfig } from './config.ts';
import { pauseBeforeRetry } from './optimistic.ts';
import { isAwsRefusal } from './refusal.ts';

/** `absent`: the row must not exist. `version`: it must exist with this version. `exists`: with any. */
export type Condition = { readonly absent: true } | { readonly version: number } | { readonly exists: true };

export type Write =
  | { readonly put: Row; readonly if?: Condition }
  | {
      readonly set: Key;
      readonly values: Readonly<Record<string, unknown>>;
      /** Attributes to remove. */
      readonly remove?: readonly string[];
      readonly if?: Condition;
    }
  | { readonly delete: Key; readonly if?: Condition }
  /** Adds to number attributes; creates the row where it is absent. */
  | { readonly add: Key; readonly amounts: Readonly<Record<string, number | undefined>> }
  /** Sets the attributes that the row does not have, and raises its version; creates the row where it is absent. */
  | { readonly fill: Key; readonly values: Readonly<Record<string, unknown>> }
  | { readonly check: Key; readonly if: Condition };

/** The hub's one table. Every method rejects with the SDK's error where DynamoDB refuses a request for another reason. */
export interface Table {
  readonly client: DynamoDBClient;
  readonly name: string;
  /** Any number of rows, strongly consistent, in no order; rows that do not exist are absent. Rejects with `busy-table`. */
  get(keys: readonly Key[]): Promise<Row[]>;
  /** Replaces one row, at half the price of a transaction; false where the condition does not hold. */
  put(row: Row, condition?: Condition): Promise<boolean>;
  /** At most 100 writes, all or nothing; false where a condition does not hold, or other transactions are in the way. */
  transact(writes: readonly Write[]): Promise<boolean>;
  /** One partition in the order of its sort keys, strongly consistent, read page by page. */
  query(pk: string, range?: QueryRange): AsyncGenerator<Row>;
  /** One request of the same: at most `pageSize` rows, or 1 MB, behind the sort key `behind`. */
  page(pk: string, range: QueryRange, behind?: string): Promise<QueryPage>;
}

interface QueryPage {
  readonly rows: readonly Row[];
  /** Whether there are no rows behind these. */
  readonly isLast: boolean;
}

/** A range of sort keys: `from` and `to`, one of them, or `beginsWith`, or everything. None may be empty: DynamoDB refuses that. */
export interface QueryRange {
  readonly from?: string;
  /** Inclusive. */
  readonly to?: string;
  readonly beginsWith?: string;
  readonly backwards?: boolean;
  readonly pageSize?: number;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const KEYS_PER_BATCH = 100;
const BATCH_ATTEMPTS = 10;
/** Attempts of a write while other transactions are at the same rows: nothing was read, so nothing can be outdated. */
const CONFLICT_ATTEMPTS = 5;
const RowShape = z.looseObject({ pk: z.string(), sk: z.string() });

export const table = (runtime: Runtime): Table => {
  const name = z
    .string({ error: 'TABLE is not set: the stack gives every function the name of its table' })
    .parse(runtime.env['TABLE']);
  const client = new DynamoDBClient(clientConfig(runtime));
  const whileConflicting = async (write: () => Promise<Outcome>): Promise<Outcome> => {
    for (let attempts = 1; ; attempts++) {
      const outcome = await write();
      if (outcome !== 'conflict' || attempts === CONFLICT_ATTEMPTS) return outcome;
      await pauseBeforeRetry(runtime, attempts);
    }
  };
  return {
    client,
    name,
    async get(keys) {
      const unique = [...new Map(keys.map((key) => [keyText(key), key])).values()];
      const rows: Row[] = [];
      for (let start = 0; start < unique.length; start += KEYS_PER_BATCH) {
        const batch = unique.slice(start, start + KEYS_PER_BATCH);
        rows.push(...(await batchGet(runtime, client, name, batch)));
      }
      return rows;
    },
    async put(row, condition) {
      const outcome = await whileConflicting(() => putItem(client, name, row, condition));
      return outcome === 'written';
    },
    async transact(writes) {
      const outcome = await whileConflicting(() => transactWrite(client, name, writes));
      return outcome === 'written';
    },
    query: (pk, range = {}) => query(client, name, pk, range),
    async page(pk, range, behind) {
      const { Items = [], LastEvaluatedKey } = await client.send(
        queryCommand(name, pk, range, behind === undefined ? undefined : marshall({ pk, sk: behind })),
      );
      return { rows: Items.map(rowOf), isLast: LastEvaluatedKey === undefined };
    },
  };
};

/** `unmet`: a condition does not hold. `conflict`: another transaction was at the same rows. */
type Outcome = 'written' | 'unmet' | 'conflict';

const putItem = async (
  client: DynamoDBClient,
  TableName: string,
  row: Row,
  condition: Condition | undefined,
): Promise<Outcome> => {
  try {
    const Item = stored(row);
    await client.send(new PutItemCommand({ TableName, Item, ...(condition && conditionOf(condition)) }));
    return 'written';
  } catch (error) {
    if (isAwsRefusal(error, 'ConditionalCheckFailedException')) return 'unmet';
    // A single write is refused while a transaction is at its row.
    if (isAwsRefusal(error, 'TransactionConflictException')) return 'conflict';
    throw error;
  }
};

const transactWrite = async (
  client: DynamoDBClient,
  TableName: string,
  writes: readonly Write[],
): Promise<Outcome> => {
  try {
    const TransactItems = writes.map((write) => transactItem(TableName, write));
    await client.send(new TransactWriteItemsCommand({ TransactItems }));
    return 'written';
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const codes = new Set((error.CancellationReasons ?? []).map(({ Code }) => Code));
    if (codes.has('ConditionalCheckFailed')) return 'unmet';
    if (codes.has('TransactionConflict')) return 'conflict';
    throw error;
  }
};

/** BatchGetItem answers 200 with `UnprocessedKeys` where it read only some of the keys: they are requested again. */
const batchGet = async (
  runtime: Runtime,
  client: DynamoDBClient,
  name: string,
  keys: readonly Key[],
): Promise<Row[]> => {
  const rows: Row[] = [];
  let wanted = keys.map(({ pk, sk }) => marshall({ pk, sk }));
  for (let attempts = 1; ; attempts++) {
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [name]: { Keys: wanted, ConsistentRead: true } } }),
    );
    rows.push(...(Responses?.[name] ?? []).map(rowOf));
    wanted = UnprocessedKeys?.[name]?.Keys ?? [];
    if (wanted.length === 0) return rows;
    if (attempts === BATCH_ATTEMPTS)
      throw new HubError(
        'busy-table',
        `DynamoDB left keys unread ${BATCH_ATTEMPTS} times in a row. It is retried automatically.`,
        { retry: 'later' },
      );
    await pauseBeforeRetry(runtime, attempts);
  }
};

async function* query(
  client: DynamoDBClient,
  name: string,
  pk: string,
  range: QueryRange,
): AsyncGenerator<Row> {
  let start: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(queryCommand(name, pk, range, start));
    for (const item of page.Items ?? []) yield rowOf(item);
    start = page.LastEvaluatedKey;
  } while (start);
}

const queryCommand = (
  name: string,
  pk: string,
  range: QueryRange,
  start: Record<string, AttributeValue> | undefined,
): QueryCommand => {
  const values: Record<string, string> = { ':pk': pk };
  const conditions = ['pk = :pk'];
  if (range.beginsWith !== undefined) {
    conditions.push('begins_with(sk, :begin)');
    values[':begin'] = range.beginsWith;
  } else {
    const { from, to } = range;
    if (from !== undefined) values[':from'] = from;
    if (to !== undefined) values[':to'] = to;
    if (from !== undefined && to !== undefined) conditions.push('sk BETWEEN :from AND :to');
    else if (from !== undefined) conditions.push('sk >= :from');
    else if (to !== undefined) conditions.push('sk <= :to');
  }
  return new QueryCommand({
    TableName: name,
    ConsistentRead: true,
    KeyConditionExpression: conditions.join(' AND '),
    ExpressionAttributeValues: marshall(values),
    ScanIndexForward: range.backwards !== true,
    ...(range.pageSize !== undefined && { Limit: range.pageSize }),
    ...(start && { ExclusiveStartKey: start }),
  });
};

const rowOf = (item: Record<string, AttributeValue>): Row => RowShape.parse(unmarshall(item));

const stored = (row: Readonly<Record<string, unknown>>): Record<string, AttributeValue> =>
  marshall(row, { removeUndefinedValues: true });

interface Conditional {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

const conditionOf = (condition: Condition): Conditional => {
  if ('absent' in condition) return { ConditionExpression: 'attribute_not_exists(pk)' };
  if ('exists' in condition) return { ConditionExpression: 'attribute_exists(pk)' };
  return {
    ConditionExpression: '#version = :version',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: marshall({ ':version': condition.version }),
  };
};

const transactItem = (TableName: string, write: Write): TransactWriteItem => {
  if ('put' in write)
    return { Put: { TableName, Item: stored(write.put), ...(write.if && conditionOf(write.if)) } };
  if ('delete' in write) {
    return {
      Delete: { TableName, Key: stored({ ...write.delete }), ...(write.if && conditionOf(write.if)) },
    };
  }
  if ('check' in write) {
    return { ConditionCheck: { TableName, Key: stored({ ...write.check }), ...conditionOf(write.if) } };
  }
  if ('fill' in write) {
    const values = Object.entries(write.values);
    return {
      Update: {
        TableName,
        Key: stored({ ...write.fill }),
        UpdateExpression: `SET ${values.map((_, at) => `#n${at} = if_not_exists(#n${at}, :v${at})`).join(', ')} ADD #version :one`,
        ExpressionAttributeNames: {
          '#version': 'version',
          ...Object.fromEntries(values.map(([name], at) => [`#n${at}`, name])),
        },
        ExpressionAttributeValues: stored({
          ':one': 1,
          ...Object.fromEntries(values.map(([, value], at) => [`:v${at}`, value])),
        }),
      },
    };
  }
  if ('add' in write) {
    const amounts = Object.entries(write.amounts).filter(([, amount]) => amount !== undefined);
    return {
      Update: {
        TableName,
        Key: stored({ ...write.add }),
        UpdateExpression: `ADD ${amounts.map((_, at) => `#n${at} :v${at}`).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(amounts.map(([name], at) => [`#n${at}`, name])),
        ExpressionAttributeValues: marshall(
          Object.fromEntries(amounts.map(([, amount], at) => [`:v${at}`, amount])),
        ),
      },
    };
  }
  const names = Object.keys(write.values);
  const condition: Partial<Conditional> = write.if ? conditionOf(write.if) : {};
  const removed = write.remove ?? [];
  const clauses = [
    ...(names.length > 0 ? [`SET ${names.map((_, at) => `#n${at} = :v${at}`).join(', ')}`] : []),
    ...(removed.length > 0 ? [`REMOVE ${removed.map((_, at) => `#r${at}`).join(', ')}`] : []),
  ];
  const values = {
    ...stored(Object.fromEntries(names.map((one, at) => [`:v${at}`, write.values[one]]))),
    ...condition.ExpressionAttributeValues,
  };
  return {
    Update: {
      TableName,
      Key: stored({ pk: write.set.pk, sk: write.set.sk }),
      UpdateExpression: clauses.join(' '),
      ...condition,
      ExpressionAttributeNames: {
        ...Object.fromEntries(names.map((one, at) => [`#n${at}`, one])),
        ...Object.fromEntries(removed.map((one, at) => [`#r${at}`, one])),
        ...condition.ExpressionAttributeNames,
      },
      ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
    },
  };
};
