import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Table, table } from '../../functions/aws/clients/dynamo.ts';
import type { Runtime } from '../../functions/contracts/runtime.ts';
import { dynamodb } from '../../infra/local/dynamodb/index.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import { serviceContext } from './service-context.ts';

export interface Store {
  /** A process of its own: `ends` says before or after which call it breaks off, counted from 1. */
  open(ends?: { readonly call: number; readonly when: 'before' | 'after' }): Table;
  /** Calls so far. */
  readonly calls: { count: number };
}

/** The hub's table in this process. */
export const openStore = async (): Promise<Store> => {
  const around = serviceContext();
  const service = dynamodb(around);
  const calls = { count: 0 };
  const env = {
    ...{ AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'TEST', AWS_SECRET_ACCESS_KEY: 'test' },
    TABLE: 'test',
  };
  const runtime = (ends?: Parameters<Store['open']>[0]): Runtime => {
    let made = 0;
    return {
      ...{ env, now: () => around.clock.now(), newId: around.newId, random: around.random },
      aws: inProcess(async (request) => {
        made++;
        calls.count++;
        if (ends !== undefined && made > ends.call) throw new Error('The process has ended.');
        if (ends?.call === made && ends.when === 'before') throw new Error('The process ends.');
        const response = await service.handle(request, { accessKeyId: 'TEST', arn: 'test' });
        if (ends?.call === made) throw new Error('The process ends.');
        return response;
      }),
    };
  };
  const keys = ['pk', 'sk'] as const;
  const { aws } = runtime();
  await new DynamoDBClient({
    region: 'eu-south-1',
    credentials: { accessKeyId: 'TEST', secretAccessKey: 'test' },
    ...(aws && { requestHandler: aws.requestHandler }),
  }).send(
    new CreateTableCommand({
      TableName: env.TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  return { open: (ends) => table(runtime(ends)), calls };
};
