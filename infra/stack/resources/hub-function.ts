import { join } from 'node:path';
import {
  Duration,
  aws_iam as iam,
  aws_lambda as lambda,
  aws_logs as logs,
  RemovalPolicy,
  type aws_sqs as sqs,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Storage } from './storage.ts';
import type { WorkQueue } from './work-queue.ts';

/** What every part of the stack stands on. */
export interface SharedResources {
  readonly hub: HubConfig;
  /** The folder that holds each function's bundle. */
  readonly bundles: string;
  readonly storage: Storage;
}

interface FunctionProps {
  /** Its name in `infra/stack/bundle.ts`. */
  readonly bundle: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Default 30. A queue's visibility timeout must be six times as long. */
  readonly timeoutSeconds?: number;
  /** Default 512. */
  readonly memoryMb?: number;
  /** It sends messages to the queue that it works off, which Lambda would else stop as a loop. */
  readonly queuesItself?: boolean;
}

interface ConsumeOptions {
  /** Default 10. */
  readonly batchSize?: number;
  /** Default 0: a message is not kept waiting for others. */
  readonly windowSeconds?: number;
  readonly maximumConcurrency?: number;
}

/** One function: its bundle, its own role that may do nothing unless `allow` says so, its log group. */
export class HubFunction extends Construct {
  readonly lambda: lambda.Function;
  readonly role: iam.Role;
  readonly timeoutSeconds: number;
  readonly #ground: SharedResources;

  constructor(
    scope: Construct,
    id: string,
    ground: SharedResources,
    { bundle, environment = {}, timeoutSeconds = 30, memoryMb = 512, queuesItself = false }: FunctionProps,
  ) {
    super(scope, id);
    this.#ground = ground;
    this.timeoutSeconds = timeoutSeconds;
    const { hub, storage } = ground;
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
      code: lambda.Code.fromAsset(join(ground.bundles, bundle)),
      memorySize: memoryMb,
      timeout: Duration.seconds(timeoutSeconds),
      role: this.role,
      logGroup,
      ...(queuesItself && { recursiveLoop: lambda.RecursiveLoop.ALLOW }),
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

  /** May put events on the hub's bus. */
  publishes(): void {
    const { bus } = this.#ground.storage;
    this.lambda.addEnvironment('BUS', bus.eventBusName);
    this.allow(['events:PutEvents'], bus.eventBusArn);
  }

  /**
   * The table and the bucket are encrypted with the hub's key. Whoever reads or writes rows, or reads files, opens what it
   * closes; only a file that is written needs a data key of its own.
   */
  useKey({ writesFiles = false } = {}): void {
    const actions = ['kms:Decrypt', ...(writesFiles ? ['kms:GenerateDataKey'] : [])];
    this.allow(actions, this.#ground.storage.key.keyArn);
  }

  /** Is invoked with what the queue holds, and takes out what it did. */
  consume({ queue }: WorkQueue, options: ConsumeOptions = {}): void {
    this.#source(queue, `Source${queue.node.scope?.node.id ?? ''}`, options);
  }

  /** Is invoked with what the queue has given up. */
  drain({ dead }: WorkQueue): void {
    this.#source(dead, `Dead${dead.node.scope?.node.id ?? ''}`, {});
  }

  /** Puts the payload of what it cannot do for good into the bucket. */
  keepFailures(stage: string): void {
    const { bucket } = this.#ground.storage;
    this.lambda.addEnvironment('BUCKET', bucket.bucketName);
    this.allow(['s3:PutObject'], bucket.arnForObjects(`failures/${stage}/*`));
  }

  #source(
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
      ...(maximumConcurrency !== undefined && { scalingConfig: { maximumConcurrency } }),
    });
  }
}
