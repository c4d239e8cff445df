import { aws_cloudwatch as cloudwatch, Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Watched } from './monitoring.ts';
import { ruleMetric } from './rule-metric.ts';

const PERIOD = Duration.minutes(5);
const sum = { statistic: 'Sum', period: PERIOD };
const most = { statistic: 'Maximum', period: PERIOD };

/**
 * Five questions, a row each: is mail coming in, is anything stuck, is the CRM behind, what is being sent, is long work
 * behind.
 */
export const dashboard = (scope: Construct, watched: Watched): cloudwatch.Dashboard => {
  const { ground, front, functions, queues, syncs, partners, refused } = watched;
  const graph = (title: string, left: cloudwatch.IMetric[], right: cloudwatch.IMetric[] = []) =>
    new cloudwatch.GraphWidget({ title, left, right, width: 8, height: 6, leftYAxis: { min: 0 } });
  const question = (markdown: string) =>
    new cloudwatch.TextWidget({ markdown: `## ${markdown}`, width: 24, height: 1 });
  const own = (namespace: string, metricName: string, dimensionsMap = {}) =>
    new cloudwatch.Metric({ namespace, metricName, dimensionsMap, ...sum });
  const queue = (id: string) => queues.filter(({ node }) => node.id === id);
  const invocations = (id: string) =>
    functions
      .filter(({ node }) => node.id === id)
      .map(({ lambda }) => lambda.metricInvocations({ label: id, ...sum }));
  return new cloudwatch.Dashboard(scope, 'Dashboard', {
    dashboardName: `tributary-${ground.hub.name}`,
    defaultInterval: Duration.days(1),
    widgets: [
      [question('Is mail coming in?')],
      [
        graph(
          'Webhooks and API calls',
          [front.api.metricCount(sum)],
          [front.api.metricClientError(sum), front.api.metricServerError(sum), refused],
        ),
        graph(
          'Deliveries queued',
          queue('Deliveries').map((one) => one.queue.metricNumberOfMessagesSent(sum)),
        ),
        graph('Time to acknowledge, p99', [front.api.metricLatency({ statistic: 'p99', period: PERIOD })]),
      ],
      [question('Is anything stuck?')],
      [
        graph(
          'Oldest message, seconds',
          queues.map((one) => one.queue.metricApproximateAgeOfOldestMessage({ label: one.node.id, ...most })),
        ),
        graph(
          'Dead letters',
          queues.map((one) =>
            one.dead.metricApproximateNumberOfMessagesVisible({ label: one.node.id, ...most }),
          ),
        ),
        graph(
          'Errors and throttles',
          functions.map(({ lambda, node }) => lambda.metricErrors({ label: node.id, ...sum })),
          functions.map(({ lambda, node }) =>
            lambda.metricThrottles({ label: `${node.id} throttled`, ...sum }),
          ),
        ),
      ],
      [question('Is the CRM behind?')],
      [
        graph(
          'Age of the oldest change, seconds',
          syncs.map(({ crm, work }) =>
            work.queue.metricApproximateAgeOfOldestMessage({ label: crm, ...most }),
          ),
        ),
        graph(
          'Changes waiting',
          syncs.map(({ crm, work }) =>
            work.queue.metricApproximateNumberOfMessagesVisible({ label: crm, ...most }),
          ),
        ),
        graph(
          'Runs',
          syncs.flatMap(({ node }) => invocations(`${node.id}Sync`)),
        ),
      ],
      [question('What is being sent?')],
      [
        graph(
          'Decisions and notifications',
          [...queue('Decisions'), ...queue('Notifications')].map((one) =>
            one.queue.metricNumberOfMessagesSent({ label: one.node.id, ...sum }),
          ),
        ),
        graph(
          'E-mails of the account',
          [own('AWS/SES', 'Send'), own('AWS/SES', 'Delivery')],
          [own('AWS/SES', 'Bounce'), own('AWS/SES', 'Complaint')],
        ),
        graph('Runs of notify', invocations('Notify')),
      ],
      [question('Are imports, jobs and figures behind?')],
      [
        graph(
          'Messages waiting',
          ['Imports', 'Jobs', 'Projections']
            .flatMap(queue)
            .map((one) =>
              one.queue.metricApproximateNumberOfMessagesVisible({ label: one.node.id, ...most }),
            ),
        ),
        graph('Runs of jobs and projections', ['Jobs', 'Projections'].flatMap(invocations)),
        ...partners.map(({ bus, rules }) =>
          graph(
            'Events of Salesforce',
            rules.map((rule) => ruleMetric('MatchedEvents', bus, rule)),
            rules.map((rule) => ruleMetric('FailedInvocations', bus, rule)),
          ),
        ),
      ],
    ],
  });
};
