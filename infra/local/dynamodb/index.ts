import { crc32 } from 'node:zlib';
import { answerJson, jsonOperation, type Operation } from '../protocol/json.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { batchGet, batchWrite } from './items/batch.ts';
import type { ConsumedCapacity } from './items/capacity.ts';
import { getOne, writeOne } from './items/items.ts';
import { query, scan } from './items/query.ts';
import { transactGet, transactWrite } from './items/transact.ts';
import { tables } from './tables/operations.ts';
import { pointInTime } from './tables/point-in-time.ts';
import { Store } from './tables/store.ts';
import { sweep, timeToLive } from './tables/time-to-live.ts';

export interface DynamodbOptions {
  /** Called with the capacity that each request consumes, also where its condition failed and the response omits it. */
  readonly onConsumed?: (capacity: Pick<ConsumedCapacity, 'mode' | 'total'>) => void;
}

const SWEEP_MS = 60_000;

/** The local DynamoDB: the whole data API over the service's own protocol. */
export const dynamodb = (context: ServiceContext, options: DynamodbOptions = {}): AwsService => {
  const { db, clock } = context;
  const store = new Store(db);
  const { onConsumed: onSpent = () => {} } = options;
  const operations: Record<string, Operation> = {
    ...tables(store, context),
    ...timeToLive(store),
    ...pointInTime(store, context),
    GetItem: getOne(store, onSpent),
    PutItem: writeOne(store, 'Put', onSpent),
    UpdateItem: writeOne(store, 'Update', onSpent),
    DeleteItem: writeOne(store, 'Delete', onSpent),
    BatchGetItem: batchGet(store, onSpent),
    BatchWriteItem: batchWrite(store, onSpent),
    TransactWriteItems: transactWrite(store, clock, onSpent),
    TransactGetItems: transactGet(store, onSpent),
    Query: query(store, onSpent),
    Scan: scan(store, onSpent),
  };
  let swept = 0;
  return {
    signingName: 'dynamodb',
    operation: jsonOperation,
    async handle(request) {
      // Expired items are deleted when the service is next used, at most once a minute.
      if (clock.now() - swept >= SWEEP_MS) {
        swept = clock.now();
        sweep(store, swept);
      }
      const response = await answerJson(request, '1.0', operations, 'com.amazonaws.dynamodb.v20120810#');
      return { ...response, headers: { ...response.headers, 'x-amz-crc32': String(crc32(response.body)) } };
    },
  };
};
