import { crc32 } from 'node:zlib';
import * as z from 'zod';
import type { Metrics } from '../cloudwatch/metrics.ts';
import type { AwsRequest, AwsService } from '../protocol/service.ts';

/** Counts the usage that AWS bills, in the metrics of CloudWatch. */
export interface Meter {
  /** Counts an answered request. */
  request(service: string, operation: string, request: AwsRequest): void;
  /** Counts a delivery of a rule or a schedule. */
  delivered(arn: string, principal: string, source: string): void;
  /** Counts a batch that Lambda received from a queue, and its failed messages. */
  batch(queueArn: string, received: number, failed: number): void;
  ran(functionName: string, milliseconds: number): void;
  called(api: string): void;
  /** DynamoDB with its consumed capacity counted, by table and by calling function. */
  capacity(service: AwsService, functionOf: (accessKey: string) => string): AwsService;
}

/** The namespace of the consumed capacity by function. CloudWatch has no such metric. */
export const CAPACITY_BY_FUNCTION = 'Local/DynamoDB';
/** The namespace of the requests that send to a queue: a batch is one. CloudWatch counts messages alone. */
export const REQUESTS_BY_QUEUE = 'Local/SQS';

const READS = /\.(?:Batch|Transact)?Get|\.(?:Query|Scan)$/u;
const Sent = z.looseObject({ QueueUrl: z.string(), Entries: z.array(z.unknown()).optional() });
const Put = z.looseObject({ Entries: z.array(z.unknown()) });
const Consumed = z.looseObject({
  TableName: z.string(),
  CapacityUnits: z.number(),
});
const Answer = z.looseObject({ ConsumedCapacity: z.union([Consumed, z.array(Consumed)]).optional() });

export const meter = ({ add }: Pick<Metrics, 'add'>): Meter => {
  const count = (namespace: string, name: string, dimension: string, value: string, by: number): void =>
    add({ namespace, name, dimension: { name: dimension, value } }, by);
  const sent = (queue: string, by: number): void => {
    count('AWS/SQS', 'NumberOfMessagesSent', 'QueueName', lastPart(queue), by);
    count(REQUESTS_BY_QUEUE, 'SendRequests', 'QueueName', lastPart(queue), 1);
  };
  return {
    request(service, operation, { body }) {
      if (service === 'sqs' && operation.startsWith('SendMessage')) {
        const input = Sent.safeParse(jsonOf(body));
        if (input.success) sent(input.data.QueueUrl, input.data.Entries?.length ?? 1);
      }
      if (service === 'events' && operation === 'PutEvents') {
        const input = Put.safeParse(jsonOf(body));
        if (!input.success) return;
        add({ namespace: 'AWS/Events', name: 'PutEventsEntriesCount' }, input.data.Entries.length);
        add({ namespace: 'AWS/Events', name: 'PutEventsRequestSize' }, body.byteLength);
      }
    },
    delivered(arn, principal, source) {
      if (arn.includes(':sqs:')) sent(arn, 1);
      if (principal === 'scheduler.amazonaws.com')
        count('AWS/Scheduler', 'InvocationAttemptCount', 'ScheduleGroup', source.split('/')[1] ?? '', 1);
    },
    batch(queueArn, received, failed) {
      const queue = lastPart(queueArn);
      count('AWS/SQS', 'NumberOfMessagesReceived', 'QueueName', queue, received);
      count('AWS/SQS', 'NumberOfMessagesDeleted', 'QueueName', queue, received - failed);
    },
    ran(functionName, milliseconds) {
      count('AWS/Lambda', 'Invocations', 'FunctionName', functionName, 1);
      count('AWS/Lambda', 'Duration', 'FunctionName', functionName, milliseconds);
    },
    called: (api) => count('AWS/ApiGateway', 'Count', 'ApiId', api, 1),
    capacity: (service, functionOf) => ({
      ...service,
      async handle(request, caller) {
        const input = Buffer.from(request.body).toString();
        if (input.includes('"ReturnConsumedCapacity"') || !input.startsWith('{"'))
          return service.handle(request, caller);
        const body = Buffer.from(`{"ReturnConsumedCapacity":"TOTAL",${input.slice(1)}`);
        const response = await service.handle({ ...request, body }, caller);
        const { ConsumedCapacity: consumed = [], ...answer } = Answer.parse(jsonOf(response.body));
        // Only the responses of transactions name read or write units.
        const read = READS.test(request.headers['x-amz-target'] ?? '');
        const name = read ? 'ConsumedReadCapacityUnits' : 'ConsumedWriteCapacityUnits';
        for (const { TableName, CapacityUnits: units } of [consumed].flat()) {
          const by = functionOf(caller.accessKeyId);
          count('AWS/DynamoDB', name, 'TableName', TableName, units);
          count(CAPACITY_BY_FUNCTION, name, 'FunctionName', by, units);
        }
        const plain = JSON.stringify(answer);
        return {
          ...response,
          headers: { ...response.headers, 'x-amz-crc32': String(crc32(plain)) },
          body: plain,
        };
      },
    }),
  };
};

const lastPart = (name: string): string => name.split(/[/:]/u).at(-1) ?? name;

const jsonOf = (body: Uint8Array | string): unknown => {
  try {
    return JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString());
  } catch {
    return undefined;
  }
};
