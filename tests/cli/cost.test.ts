import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { costOf, costTable, totalDollars } from '../../cli/deployment/cost/cost.ts';
import {
  countDeliveries,
  fetchMetricSums,
  metricsOf,
  stackResources,
  usageOf,
} from '../../cli/deployment/cost/measure.ts';
import { prices } from '../../cli/deployment/cost/prices.ts';
import { costLines } from '../../cli/deployment/cost.ts';
import { VirtualClock } from '../../core/clock.ts';
import { signedCalls } from '../../functions/aws/clients/signed.ts';
import { listen } from '../../infra/local/protocol/http.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import { type Cloud, startCloud } from '../../infra/local/runtime/cloud.ts';
import { eventPatterns } from '../../infra/scenario/event-patterns.ts';
import { hubFunctions } from '../../infra/scenario/hub-functions.ts';
import { assembly } from '../../infra/stack/assembly.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

describe('costOf', () => {
  const nothing = {
    ...{ httpRequests: 0, functions: [], events: 0, archivedBytes: 0, schedules: 0, logBytes: 0 },
    sqs: { sends: 0, receives: 0, deletes: 0 },
    dynamodb: { writeUnits: 0, readUnits: 0 },
  };

  it('leaves out what was not used', () => {
    expect(costOf(nothing, prices)).toEqual([]);
  });

  it.each([
    [{ httpRequests: 1e6 }, prices.perMillion.httpRequest],
    [{ sqs: { sends: 1e6, receives: 1e6, deletes: 1e6 } }, 3 * prices.perMillion.sqsRequest],
    [{ dynamodb: { writeUnits: 2e6, readUnits: 0 } }, 2 * prices.perMillion.dynamodbWriteUnit],
    [{ logBytes: 1024 ** 3 }, prices.perGigabyte.log],
    [{ archivedBytes: 2 * 1024 ** 3 }, 2 * prices.perGigabyte.archivedEvent],
    [{ functions: [{ name: 'Record', runs: 1e6, gigabyteSeconds: 0 }] }, prices.perMillion.lambdaRequest],
  ])('%j', (used, dollars) => {
    expect(totalDollars(costOf({ ...nothing, ...used }, prices))).toBeCloseTo(dollars, 9);
  });

  it('puts the dearest first, and names it in the table', () => {
    const lines = costOf({ ...nothing, httpRequests: 10, events: 500 }, prices);
    expect(lines.map(({ service }) => service)).toEqual(['EventBridge', 'API Gateway']);
    expect(costTable(lines, { name: 'deliveries', count: 100 }).join('\n')).toMatch(
      /total +0\.000510 +5\.100 +100 %[\s\S]*100 deliveries:\n {2}EventBridge, events \(500\)/u,
    );
  });
});

/** As CloudWatch answers in the account, shortened: two pages, sums by five minutes. */
const pages = [
  {
    MetricDataResults: [
      { Id: 'm0', Label: 'Invocations', StatusCode: 'PartialData', Values: [40, 2], Timestamps: [1, 2] },
      { Id: 'm1', Label: 'Duration', StatusCode: 'Complete', Values: [4200], Timestamps: [1] },
      { Id: 'm2', Label: 'NumberOfMessagesSent', StatusCode: 'Complete', Values: [90], Timestamps: [1] },
    ],
    Messages: [],
    NextToken: 'more',
  },
  {
    MetricDataResults: [
      { Id: 'm0', Label: 'Invocations', StatusCode: 'Complete', Values: [8], Timestamps: [3] },
      { Id: 'm3', Label: 'NumberOfMessagesReceived', StatusCode: 'Complete', Values: [800], Timestamps: [1] },
      { Id: 'm7', Label: 'ReadUnits', StatusCode: 'Complete', Values: [], Timestamps: [] },
    ],
  },
];
const stack = `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>
<member><LogicalResourceId>IntakeRecordFunction0A1B2C3D</LogicalResourceId><PhysicalResourceId>acme-record</PhysicalResourceId><ResourceType>AWS::Lambda::Function</ResourceType></member>
<member><LogicalResourceId>DeliveriesQueue</LogicalResourceId><PhysicalResourceId>https://sqs.eu-south-1.amazonaws.com/123456789012/acme-deliveries</PhysicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType></member>
<member><LogicalResourceId>Waits</LogicalResourceId><ResourceType>AWS::Scheduler::ScheduleGroup</ResourceType></member>
</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`;

