import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { secretArn } from '../resources/secrets.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import { allowReplays, queueUrls, type StageQueues } from './failures.ts';

interface JobsProps {
  readonly work: WorkQueue;
  /** Where the rows of imported files go. */
  readonly imports: WorkQueue;
  readonly deliveries: WorkQueue;
  readonly queues: StageQueues;
}

/** Long work in slices, each of which queues the next one. */
export class Jobs extends Construct {
  constructor(
    scope: Construct,
    id: string,
    ground: SharedResources,
    { work, imports, deliveries, queues }: JobsProps,
  ) {
    super(scope, id);
    const { table, bucket, archive } = ground.storage;
    const jobs = new HubFunction(this, 'Jobs', ground, {
      bundle: 'jobs',
      environment: {
        QUEUE_URL_JOBS: work.queue.queueUrl,
        QUEUE_URL_IMPORTS: imports.queue.queueUrl,
        QUEUE_URLS: queueUrls(this, queues),
        BUCKET: bucket.bucketName,
        ARCHIVE: Stack.of(this).toJsonString({
          ArchiveName: archive.archiveName,
          EventSourceArn: archive.sourceArn,
          Description: archive.description,
          RetentionDays: archive.retentionDays,
        }),
      },
      timeoutSeconds: 150,
      queuesItself: true,
    });
    jobs.consume(work, { batchSize: 1, maximumConcurrency: 2 });
    jobs.allow(
      [
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:DeleteItem',
        'dynamodb:ConditionCheckItem',
      ],
      table.tableArn,
    );
    // Among the queues that replays go to is that of imports.
    allowReplays(jobs, ground, queues);
    jobs.allow(['sqs:GetQueueAttributes'], imports.queue.queueArn);
    jobs.allow(['s3:GetObject', 's3:PutObject'], bucket.arnForObjects('jobs/*'));
    // An export holds the files of a person.
    for (const kept of ['attachments/*', 'texts/*']) jobs.allow(['s3:GetObject'], bucket.arnForObjects(kept));
    this.#erase(jobs, ground, deliveries);
    jobs.useKey({ writesFiles: true });
  }

  /** To erase a person it looks through raw files, takes away what is theirs, and empties the archive of the bus. */
  #erase(jobs: HubFunction, { hub, storage }: SharedResources, deliveries: WorkQueue): void {
    const { bucket, bus, archive } = storage;
    const stack = Stack.of(this);
    const raw = ['deliveries/*', ...('ses' in hub.channels ? ['mail/*'] : [])];
    for (const one of raw) jobs.allow(['s3:GetObject'], bucket.arnForObjects(one));
    for (const kept of [...raw, 'jobs/*', 'failures/*', 'attachments/*', 'texts/*'])
      jobs.allow(['s3:DeleteObject'], bucket.arnForObjects(kept));
    jobs.allow(['s3:ListBucket'], bucket.bucketArn, {
      StringLike: { 's3:prefix': [...raw, 'jobs/*'] },
    });
    jobs.lambda.addEnvironment('RAW_FILES', [...raw, 'jobs/*'].join(' ').replaceAll('*', ''));
    jobs.allow(['sqs:GetQueueAttributes'], deliveries.queue.queueArn);
    for (const secret of ['signing-??????', 'hashed-keys-??????'])
      jobs.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, secret));
    jobs.allow(
      ['events:DeleteArchive', 'events:CreateArchive'],
      stack.formatArn({ service: 'events', resource: 'archive', resourceName: archive.archiveName }),
    );
    jobs.allow(['events:CreateArchive'], bus.eventBusArn);
    jobs.allow(
      ['sns:DeleteEndpoint'],
      stack.formatArn({ service: 'sns', resource: 'endpoint', resourceName: '*' }),
    );
    jobs.publishes();
  }
}
