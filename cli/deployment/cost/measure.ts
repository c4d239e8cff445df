import * as z from 'zod';
import type { SignedCalls } from '../../../functions/aws/clients/signed.ts';
import type { Usage } from './cost.ts';
import { assumed } from './prices.ts';

/** A CloudWatch metric of one resource, which its dimension identifies. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimension?: { readonly name: string; readonly value: string };
}

/** The sum of a metric over the measured span. */
export type SumOf = (metric: Metric) => number;

/** A resource of the stack. `logicalId`: in the template; `physicalId`: in the account. */
export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
}

const DELIVERIES = /^Deliveries(?!.*Dead)/u;

/** The value of the dimension: the URL of a queue and the ARN of a function end with the name. */
const nameOf = ({ physicalId }: StackResource): string => physicalId.split(/[/:]/u).at(-1) ?? physicalId;
const shortName = (logicalId: string): string => logicalId.replace(/(?:Function)?[0-9A-F]{8}$/u, '');

const metric = (namespace: string, name: string, dimension: string, value: string): Metric => ({
  namespace,
  name,
  dimension: { name: dimension, value },
});

const functionMetrics = (name: string) => ({
  runs: metric('AWS/Lambda', 'Invocations', 'FunctionName', name),
  milliseconds: metric('AWS/Lambda', 'Duration', 'FunctionName', name),
});
const queueMetrics = (name: string) => ({
  sent: metric('AWS/SQS', 'NumberOfMessagesSent', 'QueueName', name),
  received: metric('AWS/SQS', 'NumberOfMessagesReceived', 'QueueName', name),
  deleted: metric('AWS/SQS', 'NumberOfMessagesDeleted', 'QueueName', name),
  empty: metric('AWS/SQS', 'NumberOfEmptyReceives', 'QueueName', name),
});
const tableMetrics = (name: string) => ({
  written: metric('AWS/DynamoDB', 'ConsumedWriteCapacityUnits', 'TableName', name),
  read: metric('AWS/DynamoDB', 'ConsumedReadCapacityUnits', 'TableName', name),
});
const apiCount = (id: string): Metric => metric('AWS/ApiGateway', 'Count', 'ApiId', id);
const scheduleCount = (group: string): Metric =>
  metric('AWS/Scheduler', 'InvocationAttemptCount', 'ScheduleGroup', group);
const logBytes = (group: string): Metric => metric('AWS/Logs', 'IncomingBytes', 'LogGroupName', group);
/** CloudWatch counts these for all buses of the account and region together. */
const eventCount: Metric = { namespace: 'AWS/Events', name: 'PutEventsEntriesCount' };
const eventBytes: Metric = { namespace: 'AWS/Events', name: 'PutEventsRequestSize' };

const namesOf = (resources: readonly StackResource[], type: string): string[] =>
  resources.filter((one) => one.type === type).map(nameOf);

/** All metrics that `usageOf` reads. */
export const metricsOf = (resources: readonly StackResource[]): Metric[] => [
  ...namesOf(resources, 'AWS::Lambda::Function').flatMap((name) => Object.values(functionMetrics(name))),
  ...namesOf(resources, 'AWS::SQS::Queue').flatMap((name) => Object.values(queueMetrics(name))),
  ...namesOf(resources, 'AWS::DynamoDB::Table').flatMap((name) => Object.values(tableMetrics(name))),
  ...namesOf(resources, 'AWS::ApiGatewayV2::Api').map(apiCount),
  ...namesOf(resources, 'AWS::Scheduler::ScheduleGroup').map(scheduleCount),
  ...resources.filter(({ type }) => type === 'AWS::Logs::LogGroup').map((one) => logBytes(one.physicalId)),
  eventCount,
  eventBytes,
];

/**
 * The usage of a stack, from its metrics. SQS counts messages and not requests: Lambda receives and deletes at most ten at
 * a time, and at least once for every run of a function that consumes a queue. Every message sent counts as a request,
 * which is too many where `record` sends ten in one.
 */