describe('hub cost', () => {
  it('asks CloudFormation what there is and CloudWatch what it did, page after page', async () => {
    const asked: unknown[] = [];
    const server = await listen(async ({ headers, body }) => {
      if (headers['x-amz-target'] === undefined) return { status: 200, headers: {}, body: stack };
      asked.push(JSON.parse(Buffer.from(body).toString()));
      return { status: 200, headers: {}, body: JSON.stringify(pages[asked.length - 1]) };
    });
    ends.push(() => server.stop());
    const env = {
      ...{ AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'KEY', AWS_SECRET_ACCESS_KEY: 'secret' },
      AWS_ENDPOINT_URL: `http://127.0.0.1:${server.port}`,
    };
    const lines = await costLines(env, 'tributary-acme', { from: 3_600_100, to: 7_200_100 });
    expect(asked).toMatchObject([
      {
        StartTime: 3_600_000,
        EndTime: 7_200_100,
        MetricDataQueries: expect.arrayContaining([
          {
            Id: 'm2',
            MetricStat: {
              Metric: {
                Namespace: 'AWS/SQS',
                MetricName: 'NumberOfMessagesSent',
                Dimensions: [{ Name: 'QueueName', Value: 'acme-deliveries' }],
              },
              Period: 3600,
              Stat: 'Sum',
            },
          },
        ]),
      },
      { NextToken: 'more' },
    ]);
    const text = lines.join('\n');
    expect(text).toContain('tributary-acme: 90 deliveries in 1000 hours');
    expect(text).toContain('IntakeRecord: runs (50)');
    expect(text).toContain('SQS, receives (80)');
  });

  it('names the stack that does not exist', async () => {
    const error =
      '<ErrorResponse><Error><Code>ValidationError</Code><Message>no</Message></Error></ErrorResponse>';
    const server = await listen(async () => ({ status: 400, headers: {}, body: error }));
    ends.push(() => server.stop());
    const env = { AWS_REGION: 'eu-south-1', AWS_ENDPOINT_URL: `http://127.0.0.1:${server.port}` };
    await expect(costLines(env, 'tributary-nope', { from: 0, to: 60 })).rejects.toMatchObject({
      code: 'unknown-stack',
      message: expect.stringContaining('tributary-nope'),
    });
  });
});

describe('the hub on one machine', () => {
  const open = async (file: string, clock: VirtualClock): Promise<Cloud> => {
    const synthesised = await assembly();
    let ids = 0;
    const world = {
      now: () => clock.now(),
      newId: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`,
      random: () => 0.5,
    };
    const holder: { aws?: Pick<Cloud, 'aws'> } = {};
    return startCloud({
      patterns: eventPatterns,
      ...world,
      ...{
        assembly: synthesised,
        clock,
        file,
        publicUrl: 'https://acme.example',
        awsUrl: 'http://127.0.0.1',
      },
      invoke: hubFunctions(
        synthesised,
        () => {
          if (holder.aws === undefined) throw new Error('The services are not open yet.');
          return holder.aws;
        },
        world,
      ),
      onService: (service) => {
        holder.aws = service;
      },
      onError: () => {},
    });
  };
  const look = async (cloud: Cloud, clock: VirtualClock) => {
    const aws = signedCalls({
      env: { AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'ADMIN', AWS_SECRET_ACCESS_KEY: 'local' },
      aws: inProcess((request) => cloud.aws(request)),
    });
    const resources = await stackResources(aws, 'tributary-acme');
    const now = clock.now() / 1000;
    const of = await fetchMetricSums(aws, metricsOf(resources), { from: now - 3600, to: now + 60 });
    return { usage: usageOf(resources, of), deliveries: countDeliveries(resources, of) };
  };

  it('counts what it does as CloudWatch would, and goes on counting when it is opened again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-cost-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const clock = new VirtualClock(Date.parse('2026-03-02T09:00:00Z'));
    let cloud = await open(join(folder, 'state.sqlite'), clock);
    const before = await look(cloud, clock);
    const deliveries = [...cloud.created.values()]
      .map(({ attributes }) => attributes?.['QueueUrl'])
      .find((url) => url?.includes('Deliveries') === true && !url.includes('Dead'));
    const aws = signedCalls({
      env: { AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'ADMIN', AWS_SECRET_ACCESS_KEY: 'local' },
      aws: inProcess((request) => cloud.aws(request)),
    });
    const interaction = {
      ...{ key: 'SM1', kind: 'message', channel: 'sms', provider: 'twilio', direction: 'inbound' },
      ...{ occurredAt: '2026-03-02T09:00:00.000Z', identifiers: ['phone:+14155550100'], text: 'Hi' },
    };
    await aws.json('sqs', 'SendMessage', {
      QueueUrl: deliveries,
      MessageBody: JSON.stringify({ type: 'interaction', interaction, receivedAt: interaction.occurredAt }),
    });
    await clock.runUntil(clock.now() + 60_000);
    const after = await look(cloud, clock);
    expect(after.deliveries - before.deliveries).toBeGreaterThanOrEqual(1);
    const record = after.usage.functions.find(({ name }) => name.includes('Record'));
    expect(record?.runs).toBeGreaterThanOrEqual(1);
    expect(after.usage.dynamodb.writeUnits - before.usage.dynamodb.writeUnits).toBeGreaterThanOrEqual(10);
    // Reads too, although only transactions say which of the two their capacity was.
    expect(after.usage.dynamodb.readUnits - before.usage.dynamodb.readUnits).toBeGreaterThanOrEqual(4);
    expect(after.usage.events - before.usage.events).toBeGreaterThanOrEqual(2);
    // One for each CRM at least.
    expect(after.usage.sqs.sends - before.usage.sqs.sends).toBeGreaterThanOrEqual(3);
    await cloud.stop();
    cloud = await open(join(folder, 'state.sqlite'), clock);
    ends.unshift(() => cloud.stop());
    expect((await look(cloud, clock)).deliveries).toBe(after.deliveries);
  });
});
