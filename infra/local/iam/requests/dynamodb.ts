import type { AccessRequest } from '../policy.ts';
import {
  arn,
  type Derive,
  type Input,
  type KnownResources,
  record,
  records,
  text,
  throughKey,
} from './derive.ts';

/**
 * The access to a table, and to the key that encrypts it: DynamoDB needs `kms:Decrypt` of the caller for reads and
 * writes, and `kms:GenerateDataKey` only of the creator of the table.
 */
const onTable = (
  known: KnownResources,
  action: string,
  table: string,
  asked: { readonly input: Input; readonly index?: string },
): AccessRequest[] => {
  const own = table.startsWith('arn:') ? table : arn(known, 'dynamodb', `table/${table}`);
  const leading = leadingKeys(asked.input, known.partitionKeyOf(own) ?? '');
  return [
    {
      action: `dynamodb:${action}`,
      resource: asked.index === undefined ? own : `${own}/index/${asked.index}`,
      ...(leading.length > 0 && { context: { 'dynamodb:leadingkeys': leading } }),
    },
    ...throughKey(known, 'dynamodb', own, ['kms:Decrypt']),
  ];
};

/** The partition keys of the items in a request, or in one entry of a batch. */
const leadingKeys = (input: Input, partition: string): string[] => {
  const requests = [input['PutRequest'], input['DeleteRequest']].map(record);
  const items = [input, ...requests].flatMap(({ Item, Key }) => [record(Item), record(Key)]);
  const keys = [...items, ...records(input['Keys'])].map((item) => record(item[partition]));
  const names = record(input['ExpressionAttributeNames']);
  const values = record(input['ExpressionAttributeValues']);
  const equal = text(input['KeyConditionExpression']).matchAll(/([#\w.-]+)\s*=\s*(:\w+)/gu);
  for (const [, name = '', value = ''] of equal)
    if ((names[name] ?? name) === partition) keys.push(record(values[value]));
  return keys.flatMap(({ S, N, B }) => [S, N, B].filter((one) => typeof one === 'string'));
};

const transactActions: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

export const dynamodb: Derive = (input, operation, known) => {
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems')
    return records(input['TransactItems']).flatMap((item) =>
      Object.entries(item).flatMap(([kind, one]) =>
        onTable(known, transactActions[kind] ?? kind, text(record(one)['TableName']), { input: record(one) }),
      ),
    );
  if (operation === 'BatchGetItem')
    return Object.entries(record(input['RequestItems'])).flatMap(([table, asked]) =>
      onTable(known, operation, table, { input: record(asked) }),
    );
  if (operation === 'BatchWriteItem')
    return Object.entries(record(input['RequestItems'])).flatMap(([table, writes]) =>
      records(writes).flatMap((write) => onTable(known, operation, table, { input: write })),
    );
  if (operation === 'ListTables') return [{ action: 'dynamodb:ListTables', resource: '*' }];
  const index = input['IndexName'];
  return onTable(known, operation, text(input['TableName']), {
    input,
    ...(typeof index === 'string' && { index }),
  });
};
