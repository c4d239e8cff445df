import {
  aws_cloudwatch_actions as actions,
  aws_budgets as budgets,
  aws_cloudwatch as cloudwatch,
  type aws_events as events,
  aws_iam as iam,
  aws_logs as logs,
  aws_sns as sns,
  aws_sns_subscriptions as subscriptions,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { usedSenders } from '../../../core/config/hub-config.ts';
import type { LogCode } from '../../../core/errors.ts';
import type { FrontDoor } from '../functions/front-door.ts';
import type { HubFunction, SharedResources } from '../resources/hub-function.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import { createDashboard } from './dashboard.ts';
import { awsMetric, PERIOD, ruleMetric, totalOf } from './metrics.ts';
import { findMonitoredResources, type MonitoredResources } from './resources.ts';

/** Two hundred a second, the rate for which the hub is made, during a period of five minutes. */
const REQUESTS_PER_PERIOD = 60_000;

interface AlarmProps {
  readonly metric: cloudwatch.IMetric;
  readonly threshold: number;
  /** How many periods in a row must reach the threshold. Default 1. */
  readonly periods?: number;
  /** The text of the e-mail: what happened and what to do. */
  readonly description: string;
}

/**
 * Alarms that are sent to an e-mail address, and one dashboard. It finds the functions and queues of the stack by itself,
 * so construct it after all others.
 */
export class Monitoring extends Construct {
  readonly #topic: sns.Topic;
  readonly #prefix: string;
  readonly dashboard: cloudwatch.Dashboard;

  constructor(scope: Construct, id: string, shared: SharedResources, front: FrontDoor) {
    super(scope, id);
    const { hub, storage } = shared;
    this.#prefix = `tributary-${hub.name}`;
    this.#topic = this.#createTopic(shared);
    const resources = findMonitoredResources(scope, shared, front, this.#countRefused(shared, front));
    for (const queue of resources.queues) this.#addQueueAlarms(queue);
    for (const one of resources.functions) this.#addFunctionAlarms(one);
    // A CRM that stops is reported by its own function, which knows the reason and what to do.
    for (const sync of resources.syncs) sync.sendAlarms(this.#topic);
    for (const { crm, rules } of resources.syncs) this.#addRuleAlarm(crm, storage.bus.eventBusName, rules);
    for (const { rules } of resources.projections)
      this.#addRuleAlarm('projections', storage.bus.eventBusName, rules);
    for (const { rules } of resources.jobs) this.#addRuleAlarm('jobs', storage.bus.eventBusName, rules);
    for (const { bus, rules } of resources.partners) this.#addRuleAlarm('salesforce events', bus, rules);
    this.#addFrontAlarms(resources);
    this.#addSpendAlarms(resources);
    this.#addSendingAlarms(resources);
    this.#addTableAlarms(resources);
    this.dashboard = createDashboard(this, resources);
  }

  #createTopic({ hub, storage }: SharedResources): sns.Topic {
    const topic = new sns.Topic(this, 'Alarms', {
      displayName: `Tributary ${hub.name}`,
      masterKey: storage.key,
      enforceSSL: true,
    });
    const cloudWatch = new iam.ServicePrincipal('cloudwatch.amazonaws.com');
    storage.allowEncryptionBy(cloudWatch);
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [cloudWatch],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': topic.stack.account } },
      }),
    );
    topic.addSubscription(new subscriptions.EmailSubscription(hub.alarms));
    return topic;
  }

  /** Counts the webhooks that were answered 401, from the access log. */
  #countRefused({ hub }: SharedResources, { accessLog }: FrontDoor): cloudwatch.IMetric {
    return new logs.MetricFilter(this, 'Refused', {
      logGroup: accessLog,
      metricNamespace: `Tributary/${hub.name}`,
      metricName: 'RefusedDeliveries',
      filterPattern: logs.FilterPattern.literal('{ $.status = "401" && $.route = "ANY /webhooks/*" }'),
      defaultValue: 0,
    }).metric({ statistic: 'Sum', period: PERIOD });
  }

  /** Counts the lines with a code in the log of a function. */
  #countLines(
    { functions, shared: { hub } }: MonitoredResources,
    name: string,
    functionId: string,
    code: LogCode,
  ): cloudwatch.IMetric {
    const one = functions.find(({ node }) => node.id === functionId);
    if (one === undefined) throw new Error(`The stack has no function ${functionId}.`);
    return new logs.MetricFilter(this, name, {
      logGroup: one.lambda.logGroup,
      metricNamespace: `Tributary/${hub.name}`,
      metricName: name,
      filterPattern: logs.FilterPattern.stringValue('$.code', '=', code),
      defaultValue: 0,
    }).metric({ statistic: 'Sum', period: PERIOD });
  }

  #addQueueAlarms({ queue, deadLetters, maxAge, node }: WorkQueue): void {
    this.#addAlarm(`${node.id} dead letters`, {
      // The failures function takes dead letters out within seconds, so received messages count as well.
      metric: totalOf([
        deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: PERIOD }),
        deadLetters.metricNumberOfMessagesReceived({ statistic: 'Sum', period: PERIOD }),
      ]),
      threshold: 1,
      description:
        'Messages failed five times. Read the reasons with `hub failures list`, fix the cause and replay them.',
    });
    this.#addAlarm(`${node.id} oldest message`, {
      metric: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: PERIOD }),
      threshold: maxAge.toSeconds(),
      description: `A message has waited for more than ${maxAge.toMinutes()} minutes. Check whether its function fails or is throttled, or whether a service that it calls is down.`,
    });
  }

  #addFunctionAlarms({ lambda, timeoutSeconds, node }: HubFunction): void {
    this.#addAlarm(`${node.id} errors`, {
      metric: lambda.metricErrors({ period: PERIOD }),
      threshold: 5,
      description: `Invocations of ${node.id} end with an error. Read its log group ${lambda.logGroup.logGroupName}; what failed for good is in \`hub failures list\`.`,
    });
    this.#addAlarm(`${node.id} throttles`, {
      metric: lambda.metricThrottles({ period: PERIOD }),
      threshold: 10,
      periods: 3,
      description:
        'Lambda has throttled the function for 15 minutes. Request more concurrent executions from AWS; `hub doctor` shows the quota.',
    });
    this.#addAlarm(`${node.id} duration`, {
      // One slow invocation is retried; the alarm is for a service that stays slow.
      metric: lambda.metricDuration({ statistic: 'p90', period: PERIOD }),
      threshold: timeoutSeconds * 900,
      periods: 3,
      description:
        'For 15 minutes one of ten invocations has taken more than 90 % of their timeout. Check whether a service that the function calls is slow.',
    });
  }

  #addRuleAlarm(subject: string, bus: string, rules: readonly events.CfnRule[]): void {
    this.#addAlarm(`${subject} rules`, {
      metric: totalOf(rules.map((rule) => ruleMetric('FailedInvocations', bus, rule))),
      threshold: 1,
      description: `Events of the ${subject} rules did not reach their queue. Check whether the policy of the queue was changed.`,
    });
  }

  #addFrontAlarms({ front, refusedDeliveries }: MonitoredResources): void {
    this.#addAlarm('front door 5xx', {
      metric: front.api.metricServerError({ statistic: 'Sum', period: PERIOD }),
      threshold: 5,
      description:
        'Webhooks or API calls were answered 5xx. Providers retry for a limited time only: read the log groups of receive and api.',
    });
    this.#addAlarm('refused deliveries', {
      metric: refusedDeliveries,
      threshold: 50,
      description:
        'Many webhooks were refused because of their signature. Check whether a secret was changed on one side only.',
    });
  }

  /** What somebody who floods the public addresses, or a loop between two programs, costs. */
  #addSpendAlarms({ front, shared: { hub } }: MonitoredResources): void {
    this.#addAlarm('refused requests', {
      metric: front.api.metricClientError({ statistic: 'Sum', period: PERIOD }),
      threshold: 1000,
      description:
        'Many requests were answered 4xx. The access log has their route, status and source address for a week: look for one source, or for a program with an old key. `publicUrl` with a firewall in front keeps a flood away.',
    });
    this.#addAlarm('requests', {
      metric: front.api.metricCount({ statistic: 'Sum', period: PERIOD }),
      threshold: REQUESTS_PER_PERIOD,
      description:
        'The hub gets more than 200 requests a second, which cost about $1 an hour before anything is stored. Look in the access log whether they are yours.',
    });
    if (hub.budget === undefined) return;
    const subscribers = [{ subscriptionType: 'EMAIL', address: hub.alarms }];
    const notify = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: { notificationType, threshold, comparisonOperator: 'GREATER_THAN' },
      subscribers,
    });
    new budgets.CfnBudget(this, 'Budget', {
      budget: {
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: hub.budget, unit: 'USD' },
      },
      notificationsWithSubscribers: [notify('ACTUAL', 80), notify('FORECASTED', 100)],
    });
  }

  #addSendingAlarms(resources: MonitoredResources): void {
    const { hub } = resources.shared;
    this.#addAlarm('claim caps', {
      metric: this.#countLines(resources, 'ClaimCaps', 'Decide', 'claim-cap'),
      threshold: 1,
      description:
        'Forms, chats or other sources that nobody vouches for caused more messages than `claims` in hub.yaml allows; the rest was withheld. Search the log of decide for `claim-cap`, and look for a form that a program fills in.',
    });
    this.#addAlarm('stopped senders', {
      metric: this.#countLines(resources, 'StoppedSenders', 'Notify', 'stopped-sender'),
      threshold: 1,
      description:
        'A sender takes no messages for now, or has sent as many as it may in 24 hours. What is to be sent waits. `hub failures list` says which sender, why, and what to do.',
    });
    this.#addAlarm('timers', {
      metric: awsMetric('AWS/Scheduler', 'TargetErrorCount', { ScheduleGroup: `tributary-${hub.name}` }),
      threshold: 1,
      description:
        'Schedules that fired did not reach the queue of decisions or notifications. Replay them with `hub failures`: they are in its dead letters.',
    });
    if (!usedSenders(hub).has('ses')) return;
    this.#addAlarm('bounce rate', {
      metric: awsMetric('AWS/SES', 'Reputation.BounceRate', {}, 'Average'),
      threshold: 0.05,
      description:
        'More than 5 % of the e-mails of this account bounce. SES reviews an account at 5 % and may pause it at 10 %: check the addresses that you send to.',
    });
    this.#addAlarm('complaint rate', {
      metric: awsMetric('AWS/SES', 'Reputation.ComplaintRate', {}, 'Average'),
      threshold: 0.001,
      description:
        'More than 0.1 % of the e-mails of this account are marked as spam. SES may pause the account at 0.5 %: check your consent and content.',
    });
  }

  #addTableAlarms({ shared: { storage } }: MonitoredResources): void {
    this.#addAlarm('table throttles', {
      metric: totalOf(
        ['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) =>
          awsMetric('AWS/DynamoDB', name, { TableName: storage.table.tableName }),
        ),
      ),
      threshold: 10,
      periods: 3,
      description:
        'DynamoDB has throttled the table for 15 minutes. Nothing is lost while the queues hold the work. Look for one customer or list that is very busy (Contributor Insights of the table), or request a higher quota for the table.',
    });
  }

  /** Missing data is no alarm: an idle hub publishes none. */
  #addAlarm(name: string, { metric, threshold, periods = 1, description }: AlarmProps): void {
    new cloudwatch.Alarm(this, name, {
      alarmName: `${this.#prefix} ${name}`,
      alarmDescription: description,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new actions.SnsAction(this.#topic));
  }
}
