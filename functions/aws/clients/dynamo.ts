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
import { isAwsRefusal } from './refusal.ts';

/** `absent`: the row must not exist yet. `version`: it must exist with this version. */
export type Condition = { readonly absent: true } | { readonly version: number } | { readonly exists: true };

export type Write =
  | { readonly put: Row; readonly if?: Condition }
  | {
      readonly set: Key;
      readonly values: Readonly<Record<string, unknown>>;
      /** Attributes that the row has no more. */
      readonly remove?: readonly string[];
      readonly if?: Condition;
    }
  | { readonly delete: Key; readonly if?: Condition }
  | { readonly add: Key; readonly amounts: Readonly<Record<string, number | undefined>> }
  | { readonly check: Key; readonly if: Condition };

export interface Table {
  readonly client: DynamoDBClient;
  readonly name: string;
  /** Strongly consistent; rows that do not exist are left out. */
  get(keys: readonly Key[]): Promise<Row[]>;
  /** One row, whatever was there; with a condition false where it did not hold, at half the price of a transaction. */
  put(row: Row, condition?: Condition): Promise<boolean>;
  /** All or nothing. False when a condition did not hold or another transaction was in the way. */
  transact(writes: readonly Write[]): Promise<boolean>;
  /** One partition in the order of its sort keys, page after page, strongly consistent. */
  query(pk: string, range?: QueryRange): AsyncGenerator<Row>;
  /** One request's worth of the same: at most `pageSize` rows behind the sort key `behind`, and whether that was all. */
  page(pk: string, range: QueryRange, behind?: string): Promise<QueryPage>;
}

export interface QueryPage {
  readonly rows: readonly Row[];
  readonly isLast: boolean;
}

export interface QueryRange {
  readonly from?: string;
  /** Inclusive. */
  readonly to?: string;
  readonly beginsWith?: string;
  readonly backwards?: boolean;
  readonly pageSize?: number;
}

const KEYS_PER_BATCH = 100;
/** How often a transaction is tried while others are at the same rows; nothing was read, so nothing is out of date. */
const CONFLICT_ATTEMPTS = 5;
const RowShape = z.looseObject({ pk: z.string(), sk: z.string() });

export const table = (runtime: Runtime): Table => {
  const name = z
    .string({ error: 'TABLE is not set: the stack gives every function the name of its table' })
    .parse(runtime.env['TABLE']);
  const client = new DynamoDBClient(clientConfig(runtime));
  return {
    client,
    name,
    async get(keys) {
      const unique = [...new Map(keys.map((key) => [keyText(key), key])).values()];
      const rows: Row[] = [];
      for (let start = 0; start < unique.length; start += KEYS_PER_BATCH) {
        rows.push(...(await batchGet(client, name, unique.slice(start, start + KEYS_PER_BATCH))));
      }
      return rows;
    },
    async put(row, condition) {
      try {
        const Item = stored(row);
        await client.send(
          new PutItemCommand({ TableName: name, Item, ...(condition && conditionOf(condition)) }),
        );
        return true;
      } catch (error) {
        if (isAwsRefusal(error, 'ConditionalCheckFailedException')) return false;
        throw error;
      }
    },
    async transact(writes) {
      for (let attempt = 1; ; attempt++) {
        try {
          const TransactItems = writes.map((write) => transactItem(name, write));
          await client.send(new TransactWriteItemsCommand({ TransactItems }));
          return true;
        } catch (error) {
          if (!(error instanceof TransactionCanceledException)) throw error;
          const codes = new Set((error.CancellationReasons ?? []).map(({ Code }) => Code));
          if (codes.has('ConditionalCheckFailed')) return false;
          if (!codes.has('TransactionConflict')) throw error;
          if (attempt === CONFLICT_ATTEMPTS) return false;
        }
      }
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

const batchGet = async (client: DynamoDBClient, name: string, keys: readonly Key[]): Promise<Row[]> => {
  const rows: Row[] = [];
  let wanted = keys.map(({ pk, sk }) => marshall({ pk, sk }));
  for (let attempt = 0; wanted.length > 0; attempt++) {
    if (attempt === 10) {
      throw new HubError(
        'busy-table',
        'DynamoDB left keys unread ten times in a row; the message will be tried again.',
        { retry: 'later' },
      );
    }
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [name]: { Keys: wanted, ConsistentRead: true } } }),
    );
    rows.push(...(Responses?.[name] ?? []).map(rowOf));
    wanted = UnprocessedKeys?.[name]?.Keys ?? [];
  }
  return rows;
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
  } else if (range.from !== undefined && range.to !== undefined) {
    conditions.push('sk BETWEEN :from AND :to');
    Object.assign(values, { ':from': range.from, ':to': range.to });
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
  const gone = write.remove ?? [];
  const clauses = [
    ...(names.length > 0 ? [`SET ${names.map((_, at) => `#n${at} = :v${at}`).join(', ')}`] : []),
    ...(gone.length > 0 ? [`REMOVE ${gone.map((_, at) => `#r${at}`).join(', ')}`] : []),
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
        ...Object.fromEntries(gone.map((one, at) => [`#r${at}`, one])),
        ...condition.ExpressionAttributeNames,
      },
      ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
    },
  };
};
