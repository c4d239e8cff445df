import * as z from 'zod';
import type { Created } from '../cloudformation/template.ts';
import type { Actor } from './evaluate.ts';
import { PermissionError } from './permission-error.ts';
import { type AccessRequest, statementIdOf, statementsOf } from './policy.ts';
import { addStatements, type PolicyStore } from './policy-store.ts';
import { type Refusal, sentenceOf } from './refusal.ts';

export interface TemplateContext {
  readonly store: PolicyStore;
  readonly region: string;
  readonly account: string;
  readonly refusal: (actor: Actor, request: AccessRequest) => Refusal | undefined;
  readonly mayAssume: (service: string, source: string, roleArn: string) => boolean;
  /** Called with the refusals of a function that cannot write its log. */
  readonly onUnlogged: (refusal: Refusal) => void;
}

type Observer = (context: TemplateContext, id: string, properties: unknown, created: Created) => void;

const Role = z.looseObject({
  AssumeRolePolicyDocument: z.unknown(),
  Policies: z.array(z.looseObject({ PolicyDocument: z.unknown() })).optional(),
});
const Policy = z.looseObject({ PolicyDocument: z.unknown(), Roles: z.array(z.string()).default([]) });
const QueuePolicy = z.looseObject({ PolicyDocument: z.unknown(), Queues: z.array(z.string()) });
const TopicPolicy = z.looseObject({ PolicyDocument: z.unknown(), Topics: z.array(z.string()) });
const BucketPolicy = z.looseObject({ PolicyDocument: z.unknown(), Bucket: z.string() });
const Key = z.looseObject({ KeyPolicy: z.unknown() });
const Table = z.looseObject({
  KeySchema: z.array(z.looseObject({ AttributeName: z.string(), KeyType: z.string() })),
  SSESpecification: z.looseObject({ KMSMasterKeyId: z.string().optional() }).optional(),
});
const EncryptionRule = z.looseObject({
  ServerSideEncryptionByDefault: z.looseObject({ KMSMasterKeyID: z.string().optional() }).optional(),
});
const Bucket = z.looseObject({
  BucketEncryption: z.looseObject({ ServerSideEncryptionConfiguration: z.array(EncryptionRule) }).optional(),
});
const Encrypted = z.looseObject({ KmsMasterKeyId: z.string().optional() });
const LambdaPermission = z.looseObject({
  Action: z.string(),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
});
const LambdaFunction = z.looseObject({
  Role: z.string(),
  LoggingConfig: z.looseObject({ LogGroup: z.string().optional() }).optional(),
});
const Archive = z.looseObject({ SourceArn: z.string(), KmsKeyIdentifier: z.string().optional() });
const EventSource = z.looseObject({ EventSourceArn: z.string(), FunctionName: z.string() });

/** Adds the policies that a created resource contains. */
const policies: Readonly<Record<string, Observer>> = {
  'AWS::IAM::Role'({ store }, id, properties, { ref }) {
    const { AssumeRolePolicyDocument, Policies = [] } = Role.parse(properties);
    store.trust.set(ref, statementsOf(AssumeRolePolicyDocument, id));
    const statements = Policies.flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument, id));
    store.identity.set(ref, statements);
  },
  'AWS::IAM::Policy'({ store }, id, properties) {
    const { PolicyDocument, Roles } = Policy.parse(properties);
    for (const role of Roles) addStatements(store.identity, role, statementsOf(PolicyDocument, id));
  },
  'AWS::SQS::QueuePolicy'({ store, region, account }, id, properties) {
    const { PolicyDocument, Queues } = QueuePolicy.parse(properties);
    for (const url of Queues) {
      const arn = `arn:aws:sqs:${region}:${account}:${url.split('/').at(-1)}`;
      store.resource.set(arn, statementsOf(PolicyDocument, id));
    }
  },
  'AWS::SNS::TopicPolicy'({ store }, id, properties) {
    const { PolicyDocument, Topics } = TopicPolicy.parse(properties);
    for (const topic of Topics) store.resource.set(topic, statementsOf(PolicyDocument, id));
  },
  'AWS::S3::BucketPolicy'({ store }, id, properties) {
    const { PolicyDocument, Bucket: bucket } = BucketPolicy.parse(properties);
    store.resource.set(`arn:aws:s3:::${bucket}`, statementsOf(PolicyDocument, id));
  },
  'AWS::KMS::Key'({ store }, id, properties, { attributes = {} }) {
    store.resource.set(attributes['Arn'] ?? id, statementsOf(Key.parse(properties).KeyPolicy, id));
  },
  'AWS::Lambda::Permission'({ store, region, account }, id, properties) {
    const { Action, FunctionName, Principal, SourceArn, SourceAccount } = LambdaPermission.parse(properties);
    const functionArn = FunctionName.startsWith('arn:')
      ? FunctionName
      : `arn:aws:lambda:${region}:${account}:function:${FunctionName}`;
    addStatements(store.resource, functionArn, [
      {
        id: statementIdOf(id, 0),
        Effect: 'Allow',
        Principal: { Service: [Principal] },
        Action: [Action],
        Resource: [functionArn],
        Condition: {
          ...(SourceArn !== undefined && { ArnLike: { 'AWS:SourceArn': [SourceArn] } }),
          ...(SourceAccount !== undefined && { StringEquals: { 'AWS:SourceAccount': [SourceAccount] } }),
        },
      },
    ]);
  },
};

