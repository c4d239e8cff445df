import { DatabaseSync } from 'node:sqlite';
import {
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  paginateListTables,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { dynamodb } from '../../../infra/local/dynamodb/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';
import { type Body, bare, type Call, keySchema } from './call.ts';

const TableName = 'things';
const simple = {
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: keySchema('pk'),
};
const arn = `arn:aws:dynamodb:eu-south-1:123456789012:table/${TableName}`;
const described = async (call: Call): Promise<Body> =>
  (await call('DescribeTable', { TableName }))['Table'] as Body;
const put = (call: Call, Item: object): Promise<Body> => call('PutItem', { TableName, Item });

describe('tables', () => {
  it('get and lose an index, filled with what is there', async () => {
    const call = bare();
    await call('CreateTable', simple);
    for (const n of ['2', '1', '10'])
      await put(call, { pk: { S: `p${n}` }, kind: { S: 'x' }, n: { N: n }, more: { S: 'more' } });
    await put(call, { pk: { S: 'other' } });
    const Create = {
      IndexName: 'byKind',
      KeySchema: keySchema('kind', 'n'),
      Projection: { ProjectionType: 'KEYS_ONLY' },
    };
    const { TableDescription } = await call('UpdateTable', {
      TableName,
      AttributeDefinitions: [
        { AttributeName: 'kind', AttributeType: 'S' },
        { AttributeName: 'n', AttributeType: 'N' },
      ],
      GlobalSecondaryIndexUpdates: [{ Create }],
    });
    expect(TableDescription).toMatchObject({
      TableStatus: 'UPDATING',
      GlobalSecondaryIndexes: [{ IndexName: 'byKind', IndexStatus: 'CREATING' }],
    });
    expect(await described(call)).toMatchObject({
      TableStatus: 'ACTIVE',
      ItemCount: 4,
      GlobalSecondaryIndexes: [{ IndexStatus: 'ACTIVE', ItemCount: 3, IndexArn: `${arn}/index/byKind` }],
    });
    const query = {
      TableName,
      IndexName: 'byKind',
      KeyConditionExpression: 'kind = :x',
      ExpressionAttributeValues: { ':x': { S: 'x' } },
    };
    const { Items } = await call('Query', query);
    expect(Items).toEqual(
      ['1', '2', '10'].map((n) => ({ pk: { S: `p${n}` }, kind: { S: 'x' }, n: { N: n } })),
    );
    await call('UpdateTable', {
      TableName,
      GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'byKind' } }],
    });
    expect(await described(call)).not.toHaveProperty('GlobalSecondaryIndexes');
    expect((await described(call))['AttributeDefinitions']).toEqual(simple.AttributeDefinitions);
    expect((await call('Query', query)).__type).toMatch(/ValidationException$/u);
  });

  it.each<[object, RegExp]>([
    [
      { KeySchema: keySchema('other') },
      /Some index key attributes are not defined in AttributeDefinitions. Keys: \[other\]/u,
    ],
    [{ KeySchema: [{ AttributeName: 'pk', KeyType: 'RANGE' }] }, /first KeySchemaElement is not a HASH/u],
    [{ BillingMode: 'PROVISIONED' }, /must both be specified when BillingMode is PROVISIONED/u],
    [
      { TableName: 'x' },
      /Value 'x' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3/u,
    ],
    [{ GlobalSecondaryIndexes: [] }, /List of GlobalSecondaryIndexes is empty/u],
    [
      { AttributeDefinitions: [...simple.AttributeDefinitions, { AttributeName: 'b', AttributeType: 'S' }] },
      /Number of attributes in KeySchema does not exactly match/u,
    ],
    [
      {
        LocalSecondaryIndexes: [
          { IndexName: 'one', KeySchema: keySchema('pk'), Projection: { ProjectionType: 'ALL' } },
        ],
      },
      /Table KeySchema does not have a range key/u,
    ],
  ])('are refused with %j', async (change, message) => {
    const answer = await bare()('CreateTable', { ...simple, ...change });
    expect(answer['message']).toMatch(message);
  });

  it('exist once, are listed in pages, protected, and gone with their items', async () => {
    const call = bare();
    await call('CreateTable', { ...simple, DeletionProtectionEnabled: true });
    expect((await call('CreateTable', simple)).__type).toMatch(/ResourceInUseException$/u);
    await put(call, { pk: { S: 'a' } });
    expect((await call('DeleteTable', { TableName }))['message']).toMatch(/protected against deletion/u);
    await call('UpdateTable', { TableName, DeletionProtectionEnabled: false });
    expect(await call('DeleteTable', { TableName })).toMatchObject({
      TableDescription: { TableStatus: 'DELETING' },
    });
    expect((await call('DescribeTable', { TableName })).__type).toMatch(/ResourceNotFoundException$/u);
    await call('CreateTable', simple);
    expect(await call('Scan', { TableName })).toMatchObject({ Count: 0 });
  });

  it('are named by their ARN too', async () => {
    const call = bare();
    await call('CreateTable', simple);
    expect(await call('GetItem', { TableName: arn, Key: { pk: { S: 'none' } } })).toEqual({});
  });

  it('let items expire in the indexes too, but not by times that are mistakes', async () => {
    const around = serviceContext();
    const call = bare({}, around);
    await call('CreateTable', {
      ...simple,
      AttributeDefinitions: ['pk', 'g'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      GlobalSecondaryIndexes: [
        { IndexName: 'byG', KeySchema: keySchema('g'), Projection: { ProjectionType: 'ALL' } },
      ],
    });
    const now = Math.floor(around.clock.now() / 1000);
    const until = (pk: string, at: object) => put(call, { pk: { S: pk }, g: { S: 'g' }, at });
    // What is there before expiry is switched on expires too.
    await until('soon', { N: String(now + 60) });
    const TimeToLiveSpecification = { AttributeName: 'at', Enabled: true };
    await call('UpdateTimeToLive', { TableName, TimeToLiveSpecification });
    expect((await call('UpdateTimeToLive', { TableName, TimeToLiveSpecification }))['message']).toBe(
      'TimeToLive is already enabled',
    );
    await until('kept', { N: String(now + 60) });
    await until('kept', { N: String(now + 6000) });
    await until('text', { S: String(now) });
    await until('old', { N: '1' });
    await around.clock.runUntil(around.clock.now() + 180_000);
    const scanned = async (more: object) =>
      ((await call('Scan', { TableName, ...more }))['Items'] as { pk: { S: string } }[])
        .map(({ pk }) => pk.S)
        .sort();
    expect(await scanned({})).toEqual(['kept', 'old', 'text']);
    expect(await scanned({ IndexName: 'byG' })).toEqual(['kept', 'old', 'text']);
    expect(await call('DescribeTimeToLive', { TableName })).toEqual({
      TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'at' },
    });
  });

  it('are what they were after the state was closed and opened', async () => {
    const db = new DatabaseSync(':memory:');
    const around = () => serviceContext({ db });
    const first = bare({}, around());
    await first('CreateTable', simple);
    const TransactItems = [
      {
        Update: {
          TableName,
          Key: { pk: { S: 'n' } },
          UpdateExpression: 'ADD n :one',
          ExpressionAttributeValues: { ':one': { N: '1' } },
        },
      },
    ];
    await first('TransactWriteItems', { TransactItems, ClientRequestToken: 'token' });
    const second = bare({}, around());
    expect(await described(second)).toEqual(await described(first));
    // The token is remembered too, so that what was done is not done again.
    await second('TransactWriteItems', { TransactItems, ClientRequestToken: 'token' });
    expect(await second('GetItem', { TableName, Key: { pk: { S: 'n' } } })).toMatchObject({
      Item: { n: { N: '1' } },
    });
  });
});

