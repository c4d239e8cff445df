import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { attempts } from '../aws/attempts.ts';
import { config } from '../aws/config.ts';
import { figures as figuresStore } from '../aws/figures.ts';
import { lists } from '../aws/lists.ts';
import { loadBatch } from '../aws/metrics.ts';
import { standings } from '../aws/standing.ts';
import { table } from '../aws/table.ts';
import { lambda } from '../lambda.ts';
import { batch } from '../queue.ts';
import type { Runtime } from '../runtime.ts';
import { figures } from './figures.ts';
import { type Consumer, metrics } from './metrics.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const running = config(runtime, rows);
  const retentionSeconds = async (): Promise<number> => (await running.hub()).retention.interactions / 1000;
  const timeZone = async (): Promise<string> => (await running.hub()).timeZone;
  const consumers: readonly Consumer[] = [
    standings(rows, retentionSeconds),
    lists(rows),
    figures({ store: figuresStore(rows, runtime.now), timeZone }),
  ];
  const use = metrics({ load: loadBatch(rows), consumers });
  return middy<SQSEvent, SQSBatchResponse>().handler(
    batch(({ Records }) => use(Records), attempts(runtime, rows)),
  );
};

export const handler = lambda(create);