/** Adds the key that encrypts a created resource. */
const encryption: Readonly<Record<string, Observer>> = {
  'AWS::DynamoDB::Table'({ store }, _, properties, { attributes = {} }) {
    const { KeySchema, SSESpecification } = Table.parse(properties);
    const arn = attributes['Arn'] ?? '';
    const partitionKey = KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
    if (partitionKey !== undefined) store.partitionKeys.set(arn, partitionKey);
    addKey(store, arn, SSESpecification?.KMSMasterKeyId);
  },
  'AWS::SNS::Topic'({ store }, _, properties, { ref }) {
    addKey(store, ref, Encrypted.parse(properties).KmsMasterKeyId);
  },
  'AWS::SQS::Queue'({ store }, _, properties, { attributes = {} }) {
    addKey(store, attributes['Arn'] ?? '', Encrypted.parse(properties).KmsMasterKeyId);
  },
  'AWS::S3::Bucket'({ store }, _, properties, { attributes = {} }) {
    const [rule] = Bucket.parse(properties).BucketEncryption?.ServerSideEncryptionConfiguration ?? [];
    addKey(store, attributes['Arn'] ?? '', rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID);
  },
};

const addKey = ({ keys }: PolicyStore, arn: string, key: string | undefined): void => {
  if (key !== undefined) keys.set(arn, key);
};

/** Checks the permissions that AWS checks when it creates a resource. */
const checks: Readonly<Record<string, Observer>> = {
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
  'AWS::Events::Archive'({ refusal }, id, properties) {
    const { SourceArn, KmsKeyIdentifier: key } = Archive.parse(properties);
    if (key === undefined) return;
    const context = { 'kms:encryptioncontext:aws:events:event-bus:arn': [SourceArn] };
    for (const action of ['DescribeKey', 'GenerateDataKey', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo']) {
      const isAboutKey = action === 'DescribeKey';
      const request = { action: `kms:${action}`, resource: key, ...(!isAboutKey && { context }) };
      const refused = refusal({ service: 'events.amazonaws.com', source: SourceArn }, request);
      if (refused) throw new PermissionError(`${id}: EventBridge cannot use the key. ${sentenceOf(refused)}`);
    }
  },
  'AWS::Lambda::Function'(context, id, properties, { ref }) {
    const { Role: role, LoggingConfig } = LambdaFunction.parse(properties);
    if (!context.mayAssume('lambda.amazonaws.com', ref, role))
      throw new PermissionError(`${id}: The role defined for the function cannot be assumed by Lambda.`);
    context.store.functionRoles.set(ref, role);
    const group = `log-group:${LoggingConfig?.LogGroup ?? `/aws/lambda/${ref}`}`;
    const stream = `arn:aws:logs:${context.region}:${context.account}:${group}:log-stream:`;
    const writes = [
      { action: 'logs:CreateLogStream', resource: stream },
      { action: 'logs:PutLogEvents', resource: `${stream}2026/01/01/[$LATEST]0` },
    ];
    for (const write of writes) {
      const refusal = context.refusal({ role, session: ref }, write);
      if (refusal) context.onUnlogged(refusal);
    }
  },
  'AWS::Lambda::EventSourceMapping'(context, id, properties) {
    const { EventSourceArn, FunctionName } = EventSource.parse(properties);
    const session = FunctionName.split(':').at(-1) ?? FunctionName;
    const role = context.store.functionRoles.get(session) ?? '';
    for (const action of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) {
      const request = { action: `sqs:${action}`, resource: EventSourceArn };
      const refusal = context.refusal({ role, session }, request);
      if (refusal)
        throw new PermissionError(
          `${id}: The provided execution role does not have permissions to call ${action} on SQS. ${sentenceOf(refusal)}`,
        );
    }
  },
};

const observers = { ...policies, ...encryption, ...checks };

/**
 * Reads the policies, keys and roles of a created resource.
 *
 * @throws PermissionError where AWS would refuse to create it.
 */
export const observeResource = (
  context: TemplateContext,
  type: string,
  id: string,
  properties: unknown,
  created: Created,
): void => observers[type]?.(context, id, properties, created);
