import { aws_cloudwatch as cloudwatch, Duration, type aws_events as events, Fn } from 'aws-cdk-lib';

/** The period of all alarms and graphs. */
export const PERIOD = Duration.minutes(5);

/** A metric that AWS publishes without a CDK construct. */
export const awsMetric = (
  namespace: string,
  metricName: string,
  dimensionsMap: Readonly<Record<string, string>> = {},
  statistic = 'Sum',
): cloudwatch.Metric =>
  new cloudwatch.Metric({ namespace, metricName, dimensionsMap, statistic, period: PERIOD });

/** A metric of a rule on a custom event bus. */
export const ruleMetric = (
  metricName: 'MatchedEvents' | 'FailedInvocations',
  EventBusName: string,
  rule: events.CfnRule,
): cloudwatch.Metric =>
  // The `Ref` of a rule on a custom bus is `<bus>|<rule>`, which the CloudFormation documentation does not mention. A schedule is
  // on the default bus: its `Ref` is its name, and its metrics name no bus.
  awsMetric(
    'AWS/Events',
    metricName,
    rule.eventBusName === undefined
      ? { RuleName: rule.ref }
      : { EventBusName, RuleName: Fn.select(1, Fn.split('|', rule.ref)) },
  );

export const totalOf = (metrics: readonly cloudwatch.Metric[]): cloudwatch.MathExpression =>
  new cloudwatch.MathExpression({
    expression: metrics.map((_, index) => `m${index}`).join(' + '),
    usingMetrics: Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric])),
    label: 'total',
    period: PERIOD,
  });
