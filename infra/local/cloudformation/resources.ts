import * as z from 'zod';
import type { Throttle } from '../api-gateway/http-api.ts';
import { element } from '../protocol/query.ts';
import type { CustomResource } from './custom-resources.ts';
import { monitoringTypes } from './monitoring-resources.ts';
import { type ResourceType, resourceType } from './resource-type.ts';
import type { Created } from './template.ts';

/** What a resource's creation may use. */
export interface DeployContext {
  readonly region: string;
  readonly account: string;
  readonly stackName: string;
  /** Calls a service of the runtime with its JSON protocol; throws where it refuses. */
  readonly call: (
    service: string,
    operation: string,
    input: object,
  ) => Promise<Readonly<Record<string, unknown>>>;
  /** Calls a service of the runtime with its query protocol; throws where it refuses. */
  readonly callQuery: (service: string, fields: Readonly<Record<string, string>>) => Promise<void>;
  /** `lifecycle` is the XML document of the bucket's rules. */
  readonly createBucket: (name: string, lifecycle?: string) => Promise<void>;
  readonly createGroup: (name: string) => Promise<void>;
  readonly functions: Map<string, LambdaFunction>;
  readonly routes: {
    readonly api: string;
    readonly key: string;
    readonly functionArn: string;
    readonly timeoutMs: number | undefined;
  }[];
  readonly integrations: Map<
    string,
    { readonly functionArn: string; readonly timeoutMs: number | undefined }
  >;
  /** What the stages of the front doors take. */
  readonly throttles: Throttle[];
  readonly sources: EventSource[];
  readonly custom: CustomResource[];
  readonly publicUrl: string;
}

export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  /** The S3 key of its code. */
  readonly code: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  /** Whether the function may be invoked in a circle. */
  readonly mayLoop: boolean;
  /** Where an event goes that failed for good, by the function's own dead-letter queue and by its destination. */
  readonly deadLetterArn?: string | undefined;
  readonly onFailure?: string | undefined;
  /** How often and how long an event is tried again; Lambda's own limits where they are absent. */
  readonly eventRetries?: number | undefined;
  readonly eventAgeSeconds?: number | undefined;
}

export interface EventSource {
  readonly queueArn: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly maximumConcurrency: number;
}

const text = z.string();
const anything = z.unknown().optional();
const number = z.coerce.number();
const Tags = z.unknown().optional();

const physical = ({ stackName }: DeployContext, id: string): string => `${stackName}-${id}`;
const arnIn = ({ region, account }: DeployContext, service: string, rest: string): string =>
  `arn:aws:${service}:${region}:${account}:${rest}`;
const inert =
  (
    attributes: (id: string, workshop: DeployContext) => Created,
  ): ((id: string, properties: unknown, workshop: DeployContext) => Created) =>
  (id, _, workshop) =>
    attributes(id, workshop);

const Rule = z.strictObject({
  EventBusName: text.optional(),
  EventPattern: z.record(z.string(), z.unknown()).optional(),
  ScheduleExpression: text.optional(),
  State: z.enum(['ENABLED', 'DISABLED']).optional(),
  Name: text.optional(),
  Description: text.optional(),
  Targets: z.array(z.record(z.string(), z.unknown())).optional(),
});

