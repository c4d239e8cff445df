import { crc32 } from 'node:zlib';
import { answerJson, jsonOperation, type Operation } from '../protocol/json.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { batchGet, batchWrite } from './batch.ts';
import type { Spending } from './capacity.ts';
import { getOne, writeOne } from './items.ts';
import { query, scan } from './query.ts';
import { Store } from './store.ts';
import { tables } from './tables.ts';
import { transactGet, transactWrite } from './transact.ts';
import { sweep, upkeep } from './upkeep.ts';

export interface DynamodbOptions {
  /** Says, for each transaction, whether another one is in its way; tests seed it. */
  readonly conflict?: () => boolean;
  /** Told of the capacity that each request takes at each table, also where a condition failed and no answer says it. */
  readonly onSpent?: (spending: Pick<Spending, 'mode' | 'total'>) => void;
}

const SWEEP_MS = 60_000;

/** DynamoDB on one machine: the whole data API over the service's own protocol. */
export const dynamodb = (surroundings: ServiceContext, options: DynamodbOptions = {}): AwsService => {
  const { db, clock } = surroundings;
  const store = new Store(db);
  const { conflict = () => false, onSpent = () => {} } = options;
  const operations: Record<string, Operation> = {
    ...tables(store, surroundings),
    ...upkeep(store, surroundings),
    GetItem: getOne(store, onSpent),
    PutItem: writeOne(store, 'Put', onSpent),
    UpdateItem: writeOne(store, 'Update', onSpent),
    DeleteItem: writeOne(store, 'Delete', onSpent),
    BatchGetItem: batchGet(store, onSpent),
    BatchWriteItem: batchWrite(store, onSpent),
    TransactWriteItems: transactWrite(store, clock, conflict, onSpent),
    TransactGetItems: transactGet(store, onSpent),
    Query: query(store, onSpent),
    Scan: scan(store, onSpent),
  };
  let swept = 0;
  return {
    signingName: 'dynamodb',
    operation: jsonOperation,
    async handle(request) {
      // What has expired goes when the service is next used, at most once a minute.
      if (clock.now() - swept >= SWEEP_MS) {
        swept = clock.now();
        sweep(store, swept);
      }
      const response = await answerJson(request, '1.0', operations, 'com.amazonaws.dynamodb.v20120810#');
      return { ...response, headers: { ...response.headers, 'x-amz-crc32': String(crc32(response.body)) } };
    },
  };
};
