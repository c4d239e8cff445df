import * as z from 'zod';
import { type ResourceType, resourceType } from './resource-type.ts';

const text = z.string();
const number = z.coerce.number();
const anything = z.unknown().optional();
const document = z.record(z.string(), z.unknown());

/** Checked for its form, and nothing more: what it would do happens only in an account. */
const checked = (schema: z.ZodType, service = '', kind = ''): ResourceType =>
  resourceType(schema, (id, _, { region, account, stackName }) => {
    const name = `${stackName}-${id}`;
    return { ref: name, attributes: { Arn: `arn:aws:${service}:${region}:${account}:${kind}${name}` } };
  });

/** What watches the hub and tells people: alarms, the dashboard, topics, counted log lines, what becomes of e-mails. */
export const monitoringTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::CloudWatch::Alarm': checked(
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
      Period: number.optional(),
      Metrics: z.array(document).optional(),
      Tags: anything,
    }),
    'cloudwatch',
    'alarm:',
  ),
  'AWS::CloudWatch::Dashboard': resourceType(
    z.strictObject({ DashboardName: text, DashboardBody: text.refine((body) => JSON.parse(body) !== null) }),
    (_, { DashboardName }) => ({ ref: DashboardName }),
  ),
  'AWS::Logs::MetricFilter': checked(
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
  'AWS::SNS::Topic': resourceType(
    z.strictObject({
      DisplayName: text.optional(),
      TopicName: text.optional(),
      KmsMasterKeyId: text.optional(),
      Tags: anything,
    }),
    async (id, { TopicName }, { region, account, stackName, callQuery }) => {
      const name = TopicName ?? `${stackName}-${id}`;
      await callQuery('sns', { Action: 'CreateTopic', Name: name });
      const arn = `arn:aws:sns:${region}:${account}:${name}`;
      return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
    },
  ),
  'AWS::SNS::TopicPolicy': checked(z.strictObject({ PolicyDocument: document, Topics: z.array(text) })),
  'AWS::SNS::Subscription': resourceType(
    z.strictObject({ Protocol: z.enum(['email', 'https', 'sqs', 'lambda']), Endpoint: text, TopicArn: text }),
    async (id, { Protocol, Endpoint, TopicArn }, { callQuery }) => {
      // Nobody reads e-mail here who could confirm a subscription.
      if (Protocol !== 'email') await callQuery('sns', { Action: 'Subscribe', TopicArn, Protocol, Endpoint });
      return { ref: id };
    },
  ),
  'AWS::SES::ConfigurationSet': resourceType(
    z.strictObject({ Name: text, DeliveryOptions: anything, ReputationOptions: anything, Tags: anything }),
    async (_, { Name }, { callQuery }) => {
      await callQuery('ses', { Action: 'CreateConfigurationSet', 'ConfigurationSet.Name': Name });
      return { ref: Name };
    },
  ),
  'AWS::SES::ConfigurationSetEventDestination': resourceType(
    z.strictObject({
      ConfigurationSetName: text,
      EventDestination: z.strictObject({
        Name: text,
        Enabled: z.boolean(),
        MatchingEventTypes: z.array(text),
        SnsDestination: z.strictObject({ TopicARN: text }),
      }),
    }),
    async (id, { ConfigurationSetName, EventDestination: { Name, Enabled, ...wants } }, { callQuery }) => {
      await callQuery('ses', {
        Action: 'CreateConfigurationSetEventDestination',
        ConfigurationSetName,
        'EventDestination.Name': Name,
        'EventDestination.Enabled': String(Enabled),
        'EventDestination.SNSDestination.TopicARN': wants.SnsDestination.TopicARN,
        ...Object.fromEntries(
          wants.MatchingEventTypes.map((type, at) => [
            `EventDestination.MatchingEventTypes.member.${at + 1}`,
            type,
          ]),
        ),
      });
      return { ref: id };
    },
  ),
};
