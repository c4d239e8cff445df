import middy from '@middy/core';
import { table } from '../aws/clients/dynamo.ts';
import { attemptOf, attempts } from '../aws/operations/attempts.ts';
import { jobs } from '../aws/operations/jobs.ts';
import type { JobMessage } from '../contracts/messages/jobs.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { jobsStage } from '../contracts/stages/jobs.ts';
import { lambda } from '../middleware/lambda.ts';
import { eachMessage, type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
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
  return middy<QueueEvent<JobMessage>, QueueResult>()
    .use(queueStack(jobsStage, attempts(runtime, rows)))
    .handler(
      eachMessage<JobMessage>((message, _record, context) =>
        use(message, context.getRemainingTimeInMillis()),
      ),
    );
};

export const handler = lambda(create);
