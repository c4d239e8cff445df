import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { attemptsOf } from '../aws/attempts.ts';
import { failures } from '../aws/failures.ts';
import { table } from '../aws/table.ts';
import { lambda } from '../lambda.ts';
import { batch } from '../queue.ts';
import type { Runtime } from '../runtime.ts';
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
    keep: failures(runtime, rows).keep,
    tries,
  });
  // A dead letter that cannot be kept has nowhere else to go: nobody needs its reason beside the log.
  return middy<SQSEvent, SQSBatchResponse>().handler(
    batch(
      ({ Records }) => use(Records),
      async () => {},
    ),
  );
};

export const handler = lambda(create);