describe('the paginators of the SDK', () => {
  it('see every item and table once', async () => {
    const client = new DynamoDBClient(clientOf(dynamodb(serviceContext())));
    for (const name of ['one', 'two', 'three'])
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [
            { AttributeName: 'pk', AttributeType: 'S' },
            { AttributeName: 'sk', AttributeType: 'N' },
          ],
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
        }),
      );
    for (let at = 0; at < 25; at++)
      await client.send(
        new PutItemCommand({
          TableName: 'one',
          Item: { pk: { S: `p${at % 2}` }, sk: { N: String(at - 12) } },
        }),
      );
    const tables: string[] = [];
    for await (const { TableNames = [] } of paginateListTables({ client, pageSize: 2 }, {}))
      tables.push(...TableNames);
    expect(tables).toEqual(['one', 'three', 'two']);
    const numbers: string[] = [];
    for await (const { Items = [] } of paginateQuery(
      { client, pageSize: 5 },
      {
        TableName: 'one',
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': { S: 'p0' } },
        ScanIndexForward: false,
      },
    ))
      numbers.push(...Items.map((item) => item['sk']?.N ?? ''));
    expect(numbers).toEqual(Array.from({ length: 13 }, (_, at) => String(12 - 2 * at)));
    let count = 0;
    for await (const { Count = 0 } of paginateScan(
      { client, pageSize: 4 },
      { TableName: 'one', Select: 'COUNT' },
    ))
      count += Count;
    expect(count).toBe(25);
  });
});
