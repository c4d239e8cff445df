import { Duration, aws_events as events, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { secretArn } from '../resources/secrets.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import { allowReplays, queueUrls, type StageQueues } from './failures.ts';

interface JobsProps {
  /** The queue of the jobs. */
  readonly queue: WorkQueue;
  /** The queue that record reads imported rows from. */
  readonly imports: WorkQueue;
  readonly deliveries: WorkQueue;
  readonly queues: StageQueues;
}

/** Runs jobs in slices; each slice queues the next one. */
export class Jobs extends Construct {
  readonly rules: readonly events.CfnRule[];

  constructor(
    scope: Construct,
    id: string,
    shared: SharedResources,
    { queue, imports, deliveries, queues }: JobsProps,
  ) {
    super(scope, id);
    const { table, bucket, archive } = shared.storage;
    const jobs = new HubFunction(this, 'Jobs', shared, {
      bundle: 'jobs',
      environment: {
        QUEUE_URL_JOBS: queue.queue.queueUrl,
        QUEUE_URL_IMPORTS: imports.queue.queueUrl,
        QUEUE_URLS: queueUrls(this, queues),
        BUCKET: bucket.bucketName,
        ARCHIVE: Stack.of(this).toJsonString({
          ArchiveName: archive.archiveName,
          EventSourceArn: archive.sourceArn,
          Description: archive.description,
          RetentionDays: archive.retentionDays,
          KmsKeyIdentifier: archive.kmsKeyIdentifier,
        }),
      },
      timeoutSeconds: 150,
      sendsToOwnQueue: true,
    });
    jobs.consume(queue, { batchSize: 1, maximumConcurrency: 2 });
    this.rules = [this.#planLooks(queue)];
    jobs.allow(
      [
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:ConditionCheckItem',
      ],
      table.tableArn,
    );
    // This includes the imports queue.
    allowReplays(jobs, shared, queues);
    jobs.allow(['sqs:GetQueueAttributes'], imports.queue.queueArn);
    jobs.allow(['s3:GetObject', 's3:PutObject'], bucket.arnForObjects('jobs/*'));
    // An export contains the files of a person.
    for (const prefix of ['attachments/*', 'texts/*'])
      jobs.allow(['s3:GetObject'], bucket.arnForObjects(prefix));
    this.#allowErasures(jobs, shared, deliveries);
    jobs.allowKey({ files: true });
  }

  /** The queue delays what falls due before the next plan, so the times of looks are exact. */
  #planLooks(queue: WorkQueue): events.CfnRule {
    const rule = new events.CfnRule(this, 'Looks', {
      scheduleExpression: events.Schedule.rate(Duration.minutes(15)).expressionString,
      targets: [
        {
          id: 'queue',
          arn: queue.queue.queueArn,
          deadLetterConfig: { arn: queue.deadLetters.queueArn },
          input: JSON.stringify({ plan: 'looks' }),
        },
      ],
    });
    queue.allowRules({ ArnEquals: { 'aws:SourceArn': rule.attrArn } });
    return rule;
  }

  /** An erasure searches raw files, deletes the files of the person, and empties the archive of the bus. */
  #allowErasures(jobs: HubFunction, { hub, storage }: SharedResources, deliveries: WorkQueue): void {
    const { bucket, bus, archive } = storage;
    const stack = Stack.of(this);
    const raw = ['deliveries/*', ...('ses' in hub.channels ? ['mail/*'] : [])];
    for (const prefix of raw) jobs.allow(['s3:GetObject'], bucket.arnForObjects(prefix));
    for (const prefix of [...raw, 'jobs/*', 'failures/*', 'attachments/*', 'texts/*'])
      jobs.allow(['s3:DeleteObject'], bucket.arnForObjects(prefix));
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
    // EventBridge checks the creation of an archive against its bus and its key too.
    for (const arn of [bus.eventBusArn, archive.kmsKeyIdentifier]) jobs.allow(['events:CreateArchive'], arn);
    // SNS checks this action against no resource.
    jobs.allow(['sns:DeleteEndpoint'], '*');
    jobs.allowPublishing();
  }
}
