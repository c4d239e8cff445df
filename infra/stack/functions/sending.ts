import { CfnOutput, aws_iam as iam, Stack, aws_scheduler as scheduler } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { senderSecrets } from '../../../connectors/senders/index.ts';
import { usedSenders } from '../../../core/config/hub-config.ts';
import { createFeed } from '../resources/feed.ts';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { secretArn } from '../resources/secrets.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import type { Seed } from '../seed.ts';
import { senderPatterns } from '../sender-domains.ts';
import type { FrontDoor } from './front-door.ts';
import { Mail, usesSes } from './mail.ts';

interface SendingProps {
  readonly seed: Pick<Seed, 'templates'>;
  readonly front: FrontDoor;
  readonly deliveries: WorkQueue;
  readonly decisions: WorkQueue;
  readonly notifications: WorkQueue;
}

/** The group of the hub's schedules, and the role by which they send. */
interface Timers {
  readonly group: scheduler.CfnScheduleGroup;
  readonly role: iam.Role;
}

const timerEnvironment = ({ group, role }: Timers) => ({
  SCHEDULE_GROUP: group.ref,
  SCHEDULE_ROLE_ARN: role.roleArn,
});

const allowTimers = (user: HubFunction, { hub }: SharedResources, { role }: Timers): void => {
  user.allow(
    ['scheduler:CreateSchedule'],
    Stack.of(user).formatArn({
      service: 'scheduler',
      resource: 'schedule',
      resourceName: `tributary-${hub.name}/*`,
    }),
  );
  user.allow(['iam:PassRole'], role.roleArn, {
    StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
  });
};

/** The functions between a matched event and the sent message: decide, its schedules, and notify. */
export class Sending extends Construct {
  constructor(scope: Construct, id: string, shared: SharedResources, queues: SendingProps) {
    super(scope, id);
    const group = new scheduler.CfnScheduleGroup(this, 'Waits', { name: `tributary-${shared.hub.name}` });
    const role = new iam.Role(this, 'Timers', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account, 'aws:SourceArn': group.attrArn },
        },
      }),
    });
    for (const { queue, deadLetters } of [queues.decisions, queues.notifications])
      for (const { queueArn } of [queue, deadLetters])
        role.addToPrincipalPolicy(
          new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queueArn] }),
        );
    const timers: Timers = { group, role };
    this.#createDecide(shared, timers, queues);
    this.#createNotify(shared, timers, queues);
  }

  #createDecide(shared: SharedResources, timers: Timers, { decisions, notifications }: SendingProps): void {
    const { hub, storage } = shared;
    const decide = new HubFunction(this, 'Decide', shared, {
      bundle: 'decide',
      environment: {
        QUEUE_URL_NOTIFICATIONS: notifications.queue.queueUrl,
        QUEUE_ARN_DECISIONS: decisions.queue.queueArn,
        DEAD_ARN_DECISIONS: decisions.deadLetters.queueArn,
        ...timerEnvironment(timers),
      },
    });
    decide.consume(decisions, { maximumConcurrency: hub.concurrency.decide });
    decide.allow(['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem'], storage.table.tableArn);
    decide.allow(['sqs:SendMessage'], notifications.queue.queueArn);
    allowTimers(decide, shared, timers);
    decide.allowPublishing();
    decide.allowKey();
  }

  #createNotify(
    shared: SharedResources,
    timers: Timers,
    { seed, front, deliveries, notifications }: SendingProps,
  ): void {
    const { hub, storage } = shared;
    const stack = Stack.of(this);
    const notify = new HubFunction(this, 'Notify', shared, {
      bundle: 'notify',
      environment: {
        QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl,
        QUEUE_URL_NOTIFICATIONS: notifications.queue.queueUrl,
        QUEUE_ARN_NOTIFICATIONS: notifications.queue.queueArn,
        DEAD_ARN_NOTIFICATIONS: notifications.deadLetters.queueArn,
        PUBLIC_URL: front.publicUrl,
        ...timerEnvironment(timers),
      },
      sendsToOwnQueue: true,
    });
    notify.consume(notifications, { maximumConcurrency: hub.concurrency.notify });
    notify.allowSavingFailures('notify');
    notify.allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], storage.table.tableArn);
    notify.allow(['sqs:SendMessage'], deliveries.queue.queueArn);
    notify.allow(['sqs:SendMessage'], notifications.queue.queueArn);
    allowTimers(notify, shared, timers);
    notify.allowPublishing();
    if (usesSes(hub)) this.#allowMail(notify, shared, seed, deliveries);
    // Replies and reports of the numbers of AWS End User Messaging, whose owner names the topic there.
    if ('aws-sms' in hub.channels)
      new CfnOutput(stack, 'SmsTopic', {
        value: createFeed(this, shared, {
          provider: 'aws-sms',
          service: 'sms-voice.amazonaws.com',
          deliveries,
        }).topicArn,
        description: 'The SNS topic for two-way messages and events of AWS End User Messaging',
      });
    // Where a request names no number, AWS chooses one and checks the action against no resource.
    notify.allow(['sms-voice:SendTextMessage'], '*');
    notify.allow(
      ['sns:Publish'],
      stack.formatArn({ service: 'sns', resource: 'endpoint', resourceName: '*' }),
    );
    notify.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'senders/*'));
    notify.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'signing-??????'));
    notify.allowKey({ files: true });
    for (const id of usedSenders(hub).intersection(senderSecrets))
      shared.secrets.addEmpty(`senders/${id}`, `Credentials of the sender ${id}`);
    shared.secrets.addGenerated('signing', 'Keys that sign the links in messages');
  }

  /** SES checks a sending against the identity of the sender and the configuration set. */
  #allowMail(
    notify: HubFunction,
    shared: SharedResources,
    seed: SendingProps['seed'],
    deliveries: WorkQueue,
  ): void {
    const stack = Stack.of(this);
    const { configurationSet } = new Mail(this, 'Mail', shared, deliveries);
    notify.lambda.addEnvironment('SES_CONFIGURATION_SET', configurationSet);
    for (const [resource, resourceName] of [
      ['identity', '*'],
      ['configuration-set', configurationSet],
    ] as const)
      notify.allow(['ses:SendRawEmail'], stack.formatArn({ service: 'ses', resource, resourceName }), {
        StringLike: { 'ses:FromAddress': senderPatterns(shared.hub, seed) },
      });
    notify.allow(['ses:GetSendQuota'], '*');
  }
}