export const usageOf = (resources: readonly StackResource[], of: SumOf): Usage => {
  const total = (type: string, metricFor: (name: string) => Metric): number =>
    namesOf(resources, type).reduce((sum, name) => sum + of(metricFor(name)), 0);
  const functions = resources
    .filter(({ type }) => type === 'AWS::Lambda::Function')
    .map((resource) => {
      const { runs, milliseconds } = functionMetrics(nameOf(resource));
      return {
        name: shortName(resource.logicalId),
        runs: of(runs),
        gigabyteSeconds: (of(milliseconds) / 1000) * assumed.memoryGigabytes,
      };
    });
  const httpRequests = total('AWS::ApiGatewayV2::Api', apiCount);
  const queueRuns = Math.max(0, functions.reduce((sum, { runs }) => sum + runs, 0) - httpRequests);
  const queue = 'AWS::SQS::Queue';
  const loggedBytes = resources
    .filter(({ type }) => type === 'AWS::Logs::LogGroup')
    .reduce((sum, one) => sum + of(logBytes(one.physicalId)), 0);
  return {
    httpRequests,
    functions,
    sqs: {
      sends: total(queue, (name) => queueMetrics(name).sent),
      receives:
        Math.max(queueRuns, total(queue, (name) => queueMetrics(name).received) / 10) +
        total(queue, (name) => queueMetrics(name).empty),
      deletes: Math.max(queueRuns, total(queue, (name) => queueMetrics(name).deleted) / 10),
    },
    dynamodb: {
      writeUnits: total('AWS::DynamoDB::Table', (name) => tableMetrics(name).written),
      readUnits: total('AWS::DynamoDB::Table', (name) => tableMetrics(name).read),
    },
    events: of(eventCount),
    archivedBytes: of(eventBytes),
    schedules: total('AWS::Scheduler::ScheduleGroup', scheduleCount),
    logBytes: loggedBytes,
  };
};

/** The messages of the deliveries queue: webhooks, events sent to the API, and the hub's own sent messages. */
export const countDeliveries = (resources: readonly StackResource[], of: SumOf): number =>
  resources
    .filter(({ type, logicalId }) => type === 'AWS::SQS::Queue' && DELIVERIES.test(logicalId))
    .reduce((sum, one) => sum + of(queueMetrics(nameOf(one)).sent), 0);

const text = (xml: string, tag: string): string =>
  (new RegExp(`<${tag}>([^<]*)</${tag}>`, 'u').exec(xml)?.[1] ?? '').replaceAll('&amp;', '&');

/** The resources of a stack. Rejects with `AwsRefusal` where there is no such stack. */
export const stackResources = async (
  aws: Pick<SignedCalls, 'query'>,
  StackName: string,
): Promise<StackResource[]> => {
  const found: StackResource[] = [];
  let next = '';
  do {
    const answer = await aws.query('cloudformation', 'ListStackResources', {
      StackName,
      ...(next !== '' && { NextToken: next }),
    });
    for (const [, member = ''] of answer.matchAll(/<member>(.*?)<\/member>/gsu))
      if (member.includes('<PhysicalResourceId>'))
        found.push({
          logicalId: text(member, 'LogicalResourceId'),
          type: text(member, 'ResourceType'),
          physicalId: text(member, 'PhysicalResourceId'),
        });
    next = text(answer, 'NextToken');
  } while (next !== '');
  return found;
};

const QUERIES_PER_CALL = 500;
const Answer = z.looseObject({
  MetricDataResults: z.array(z.looseObject({ Id: z.string(), Values: z.array(z.number()).default([]) })),
  NextToken: z.string().nullish(),
});

interface Span {
  /** Epoch seconds. */
  readonly from: number;
  readonly to: number;
}

/** The sum of each metric over a span, from CloudWatch. */
export const fetchMetricSums = async (
  aws: Pick<SignedCalls, 'json'>,
  metrics: readonly Metric[],
  { from, to }: Span,
): Promise<SumOf> => {
  const found = new Map<string, number>();
  // CloudWatch stores data points of five minutes for 63 days, and data points of an hour for 15 months.
  const Period = to - from <= 86_400 ? 300 : 3600;
  for (let at = 0; at < metrics.length; at += QUERIES_PER_CALL) {
    const slice = metrics.slice(at, at + QUERIES_PER_CALL);
    const queries = slice.map(({ namespace, name, dimension }, position) => ({
      Id: `m${position}`,
      MetricStat: {
        Metric: {
          Namespace: namespace,
          MetricName: name,
          Dimensions: dimension ? [{ Name: dimension.name, Value: dimension.value }] : [],
        },
        Period,
        Stat: 'Sum',
      },
    }));
    let next: string | undefined;
    do {
      const answer = Answer.parse(
        await aws.json('monitoring', 'GetMetricData', {
          StartTime: Math.floor(from / Period) * Period,
          EndTime: to,
          MetricDataQueries: queries,
          ...(next !== undefined && { NextToken: next }),
        }),
      );
      for (const { Id, Values } of answer.MetricDataResults) {
        const one = slice[Number(Id.slice(1))];
        if (one)
          found.set(
            metricKey(one),
            Values.reduce((sum, value) => sum + value, found.get(metricKey(one)) ?? 0),
          );
      }
      next = answer.NextToken ?? undefined;
    } while (next !== undefined && next !== '');
  }
  return (metric) => found.get(metricKey(metric)) ?? 0;
};

const metricKey = ({ namespace, name, dimension }: Metric): string =>
  `${namespace} ${name} ${dimension?.value ?? ''}`;
