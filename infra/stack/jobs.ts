import { Construct } from 'constructs';
import { allowReplays, queueUrls, type StageQueues } from './failures.ts';
import { type Ground, HubFunction } from './hub-function.ts';
import type { WorkQueue } from './work-queue.ts';

/** Long work in slices, each of which queues the next one. */
export class Jobs extends Construct {
  constructor(
    scope: Construct,
    id: string,
    ground: Ground,
    { work, queues }: { readonly work: WorkQueue; readonly queues: StageQueues },
  ) {
    super(scope, id);
    const { table, bucket } = ground.storage;
    const jobs = new HubFunction(this, 'Jobs', ground, {
      bundle: 'jobs',
      environment: {
        QUEUE_URL_JOBS: work.queue.queueUrl,
        QUEUE_URLS: queueUrls(this, queues),
        BUCKET: bucket.bucketName,
      },
      timeoutSeconds: 150,
      queuesItself: true,
    });
    jobs.consume(work, { batchSize: 1, maximumConcurrency: 2 });
    jobs.allow(['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem'], table.tableArn);
    allowReplays(jobs, ground, queues);
    jobs.useKey();
  }
}
