import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { attemptOf, attempts } from '../aws/attempts.ts';
import { jobs } from '../aws/jobs.ts';
import { table } from '../aws/table.ts';
import { lambda } from '../lambda.ts';
import { batch, eachMessage } from '../queue.ts';
import type { Runtime } from '../runtime.ts';
import { JobMessage } from './message.ts';
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
