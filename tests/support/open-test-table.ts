import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { VirtualClock } from '../../core/clock.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { type Table, table } from '../../functions/aws/clients/dynamo.ts';
import type { Runtime } from '../../functions/contracts/runtime.ts';
import { dynamodb } from '../../infra/local/dynamodb/index.ts';
import { events } from '../../infra/local/eventbridge/index.ts';
import type { AwsService } from '../../infra/local/protocol/service.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import { forwarder } from '../../infra/local/runtime/external-endpoints.ts';
import { foreignDynamodb } from '../../infra/scenario/hub/foreign-dynamodb.ts';
import { serviceContext } from './service-context.ts';

/** Where a process ends: before a request has its effect, or after it and before the answer arrives. */
interface ProcessEnd {
  /** The number of the request in its process, from 1. */
  readonly request: number;
  readonly when: 'before' | 'after';
}

export interface Spent {
  readonly requests: number;
  readonly readUnits: number;
  readonly writeUnits: number;
}

export interface TestTable {
  readonly clock: VirtualClock;
  readonly runtime: Runtime;
  readonly rows: Table;
  /** Opens the table from a process of its own, which ends where `end` says. */
  openProcess(end?: ProcessEnd): Table;
  /** The DynamoDB requests and capacity units since the last call. */
  takeSpent(): Spent;
}

const NOTHING: Spent = { requests: 0, readUnits: 0, writeUnits: 0 };

/** Capacity units in an answer. Only transactions say whether they were read or written. */
const unitsIn = (body: string): number =>
  [...body.matchAll(/"CapacityUnits":(\d+(?:\.\d+)?)/gu)].reduce((sum, [, units]) => sum + Number(units), 0);

/** Opens the hub's table in a local DynamoDB, beside a local EventBridge, without a stack. For tests of adapters. */
export const openTestTable = async (): Promise<TestTable> => {
  const context = serviceContext();
  const foreign = foreignDynamodb(process.env);
  const forward = foreign && forwarder(foreign);
  const services: Readonly<Record<string, Pick<AwsService, 'handle'>>> = {
    dynamodb: forward ? { handle: (request) => forward('dynamodb', request) } : dynamodb(context),
    events: events(context),
  };
  let spent = NOTHING;
  const handle = async (request: Parameters<AwsService['handle']>[0]) => {
    const name = /\/(\w+)\/aws4_request/u.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
    const service = services[name];
    if (service === undefined) throw new Error(`The test table has no service ${name}.`);
    const caller = { accessKeyId: 'TEST', arn: 'arn:aws:iam::123456789012:role/test' };
    const operation = request.headers['x-amz-target'] ?? '';
    if (name !== 'dynamodb' || operation.includes('CreateTable')) return service.handle(request, caller);
    const text = Buffer.from(request.body).toString();
    const body = Buffer.from(`{"ReturnConsumedCapacity":"TOTAL",${text.slice(1)}`);
    const response = await service.handle({ ...request, body }, caller);
    const units = unitsIn(String(response.body));
    const isRead = /Get|Query|Scan/u.test(operation);
    spent = {
      requests: spent.requests + 1,
      readUnits: spent.readUnits + (isRead ? units : 0),
      writeUnits: spent.writeUnits + (isRead ? 0 : units),
    };
    return response;
  };
  const openRuntime = (end?: ProcessEnd): Runtime => {
    let made = 0;
    return {
      env: {
        AWS_REGION: 'eu-south-1',
        AWS_ACCESS_KEY_ID: 'TEST',
        AWS_SECRET_ACCESS_KEY: 'test',
        TABLE: 'hub',
      },
      now: () => context.clock.now(),
      sleep: async () => {},
      newId: context.newId,
      random: context.random,
      aws: inProcess(async (request) => {
        made++;
        if (end !== undefined && made > end.request) throw new Error('The process has ended.');
        if (end?.request === made && end.when === 'before') throw new Error('The process ends.');
        const response = await handle(request);
        if (end?.request === made) throw new Error('The process ends.');
        return response;
      }),
    };
  };
  const runtime = openRuntime();
  await new DynamoDBClient(clientConfig(runtime)).send(
    new CreateTableCommand({
      TableName: 'hub',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  return {
    clock: context.clock,
    runtime,
    rows: table(runtime),
    openProcess: (end) => table(openRuntime(end)),
    takeSpent() {
      const taken = spent;
      spent = NOTHING;
      return taken;
    },
  };
};
