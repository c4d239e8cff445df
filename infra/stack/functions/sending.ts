import { aws_iam as iam, Stack, aws_scheduler as scheduler } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { emptySecret, generatedSecret, secretArn } from '../resources/secrets.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import type { FrontDoor } from './front-door.ts';
import { Mail } from './mail.ts';

/** All other senders are AWS services, which use the role of the function. */
const sendersWithSecret: ReadonlySet<string> = new Set(['whatsapp-cloud']);

interface SendingProps {
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
  user.allow(['iam:PassRole'], role.roleArn);
};

/** The functions between a matched event and the sent message: decide, its schedules, and notify. */
export class Sending extends Construct {
  constructor(scope: Construct, id: string, shared: SharedResources, queues: SendingProps) {
    super(scope, id);
    const group = new scheduler.CfnScheduleGroup(this, 'Waits', { name: `tributary-${shared.hub.name}` });
    const role = new iam.Role(this, 'Timers', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com'),
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
    const { storage } = shared;
    const decide = new HubFunction(this, 'Decide', shared, {
      bundle: 'decide',
      environment: {
        QUEUE_URL_NOTIFICATIONS: notifications.queue.queueUrl,
        QUEUE_ARN_DECISIONS: decisions.queue.queueArn,
        DEAD_ARN_DECISIONS: decisions.deadLetters.queueArn,
        ...timerEnvironment(timers),
      },
    });
    decide.consume(decisions);
    decide.allow(['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem'], storage.table.tableArn);
    decide.allow(['sqs:SendMessage'], notifications.queue.queueArn);
    allowTimers(decide, shared, timers);
    decide.allowPublishing();
    decide.allowKey();
  }

  #createNotify(
    shared: SharedResources,
    timers: Timers,
    { front, deliveries, notifications }: SendingProps,
  ): void {
    const { hub, storage } = shared;
    const stack = Stack.of(this);
    const mail = new Mail(this, 'Mail', shared, front);
    const notify = new HubFunction(this, 'Notify', shared, {
      bundle: 'notify',
      environment: {
        QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl,
        QUEUE_URL_NOTIFICATIONS: notifications.queue.queueUrl,
        QUEUE_ARN_NOTIFICATIONS: notifications.queue.queueArn,
        DEAD_ARN_NOTIFICATIONS: notifications.deadLetters.queueArn,
        PUBLIC_URL: front.publicUrl,
        SES_CONFIGURATION_SET: mail.configurationSet,
        ...timerEnvironment(timers),
      },
      sendsToOwnQueue: true,
    });
    notify.consume(notifications);
    notify.allowSavingFailures('notify');
    notify.allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], storage.table.tableArn);
    notify.allow(['sqs:SendMessage'], deliveries.queue.queueArn);
    notify.allow(['sqs:SendMessage'], notifications.queue.queueArn);
    allowTimers(notify, shared, timers);
    notify.allowPublishing();
    for (const [resource, resourceName] of [
      ['identity', '*'],
      ['configuration-set', mail.configurationSet],
    ] as const)
      notify.allow(['ses:SendRawEmail'], stack.formatArn({ service: 'ses', resource, resourceName }));
    notify.allow(['ses:GetSendQuota'], '*');
    // Where a request names no number, AWS chooses one and checks the action against no resource.
    notify.allow(['sms-voice:SendTextMessage'], '*');
    notify.allow(
      ['sns:Publish'],
      stack.formatArn({ service: 'sns', resource: 'endpoint', resourceName: '*' }),
    );
    notify.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'senders/*'));
    notify.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'signing-??????'));
    notify.allowKey({ writesFiles: true });
    for (const { use } of Object.values(hub.senders))
      if (sendersWithSecret.has(use))
        emptySecret(this, hub, `senders/${use}`, `Credentials of the sender ${use}`);
    generatedSecret(this, hub, 'signing', 'Keys that sign the links in messages');
  }
}
