import middy from '@middy/core';
import { table } from '../aws/clients/dynamo.ts';
import { placesOfPart } from '../aws/customers/lists/lists.ts';
import { zones } from '../aws/customers/lists/zones.ts';
import { attemptOf, attempts } from '../aws/operations/attempts.ts';
import { config } from '../aws/operations/configuration.ts';
import { jobs } from '../aws/operations/jobs.ts';
import { sendToStage } from '../aws/operations/replays.ts';
import { runSlice } from '../aws/operations/run-slice.ts';
import { audiences } from '../aws/triggers/audiences.ts';
import { triggers } from '../aws/triggers/triggers.ts';
import type { JobMessage, PlanMessage } from '../contracts/messages/jobs.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { jobsStage } from '../contracts/stages/jobs.ts';
import { lambda } from '../middleware/lambda.ts';
import { eachMessage, type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
import { forwardToCrm } from './forward.ts';
import { planLooks } from './looks/plan.ts';
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
  const plan = planLooks({
    audiences: audiences(rows),
    triggers: triggers(rows),
    zones: zones(placesOfPart(rows)),
    hub: config(runtime, rows).hub,
    jobs: store,
    now: runtime.now,
  });
  return middy<QueueEvent<JobMessage | PlanMessage>, QueueResult>()
    .use(queueStack(jobsStage, attempts(runtime, rows)))
    .handler(
      eachMessage<JobMessage | PlanMessage>(async (message, _record, context) => {
        if ('plan' in message) return plan();
        if (!(await forward(message))) await use(message, context.getRemainingTimeInMillis());
      }),
    );
};

export const handler = lambda(create);
