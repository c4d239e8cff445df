import { PutItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { openTestHub } from '../../support/open-test-hub.ts';

it('a cancelled transaction may be retried with its token; a completed one is not repeated', async () => {
  const hub = await openTestHub();
  const { client, name: TableName } = hub.table;
  const write = new TransactWriteItemsCommand({
    ClientRequestToken: 'token',
    TransactItems: [
      {
        ConditionCheck: {
          TableName,
          Key: { pk: { S: 'gate' }, sk: { S: 'gate' } },
          ConditionExpression: 'attribute_exists(pk)',
        },
      },
      {
        Update: {
          TableName,
          Key: { pk: { S: 'count' }, sk: { S: 'count' } },
          UpdateExpression: 'ADD done :one',
          ExpressionAttributeValues: { ':one': { N: '1' } },
        },
      },
    ],
  });
  await expect(client.send(write)).rejects.toThrow('ConditionalCheckFailed');
  await client.send(new PutItemCommand({ TableName, Item: { pk: { S: 'gate' }, sk: { S: 'gate' } } }));
  await client.send(write);
  await client.send(write);
  expect(await hub.table.get([{ pk: 'count', sk: 'count' }])).toMatchObject([{ done: 1 }]);
  await hub.stop();
});