/** Every resource type that the local runtime knows. An unknown type or property is an error that names it. */
const resourceTypes: Readonly<Record<string, ResourceType>> = {
  ...monitoringTypes,
  'AWS::KMS::Key': resourceType(
    z.strictObject({
      Description: text.optional(),
      EnableKeyRotation: z.boolean().optional(),
      KeyPolicy: z.record(z.string(), z.unknown()),
      Tags,
      PendingWindowInDays: number.optional(),
    }),
    inert((id, workshop) => ({
      ref: id,
      attributes: { Arn: arnIn(workshop, 'kms', `key/${id}`), KeyId: id },
    })),
  ),
  'AWS::DynamoDB::Table': resourceType(
    z.strictObject({
      AttributeDefinitions: z.array(z.unknown()),
      KeySchema: z.array(z.unknown()),
      BillingMode: text.optional(),
      TableName: text.optional(),
      SSESpecification: anything,
      PointInTimeRecoverySpecification: anything,
      TimeToLiveSpecification: z.object({ AttributeName: text, Enabled: z.boolean() }).optional(),
      DeletionProtectionEnabled: z.boolean().optional(),
      Tags,
    }),
    async (
      id,
      { AttributeDefinitions, KeySchema, BillingMode, TableName, TimeToLiveSpecification: ttl },
      workshop,
    ) => {
      const name = TableName ?? physical(workshop, id);
      await ignoring(
        'ResourceInUseException',
        workshop.call('dynamodb', 'DynamoDB_20120810.CreateTable', {
          TableName: name,
          AttributeDefinitions,
          KeySchema,
          BillingMode,
        }),
      );
      if (ttl) await keepTimeToLive(workshop, name, ttl);
      return { ref: name, attributes: { Arn: arnIn(workshop, 'dynamodb', `table/${name}`) } };
    },
  ),
  'AWS::S3::Bucket': resourceType(
    z.strictObject({
      BucketName: text.optional(),
      BucketEncryption: anything,
      PublicAccessBlockConfiguration: anything,
      LifecycleConfiguration: z
        .strictObject({
          Rules: z.array(
            z.looseObject({
              Id: text.optional(),
              Status: z.enum(['Enabled', 'Disabled']),
              Prefix: text.default(''),
              ExpirationInDays: number.optional(),
            }),
          ),
        })
        .optional(),
      VersioningConfiguration: anything,
      OwnershipControls: anything,
      LoggingConfiguration: anything,
      CorsConfiguration: anything,
      Tags,
    }),
    async (id, { BucketName, LifecycleConfiguration: lifecycle }, workshop) => {
      const name = BucketName ?? physical(workshop, id).toLowerCase();
      await workshop.createBucket(name, lifecycle && lifecycleXml(lifecycle.Rules));
      return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } };
    },
  ),
  'AWS::S3::BucketPolicy': resourceType(
    z.strictObject({ Bucket: text, PolicyDocument: z.record(z.string(), z.unknown()) }),
    (id) => ({ ref: id }),
  ),
  'AWS::SQS::Queue': resourceType(
    z.strictObject({
      QueueName: text.optional(),
      VisibilityTimeout: number.optional(),
      MessageRetentionPeriod: number.optional(),
      DelaySeconds: number.optional(),
      RedrivePolicy: z.object({ deadLetterTargetArn: text, maxReceiveCount: number }).optional(),
      RedriveAllowPolicy: z.record(z.string(), z.unknown()).optional(),
      SqsManagedSseEnabled: z.boolean().optional(),
      Tags,
    }),
    async (
      id,
      {
        QueueName,
        VisibilityTimeout,
        MessageRetentionPeriod,
        DelaySeconds,
        RedrivePolicy,
        RedriveAllowPolicy,
      },
      workshop,
    ) => {
      const name = QueueName ?? physical(workshop, id);
      const attributes = {
        VisibilityTimeout,
        MessageRetentionPeriod,
        DelaySeconds,
        RedrivePolicy: RedrivePolicy && JSON.stringify(RedrivePolicy),
        RedriveAllowPolicy: RedriveAllowPolicy && JSON.stringify(RedriveAllowPolicy),
      };
      const Attributes = Object.fromEntries(
        Object.entries(attributes).flatMap(([key, value]) =>
          value === undefined ? [] : [[key, String(value)]],
        ),
      );
      await ignoring(
        'QueueNameExists',
        workshop.call('sqs', 'AmazonSQS.CreateQueue', { QueueName: name, Attributes }),
      );
      const { QueueUrl } = await workshop.call('sqs', 'AmazonSQS.GetQueueUrl', { QueueName: name });
      await workshop.call('sqs', 'AmazonSQS.SetQueueAttributes', { QueueUrl, Attributes });
      return {
        ref: String(QueueUrl),
        attributes: { Arn: arnIn(workshop, 'sqs', name), QueueName: name, QueueUrl: String(QueueUrl) },
      };
    },
  ),
  'AWS::SQS::QueuePolicy': resourceType(
    z.strictObject({ Queues: z.array(text), PolicyDocument: z.record(z.string(), z.unknown()) }),
    (id) => ({ ref: id }),
  ),
  'AWS::Events::EventBus': resourceType(
    z.strictObject({
      Name: text,
      Description: text.optional(),
      Tags,
      DeadLetterConfig: anything,
      KmsKeyIdentifier: text.optional(),
    }),
    async (_, { Name }, workshop) => {
      await ignoring(
        'ResourceAlreadyExistsException',
        workshop.call('events', 'AWSEvents.CreateEventBus', { Name }),
      );
      return { ref: Name, attributes: { Arn: arnIn(workshop, 'events', `event-bus/${Name}`), Name } };
    },
  ),
  'AWS::Events::Rule': resourceType(
    Rule,
    async (
      id,
      {
        EventBusName = 'default',
        EventPattern,
        ScheduleExpression,
        State = 'ENABLED',
        Name = id.slice(0, 64),
        Targets = [],
      },
      workshop,
    ) => {
      // In the account, whoever connects the partner has made its bus before.
      if (EventBusName.startsWith('aws.partner/'))
        await ignoring(
          'ResourceAlreadyExistsException',
          workshop.call('events', 'AWSEvents.CreateEventBus', {
            ...{ Name: EventBusName, EventSourceName: EventBusName },
          }),
        );
      await workshop.call('events', 'AWSEvents.PutRule', {
        Name,
        EventBusName,
        State,
        ...(EventPattern && { EventPattern: JSON.stringify(EventPattern) }),
        ...(ScheduleExpression !== undefined && { ScheduleExpression }),
      });
      if (Targets.length > 0)
        await workshop.call('events', 'AWSEvents.PutTargets', { Rule: Name, EventBusName, Targets });
      const path = EventBusName === 'default' ? Name : `${EventBusName}/${Name}`;
      const ref = EventBusName === 'default' ? Name : `${EventBusName}|${Name}`;
      return { ref, attributes: { Arn: arnIn(workshop, 'events', `rule/${path}`) } };
    },
  ),
  'AWS::Events::Archive': resourceType(
    z.strictObject({
      ArchiveName: text.optional(),
      SourceArn: text,
      Description: text.optional(),
      EventPattern: z.record(z.string(), z.unknown()).optional(),
      RetentionDays: number.optional(),
      KmsKeyIdentifier: text.optional(),
    }),
    async (id, { ArchiveName: name, SourceArn, EventPattern, RetentionDays }, workshop) => {
      const ArchiveName = name ?? physical(workshop, id).slice(-48);
      const settings = {
        ArchiveName,
        ...(EventPattern && { EventPattern: JSON.stringify(EventPattern) }),
        ...(RetentionDays !== undefined && { RetentionDays }),
      };
      const made = await ignoring(
        'ResourceAlreadyExistsException',
        workshop.call('events', 'AWSEvents.CreateArchive', { ...settings, EventSourceArn: SourceArn }),
      );
      if (made === undefined) await workshop.call('events', 'AWSEvents.UpdateArchive', settings);
      return {
        ref: ArchiveName,
        attributes: { ArchiveName, Arn: arnIn(workshop, 'events', `archive/${ArchiveName}`) },
      };
    },
  ),
  'AWS::Scheduler::ScheduleGroup': resourceType(
    z.strictObject({ Name: text, Tags }),
    async (_, { Name }, workshop) => {
      await workshop.createGroup(Name);
      return { ref: Name, attributes: { Arn: arnIn(workshop, 'scheduler', `schedule-group/${Name}`) } };
    },
  ),
  'AWS::SecretsManager::Secret': resourceType(
    z.strictObject({
      Name: text,
      Description: text.optional(),
      SecretString: text.optional(),
      KmsKeyId: text.optional(),
      Tags,
      GenerateSecretString: z
        .strictObject({
          SecretStringTemplate: text.optional(),
          GenerateStringKey: text.optional(),
          PasswordLength: number.optional(),
          ExcludeCharacters: text.optional(),
          ExcludeLowercase: z.boolean().optional(),
          ExcludeNumbers: z.boolean().optional(),
          ExcludePunctuation: z.boolean().optional(),
          ExcludeUppercase: z.boolean().optional(),
          IncludeSpace: z.boolean().optional(),
          RequireEachIncludedType: z.boolean().optional(),
        })
        .optional(),
    }),
    async (_, { Name, SecretString, GenerateSecretString: generate }, workshop) => {
      const generated = generate && (await generatedSecret(generate, workshop));
      const made = await ignoring(
        'ResourceExistsException',
        workshop.call('secretsmanager', 'secretsmanager.CreateSecret', {
          Name,
          SecretString: SecretString ?? generated ?? '{}',
        }),
      );
      const arn =
        made?.['ARN'] ??
        (await workshop.call('secretsmanager', 'secretsmanager.DescribeSecret', { SecretId: Name }))['ARN'];
      return { ref: String(arn) };
    },
  ),
  'AWS::IAM::Role': resourceType(
    z.strictObject({
      RoleName: text.optional(),
      AssumeRolePolicyDocument: z.record(z.string(), z.unknown()),
      ManagedPolicyArns: anything,
      Policies: anything,
      Description: text.optional(),
      Tags,
    }),
    (id, { RoleName }, workshop) => {
      const name = RoleName ?? physical(workshop, id);
      return { ref: name, attributes: { Arn: `arn:aws:iam::${workshop.account}:role/${name}`, RoleId: id } };
    },
  ),
  'AWS::IAM::Policy': resourceType(
    z.strictObject({
      PolicyName: text,
      PolicyDocument: z.record(z.string(), z.unknown()),
      Roles: z.array(text).optional(),
    }),
    (id) => ({ ref: id }),
  ),
  'AWS::Logs::LogGroup': resourceType(
    z.strictObject({
      LogGroupName: text.optional(),
      RetentionInDays: number.optional(),
      KmsKeyId: text.optional(),
      Tags,
    }),
    (id, { LogGroupName }, workshop) => {
      const name = LogGroupName ?? physical(workshop, id);
      return { ref: name, attributes: { Arn: arnIn(workshop, 'logs', `log-group:${name}:*`) } };
    },
  ),
  'AWS::Lambda::Function': resourceType(
    z.strictObject({
      FunctionName: text.optional(),
      Description: text.optional(),
      Code: z.strictObject({ S3Bucket: text, S3Key: text }),
      Handler: z.literal('index.handler'),
      Runtime: z.literal('nodejs24.x'),
      Role: text,
      Architectures: z.array(z.enum(['arm64', 'x86_64'])).optional(),
      Environment: z.strictObject({ Variables: z.record(z.string(), z.coerce.string()) }).optional(),
      MemorySize: number.optional(),
      Timeout: number.optional(),
      LoggingConfig: anything,
      RecursiveLoop: z.enum(['Allow', 'Terminate']).optional(),
      TracingConfig: anything,
      DeadLetterConfig: z.strictObject({ TargetArn: text }).optional(),
      Tags,
    }),
    (
      id,
      {
        FunctionName,
        Code,
        Role,
        Environment,
        Timeout = 3,
        MemorySize = 128,
        RecursiveLoop,
        DeadLetterConfig,
      },
      workshop,
    ) => {
      const name = FunctionName ?? physical(workshop, id);
      const arn = arnIn(workshop, 'lambda', `function:${name}`);
      workshop.functions.set(name, {
        name,
        arn,
        roleArn: Role,
        code: Code.S3Key,
        environment: Environment?.Variables ?? {},
        timeoutSeconds: Timeout,
        memoryMegabytes: MemorySize,
        mayLoop: RecursiveLoop === 'Allow',
        deadLetterArn: DeadLetterConfig?.TargetArn,
      });
      return { ref: name, attributes: { Arn: arn } };
    },
  ),
  'AWS::Lambda::EventInvokeConfig': resourceType(
    z.strictObject({
      FunctionName: text,
      Qualifier: z.literal('$LATEST'),
      MaximumRetryAttempts: number.optional(),
      MaximumEventAgeInSeconds: number.optional(),
      DestinationConfig: z
        .strictObject({ OnFailure: z.strictObject({ Destination: text }).optional() })
        .optional(),
    }),
    (id, properties, workshop) => {
      const target = workshop.functions.get(properties.FunctionName);
      if (target === undefined)
        throw new Error(`${id}: there is no function ${properties.FunctionName} in this template.`);
      workshop.functions.set(target.name, {
        ...target,
        eventRetries: properties.MaximumRetryAttempts,
        eventAgeSeconds: properties.MaximumEventAgeInSeconds,
        onFailure: properties.DestinationConfig?.OnFailure?.Destination,
      });
      return { ref: id };
    },
  ),
  'AWS::Lambda::EventSourceMapping': resourceType(
    z.strictObject({
      EventSourceArn: text,
      FunctionName: text,
      BatchSize: number.default(10),
      MaximumBatchingWindowInSeconds: number.default(0),
      FunctionResponseTypes: z.tuple([z.literal('ReportBatchItemFailures')]),
      ScalingConfig: z.strictObject({ MaximumConcurrency: number }).optional(),
      Enabled: z.boolean().optional(),
      Tags,
    }),
    (id, properties, workshop) => {
      workshop.sources.push({
        queueArn: properties.EventSourceArn,
        functionName: properties.FunctionName,
        batchSize: properties.BatchSize,
        windowSeconds: properties.MaximumBatchingWindowInSeconds,
        maximumConcurrency: properties.ScalingConfig?.MaximumConcurrency ?? 4,
      });
      return { ref: id };
    },
  ),
  'AWS::Lambda::Permission': resourceType(
    z.strictObject({
      Action: z.literal('lambda:InvokeFunction'),
      FunctionName: text,
      Principal: text,
      SourceArn: text.optional(),
    }),
    (id) => ({ ref: id }),
  ),
  'AWS::ApiGatewayV2::Api': resourceType(
    z.strictObject({
      Name: text,
      ProtocolType: z.literal('HTTP'),
      Description: text.optional(),
      CorsConfiguration: anything,
      DisableExecuteApiEndpoint: z.boolean().optional(),
      Tags,
    }),
    (id, _, workshop) => ({
      ref: id,
      attributes: { ApiEndpoint: workshop.publicUrl, ApiId: id },
    }),
  ),
  'AWS::ApiGatewayV2::Stage': resourceType(
    z.strictObject({
      ApiId: text,
      StageName: z.literal('$default'),
      AutoDeploy: z.boolean(),
      AccessLogSettings: anything,
      DefaultRouteSettings: z
        .object({ ThrottlingBurstLimit: number.optional(), ThrottlingRateLimit: number.optional() })
        .optional(),
      Tags,
    }),
    (
      _,
      { StageName, DefaultRouteSettings: { ThrottlingRateLimit: rate, ThrottlingBurstLimit } = {} },
      workshop,
    ) => {
      if (rate !== undefined) workshop.throttles.push({ rate, burst: ThrottlingBurstLimit ?? rate });
      return { ref: StageName };
    },
  ),
  'AWS::ApiGatewayV2::Integration': resourceType(
    z.strictObject({
      ApiId: text,
      IntegrationType: z.literal('AWS_PROXY'),
      IntegrationUri: text,
      PayloadFormatVersion: z.literal('2.0'),
      TimeoutInMillis: number.optional(),
    }),
    (id, { IntegrationUri: functionArn, TimeoutInMillis: timeoutMs }, workshop) => {
      workshop.integrations.set(id, { functionArn, timeoutMs });
      return { ref: id };
    },
  ),
  'AWS::ApiGatewayV2::Route': resourceType(
    z.strictObject({
      ApiId: text,
      RouteKey: text,
      Target: text,
      AuthorizationType: z.literal('NONE').optional(),
    }),
    (id, { ApiId, RouteKey, Target }, workshop) => {
      const integration = workshop.integrations.get(Target.replace('integrations/', ''));
      if (integration === undefined)
        throw new Error(`${id}: the target ${Target} is no integration of this template.`);
      workshop.routes.push({ api: ApiId, key: RouteKey, ...integration });
      return { ref: id };
    },
  ),
  'AWS::CDK::Metadata': resourceType(z.looseObject({}), (id) => ({ ref: id })),
};

