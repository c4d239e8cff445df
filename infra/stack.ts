import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type App,
  ArnFormat,
  aws_apigatewayv2 as apigateway,
  CfnOutput,
  CustomResource,
  Duration,
  aws_dynamodb as dynamodb,
  aws_events as events,
  aws_iam as iam,
  aws_kms as kms,
  aws_lambda as lambda,
  aws_logs as logs,
  RemovalPolicy,
  Stack,
  aws_s3 as s3,
  aws_scheduler as scheduler,
  aws_secretsmanager as secretsmanager,
  aws_sqs as sqs,
} from 'aws-cdk-lib';
import type { HubConfig } from '../core/hub-config.ts';
import type { Seed } from './seed.ts';

interface HubProps {
  readonly hub: HubConfig;
  readonly seed: Seed;
  /** The folder that holds each function's bundle. */
  readonly bundles: string;
}

interface WorkQueue {
  readonly queue: sqs.Queue;
  readonly dead: sqs.Queue;
}

/** Routes of the API function, as API Gateway names them. */
export const apiRoutes = [
  'GET /health',
  'GET /customers',
  'GET /customers/{id}',
  'GET /customers/{id}/timeline',
  'GET /reviews',
  'POST /commands',
  'GET /unsubscribe/{token}',
  'POST /unsubscribe/{token}',
] as const;

/** Everything a hub is made of in its AWS account. */
export class HubStack extends Stack {
  readonly #hub: HubConfig;
  readonly #bundles: string;
  readonly #key: kms.Key;
  readonly #table: dynamodb.Table;
  readonly #bucket: s3.Bucket;
  readonly #bus: events.EventBus;

