import { crc32 } from 'node:zlib';
import * as z from 'zod';
import { answerJson, jsonOperation, type Operation } from '../json.ts';
import type { AwsService, Surroundings } from '../service.ts';
import { batchGet, batchWrite, getOne, writeOne } from './items.ts';
import { query, scan } from './query.ts';
import { Definition, Store } from './store.ts';
import { transactGet, transactWrite } from './transact.ts';

export interface DynamodbOptions {
  /** Says, for each transaction, whether another one is in its way; tests seed it. */
  readonly conflict?: () => boolean;
}

const Named = z.looseObject({ TableName: z.string() });
const SWEEP_MS = 60_000;

/** DynamoDB on one machine: the whole data API over the service's own protocol. */
export const dynamodb = (surroundings: Surroundings, options: DynamodbOptions = {}): AwsService => {
  const { db, clock } = surroundings;
  const store = new Store(db);
  const operations: Record<string, Operation> = {
    ...tables(store, surroundings),
    GetItem: getOne(store),
    PutItem: writeOne(store, 'Put'),
    UpdateItem: writeOne(store, 'Update'),
    DeleteItem: writeOne(store, 'Delete'),
    BatchGetItem: batchGet(store),
    BatchWriteItem: batchWrite(store),
    TransactWriteItems: transactWrite(store, clock, options.conflict ?? (() => false)),
    TransactGetItems: transactGet(store),
    Query: query(store),
    Scan: scan(store),
  };
  return {
    signingName: 'dynamodb',
    operation: jsonOperation,
    async handle(request) {
      sweep(store, clock.now());
      const response = await answerJson(request, '1.0', operations, 'com.amazonaws.dynamodb.v20120810#');
      return { ...response, headers: { ...response.headers, 'x-amz-crc32': String(crc32(response.body)) } };
    },
  };
};

const tables = (store: Store, { region, account }: Surroundings): Record<string, Operation> => {
  const arn = (name: string): string => `arn:aws:dynamodb:${region}:${account}:table/${name}`;
  const described = (definition: Definition): object => ({
    TableName: definition.TableName,
    TableArn: arn(definition.TableName),
    TableStatus: 'ACTIVE',
    KeySchema: definition.KeySchema,
    AttributeDefinitions: definition.AttributeDefinitions,
    BillingModeSummary: { BillingMode: definition.BillingMode ?? 'PROVISIONED' },
    GlobalSecondaryIndexes: definition.GlobalSecondaryIndexes?.map((index) => ({
      ...index,
      IndexStatus: 'ACTIVE',
    })),
    LocalSecondaryIndexes: definition.LocalSecondaryIndexes,
    ItemCount: 0,
    TableSizeBytes: 0,
  });
  const named = (input: unknown): Definition => store.definition(Named.parse(input).TableName);
  return {
    CreateTable(input) {
      const definition = Definition.parse(input);
      store.create(definition);
      return { TableDescription: described(definition) };
    },
    DescribeTable: (input) => ({ Table: described(named(input)) }),
    UpdateTable(input) {
      const definition = Definition.parse({ ...named(input), ...input });
      store.replace(definition);
      return { TableDescription: described(definition) };
    },
    DeleteTable(input) {
      const definition = named(input);
      store.drop(definition.TableName);
      return { TableDescription: { ...described(definition), TableStatus: 'DELETING' } };
    },
    ListTables: () => ({ TableNames: store.names() }),
    UpdateTimeToLive(input) {
      const { TableName } = named(input);
      const { TimeToLiveSpecification: ttl } = z
        .looseObject({
          TimeToLiveSpecification: z.object({ AttributeName: z.string(), Enabled: z.boolean() }),
        })
        .parse(input);
      store.setTtl(TableName, ttl.Enabled ? ttl.AttributeName : undefined);
      return { TimeToLiveSpecification: ttl };
    },
    DescribeTimeToLive(input) {
      const attribute = store.ttl(named(input).TableName);
      return {
        TimeToLiveDescription:
          attribute === undefined
            ? { TimeToLiveStatus: 'DISABLED' }
            : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute },
      };
    },
  };
};

const swept = new WeakMap<Store, number>();

/** Expired items go when the table is next used, at most once a minute: DynamoDB itself promises no more than days. */
const sweep = (store: Store, now: number): void => {
  if (now - (swept.get(store) ?? 0) < SWEEP_MS) return;
  swept.set(store, now);
  for (const { name, attribute } of store.expiring()) {
    const definition = store.definition(name);
    const expired = [...store.scan(name)].filter((item) => {
      const at = item[attribute];
      return at !== undefined && 'N' in at && Number(at.N) * 1000 < now;
    });
    for (const item of expired) store.remove(store.locate(definition, item, false));
  }
};
