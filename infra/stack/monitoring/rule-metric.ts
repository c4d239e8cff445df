import { aws_cloudwatch as cloudwatch, Duration, type aws_events as events, Fn } from 'aws-cdk-lib';

/** What EventBridge counts of a rule on a bus of its own, in sums of five minutes. */
export const ruleMetric = (
  metricName: 'MatchedEvents' | 'FailedInvocations',
  EventBusName: string,
  rule: events.CfnRule,
): cloudwatch.Metric =>
  new cloudwatch.Metric({
    namespace: 'AWS/Events',
    metricName,
    // Of a rule on a bus that is not the default one `Ref` is `<bus>|<rule>`, which CloudFormation leaves unsaid.
    dimensionsMap: { EventBusName, RuleName: Fn.select(1, Fn.split('|', rule.ref)) },
    statistic: 'Sum',
    period: Duration.minutes(5),
  });
