import {
  type CfnResource,
  Duration,
  aws_dynamodb as dynamodb,
  aws_events as events,
  aws_iam as iam,
  aws_kms as kms,
  RemovalPolicy,
  aws_s3 as s3,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import { FAILURE_RETENTION_DAYS } from '../../../core/errors/failure.ts';

const DAY_MS = 86_400_000;

/** The stateful resources: the table, the bucket, the event bus and its archive, and the key that encrypts all but the bus. */
export class Storage extends Construct {
  readonly key: kms.Key;
  /** The table that the hub uses: its own, or one that was restored from it under the same key. */
  readonly table: Pick<dynamodb.ITable, 'tableName' | 'tableArn'>;
  readonly bucket: s3.Bucket;
  readonly bus: events.EventBus;
  /** An erasure deletes the archive and creates it again, because EventBridge cannot delete single events. */
  readonly archive: Readonly<
    Required<
      Pick<
        events.CfnArchiveProps,
        'archiveName' | 'sourceArn' | 'description' | 'retentionDays' | 'kmsKeyIdentifier'
      >
    >
  >;

  constructor(scope: Construct, id: string, hub: HubConfig) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      enableKeyRotation: true,
      description: `Customer data of the hub ${hub.name}`,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const own = new dynamodb.Table(this, 'Customers', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      timeToLiveAttribute: 'expiresAt',
      // Not RETAIN_ON_UPDATE_OR_DELETE as the others: deletion protection would stop the rollback of a failed creation.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.table = hub.table === undefined ? own : dynamodb.Table.fromTableName(this, 'Restored', hub.table);
    this.bucket = new s3.Bucket(this, 'Files', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      // No versioning: a deleted object of an erased person must not remain as an old version.
      lifecycleRules: [
        { prefix: 'deliveries/', expiration: Duration.days(14) },
        { prefix: 'failures/', expiration: Duration.days(FAILURE_RETENTION_DAYS) },
        { prefix: 'jobs/', expiration: Duration.days(30) },
        // Files that record stored and whose interaction was never committed; no erasure finds them by a row.
        { tagFilters: { uncommitted: 'true' }, expiration: Duration.days(14) },
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    this.bus = new events.EventBus(this, 'Bus', { eventBusName: `tributary-${hub.name}` });
    this.archive = {
      archiveName: `tributary-${hub.name}`,
      sourceArn: this.bus.eventBusArn,
      description: 'Events of the hub, to be replayed after a fault of a rule',
      retentionDays: Math.ceil(hub.retention.events / DAY_MS),
      kmsKeyIdentifier: this.key.keyArn,
    };
    this.#allowArchiving();
    new events.CfnArchive(this, 'Archive', this.archive);
    pinLogicalId(this.key, 'Key');
    pinLogicalId(own, 'Customers');
    pinLogicalId(this.bucket, 'Files');
    pinLogicalId(this.bus, 'Bus');
  }

  /**
   * Lets EventBridge encrypt the archived events of the bus.
   * https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
   */
  #allowArchiving(): void {
    const eventBridge = { principals: [new iam.ServicePrincipal('events.amazonaws.com')], resources: ['*'] };
    this.key.addToResourcePolicy(new iam.PolicyStatement({ ...eventBridge, actions: ['kms:DescribeKey'] }));
    this.key.addToResourcePolicy(
      new iam.PolicyStatement({
        ...eventBridge,
        actions: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
        conditions: {
          StringEquals: { 'kms:EncryptionContext:aws:events:event-bus:arn': this.bus.eventBusArn },
        },
      }),
    );
  }

  /** Lets an AWS service that acts for this account publish to a topic that the key encrypts. */
  allowEncryptionBy(principal: iam.IPrincipal): void {
    this.key.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [principal],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': this.key.stack.account } },
      }),
    );
  }
}

/** Fixes the logical id, so that moving the construct in the code never replaces the resource. */
export const pinLogicalId = (construct: Construct, logicalId: string): void => {
  (construct.node.defaultChild as CfnResource).overrideLogicalId(logicalId);
};
