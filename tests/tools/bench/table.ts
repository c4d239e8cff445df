import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { type Table, table } from '../../../functions/aws/clients/dynamo.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import { dynamodb } from '../../../infra/local/dynamodb/index.ts';
import { inProcess } from '../../../infra/local/runtime/client.ts';
import { serviceContext } from '../../support/service-context.ts';

export interface Spent {
  readonly requests: number;
  readonly readUnits: number;
  readonly writeUnits: number;
}

export interface CountedTable {
  readonly rows: Table;
  readonly newId: () => string;
  /** What was asked of the table, and what that cost, since it was last asked for. */
  spent(): Spent;
}

/** The hub's table in the local DynamoDB, which counts as DynamoDB does. */
export const countedTable = async (): Promise<CountedTable> => {
  const around = serviceContext();
  const service = dynamodb(around);
  let spent: Spent = { requests: 0, readUnits: 0, writeUnits: 0 };
  // Only transactions say which kind of units they consumed.
  const unitsIn = (body: string): number =>
    [...body.matchAll(/"CapacityUnits":(\d+(?:\.\d+)?)/gu)].reduce(
      (sum, [, units]) => sum + Number(units),
      0,
    );
  const runtime: Runtime = {
    env: {
      AWS_REGION: 'eu-south-1',
      AWS_ACCESS_KEY_ID: 'BENCH',
      AWS_SECRET_ACCESS_KEY: 'bench',
      TABLE: 'bench',
    },
    now: () => around.clock.now(),
    newId: around.newId,
    random: around.random,
    aws: inProcess(async (request) => {
      const text = Buffer.from(request.body).toString();
      const operation = request.headers['x-amz-target'] ?? '';
      const body = !operation.includes('CreateTable')
        ? `{"ReturnConsumedCapacity":"TOTAL",${text.slice(1)}`
        : text;
      const response = await service.handle(
        { ...request, body: Buffer.from(body) },
        { accessKeyId: 'BENCH', arn: 'bench' },
      );
      const units = unitsIn(String(response.body));
      const isRead = /Get|Query|Scan/u.test(operation);
      spent = {
        requests: spent.requests + 1,
        readUnits: spent.readUnits + (isRead ? units : 0),
        writeUnits: spent.writeUnits + (isRead ? 0 : units),
      };
      return response;
    }),
  };
  await new DynamoDBClient(clientConfig(runtime)).send(
    new CreateTableCommand({
      TableName: 'bench',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  const counted = (): Spent => {
    const before = spent;
    spent = { requests: 0, readUnits: 0, writeUnits: 0 };
    return before;
  };
  counted();
  return { rows: table(runtime), newId: around.newId, spent: counted };
};