const customResourceType = resourceType(z.looseObject({ ServiceToken: text }), (id, properties, workshop) => {
  const { ServiceToken: serviceToken } = properties;
  workshop.custom.push({ id, type: 'AWS::CloudFormation::CustomResource', serviceToken, properties });
  return { ref: id };
});

/** The type of a resource by its name. Every custom type is created by the function that its template names. */
export const resourceTypeOf = (name: string): ResourceType | undefined =>
  name.startsWith('Custom::') ? customResourceType : resourceTypes[name];

/** What expires of a bucket, as S3 takes it; the rules that only clean up behind clients change nothing here. */
const lifecycleXml = (
  rules: readonly {
    readonly Id?: string | undefined;
    readonly Status: string;
    readonly Prefix: string;
    readonly ExpirationInDays?: number | undefined;
  }[],
): string =>
  `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rules
    .filter(({ ExpirationInDays }) => ExpirationInDays !== undefined)
    .map(
      ({ Id, Status, Prefix, ExpirationInDays }) =>
        `<Rule>${element('ID', Id)}${element('Status', Status)}<Filter>${element('Prefix', Prefix)}</Filter><Expiration>${element('Days', ExpirationInDays)}</Expiration></Rule>`,
    )
    .join('')}</LifecycleConfiguration>`;

