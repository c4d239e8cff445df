import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { attempts } from '../aws/attempts.ts';
import { loadBatch } from '../aws/metrics.ts';
import { table } from '../aws/table.ts';
import { lambda } from '../lambda.ts';
import { batch } from '../queue.ts';
import type { Runtime } from '../runtime.ts';
import { type Consumer, metrics } from './metrics.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const consumers: readonly Consumer[] = [];
  const use = metrics({ load: loadBatch(rows), consumers });
  return middy<SQSEvent, SQSBatchResponse>().handler(
    batch(({ Records }) => use(Records), attempts(runtime, rows)),
  );
};

export const handler = lambda(create);
