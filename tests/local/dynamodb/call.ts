import { type DynamodbOptions, dynamodb } from '../../../infra/local/dynamodb/index.ts';
import { serviceContext } from '../../support/service-context.ts';

export type Body = Readonly<Record<string, unknown>> & { readonly __type?: string };
export type Call = (operation: string, input: object) => Promise<Body>;

/** A DynamoDB asked without a client, which would refuse what the service should refuse. */
export const bare = (options: DynamodbOptions = {}, around = serviceContext()): Call => {
  const service = dynamodb(around, options);
  return async (operation, input) => {
    const { body } = await service.handle(
      {
        method: 'POST',
        path: '/',
        query: '',
        headers: { 'x-amz-target': `DynamoDB_20120810.${operation}` },
        body: Buffer.from(JSON.stringify(input)),
      },
      { accessKeyId: 'TEST', arn: 'test' },
    );
    return JSON.parse(String(body)) as Body;
  };
};

export const keySchema = (hash: string, range?: string): object[] => [
  { AttributeName: hash, KeyType: 'HASH' },
  ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' }]),
];
