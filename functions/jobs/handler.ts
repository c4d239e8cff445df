import middy from '@middy/core';
import { table } from '../aws/clients/dynamo.ts';
import { attemptOf, attempts } from '../aws/operations/attempts.ts';
import { jobs } from '../aws/operations/jobs.ts';
import { sendToStage } from '../aws/operations/replays.ts';
import { runSlice } from '../aws/operations/run-slice.ts';
import type { JobMessage } from '../contracts/messages/jobs.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { jobsStage } from '../contracts/stages/jobs.ts';
import { lambda } from '../middleware/lambda.ts';
import { eachMessage, type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
import { forwardToCrm } from './forward.ts';
import { registry } from './registry.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const store = jobs(runtime, rows);
  const forward = forwardToCrm({ jobs: store, enqueue: sendToStage(runtime), now: runtime.now });
  const use = runSlice({
    jobs: store,
    registry: registry(runtime, rows),
    attemptOf,
    now: runtime.now,
    newId: runtime.newId,
  });
  return middy<QueueEvent<JobMessage>, QueueResult>()
    .use(queueStack(jobsStage, attempts(runtime, rows)))
    .handler(
      eachMessage<JobMessage>(async (message, _record, context) => {
        if (!(await forward(message))) await use(message, context.getRemainingTimeInMillis());
      }),
    );
};

export const handler = lambda(create);
