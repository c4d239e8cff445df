import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { table } from '../aws/clients/dynamo.ts';
import { attemptOf, attempts } from '../aws/operations/attempts.ts';
import { jobs } from '../aws/operations/jobs.ts';
import { JobMessage } from '../contracts/messages/jobs.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { lambda } from '../middleware/lambda.ts';
import { batch, eachMessage } from '../middleware/queue.ts';
import { registry } from './registry.ts';
import { runSlice } from './run.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const use = runSlice({
    jobs: jobs(runtime, rows),
    registry: registry(runtime, rows),
    attemptOf,
    now: runtime.now,
    newId: runtime.newId,
  });
  const note = attempts(runtime, rows);
  return middy<SQSEvent, SQSBatchResponse>().handler((event, context: Context) =>
    batch(
      eachMessage(JobMessage, (message) => use(message, context.getRemainingTimeInMillis())),
      note,
    )(event),
  );
};

export const handler = lambda(create);
