import { aws_cloudwatch as cloudwatch, Duration, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { WorkQueue } from '../resources/work-queue.ts';
import { awsMetric, PERIOD, ruleMetric } from './metrics.ts';
import type { MonitoredResources } from './resources.ts';

const sum = { statistic: 'Sum', period: PERIOD };
const maximum = { statistic: 'Maximum', period: PERIOD };

type Row = readonly cloudwatch.IWidget[];

/** A dashboard that answers five questions, a row of graphs for each. */
export const createDashboard = (scope: Construct, resources: MonitoredResources): cloudwatch.Dashboard => {
  const rows: readonly (readonly [question: string, Row])[] = [
    ['Do webhooks arrive?', intakeRow(resources)],
    ['Is anything stuck?', backlogRow(resources)],
    ['Are the CRMs behind?', syncRow(resources)],
    ['What is sent?', sendingRow(resources)],
    ['Are imports, jobs and figures behind?', jobsRow(resources)],
  ];
  return new cloudwatch.Dashboard(scope, 'Dashboard', {
    // The names of dashboards are those of the account, whatever the region.
    dashboardName: `tributary-${resources.shared.hub.name}-${Stack.of(scope).region}`,
    defaultInterval: Duration.days(1),
    widgets: rows.flatMap(([question, row]) => [
      [new cloudwatch.TextWidget({ markdown: `## ${question}`, width: 24, height: 1 })],
      [...row],
    ]),
  });
};

const graph = (
  title: string,
  left: cloudwatch.IMetric[],
  right: cloudwatch.IMetric[] = [],
): cloudwatch.GraphWidget =>
  new cloudwatch.GraphWidget({ title, left, right, width: 8, height: 6, leftYAxis: { min: 0 } });

const queuesNamed = ({ queues }: MonitoredResources, ...ids: readonly string[]): WorkQueue[] =>
  ids.flatMap((id) => queues.filter(({ node }) => node.id === id));

const invocationsOf = ({ functions }: MonitoredResources, ...ids: readonly string[]): cloudwatch.Metric[] =>
  ids.flatMap((id) =>
    functions
      .filter(({ node }) => node.id === id)
      .map(({ lambda }) => lambda.metricInvocations({ label: id, ...sum })),
  );

const waitingMessages = ({ queue }: WorkQueue, label: string): cloudwatch.Metric =>
  queue.metricApproximateNumberOfMessagesVisible({ label, ...maximum });

const oldestMessage = ({ queue }: WorkQueue, label: string): cloudwatch.Metric =>
  queue.metricApproximateAgeOfOldestMessage({ label, ...maximum });

const sentMessages = ({ queue, node }: WorkQueue): cloudwatch.Metric =>
  queue.metricNumberOfMessagesSent({ label: node.id, ...sum });

const intakeRow = (resources: MonitoredResources): Row => {
  const { api } = resources.front;
  return [
    graph(
      'Webhooks and API calls',
      [api.metricCount(sum)],
      [api.metricClientError(sum), api.metricServerError(sum), resources.refusedDeliveries],
    ),
    graph('Deliveries queued', queuesNamed(resources, 'Deliveries').map(sentMessages)),
    graph('Time to acknowledge, p99', [api.metricLatency({ statistic: 'p99', period: PERIOD })]),
  ];
};

const backlogRow = ({ queues, functions }: MonitoredResources): Row => [
  graph(
    'Oldest message, seconds',
    queues.map((one) => oldestMessage(one, one.node.id)),
  ),
  graph(
    'Dead letters',
    queues.map(({ deadLetters, node }) =>
      deadLetters.metricApproximateNumberOfMessagesVisible({ label: node.id, ...maximum }),
    ),
  ),
  graph(
    'Errors and throttles',
    functions.map(({ lambda, node }) => lambda.metricErrors({ label: node.id, ...sum })),
    functions.map(({ lambda, node }) => lambda.metricThrottles({ label: `${node.id} throttled`, ...sum })),
  ),
];

const syncRow = (resources: MonitoredResources): Row => [
  graph(
    'Oldest change, seconds',
    resources.syncs.map(({ crm, queue }) => oldestMessage(queue, crm)),
  ),
  graph(
    'Waiting changes',
    resources.syncs.map(({ crm, queue }) => waitingMessages(queue, crm)),
  ),
  graph('Invocations', invocationsOf(resources, ...resources.syncs.map(({ node }) => `${node.id}Sync`))),
];

const sendingRow = (resources: MonitoredResources): Row => [
  graph(
    'Decisions and notifications',
    queuesNamed(resources, 'Decisions', 'Notifications').map(sentMessages),
  ),
  graph(
    'E-mails of the account',
    [awsMetric('AWS/SES', 'Send'), awsMetric('AWS/SES', 'Delivery')],
    [awsMetric('AWS/SES', 'Bounce'), awsMetric('AWS/SES', 'Complaint')],
  ),
  graph('Invocations of notify', invocationsOf(resources, 'Notify')),
];

const jobsRow = (resources: MonitoredResources): Row => [
  graph(
    'Waiting messages',
    queuesNamed(resources, 'Imports', 'Jobs', 'Projections').map((one) => waitingMessages(one, one.node.id)),
  ),
  graph('Invocations of jobs and projections', invocationsOf(resources, 'Jobs', 'Projections')),
  ...resources.partners.map(({ bus, rules }) =>
    graph(
      'Events of Salesforce',
      rules.map((rule) => ruleMetric('MatchedEvents', bus, rule)),
      rules.map((rule) => ruleMetric('FailedInvocations', bus, rule)),
    ),
  ),
];