  constructor(app: App, id: string, { hub, seed, bundles }: HubProps) {
    super(app, id, {
      description: 'Tributary: many channels, one customer',
      tags: { hub: hub.name },
      analyticsReporting: false,
    });
    this.#hub = hub;
    this.#bundles = bundles;
    this.#key = new kms.Key(this, 'Key', {
      enableKeyRotation: true,
      description: `Customer data of the hub ${hub.name}`,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.#table = this.#customers();
    this.#bucket = this.#files();
    this.#bus = new events.EventBus(this, 'Bus', { eventBusName: `tributary-${hub.name}` });

    const api = new apigateway.HttpApi(this, 'Api', {
      apiName: `tributary-${hub.name}`,
      createDefaultStage: true,
    });
    const deliveries = this.#workQueue('Deliveries', Duration.seconds(180));
    const decisions = this.#workQueue('Decisions', Duration.seconds(180));
    const notifications = this.#workQueue('Notifications', Duration.seconds(180));

    const receive = this.#function(
      'Receive',
      'receive',
      {
        PUBLIC_URL: api.apiEndpoint,
        QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl,
        BUCKET: this.#bucket.bucketName,
      },
      10,
    );
    this.#allow(receive, ['sqs:SendMessage'], deliveries.queue.queueArn);
    this.#allow(receive, ['s3:PutObject'], this.#bucket.arnForObjects('deliveries/*'));
    this.#allow(receive, ['secretsmanager:GetSecretValue'], this.#secretArn('channels/*'));
    receive.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['dynamodb:PutItem'],
        resources: [this.#table.tableArn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['once#*'] } },
      }),
    );
    this.#useKey(receive);
    for (const path of ['/webhooks/{provider}', '/webhooks/{provider}/{account}'])
      this.#route(api, `ANY ${path}`, receive);

    const record = this.#function('Record', 'record', { BUCKET: this.#bucket.bucketName });
    this.#consume(record, deliveries);
    this.#allow(
      record,
      [
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:ConditionCheckItem',
      ],
      this.#table.tableArn,
    );
    this.#allow(record, ['s3:GetObject'], this.#bucket.arnForObjects('deliveries/*'));
    for (const kept of ['failures/*', 'texts/*'])
      this.#allow(record, ['s3:PutObject'], this.#bucket.arnForObjects(kept));
    this.#allow(record, ['events:PutEvents'], this.#bus.eventBusArn);
    this.#useKey(record);

    const group = new scheduler.CfnScheduleGroup(this, 'Waits', { name: `tributary-${hub.name}` });
    const timers = new iam.Role(this, 'Timers', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com'),
    });
    this.#allow(timers, ['sqs:SendMessage'], decisions.queue.queueArn);
    this.#allow(timers, ['sqs:SendMessage'], decisions.dead.queueArn);

    const decide = this.#function('Decide', 'decide', {
      QUEUE_URL_NOTIFICATIONS: notifications.queue.queueUrl,
      QUEUE_ARN_DECISIONS: decisions.queue.queueArn,
      DEAD_ARN_DECISIONS: decisions.dead.queueArn,
      SCHEDULE_GROUP: group.ref,
      SCHEDULE_ROLE_ARN: timers.roleArn,
    });
    this.#consume(decide, decisions);
    this.#allow(
      decide,
      [
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:ConditionCheckItem',
      ],
      this.#table.tableArn,
    );
    this.#allow(decide, ['sqs:SendMessage'], notifications.queue.queueArn);
    this.#allow(
      decide,
      ['scheduler:CreateSchedule'],
      this.formatArn({ service: 'scheduler', resource: 'schedule', resourceName: `tributary-${hub.name}/*` }),
    );
    this.#allow(decide, ['iam:PassRole'], timers.roleArn);
    this.#allow(decide, ['events:PutEvents'], this.#bus.eventBusArn);
    this.#useKey(decide);

    const notify = this.#function('Notify', 'notify', {
      QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl,
      PUBLIC_URL: api.apiEndpoint,
    });
    this.#consume(notify, notifications);
    this.#allow(
      notify,
      ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      this.#table.tableArn,
    );
    this.#allow(notify, ['sqs:SendMessage'], deliveries.queue.queueArn);
    this.#allow(notify, ['events:PutEvents'], this.#bus.eventBusArn);
    this.#allow(
      notify,
      ['ses:SendRawEmail'],
      this.formatArn({ service: 'ses', resource: 'identity', resourceName: '*' }),
    );
    this.#allow(
      notify,
      ['sms-voice:SendTextMessage'],
      this.formatArn({ service: 'sms-voice', resource: '*', resourceName: '*' }),
    );
    this.#allow(
      notify,
      ['sns:Publish'],
      this.formatArn({ service: 'sns', resource: 'endpoint', resourceName: '*' }),
    );
    this.#allow(notify, ['secretsmanager:GetSecretValue'], this.#secretArn('senders/*'));
    this.#allow(notify, ['secretsmanager:GetSecretValue'], this.#secretArn('signing*'));
    this.#useKey(notify);

    for (const crm of Object.keys(hub.crms)) this.#sync(crm);

    const use = this.#function('ApiFunction', 'api', { QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl }, 15);
    this.#allow(use, ['dynamodb:BatchGetItem', 'dynamodb:Query'], this.#table.tableArn);
    this.#allow(use, ['sqs:SendMessage'], deliveries.queue.queueArn);
    this.#allow(use, ['secretsmanager:GetSecretValue'], this.#secretArn('api*'));
    this.#allow(use, ['secretsmanager:GetSecretValue'], this.#secretArn('signing*'));
    this.#useKey(use);
    for (const route of apiRoutes) this.#route(api, route, use);
    new secretsmanager.CfnSecret(this, 'ApiKeys', {
      name: `${hub.name}/api`,
      description: 'Keys that may use the API of the hub',
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'keys',
        excludePunctuation: true,
        passwordLength: 40,
      },
    });
    new secretsmanager.CfnSecret(this, 'SigningKeys', {
      name: `${hub.name}/signing`,
      description: 'Keys that sign the links in messages',
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'keys',
        excludePunctuation: true,
        passwordLength: 40,
      },
    });
    for (const channel of Object.keys(hub.channels))
      this.#secret('Channel', `channels/${channel}`, `Signing secrets of ${channel}`);

    this.#configuration(seed, decisions);
    new CfnOutput(this, 'Url', {
      value: api.apiEndpoint,
      description: 'The public base of webhooks and of the API',
    });
  }

  #customers(): dynamodb.Table {
    return new dynamodb.Table(this, 'Customers', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.#key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'expiresAt',
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  #files(): s3.Bucket {
    return new s3.Bucket(this, 'Files', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: this.#key,
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{ prefix: 'deliveries/', expiration: Duration.days(14) }],
    });
  }

  /** A queue and the dead-letter queue behind it. Five tries, then a person must look. */
  #workQueue(name: string, visibility: Duration): WorkQueue {
    const dead = new sqs.Queue(this, `${name}Dead`, {
      retentionPeriod: Duration.days(14),
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    const queue = new sqs.Queue(this, name, {
      visibilityTimeout: visibility,
      retentionPeriod: Duration.days(14),
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      deadLetterQueue: { queue: dead, maxReceiveCount: 5 },
    });
    return { queue, dead };
  }

  #function(
    id: string,
    bundle: string,
    env: Readonly<Record<string, string>>,
    timeoutSeconds = 30,
  ): lambda.Function {
    const role = new iam.Role(this, `${id}Role`, {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    const group = new logs.LogGroup(this, `${id}Logs`, {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.#allow(role, ['logs:CreateLogStream', 'logs:PutLogEvents'], group.logGroupArn);
    return new lambda.Function(this, id, {
      runtime: new lambda.Runtime('nodejs24.x', lambda.RuntimeFamily.NODEJS),
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(join(this.#bundles, bundle)),
      memorySize: 512,
      timeout: Duration.seconds(timeoutSeconds),
      role,
      logGroup: group,
      environment: { HUB: this.#hub.name, TABLE: this.#table.tableName, BUS: this.#bus.eventBusName, ...env },
    });
  }

  #allow(who: lambda.Function | iam.Role, actions: string[], resource: string): void {
    const role = who instanceof lambda.Function ? who.role : who;
    role?.addToPrincipalPolicy(new iam.PolicyStatement({ actions, resources: [resource] }));
  }

  /** The table and the bucket are encrypted with the hub's key: whoever reads or writes them uses it. */
  #useKey(who: lambda.Function): void {
    this.#allow(who, ['kms:Decrypt', 'kms:GenerateDataKey'], this.#key.keyArn);
  }

  #consume(
    who: lambda.Function,
    { queue }: WorkQueue,
    {
      batchSize = 10,
      windowSeconds = 0,
      maximumConcurrency,
    }: { batchSize?: number; windowSeconds?: number; maximumConcurrency?: number } = {},
  ): void {
    this.#allow(who, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], queue.queueArn);
    new lambda.CfnEventSourceMapping(this, `${who.node.id}Source`, {
      eventSourceArn: queue.queueArn,
      functionName: who.functionName,
      batchSize,
      maximumBatchingWindowInSeconds: windowSeconds,
      functionResponseTypes: ['ReportBatchItemFailures'],
      ...(maximumConcurrency !== undefined && { scalingConfig: { maximumConcurrency } }),
    });
  }

  #route(api: apigateway.HttpApi, routeKey: string, target: lambda.Function): void {
    const id = `${target.node.id}Integration`;
    const integration =
      (this.node.tryFindChild(id) as apigateway.CfnIntegration | undefined) ??
      new apigateway.CfnIntegration(this, id, {
        apiId: api.apiId,
        integrationType: 'AWS_PROXY',
        integrationUri: target.functionArn,
        payloadFormatVersion: '2.0',
      });
    new apigateway.CfnRoute(this, `Route ${routeKey}`, {
      apiId: api.apiId,
      routeKey,
      target: `integrations/${integration.ref}`,
    });
    const permission = `${target.node.id}Permission`;
    if (this.node.tryFindChild(permission)) return;
    new lambda.CfnPermission(this, permission, {
      action: 'lambda:InvokeFunction',
      functionName: target.functionArn,
      principal: 'apigateway.amazonaws.com',
      sourceArn: this.formatArn({ service: 'execute-api', resource: api.apiId, resourceName: '*/*' }),
    });
  }

  /** One CRM: its own queue, function and secret; rules that hand it ids. */
  #sync(crm: string): void {
    const name = `Sync${crm.charAt(0).toUpperCase()}${crm.slice(1)}`;
    const work = this.#workQueue(`${name}Queue`, Duration.seconds(180));
    const sync = this.#function(name, `sync-${crm}`, {
      QUEUE_URL_SYNC: work.queue.queueUrl,
    });
    // A CRM is asked rarely and with much: a call takes hundreds of records, and its calls are rationed.
    this.#consume(sync, work, { batchSize: 500, windowSeconds: 2, maximumConcurrency: 2 });
    this.#allow(sync, ['sqs:SendMessage'], work.queue.queueArn);
    this.#allow(
      sync,
      ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      this.#table.tableArn,
    );
    this.#allow(sync, ['secretsmanager:GetSecretValue'], this.#secretArn(`crm/${crm}*`));
    this.#allow(sync, ['events:PutEvents'], this.#bus.eventBusArn);
    this.#useKey(sync);
    this.#secret('Crm', `crm/${crm}`, `Credentials of ${crm}`);
    const half = '$.detail.customer.half';
    this.#rule(`${name}Interactions`, { 'detail-type': ['interaction.recorded'] }, work, {
      inputPathsMap: { half, interaction: '$.detail.id', occurredAt: '$.detail.occurredAt' },
      inputTemplate: '{"half":"<half>","interaction":"<interaction>","occurredAt":"<occurredAt>"}',
    });
    this.#rule(
      `${name}Customers`,
      { 'detail-type': ['customer.merged', 'customer.unmerged', 'consent.changed'] },
      work,
      { inputPathsMap: { half }, inputTemplate: '{"half":"<half>"}' },
    );
  }

  #rule(
    id: string,
    pattern: object,
    { queue, dead }: WorkQueue,
    inputTransformer: events.CfnRule.InputTransformerProperty,
  ): void {
    const rule = new events.CfnRule(this, id, {
      eventBusName: this.#bus.eventBusName,
      eventPattern: { source: ['tributary'], ...pattern },
      targets: [
        { id: 'queue', arn: queue.queueArn, deadLetterConfig: { arn: dead.queueArn }, inputTransformer },
      ],
    });
    this.#letRulesSend([queue, dead], { ArnEquals: { 'aws:SourceArn': rule.attrArn } });
  }

  /** A queue takes what rules send to it, from those rules alone. */
  #letRulesSend(queues: readonly sqs.Queue[], conditions: Record<string, Record<string, string>>): void {
    for (const queue of queues) {
      queue.addToResourcePolicy(
        new iam.PolicyStatement({
          principals: [new iam.ServicePrincipal('events.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [queue.queueArn],
          conditions,
        }),
      );
    }
  }

  #secret(kind: string, name: string, description: string): void {
    new secretsmanager.CfnSecret(this, `${kind}Secret${name.split('/').at(-1)}`, {
      name: `${this.#hub.name}/${name}`,
      description,
      secretString: '{}',
    });
  }

  #secretArn(name: string): string {
    return this.formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${this.#hub.name}/${name}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  /** Seeds the running configuration and publishes the triggers; takes the rules made at run time away with the stack. */
  #configuration(seed: Seed, { queue, dead }: WorkQueue): void {
    const text = JSON.stringify(seed);
    writeFileSync(join(this.#bundles, 'deploy', 'seed.json'), text);
    const deploy = this.#function(
      'Deploy',
      'deploy',
      { QUEUE_ARN_DECISIONS: queue.queueArn, DEAD_ARN_DECISIONS: dead.queueArn },
      300,
    );
    const rules = this.formatArn({
      service: 'events',
      resource: 'rule',
      resourceName: `${this.#bus.eventBusName}/trigger-*`,
    });
    this.#allow(
      deploy,
      ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      this.#table.tableArn,
    );
    this.#allow(
      deploy,
      ['events:PutRule', 'events:PutTargets', 'events:RemoveTargets', 'events:DeleteRule'],
      rules,
    );
    this.#allow(
      deploy,
      ['events:ListRules'],
      this.formatArn({ service: 'events', resource: 'rule', resourceName: `${this.#bus.eventBusName}/*` }),
    );
    this.#useKey(deploy);
    this.#letRulesSend([queue, dead], { ArnLike: { 'aws:SourceArn': rules } });
    new CustomResource(this, 'Configuration', {
      serviceToken: deploy.functionArn,
      resourceType: 'Custom::TributaryConfiguration',
      properties: { seed: createHash('sha256').update(text).digest('hex') },
    }).node.addDependency(this.#bus, this.#table);
  }
}
