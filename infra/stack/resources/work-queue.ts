import { Duration, aws_iam as iam, aws_sqs as sqs } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { pin } from './storage.ts';

/** How often a queue delivers a message before a person must look. */
export const TRIES = 5;

interface WorkQueueProps {
  /** Default 180 s: six times the timeout of the function that consumes it. */
  readonly visibility?: Duration;
  /** The longest that a message should wait, default 5 minutes. */
  readonly oldest?: Duration;
}

/** A queue and the dead-letter queue behind it. */
export class WorkQueue extends Construct {
  readonly queue: sqs.Queue;
  readonly dead: sqs.Queue;
  /** An alarm tells when a message waits longer. */
  readonly oldest: Duration;

  constructor(scope: Construct, id: string, { visibility, oldest }: WorkQueueProps = {}) {
    super(scope, id);
    this.oldest = oldest ?? Duration.minutes(5);
    this.dead = new sqs.Queue(this, 'Dead', {
      retentionPeriod: Duration.days(14),
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    this.queue = new sqs.Queue(this, 'Queue', {
      visibilityTimeout: visibility ?? Duration.seconds(180),
      retentionPeriod: Duration.days(14),
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      deadLetterQueue: { queue: this.dead, maxReceiveCount: TRIES },
    });
    pin(this.queue, `${id}Queue`);
    pin(this.dead, `${id}Dead`);
  }

  /** Both queues take what rules send to them, from those rules alone. */
  letRulesSend(conditions: Readonly<Record<string, Readonly<Record<string, string>>>>): void {
    for (const queue of [this.queue, this.dead])
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
