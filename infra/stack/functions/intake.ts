import { Construct } from 'constructs';
import { connectorOf } from '../../../connectors/registry.ts';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { emptySecret, generatedSecret, secretArn } from '../resources/secrets.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import type { FrontDoor } from './front-door.ts';

interface IntakeProps {
  readonly front: FrontDoor;
  readonly deliveries: WorkQueue;
  readonly imports: WorkQueue;
}

/** From a webhook to the recorded interaction: receive, the deliveries queue, record. */
export class Intake extends Construct {
  constructor(
    scope: Construct,
    id: string,
    ground: SharedResources,
    { front, deliveries, imports }: IntakeProps,
  ) {
    super(scope, id);
    const { hub, storage } = ground;
    const { table, bucket } = storage;
    const receive = new HubFunction(this, 'Receive', ground, {
      bundle: 'receive',
      environment: {
        PUBLIC_URL: front.publicUrl,
        QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl,
        BUCKET: bucket.bucketName,
      },
      timeoutSeconds: 10,
    });
    receive.allow(['sqs:SendMessage'], deliveries.queue.queueArn);
    receive.allow(['s3:PutObject'], bucket.arnForObjects('deliveries/*'));
    receive.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'channels/*'));
    receive.allow(['dynamodb:PutItem'], table.tableArn, {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['once#*'] },
    });
    receive.useKey({ writesFiles: true });
    front.route(['ANY /webhooks/{provider}', 'ANY /webhooks/{provider}/{account}'], receive);
    for (const channel of Object.keys(hub.channels))
      emptySecret(this, hub, `channels/${channel}`, `Signing secrets of ${channel}`);

    const record = new HubFunction(this, 'Record', ground, {
      bundle: 'record',
      environment: { BUCKET: bucket.bucketName, QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl },
      timeoutSeconds: 60,
      queuesItself: true,
    });
    record.consume(deliveries);
    // A message of it holds many rows, and two at a time leave Lambda and the table to what arrives now.
    record.consume(imports, { batchSize: 1, maximumConcurrency: 2 });
    record.allow(
      [
        'dynamodb:BatchGetItem',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:ConditionCheckItem',
      ],
      table.tableArn,
    );
    record.allow(['s3:GetObject'], bucket.arnForObjects('deliveries/*'));
    record.keepFailures('record');
    // What comes again after its customer was erased brings its files along, and they are taken away again.
    for (const kept of ['texts/*', 'attachments/*'])
      record.allow(['s3:PutObject', 's3:DeleteObject'], bucket.arnForObjects(kept));
    const deposits = Object.keys(hub.channels).flatMap((id) => connectorOf(id)?.deposits ?? []);
    for (const prefix of deposits) record.allow(['s3:GetObject'], bucket.arnForObjects(`${prefix}*`));
    // Files and contents that have to be fetched wait as messages of their own, each try anew.
    record.allow(['sqs:SendMessage'], deliveries.queue.queueArn);
    record.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'channels/*'));
    record.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'hashed-keys-??????'));
    generatedSecret(
      this,
      hub,
      'hashed-keys',
      'The key under which is remembered what must not come back. Never change it',
    );
    record.publishes();
    record.useKey({ writesFiles: true });
  }
}
