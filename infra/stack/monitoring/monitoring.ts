import {
  aws_cloudwatch_actions as actions,
  aws_cloudwatch as cloudwatch,
  Duration,
  type aws_events as events,
  aws_iam as iam,
  aws_logs as logs,
  aws_sns as sns,
  aws_sns_subscriptions as subscriptions,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { FrontDoor } from '../functions/front-door.ts';
import { Projections } from '../functions/projections.ts';
import { SalesforceEvents } from '../functions/salesforce-events.ts';
import { Sync } from '../functions/sync.ts';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { WorkQueue } from '../resources/work-queue.ts';
import { dashboard } from './dashboard.ts';
import { ruleMetric } from './rule-metric.ts';

/** What the alarms and the dashboard look at. */
export interface Watched {
  readonly ground: SharedResources;
  readonly front: FrontDoor;
  readonly functions: readonly HubFunction[];
  readonly queues: readonly WorkQueue[];
  readonly syncs: readonly Sync[];
  /** Whose events come over a bus of their own. */
  readonly partners: readonly SalesforceEvents[];
  readonly refused: cloudwatch.IMetric;
}

const FIVE = Duration.minutes(5);

/**
 * Alarms to an e-mail address, and one dashboard. Every function and work queue of the stack is watched without being
 * named here, so construct this behind the others.
 */
export class Monitoring extends Construct {
  readonly #topic: sns.Topic;
  readonly #prefix: string;
  readonly dashboard: cloudwatch.Dashboard;

  constructor(scope: Construct, id: string, ground: SharedResources, front: FrontDoor) {
    super(scope, id);
    const { hub, storage } = ground;
    this.#prefix = `tributary-${hub.name}`;
    this.#topic = new sns.Topic(this, 'Alarms', {
      displayName: `Tributary ${hub.name}`,
      masterKey: storage.key,
      enforceSSL: true,
    });
    const fromCloudWatch = new iam.ServicePrincipal('cloudwatch.amazonaws.com');
    storage.letEncrypt(fromCloudWatch);
    this.#topic.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [fromCloudWatch],
        actions: ['sns:Publish'],
        resources: [this.#topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.#topic.stack.account } },
      }),
    );
    this.#topic.addSubscription(new subscriptions.EmailSubscription(hub.alarms));
    const found = scope.node.findAll();
    const watched: Watched = {
      ground,
      front,
      functions: found.filter((one) => one instanceof HubFunction),
      queues: found.filter((one) => one instanceof WorkQueue),
      syncs: found.filter((one) => one instanceof Sync),
      partners: found.filter((one) => one instanceof SalesforceEvents),
      refused: this.#refused(ground, front),
    };
    for (const queue of watched.queues) this.#queue(queue);
    for (const one of watched.functions) this.#function(one);
    for (const { crm, rules } of watched.syncs) this.#rules(crm, storage.bus.eventBusName, rules);
    for (const { rules } of found.filter((each) => each instanceof Projections))
      this.#rules('projections', storage.bus.eventBusName, rules);
    for (const { bus, rules } of watched.partners) this.#rules('salesforce events', bus, rules);
    this.#edges(watched);
    this.dashboard = dashboard(this, watched);
  }

  /** Counts webhooks that were answered 401, from the access log. */
  #refused({ hub }: SharedResources, { accessLog }: FrontDoor): cloudwatch.IMetric {
    return new logs.MetricFilter(this, 'Refused', {
      logGroup: accessLog,
      metricNamespace: `Tributary/${hub.name}`,
      metricName: 'RefusedDeliveries',
      filterPattern: logs.FilterPattern.literal('{ $.status = "401" && $.route = "ANY /webhooks/*" }'),
      defaultValue: 0,
    }).metric({ statistic: 'Sum', period: FIVE });
  }

  #queue({ queue, dead, oldest, node }: WorkQueue): void {
    this.#alarm(`${node.id} dead letters`, {
      // They are drained within seconds: taken out counts as well as still there.
      metric: total([
        dead.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: FIVE }),
        dead.metricNumberOfMessagesReceived({ statistic: 'Sum', period: FIVE }),
      ]),
      threshold: 1,
      does: 'Messages could not be handled five times in a row. Read why with the failures, mend it, replay them.',
    });
    this.#alarm(`${node.id} oldest message`, {
      metric: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: FIVE }),
      threshold: oldest.toSeconds(),
      does: `Work has waited for more than ${oldest.toMinutes()} minutes. Is its function failing or throttled, or what it calls down?`,
    });
  }

  #function({ lambda, timeoutSeconds, node }: HubFunction): void {
    this.#alarm(`${node.id} errors`, {
      metric: lambda.metricErrors({ period: FIVE }),
      threshold: 5,
      does: 'Invocations end with an error. The log group of the function says which.',
    });
    this.#alarm(`${node.id} throttles`, {
      metric: lambda.metricThrottles({ period: FIVE }),
      threshold: 10,
      does: 'Lambda has no capacity left for it. Ask AWS for more concurrent executions; `hub doctor` shows the quota.',
    });
    this.#alarm(`${node.id} duration`, {
      metric: lambda.metricDuration({ statistic: 'Maximum', period: FIVE }),
      threshold: timeoutSeconds * 900,
      does: 'Invocations take more than nine tenths of their timeout. What it calls has become slow.',
    });
  }

  #rules(what: string, bus: string, rules: readonly events.CfnRule[]): void {
    const failed = rules.map((rule) => ruleMetric('FailedInvocations', bus, rule));
    this.#alarm(`${what} rules`, {
      metric: total(failed),
      threshold: 1,
      does: `What rules match for ${what} did not reach their queue. Has somebody changed the policy of the queue?`,
    });
  }

  #edges({ ground: { hub, storage }, front, refused }: Watched): void {
    const own = (namespace: string, metricName: string, dimensionsMap = {}, statistic = 'Sum') =>
      new cloudwatch.Metric({ namespace, metricName, dimensionsMap, statistic, period: FIVE });
    this.#alarm('front door 5xx', {
      metric: front.api.metricServerError({ statistic: 'Sum', period: FIVE }),
      threshold: 5,
      does: 'Webhooks or API calls were answered 5xx; providers try again for a while only.',
    });
    this.#alarm('refused deliveries', {
      metric: refused,
      threshold: 50,
      does: 'Many webhooks were refused for their signature. Was a secret changed on one side only?',
    });
    this.#alarm('timers', {
      metric: own('AWS/Scheduler', 'TargetErrorCount', { ScheduleGroup: `tributary-${hub.name}` }),
      threshold: 1,
      does: 'Waits that have ended did not reach the decisions queue. They are in its dead letters.',
    });
    if (Object.values(hub.senders).includes('ses')) {
      this.#alarm('bounce rate', {
        metric: own('AWS/SES', 'Reputation.BounceRate', {}, 'Average'),
        threshold: 0.05,
        does: 'More than 5 % of the e-mails of this account bounce. SES reviews an account at 5 % and may stop it at 10 %.',
      });
      this.#alarm('complaint rate', {
        metric: own('AWS/SES', 'Reputation.ComplaintRate', {}, 'Average'),
        threshold: 0.001,
        does: 'More than 0.1 % of the e-mails of this account are marked as spam. SES may stop the account at 0.5 %.',
      });
    }
    this.#alarm('table throttles', {
      metric: total(
        ['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) =>
          own('AWS/DynamoDB', name, { TableName: storage.table.tableName }),
        ),
      ),
      threshold: 1,
      does: 'The table refuses requests for now. One customer or list may be very busy, or the account quota is reached.',
    });
    this.#alarm('table user errors', {
      metric: own('AWS/DynamoDB', 'UserErrors'),
      threshold: 10,
      does: 'DynamoDB refuses requests of this account as wrong. A permission or the key may be missing.',
    });
  }

  /** `does`: what has happened and what to do, as the e-mail says it. Silence is good: no data is no alarm. */
  #alarm(
    name: string,
    { metric, threshold, does }: { metric: cloudwatch.IMetric; threshold: number; does: string },
  ): void {
    new cloudwatch.Alarm(this, name, {
      alarmName: `${this.#prefix} ${name}`,
      alarmDescription: does,
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new actions.SnsAction(this.#topic));
  }
}

const total = (metrics: readonly cloudwatch.Metric[]): cloudwatch.MathExpression =>
  new cloudwatch.MathExpression({
    expression: metrics.map((_, index) => `m${index}`).join(' + '),
    usingMetrics: Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric])),
    label: 'total',
    period: FIVE,
  });
