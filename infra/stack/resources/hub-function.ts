import { join } from 'node:path';
import {
  Duration,
  aws_iam as iam,
  aws_lambda as lambda,
  aws_logs as logs,
  RemovalPolicy,
  Stack,
  type aws_sqs as sqs,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Secrets } from './secrets.ts';
import type { Storage } from './storage.ts';
import type { WorkQueue } from './work-queue.ts';

/** What every construct of the stack uses. */
export interface SharedResources {
  readonly hub: HubConfig;
  /** The folder that holds each function's bundle. */
  readonly bundles: string;
  readonly storage: Storage;
  readonly secrets: Secrets;
}

interface FunctionProps {
  /** Its name in `infra/stack/bundle.ts`. */
  readonly bundle: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Default 30. A queue's visibility timeout must be six times as long. */
  readonly timeoutSeconds?: number;
  /** Default 512. */
  readonly memoryMb?: number;
  /** Set where the function sends to the queue that it consumes: Lambda stops such a loop after sixteen runs otherwise. */
  readonly sendsToOwnQueue?: boolean;
}

interface ConsumeOptions {
  /** Default 10. */
  readonly batchSize?: number;
  /** How long messages are gathered into a batch. Default 0. */
  readonly windowSeconds?: number;
  /** Of this queue. Without one it may take every concurrent execution of the account. */
  readonly maximumConcurrency: number;
}

/** One Lambda function with its bundle, its log group, and a role of its own that may do only what `allow…` grants. */
export class HubFunction extends Construct {
  readonly lambda: lambda.Function;
  readonly role: iam.Role;
  readonly timeoutSeconds: number;
  readonly #shared: SharedResources;

  constructor(
    scope: Construct,
    id: string,
    shared: SharedResources,
    { bundle, environment = {}, timeoutSeconds = 30, memoryMb = 512, sendsToOwnQueue = false }: FunctionProps,
  ) {
    super(scope, id);
    this.#shared = shared;
    this.timeoutSeconds = timeoutSeconds;
    const { hub, storage } = shared;
    this.role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn);
    this.lambda = new lambda.Function(this, 'Function', {
      runtime: new lambda.Runtime('nodejs24.x', lambda.RuntimeFamily.NODEJS),
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(join(shared.bundles, bundle)),
      memorySize: memoryMb,
      timeout: Duration.seconds(timeoutSeconds),
      role: this.role,
      logGroup,
      ...(sendsToOwnQueue && { recursiveLoop: lambda.RecursiveLoop.ALLOW }),
      environment: {
        HUB: hub.name,
        TABLE: storage.table.tableName,
        ...environment,
      },
    });
  }

  allow(actions: string[], resource: string, conditions?: iam.Conditions): void {
    this.role.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions, resources: [resource], ...(conditions && { conditions }) }),
    );
  }

  /** Allows putting events on the hub's bus. */
  allowPublishing(): void {
    const { bus } = this.#shared.storage;
    this.lambda.addEnvironment('BUS', bus.eventBusName);
    this.allow(['events:PutEvents'], bus.eventBusArn);
  }

  /**
   * Allows the use of the hub's key through the services whose data it encrypts. Rows and the reading of files need
   * `kms:Decrypt`; writing files, or publishing to a topic, needs a data key as well.
   */
  allowKey({ files = false, topic = false } = {}): void {
    const { region } = Stack.of(this);
    const services = ['dynamodb', ...(files ? ['s3'] : []), ...(topic ? ['sns'] : [])];
    const actions = ['kms:Decrypt', ...(files || topic ? ['kms:GenerateDataKey'] : [])];
    this.allow(actions, this.#shared.storage.key.keyArn, {
      StringEquals: { 'kms:ViaService': services.map((service) => `${service}.${region}.amazonaws.com`) },
    });
  }

  /** Invokes the function with the messages of a queue; the function reports those that failed. */
  consume({ queue }: WorkQueue, options: ConsumeOptions): void {
    this.#addSource(queue, `Source${queue.node.scope?.node.id ?? ''}`, options);
  }

  /** Invokes the function with the dead letters of a queue. */
  consumeDeadLetters({ deadLetters }: WorkQueue): void {
    this.#addSource(deadLetters, `Dead${deadLetters.node.scope?.node.id ?? ''}`, { maximumConcurrency: 2 });
  }

  /** Allows storing the payloads of permanent failures in the bucket. */
  allowSavingFailures(stage: string): void {
    const { bucket } = this.#shared.storage;
    this.lambda.addEnvironment('BUCKET', bucket.bucketName);
    this.allow(['s3:PutObject'], bucket.arnForObjects(`failures/${stage}/*`));
  }

  #addSource(
    queue: sqs.Queue,
    id: string,
    { batchSize = 10, windowSeconds = 0, maximumConcurrency }: ConsumeOptions,
  ): void {
    this.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], queue.queueArn);
    new lambda.CfnEventSourceMapping(this, id, {
      eventSourceArn: queue.queueArn,
      functionName: this.lambda.functionName,
      batchSize,
      maximumBatchingWindowInSeconds: windowSeconds,
      functionResponseTypes: ['ReportBatchItemFailures'],
      scalingConfig: { maximumConcurrency },
    });
  }
}
