import * as z from 'zod';
import type { Created } from '../cloudformation/template.ts';
import { ServiceError } from '../protocol/json.ts';
import { type Need, placeOf, type Statement, speaksOf, statementsOf } from './policy.ts';
import { type Refusal, sentenceOf } from './refusal.ts';

/** Somebody who acts: a role (in a session), or a service in its own name, for a resource. */
export type Actor =
  | { readonly role: string; readonly session: string }
  | { readonly service: string; readonly source: string };

/** A delivery or a deployment that a policy does not allow. It is not tried again: a policy does not heal by waiting. */
export class PermissionError extends ServiceError {
  constructor(message: string) {
    super('AccessDenied', message, 403);
    this.name = 'PermissionError';
  }
}

/** What was decided of one need, for whoever watches. */
export interface Decision {
  readonly need: Need;
  /** The statements that allowed it; each alone would have been enough. None where it was refused. */
  readonly by: readonly string[];
  readonly refusal?: Refusal;
}

interface Surroundings {
  readonly region: string;
  readonly account: string;
  readonly onDecision: (decision: Decision) => void;
}

export interface Permissions {
  /** Takes note of what a created resource of the template says about permissions. Throws `PermissionError` where AWS would refuse to create it. */
  observe(type: string, id: string, properties: unknown, created: Created): void;
  /** Why an actor may not do something that it has asked for, or undefined when it may. */
  refusal(actor: Actor, need: Need): Refusal | undefined;
  /** Whether it might, though it has not asked. */
  allows(actor: Actor, need: Need): boolean;
  /** Whether a role's trust policy lets a service act with it. */
  mayAssume(service: string, roleArn: string): boolean;
  /** The explicit denial of a resource's policy, which binds the account's own administrator too. */
  denial(need: Need): Refusal | undefined;
  /** The customer-managed key that encrypts a table, a bucket, a queue or a topic. */
  keyOf(arn: string): string | undefined;
  /** The name of a table's partition key. */
  partitionKeyOf(arn: string): string | undefined;
  /** What functions may not do with their own logs: they run, and their logs are lost. */
  readonly unlogged: readonly Refusal[];
}

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
const Bucket = z.looseObject({
  BucketEncryption: z
    .looseObject({
      ServerSideEncryptionConfiguration: z.array(
        z.looseObject({
          ServerSideEncryptionByDefault: z.looseObject({ KMSMasterKeyID: z.string().optional() }).optional(),
        }),
      ),
    })
    .optional(),
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
const EventSource = z.looseObject({ EventSourceArn: z.string(), FunctionName: z.string() });

const placesOf = (statements: readonly Statement[]): string[] => statements.map(({ place }) => place);
const nameOf = (roleArn: string): string => roleArn.split('/').at(-1) ?? roleArn;

/** The policies of a deployed template, evaluated as AWS does within one account. */
export const permissions = ({ region, account, onDecision }: Surroundings): Permissions => {
  const identity = new Map<string, Statement[]>();
  const trust = new Map<string, Statement[]>();
  const resource = new Map<string, Statement[]>();
  const keys = new Map<string, string>();
  const partitions = new Map<string, string>();
  const roleOfFunction = new Map<string, string>();
  const unlogged: Refusal[] = [];
  const root = `arn:aws:iam::${account}:root`;

  const add = (to: Map<string, Statement[]>, key: string, statements: readonly Statement[]): void => {
    to.set(key, [...(to.get(key) ?? []), ...statements]);
  };
  /** Statements that stand on a resource; an object is under its bucket's. */
  const standingOn = (arn: string): readonly Statement[] =>
    resource.get(arn) ?? resource.get(arn.replace(/^(arn:aws:s3:::[^/]+)\/.*$/su, '$1')) ?? [];

  const names = ({ Principal }: Statement, actor: Actor): 'itself' | 'account' | undefined => {
    if (Principal === undefined) return undefined;
    if ('service' in actor) return Principal.Service?.includes(actor.service) ? 'itself' : undefined;
    const own = Principal.AWS ?? [];
    if (own.some((one) => one === '*' || one === actor.role)) return 'itself';
    return own.some((one) => one === root || one === account) ? 'account' : undefined;
  };

  const contextOf = (actor: Actor, need: Need): Need => ({
    ...need,
    context: {
      // The loopback stands for TLS: what runs on one machine does not leave it.
      'aws:securetransport': ['true'],
      ...('role' in actor
        ? { 'aws:principalarn': [actor.role], 'aws:principalaccount': [account] }
        : { 'aws:sourcearn': [actor.source], 'aws:sourceaccount': [account] }),
      ...need.context,
    },
  });

  const decide = (actor: Actor, plain: Need): Decision => {
    const need = contextOf(actor, plain);
    const own = 'role' in actor ? (identity.get(nameOf(actor.role)) ?? []) : [];
    const speaking = own.filter((statement) => speaksOf(statement, need));
    const standing = standingOn(need.resource).filter((statement) => speaksOf(statement, need));
    const caller =
      'role' in actor
        ? `arn:aws:sts::${account}:assumed-role/${nameOf(actor.role)}/${actor.session}`
        : `${actor.service} (${actor.source})`;
    const refused = (because: Refusal['because']): Decision => ({
      need: plain,
      by: [],
      refusal: { ...plain, because, caller },
    });
    const denies = (statement: Statement): boolean => statement.Effect === 'Deny';
    if (speaking.some(denies) || standing.some((one) => denies(one) && names(one, actor) !== undefined))
      return refused('explicit-deny');
    const allowing = standing.filter((statement) => !denies(statement));
    const itself = allowing.filter((statement) => names(statement, actor) === 'itself');
    if (itself.length > 0) return { need: plain, by: placesOf(itself) };
    if ('service' in actor) return refused('no-resource-policy');
    // A key answers to its own policy alone; only where that hands the decision to the account does IAM count.
    const handing = allowing.filter((statement) => names(statement, actor) === 'account');
    const isKey = need.action.startsWith('kms:');
    if (isKey && handing.length === 0) return refused('no-resource-policy');
    if (speaking.length === 0) return refused('no-identity-policy');
    return { need: plain, by: placesOf(isKey ? [...speaking, ...handing] : speaking) };
  };
  const refusal = (actor: Actor, need: Need): Refusal | undefined => {
    const decision = decide(actor, need);
    onDecision(decision);
    return decision.refusal;
  };

  const mayAssume = (service: string, roleArn: string): boolean => {
    const actor = { service, source: '' };
    return (trust.get(nameOf(roleArn)) ?? []).some(
      (one) =>
        one.Effect === 'Allow' &&
        names(one, actor) !== undefined &&
        speaksOf(one, contextOf(actor, { action: 'sts:AssumeRole', resource: roleArn })),
    );
  };

  const observers: Readonly<Record<string, (id: string, properties: unknown, created: Created) => void>> = {
    'AWS::IAM::Role'(id, properties, { ref }) {
      const { AssumeRolePolicyDocument, Policies = [] } = Role.parse(properties);
      trust.set(ref, statementsOf(AssumeRolePolicyDocument, id));
      identity.set(
        ref,
        Policies.flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument, id)),
      );
    },
    'AWS::IAM::Policy'(id, properties) {
      const { PolicyDocument, Roles } = Policy.parse(properties);
      for (const role of Roles) add(identity, role, statementsOf(PolicyDocument, id));
    },
    'AWS::SQS::QueuePolicy'(id, properties) {
      const { PolicyDocument, Queues } = QueuePolicy.parse(properties);
      for (const url of Queues)
        resource.set(
          `arn:aws:sqs:${region}:${account}:${url.split('/').at(-1)}`,
          statementsOf(PolicyDocument, id),
        );
    },
    'AWS::SNS::TopicPolicy'(id, properties) {
      const { PolicyDocument, Topics } = TopicPolicy.parse(properties);
      for (const topic of Topics) resource.set(topic, statementsOf(PolicyDocument, id));
    },
    'AWS::S3::BucketPolicy'(id, properties) {
      const { PolicyDocument, Bucket: bucket } = BucketPolicy.parse(properties);
      resource.set(`arn:aws:s3:::${bucket}`, statementsOf(PolicyDocument, id));
    },
    'AWS::KMS::Key'(id, properties, { attributes = {} }) {
      resource.set(attributes['Arn'] ?? id, statementsOf(Key.parse(properties).KeyPolicy, id));
    },
    'AWS::DynamoDB::Table'(_, properties, { attributes = {} }) {
      const { KeySchema, SSESpecification } = Table.parse(properties);
      const partition = KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
      if (partition !== undefined) partitions.set(attributes['Arn'] ?? '', partition);
      const key = SSESpecification?.KMSMasterKeyId;
      if (key !== undefined) keys.set(attributes['Arn'] ?? '', key);
    },
    'AWS::SNS::Topic'(_, properties, { ref }) {
      const key = Encrypted.parse(properties).KmsMasterKeyId;
      if (key !== undefined) keys.set(ref, key);
    },
    'AWS::SQS::Queue'(_, properties, { attributes = {} }) {
      const key = Encrypted.parse(properties).KmsMasterKeyId;
      if (key !== undefined) keys.set(attributes['Arn'] ?? '', key);
    },
    'AWS::S3::Bucket'(_, properties, { attributes = {} }) {
      const [rule] = Bucket.parse(properties).BucketEncryption?.ServerSideEncryptionConfiguration ?? [];
      const key = rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID;
      if (key !== undefined) keys.set(attributes['Arn'] ?? '', key);
    },
    'AWS::Lambda::Permission'(id, properties) {
      const { Action, FunctionName, Principal, SourceArn, SourceAccount } =
        LambdaPermission.parse(properties);
      const functionArn = FunctionName.startsWith('arn:')
        ? FunctionName
        : `arn:aws:lambda:${region}:${account}:function:${FunctionName}`;
      add(resource, functionArn, [
        {
          place: placeOf(id, 0),
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
    'AWS::Lambda::Function'(id, properties, { ref }) {
      const { Role: role, LoggingConfig } = LambdaFunction.parse(properties);
      if (!mayAssume('lambda.amazonaws.com', role))
        throw new PermissionError(`${id}: The role defined for the function cannot be assumed by Lambda.`);
      roleOfFunction.set(ref, role);
      const group = `arn:aws:logs:${region}:${account}:log-group:${LoggingConfig?.LogGroup ?? `/aws/lambda/${ref}`}`;
      const writes = [
        { action: 'logs:CreateLogStream', resource: `${group}:log-stream:` },
        { action: 'logs:PutLogEvents', resource: `${group}:log-stream:2026/01/01/[$LATEST]0` },
      ];
      for (const need of writes) {
        const refused = refusal({ role, session: ref }, need);
        if (refused) unlogged.push(refused);
      }
    },
    'AWS::Lambda::EventSourceMapping'(id, properties) {
      const { EventSourceArn, FunctionName } = EventSource.parse(properties);
      const session = FunctionName.split(':').at(-1) ?? FunctionName;
      const role = roleOfFunction.get(session) ?? '';
      for (const action of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) {
        const refused = refusal({ role, session }, { action: `sqs:${action}`, resource: EventSourceArn });
        if (refused)
          throw new PermissionError(
            `${id}: The provided execution role does not have permissions to call ${action} on SQS. ${sentenceOf(refused)}`,
          );
      }
    },
  };

  return {
    observe: (type, id, properties, created) => observers[type]?.(id, properties, created),
    refusal,
    mayAssume,
    allows: (actor, need) => decide(actor, need).refusal === undefined,
    denial(need) {
      const denying = standingOn(need.resource).filter((one) => one.Effect === 'Deny' && speaksOf(one, need));
      if (denying.length === 0) return undefined;
      onDecision({ need, by: placesOf(denying) });
      return { ...need, caller: root, because: 'explicit-deny' };
    },
    partitionKeyOf: (arn) => partitions.get(arn),
    keyOf: (arn) => keys.get(arn),
    unlogged,
  };
};
