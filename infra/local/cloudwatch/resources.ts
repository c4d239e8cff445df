import * as z from 'zod';
import {
  arnOf,
  document,
  inertType,
  number,
  physicalName,
  type ResourceTypes,
  resourceType,
  unused,
} from '../cloudformation/resource-type.ts';

const text = z.string();

/** Alarms, dashboards and logs. */
export const cloudwatchTypes: ResourceTypes = {
  'AWS::CloudWatch::Alarm': inertType(
    z.strictObject({
      AlarmName: text,
      AlarmDescription: text,
      AlarmActions: z.array(text),
      ComparisonOperator: text,
      EvaluationPeriods: number,
      Threshold: number,
      TreatMissingData: text.optional(),
      Namespace: text.optional(),
      MetricName: text.optional(),
      Dimensions: z.array(z.strictObject({ Name: text, Value: text })).optional(),
      Statistic: text.optional(),
      ExtendedStatistic: text.optional(),
      Period: number.optional(),
      Metrics: z.array(document).optional(),
      Tags: unused,
    }),
    (name, context) => arnOf(context, 'cloudwatch', `alarm:${name}`),
  ),
  'AWS::CloudWatch::Dashboard': resourceType(
    z.strictObject({ DashboardName: text, DashboardBody: text.refine((body) => JSON.parse(body) !== null) }),
    (_, { DashboardName }) => ({ ref: DashboardName }),
  ),
  'AWS::Logs::LogGroup': resourceType(
    z.strictObject({
      LogGroupName: text.optional(),
      RetentionInDays: number.optional(),
      KmsKeyId: text.optional(),
      Tags: unused,
    }),
    (id, { LogGroupName }, context) => {
      const name = LogGroupName ?? physicalName(context, id);
      return { ref: name, attributes: { Arn: arnOf(context, 'logs', `log-group:${name}:*`) } };
    },
  ),
  'AWS::Budgets::Budget': inertType(z.strictObject({ Budget: unused, NotificationsWithSubscribers: unused })),
  'AWS::Logs::MetricFilter': inertType(
    z.strictObject({
      FilterPattern: text,
      LogGroupName: text,
      MetricTransformations: z.array(
        z.strictObject({
          MetricName: text,
          MetricNamespace: text,
          MetricValue: text,
          DefaultValue: number.optional(),
        }),
      ),
    }),
  ),
};
