import { Construct } from 'constructs';
import { connectorOf } from '../../../connectors/registry.ts';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { secretArn } from '../resources/secrets.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import type { FrontDoor } from './front-door.ts';

interface IntakeProps {
  readonly front: FrontDoor;
  readonly deliveries: WorkQueue;
  readonly imports: WorkQueue;
}

/** The functions between a webhook and the stored interaction: receive and record. */
export class Intake extends Construct {
  readonly #record: HubFunction;

  constructor(
    scope: Construct,
    id: string,
    shared: SharedResources,
    { front, deliveries, imports }: IntakeProps,
  ) {
    super(scope, id);
    const { hub, storage } = shared;
    const { table, bucket } = storage;
    const receive = new HubFunction(this, 'Receive', shared, {
      bundle: 'receive',
      environment: {
        PUBLIC_URL: front.publicUrl,
        CHANNELS: JSON.stringify(
          Object.fromEntries(Object.entries(hub.channels).map(([id, one]) => [id, one.accounts ?? []])),
        ),
        QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl,
        BUCKET: bucket.bucketName,
      },
      timeoutSeconds: 10,
    });
    receive.allow(['sqs:SendMessage'], deliveries.queue.queueArn);
    receive.allow(['s3:PutObject'], bucket.arnForObjects('deliveries/*'));
    receive.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'channels/*'));
    receive.allow(['dynamodb:PutItem'], table.tableArn, {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['nonce#*'] },
      // Without it the condition would hold for a request that names no key.
      Null: { 'dynamodb:LeadingKeys': 'false' },
    });
    receive.allow(['dynamodb:UpdateItem'], table.tableArn, {
      'ForAllValues:StringEquals': {
        'dynamodb:LeadingKeys': [...Object.keys(hub.channels), 'unknown'].map((id) => `channel#${id}`),
      },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    });
    receive.allowKey({ files: true });
    // A greedy variable also matches the slash at the end of an address that was pasted.
    front.addRoutes(['ANY /webhooks/{provider}', 'ANY /webhooks/{provider}/{account+}'], receive);
    for (const channel of Object.keys(hub.channels))
      shared.secrets.addEmpty(`channels/${channel}`, `Signing secrets of ${channel}`);

    const record = new HubFunction(this, 'Record', shared, {
      bundle: 'record',
      environment: { BUCKET: bucket.bucketName, QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl },
      timeoutSeconds: 60,
      sendsToOwnQueue: true,
    });
    record.consume(deliveries, { maximumConcurrency: hub.concurrency.record });
    // A message holds many rows. Two at a time leave Lambda and the table free for live deliveries.
    record.consume(imports, { batchSize: 1, maximumConcurrency: 2 });
    record.allow(
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
    record.allow(['s3:GetObject'], bucket.arnForObjects('deliveries/*'));
    record.allowSavingFailures('record');
    // A redelivery for an erased customer stores its files before the erasure is noticed; they are deleted again.
    for (const prefix of ['texts/*', 'attachments/*'])
      record.allow(
        ['s3:PutObject', 's3:PutObjectTagging', 's3:DeleteObjectTagging', 's3:DeleteObject'],
        bucket.arnForObjects(prefix),
      );
    // Only who may list a bucket is told that an object is absent. Without that a file that is not copied yet and a
    // missing permission would look alike, and files would expire that belong to a stored interaction.
    record.allow(['s3:ListBucket'], bucket.bucketArn);
    const deposits = Object.keys(hub.channels).flatMap((id) => connectorOf(id)?.deposits ?? []);
    for (const prefix of deposits) record.allow(['s3:GetObject'], bucket.arnForObjects(`${prefix}*`));
    // Files and contents that must be fetched are queued as messages of their own, with their own retries.
    record.allow(['sqs:SendMessage'], deliveries.queue.queueArn);
    record.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'channels/*'));
    record.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'hashed-keys-??????'));
    shared.secrets.addGenerated(
      'hashed-keys',
      'The key that hashes the identifiers of erased people. Never change it',
    );
    record.allowPublishing();
    record.allowKey({ files: true });
    this.#record = record;
  }

  /** Lets `record` send interactions to the queues of the functions that work on every one of them. */
  sendBatches(projections: WorkQueue, syncs: readonly WorkQueue[]): void {
    const { lambda } = this.#record;
    lambda.addEnvironment('QUEUE_URL_PROJECTIONS', projections.queue.queueUrl);
    lambda.addEnvironment('QUEUE_URLS_SYNC', syncs.map(({ queue }) => queue.queueUrl).join(','));
    for (const { queue } of [projections, ...syncs]) this.#record.allow(['sqs:SendMessage'], queue.queueArn);
  }
}
