import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { TRIES, type WorkQueue } from '../resources/work-queue.ts';

/** The queues whose work can fail, by stage as `functions/contracts/stages/index.ts` names it. */
export type StageQueues = Readonly<Record<string, WorkQueue>>;

/** `QUEUE_URLS`: the queue of each stage, as JSON. */
export const queueUrls = (scope: Construct, queues: StageQueues): string =>
  Stack.of(scope).toJsonString(
    Object.fromEntries(Object.entries(queues).map(([stage, { queue }]) => [stage, queue.queueUrl])),
  );

/** May put the payloads of failures back on the queues of all stages. */
export const allowReplays = (who: HubFunction, { storage }: SharedResources, queues: StageQueues): void => {
  for (const { queue } of Object.values(queues)) who.allow(['sqs:SendMessage'], queue.queueArn);
  who.allow(['s3:GetObject'], storage.bucket.arnForObjects('failures/*'));
};

/** Turns what arrives in any dead-letter queue into rows that a person can act on. */
export class Failures extends Construct {
  constructor(scope: Construct, id: string, ground: SharedResources, queues: StageQueues) {
    super(scope, id);
    const { table, bucket } = ground.storage;
    const dead = Object.fromEntries(
      Object.entries(queues).map(([stage, queue]) => [stage, queue.dead.queueArn]),
    );
    const drain = new HubFunction(this, 'Failures', ground, {
      bundle: 'failures',
      environment: {
        DEAD_QUEUES: Stack.of(this).toJsonString(dead),
        TRIES: String(TRIES),
        BUCKET: bucket.bucketName,
      },
    });
    for (const queue of Object.values(queues)) drain.drain(queue);
    drain.allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], table.tableArn);
    drain.allow(['s3:PutObject'], bucket.arnForObjects('failures/*'));
    drain.useKey({ writesFiles: true });
  }
}
