import { Duration, aws_iam as iam, aws_sqs as sqs } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { pin } from './storage.ts';

/** How often a queue delivers a message before a person must look. */
export const TRIES = 5;

/** A queue and the dead-letter queue behind it. */
export class WorkQueue extends Construct {
  readonly queue: sqs.Queue;
  readonly dead: sqs.Queue;

  constructor(scope: Construct, id: string, visibility = Duration.seconds(180)) {
    super(scope, id);
    this.dead = new sqs.Queue(this, 'Dead', {
      retentionPeriod: Duration.days(14),
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    this.queue = new sqs.Queue(this, 'Queue', {
      visibilityTimeout: visibility,
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
