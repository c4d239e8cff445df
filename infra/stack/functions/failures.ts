import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { MAX_RECEIVES, type WorkQueue } from '../resources/work-queue.ts';

/** The queue of each pipeline stage, by the name in `functions/contracts/stages/index.ts`. */
export type StageQueues = Readonly<Record<string, WorkQueue>>;

/** The value of `QUEUE_URLS`: the address of each stage's queue, as JSON. */
export const queueUrls = (scope: Construct, queues: StageQueues): string =>
  Stack.of(scope).toJsonString(
    Object.fromEntries(Object.entries(queues).map(([stage, { queue }]) => [stage, queue.queueUrl])),
  );

/** Allows putting the payloads of failures back on the queues of all stages. */
export const allowReplays = (
  target: HubFunction,
  { storage }: SharedResources,
  queues: StageQueues,
): void => {
  for (const { queue } of Object.values(queues)) target.allow(['sqs:SendMessage'], queue.queueArn);
  target.allow(['s3:GetObject'], storage.bucket.arnForObjects('failures/*'));
};

/** Stores every dead letter as a failure that can be listed, edited and replayed. */
export class Failures extends Construct {
  constructor(scope: Construct, id: string, shared: SharedResources, queues: StageQueues) {
    super(scope, id);
    const { table, bucket } = shared.storage;
    const dead = Object.fromEntries(
      Object.entries(queues).map(([stage, queue]) => [stage, queue.deadLetters.queueArn]),
    );
    const drain = new HubFunction(this, 'Failures', shared, {
      bundle: 'failures',
      environment: {
        DEAD_QUEUES: Stack.of(this).toJsonString(dead),
        TRIES: String(MAX_RECEIVES),
        BUCKET: bucket.bucketName,
      },
    });
    for (const queue of Object.values(queues)) drain.consumeDeadLetters(queue);
    drain.allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], table.tableArn);
    drain.allow(['s3:PutObject'], bucket.arnForObjects('failures/*'));
    drain.allowKey({ files: true });
  }
}
