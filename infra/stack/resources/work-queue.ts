import { Duration, aws_iam as iam, aws_sqs as sqs } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { pinLogicalId } from './storage.ts';

/** How often a queue delivers a message before it becomes a dead letter. */
export const MAX_RECEIVES = 5;

/** How long a queue stores a message. */
export const WORK_RETENTION = Duration.days(14);

type Conditions = Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;

interface WorkQueueProps {
  /** Default 180 s: six times the timeout of the function that consumes it, as AWS recommends. */
  readonly visibilityTimeout?: Duration;
  /** An alarm is raised when a message waits longer. Default 5 minutes. */
  readonly maxAge?: Duration;
}

/** A queue and its dead-letter queue. */
export class WorkQueue extends Construct {
  readonly queue: sqs.Queue;
  readonly deadLetters: sqs.Queue;
  readonly maxAge: Duration;

  constructor(scope: Construct, id: string, { visibilityTimeout, maxAge }: WorkQueueProps = {}) {
    super(scope, id);
    this.maxAge = maxAge ?? Duration.minutes(5);
    this.deadLetters = new sqs.Queue(this, 'Dead', {
      // Six times the timeout of the function that stores dead letters as failures.
      visibilityTimeout: Duration.seconds(180),
      retentionPeriod: Duration.days(14),
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    this.queue = new sqs.Queue(this, 'Queue', {
      visibilityTimeout: visibilityTimeout ?? Duration.seconds(180),
      retentionPeriod: WORK_RETENTION,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
    pinLogicalId(this.queue, `${id}Queue`);
    pinLogicalId(this.deadLetters, `${id}Dead`);
  }

  /** Lets the EventBridge rules that meet `conditions` send to both queues. */
  allowRules(conditions: Conditions): void {
    this.allowSending('events.amazonaws.com', conditions);
  }

  /** Lets an AWS service send to both queues for the resources that meet `conditions`. */
  allowSending(service: string, conditions: Conditions): void {
    for (const queue of [this.queue, this.deadLetters])
      queue.addToResourcePolicy(
        new iam.PolicyStatement({
          principals: [new iam.ServicePrincipal(service)],
          actions: ['sqs:SendMessage'],
          resources: [queue.queueArn],
          conditions,
        }),
      );
  }
}
