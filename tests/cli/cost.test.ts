import { afterEach, describe, expect, it } from 'vitest';
import { costOf, costTable, totalDollars } from '../../cli/deployment/cost/cost.ts';
import { prices } from '../../cli/deployment/cost/prices.ts';
import { costLines } from '../../cli/deployment/cost.ts';
import { listen } from '../../infra/local/protocol/http.ts';

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

  it('leaves out unused services', () => {
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

  it('sorts by cost, highest first, and prints the names', () => {
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
  it('reads the resources from CloudFormation and their metrics from CloudWatch, page after page', async () => {
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
