import {
  fetchMetricSums,
  type Metric,
  metricsOf,
  type StackResource,
  type SumOf,
  stackResources,
} from '../../../../cli/deployment/cost/measure.ts';
import { twilioSigner } from '../../../../cli/local/sample-signers.ts';
import { signedCalls } from '../../../../functions/aws/clients/signed.ts';
import { itemSize, parseItem } from '../../../../infra/local/dynamodb/values/values.ts';
import { CAPACITY_BY_FUNCTION, REQUESTS_BY_QUEUE } from '../../../../infra/local/runtime/meter.ts';
import { openTestHub, PUBLIC_URL, type TestHub } from '../../../support/open-test-hub.ts';

/** SMS that reach the hub in one way. */
export interface LoadShape {
  readonly name: string;
  /** How the messages arrive, for readers of the page. */
  readonly arrival: string;
  readonly messages: number;
  /** They come from so many people by turns, none of whom was known before. */
  readonly people: number;
  /** Milliseconds between two messages. */
  readonly everyMs: number;
}

/** A million a month, evenly spread. */
const EVENLY_MS = 2600;

export const loadShapes: readonly LoadShape[] = [
  {
    ...{ name: 'bursts', messages: 200, people: 20, everyMs: 0 },
    arrival: '200 messages of twenty people at once',
  },
  {
    ...{ name: 'one at a time', messages: 100, people: 10, everyMs: EVENLY_MS },
    arrival: 'a message every 2.6 s, which is a million a month, from ten people',
  },
  {
    ...{ name: 'first contacts', messages: 100, people: 100, everyMs: EVENLY_MS },
    arrival: 'a message every 2.6 s, each from somebody new, whom the hub welcomes by an SMS',
  },
];

/** What a load used of AWS: counted, never timed, so that it is the same on every machine. */
export interface CountedLoad extends LoadShape {
  /** Stored interactions, what the hub sent included. */
  readonly interactions: number;
  readonly resources: readonly StackResource[];
  /** Sums of CloudWatch metrics over the load alone. */
  readonly sumOf: SumOf;
  /** AWS requests by `service operation`. */
  readonly operations: ReadonlyMap<string, number>;
  /** Bytes that the table stores more than before. */
  readonly storedBytes: number;
}

/** DynamoDB stores so many bytes with each item. */
const BYTES_PER_ITEM = 100;
const HOUR_MS = 3_600_000;
const LONGEST_RUN_SECONDS = 900;

/** Sends a load through the whole hub of `mappings/` in this process, with virtual time and every trigger published. */
export const countLoad = async (shape: LoadShape): Promise<CountedLoad> => {
  const hub = await openTestHub({
    // On a machine that other work slows down, no run is cut off and repeated: it would be counted twice.
    around: (invoke, target, event) => invoke({ ...target, timeoutSeconds: LONGEST_RUN_SECONDS }, event),
  });
  try {
    // What is read once per worker is no cost of a message.
    await sendMessage(hub, 'warm', '+14155559999');
    await hub.wait();
    const aws = signedCalls(hub.runtime);
    const resources = await stackResources(aws, `tributary-${hub.name}`);
    const metrics = [...metricsOf(resources), ...localMetricsOf(resources)];
    const from = Math.floor(hub.clock.now() / 1000);
    const readMetrics = (): Promise<SumOf> =>
      fetchMetricSums(aws, metrics, { from: from - 24 * 3600, to: Math.ceil(hub.clock.now() / 1000) + 300 });
    const [metricsBefore, operationsBefore, before] = [
      await readMetrics(),
      operationsOf(hub),
      await storedIn(hub),
    ];
    for (let serial = 0; serial < shape.messages; serial++) {
      await sendMessage(hub, `SM${serial}`, `+141555${String(10_000 + (serial % shape.people))}`);
      if (shape.everyMs > 0) await hub.wait(shape.everyMs);
    }
    await hub.wait(HOUR_MS);
    const [metricsAfter, after] = [await readMetrics(), await storedIn(hub)];
    const sumOf: SumOf = (metric) => metricsAfter(metric) - metricsBefore(metric);
    expectNoRetry(resources, sumOf);
    const interactions = after.interactions - before.interactions;
    if (interactions < shape.messages)
      throw new Error(`Only ${interactions} of ${shape.messages} messages became interactions.`);
    return {
      ...shape,
      ...{ interactions, resources, storedBytes: after.bytes - before.bytes },
      sumOf,
      operations: new Map(
        [...operationsOf(hub)].map(([name, count]) => [name, count - (operationsBefore.get(name) ?? 0)]),
      ),
    };
  } finally {
    await hub.stop();
  }
};

/** A message that is received twice costs more than the load does. */
const expectNoRetry = (resources: readonly StackResource[], sumOf: SumOf): void => {
  for (const { type, physicalId, logicalId } of resources) {
    if (type !== 'AWS::SQS::Queue') continue;
    const dimension = { name: 'QueueName', value: queueName(physicalId) };
    const count = (name: string): number => sumOf({ namespace: 'AWS/SQS', name, dimension });
    const failed = count('NumberOfMessagesReceived') - count('NumberOfMessagesDeleted');
    if (failed > 0)
      throw new Error(
        `${failed} messages of ${logicalId} failed while the load was counted. Run it again on a machine that is free.`,
      );
  }
};

const queueName = (url: string): string => url.split('/').at(-1) ?? url;

const sendMessage = async ({ cloud }: TestHub, MessageSid: string, From: string): Promise<void> => {
  const fields = { MessageSid, From, To: '+15005550006', Body: `Message ${MessageSid}` };
  const { headers, body } = twilioSigner(PUBLIC_URL).sign('', fields);
  const target = '/webhooks/twilio';
  const { status } = await cloud.front({ method: 'POST', target, headers, body: Buffer.from(body) });
  if (status !== 200) throw new Error(`The delivery ${MessageSid} was answered with ${status}.`);
};

const storedIn = async ({ rows }: TestHub): Promise<{ bytes: number; interactions: number }> => {
  const items = await rows('%');
  return {
    bytes: items.reduce((sum, item) => sum + itemSize(parseItem(item)) + BYTES_PER_ITEM, 0),
    interactions: items.filter((item) => JSON.stringify(item['sk']).startsWith('{"S":"at#')).length,
  };
};

const operationsOf = ({ cloud }: TestHub): Map<string, number> => {
  const found = new Map<string, number>();
  for (const [counted, count] of cloud.counts) {
    const operation = counted.split(' ').slice(1).join(' ');
    found.set(operation, (found.get(operation) ?? 0) + count);
  }
  return found;
};

const localMetricsOf = (resources: readonly StackResource[]): Metric[] =>
  resources.flatMap(({ type, physicalId }) => {
    if (type === 'AWS::Lambda::Function') return capacityOf(physicalId);
    return type === 'AWS::SQS::Queue' ? [sendRequestsOf(physicalId)] : [];
  });

/** The metric of the requests that send to a queue. */
export const sendRequestsOf = (queueUrl: string): Metric => {
  const dimension = { name: 'QueueName', value: queueName(queueUrl) };
  return { namespace: REQUESTS_BY_QUEUE, name: 'SendRequests', dimension };
};

/** The metrics of the read and write units that a function consumes. */
export const capacityOf = (functionName: string): [read: Metric, written: Metric] => {
  const metric = (name: string): Metric => ({
    ...{ namespace: CAPACITY_BY_FUNCTION, name, dimension: { name: 'FunctionName', value: functionName } },
  });
  return [metric('ConsumedReadCapacityUnits'), metric('ConsumedWriteCapacityUnits')];
};
