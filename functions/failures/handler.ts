import middy from '@middy/core';
import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { table } from '../aws/clients/dynamo.ts';
import { attemptsOf } from '../aws/operations/attempts.ts';
import { failures } from '../aws/operations/failures.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { lambda } from '../middleware/lambda.ts';
import { logContext } from '../middleware/log-context.ts';
import { partialBatch, type QueueResult } from '../middleware/queue.ts';
import { drain } from './drain.ts';

const Environment = z.object({
  /** A JSON object: the address of each dead-letter queue, by stage. */
  DEAD_QUEUES: z.string().transform((text) => z.record(z.string(), z.string()).parse(JSON.parse(text))),
  TRIES: z.coerce.number().int().positive(),
});

export const create = (runtime: Runtime) => {
  const { DEAD_QUEUES: dead, TRIES: tries } = Environment.parse(runtime.env);
  const rows = table(runtime);
  const stages = new Map(Object.entries(dead).map(([stage, arn]) => [arn, stage]));
  const use = drain({
    stageOf: (arn) => stages.get(arn),
    attempts: (messages) => attemptsOf(rows, messages),
    report: failures(runtime, rows).report,
    tries,
  });
  // A dead letter has no dead-letter queue of its own: the log alone says why it could not be stored.
  return middy<SQSEvent, QueueResult>()
    .use(logContext('failures'))
    .use(partialBatch())
    .handler(({ Records }) => use(Records));
};

export const handler = lambda(create);
