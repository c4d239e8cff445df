import { Construct } from 'constructs';
import { allowReplays, queueUrls, type StageQueues } from './failures.ts';
import { type Ground, HubFunction } from './hub-function.ts';
import type { WorkQueue } from './work-queue.ts';

interface JobsProps {
  readonly work: WorkQueue;
  /** Where the rows of imported files go. */
  readonly imports: WorkQueue;
  readonly queues: StageQueues;
}

/** Long work in slices, each of which queues the next one. */
export class Jobs extends Construct {
  constructor(scope: Construct, id: string, ground: Ground, { work, imports, queues }: JobsProps) {
    super(scope, id);
    const { table, bucket } = ground.storage;
    const jobs = new HubFunction(this, 'Jobs', ground, {
      bundle: 'jobs',
      environment: {
        QUEUE_URL_JOBS: work.queue.queueUrl,
        QUEUE_URL_IMPORTS: imports.queue.queueUrl,
        QUEUE_URLS: queueUrls(this, queues),
        BUCKET: bucket.bucketName,
      },
      timeoutSeconds: 150,
      queuesItself: true,
    });
    jobs.consume(work, { batchSize: 1, maximumConcurrency: 2 });
    jobs.allow(['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem'], table.tableArn);
    // Among the queues that replays go to is that of imports.
    allowReplays(jobs, ground, queues);
    jobs.allow(['sqs:GetQueueAttributes'], imports.queue.queueArn);
    jobs.allow(['s3:GetObject', 's3:PutObject'], bucket.arnForObjects('jobs/*'));
    jobs.useKey({ writesFiles: true });
  }
}
