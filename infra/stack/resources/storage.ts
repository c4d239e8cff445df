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
import { KEPT_DAYS } from '../../../functions/aws/operations/failure-rows.ts';

const DAY_MS = 86_400_000;

/** What outlives a deploy: customers, files, the key of both, and the bus that tells what happens to them. */
export class Storage extends Construct {
  readonly key: kms.Key;
  readonly table: dynamodb.Table;
  readonly bucket: s3.Bucket;
  readonly bus: events.EventBus;
  /** An erasure empties it by deleting it and making it anew. */
  readonly archive: Readonly<
    Required<Pick<events.CfnArchiveProps, 'archiveName' | 'sourceArn' | 'description' | 'retentionDays'>>
  >;

  constructor(scope: Construct, id: string, hub: HubConfig) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      enableKeyRotation: true,
      description: `Customer data of the hub ${hub.name}`,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.table = new dynamodb.Table(this, 'Customers', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      timeToLiveAttribute: 'expiresAt',
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.bucket = new s3.Bucket(this, 'Files', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
      // No versions are kept: what a person asks us to erase has to be gone when it is deleted.
      lifecycleRules: [
        { prefix: 'deliveries/', expiration: Duration.days(14) },
        { prefix: 'failures/', expiration: Duration.days(KEPT_DAYS) },
        { prefix: 'jobs/', expiration: Duration.days(30) },
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    this.bus = new events.EventBus(this, 'Bus', { eventBusName: `tributary-${hub.name}` });
    this.archive = {
      archiveName: `tributary-${hub.name}`,
      sourceArn: this.bus.eventBusArn,
      description: 'What was told on the bus, to be told again after a fault of a rule',
      retentionDays: Math.ceil(hub.retention.events / DAY_MS),
    };
    new events.CfnArchive(this, 'Archive', this.archive);
    pin(this.key, 'Key');
    pin(this.table, 'Customers');
    pin(this.bucket, 'Files');
    pin(this.bus, 'Bus');
  }

  /** Lets a service of AWS, acting for this account, put what it has to tell into a topic that the key encrypts. */
  letEncrypt(principal: iam.IPrincipal): void {
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

/** Fixes the logical id, so that moving a construct in this code never replaces what it stands for. */
export const pin = (construct: Construct, logicalId: string): void => {
  (construct.node.defaultChild as CfnResource).overrideLogicalId(logicalId);
};