/** A secret as CloudFormation makes it: a random password, alone or in a template of JSON. */
const generatedSecret = async (
  {
    SecretStringTemplate: template,
    GenerateStringKey: key,
    ...rules
  }: { readonly SecretStringTemplate?: string | undefined; readonly GenerateStringKey?: string | undefined },
  workshop: DeployContext,
): Promise<string> => {
  const made = await workshop.call('secretsmanager', 'secretsmanager.GetRandomPassword', rules);
  const { RandomPassword } = z.object({ RandomPassword: text }).parse(made);
  if ((template === undefined) !== (key === undefined))
    throw new Error('SecretStringTemplate and GenerateStringKey go together: give both or none.');
  if (template === undefined || key === undefined) return RandomPassword;
  const fields = z.record(z.string(), z.json()).parse(JSON.parse(template));
  return JSON.stringify({ ...fields, [key]: RandomPassword });
};

/** Sets a table's time to live, once the table is there and where it is not so already; a real endpoint minds both. */
const keepTimeToLive = async (
  workshop: DeployContext,
  TableName: string,
  ttl: { readonly AttributeName: string; readonly Enabled: boolean },
): Promise<void> => {
  const ask = (operation: string, more: object = {}): Promise<Readonly<Record<string, unknown>>> =>
    workshop.call('dynamodb', `DynamoDB_20120810.${operation}`, { TableName, ...more });
  const Described = z.object({ Table: z.object({ TableStatus: text }) });
  while (Described.parse(await ask('DescribeTable')).Table.TableStatus === 'CREATING')
    await new Promise((resolve) => setTimeout(resolve, 500));
  const { TimeToLiveDescription: present } = z
    .object({ TimeToLiveDescription: z.object({ TimeToLiveStatus: text }) })
    .parse(await ask('DescribeTimeToLive'));
  if (present.TimeToLiveStatus.startsWith('ENABL') !== ttl.Enabled)
    await ask('UpdateTimeToLive', { TimeToLiveSpecification: ttl });
};

/** Deploying again onto the same state finds what is there. */
const ignoring = async <Result>(error: string, work: Promise<Result>): Promise<Result | undefined> => {
  try {
    return await work;
  } catch (caught) {
    if (caught instanceof Error && caught.name === error) return undefined;
    throw caught;
  }
};
