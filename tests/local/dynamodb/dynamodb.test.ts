import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { dynamodb } from '../../../infra/local/dynamodb/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

let client: DynamoDBClient;
let around: ReturnType<typeof serviceContext>;
const TableName = 'things';

beforeEach(async () => {
  around = serviceContext();
  client = new DynamoDBClient(clientOf(dynamodb(around)));
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
        { AttributeName: 'age', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byAge',
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'age', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
});

const put = (item: Record<string, unknown>) =>
  client.send(new PutItemCommand({ TableName, Item: marshall(item) }));
const get = async (sk: string, pk = 'a') => {
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: marshall({ pk, sk }) }));
  return Item && unmarshall(Item);
};

describe('items', () => {
  it('come back as they were written', async () => {
    const item = {
      pk: 'a',
      sk: '1',
      text: 'Ω\n',
      n: 1.5,
      flag: true,
      none: null,
      list: [1, 'two', { three: [] }],
      set: new Set(['x', 'y']),
      bytes: new Uint8Array([1, 2]),
      empty: '',
    };
    await put(item);
    expect(await get('1')).toEqual(item);
  });

  it('keep 38 digits and add them exactly', async () => {
    const Item = { pk: { S: 'a' }, sk: { S: '1' }, n: { N: '12345678901234567890123456789012345678' } };
    await client.send(new PutItemCommand({ TableName, Item }));
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName,
        Key: marshall({ pk: 'a', sk: '1' }),
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ReturnValues: 'ALL_NEW',
      }),
    );
    expect(Attributes?.['n']).toEqual({ N: '12345678901234567890123456789012345679' });
    await expect(
      client.send(new PutItemCommand({ TableName, Item: { ...Item, n: { N: '1'.repeat(39) } } })),
    ).rejects.toThrow(/38 significant digits/);
  });

  it('are written only where the condition holds, and the one in the way can be asked for', async () => {
    await put({ pk: 'a', sk: '1', v: 1 });
    const error = await client
      .send(
        new PutItemCommand({
          TableName,
          Item: marshall({ pk: 'a', sk: '1', v: 2 }),
          ConditionExpression: 'attribute_not_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      )
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect((error as ConditionalCheckFailedException).Item).toEqual(marshall({ pk: 'a', sk: '1', v: 1 }));
  });

  it.each([
    ['SET a.b = :v', 'a'],
    ['SET v = missing + :v', 'missing'],
    ['SET v = :v, v.x = :v', 'overlap'],
    ['SET pk = :v', 'part of the key'],
    ['SET v := :v', 'Syntax error'],
    ['SET w = :other', 'not defined'],
  ])('refuse the update %s', async (UpdateExpression) => {
    await put({ pk: 'a', sk: '1', v: 1 });
    const update = new UpdateItemCommand({
      TableName,
      Key: marshall({ pk: 'a', sk: '1' }),
      UpdateExpression,
      ExpressionAttributeValues: marshall({ ':v': 1 }),
    });
    await expect(client.send(update)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('take every kind of update at once', async () => {
    await put({ pk: 'a', sk: '1', list: [1, 2, 3], map: { x: 1, y: 2 }, n: 5, tags: new Set(['a', 'b']) });
    await client.send(
      new UpdateItemCommand({
        TableName,
        Key: marshall({ pk: 'a', sk: '1' }),
        UpdateExpression:
          'SET #map.x = if_not_exists(#map.z, :ten), #list[1] = :ten, n = n - :ten, more = list_append(#list, :list) REMOVE #map.y, #list[0] ADD tags :tags',
        ExpressionAttributeNames: { '#map': 'map', '#list': 'list' },
        ExpressionAttributeValues: marshall({ ':ten': 10, ':list': ['end'], ':tags': new Set(['c']) }),
      }),
    );
    expect(await get('1')).toEqual({
      pk: 'a',
      sk: '1',
      list: [10, 3],
      map: { x: 10 },
      n: -5,
      more: [1, 2, 3, 'end'],
      tags: new Set(['a', 'b', 'c']),
    });
  });

  it('expire', async () => {
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      }),
    );
    await put({ pk: 'a', sk: '1', expiresAt: Math.floor(around.clock.now() / 1000) + 60 });
    await around.clock.runUntil(around.clock.now() + 30_000);
    expect(await get('1')).toBeDefined();
    await around.clock.runUntil(around.clock.now() + 120_000);
    expect(await get('1')).toBeUndefined();
  });
});

describe('queries', () => {
  const sks = async (
    input: Partial<ConstructorParameters<typeof QueryCommand>[0]>,
    values: Record<string, unknown> = {},
  ) => {
    const { Items, ...rest } = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ...input,
        ExpressionAttributeValues: marshall({ ':pk': 'a', ...values }),
      }),
    );
    return { sks: Items?.map((item) => unmarshall(item)['sk']), ...rest };
  };

  beforeEach(async () => {
    for (const [position, sk] of ['b', 'ab', 'a', 'é', 'z', 'ac'].entries())
      await put({ pk: 'a', sk, age: 10 - position });
    await put({ pk: 'other', sk: 'a', age: 1 });
  });

  it.each([
    ['pk = :pk', {}, ['a', 'ab', 'ac', 'b', 'z', 'é']],
    ['pk = :pk AND begins_with(sk, :x)', { ':x': 'a' }, ['a', 'ab', 'ac']],
    ['pk = :pk AND sk BETWEEN :x AND :y', { ':x': 'ab', ':y': 'b' }, ['ab', 'ac', 'b']],
    ['pk = :pk AND sk > :x', { ':x': 'b' }, ['z', 'é']],
    ['sk <= :x AND pk = :pk', { ':x': 'ab' }, ['a', 'ab']],
    ['pk = :pk AND sk = :x', { ':x': 'z' }, ['z']],
  ])('answer %s in order, forwards and backwards', async (KeyConditionExpression, values, expected) => {
    expect((await sks({ KeyConditionExpression }, values)).sks).toEqual(expected);
    expect((await sks({ KeyConditionExpression, ScanIndexForward: false }, values)).sks).toEqual(
      [...expected].reverse(),
    );
  });

  it('come in pages that join without a gap, filtered after they are counted', async () => {
    const found: unknown[] = [];
    let ExclusiveStartKey: Record<string, never> | undefined;
    do {
      const page = await sks(
        { Limit: 2, ...(ExclusiveStartKey && { ExclusiveStartKey }), FilterExpression: 'age <> :no' },
        { ':no': 10 },
      );
      expect(page.ScannedCount).toBeLessThanOrEqual(2);
      found.push(...(page.sks ?? []));
      ExclusiveStartKey = page.LastEvaluatedKey as Record<string, never> | undefined;
    } while (ExclusiveStartKey);
    expect(found).toEqual(['a', 'ab', 'ac', 'z', 'é']);
  });

  it('use an index', async () => {
    expect(
      (await sks({ IndexName: 'byAge', KeyConditionExpression: 'pk = :pk AND age < :x' }, { ':x': 8 })).sks,
    ).toEqual(['ac', 'z', 'é']);
  });

  it('refuse a value that is not used', async () => {
    await expect(sks({}, { ':x': 1 })).rejects.toThrow(/unused/);
  });

  it('scan in segments that are disjoint and complete', async () => {
    const parts = await Promise.all(
      [0, 1, 2].map((Segment) => client.send(new ScanCommand({ TableName, Segment, TotalSegments: 3 }))),
    );
    expect(parts.flatMap(({ Items = [] }) => Items)).toHaveLength(7);
  });
});

describe('batches and transactions', () => {
  it('read and write many at once', async () => {
    await client.send(
      new BatchWriteItemCommand({
        RequestItems: {
          [TableName]: ['1', '2'].map((sk) => ({ PutRequest: { Item: marshall({ pk: 'a', sk }) } })),
        },
      }),
    );
    const Keys = ['1', '2', '3'].map((sk) => marshall({ pk: 'a', sk }));
    const { Responses } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } }),
    );
    expect(Responses?.[TableName]).toHaveLength(2);
    await expect(
      client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [...Keys, ...Keys] } } })),
    ).rejects.toThrow(/duplicates/);
  });

  const transact = (conditionOnSecond: string, token?: string) =>
    client.send(
      new TransactWriteItemsCommand({
        ReturnConsumedCapacity: 'TOTAL',
        ...(token !== undefined && { ClientRequestToken: token }),
        TransactItems: [
          { Put: { TableName, Item: marshall({ pk: 'a', sk: '1', v: 1 }) } },
          {
            Update: {
              TableName,
              Key: marshall({ pk: 'a', sk: '2' }),
              UpdateExpression: 'ADD n :one',
              ExpressionAttributeValues: marshall({ ':one': 1 }),
              ConditionExpression: conditionOnSecond,
            },
          },
          {
            ConditionCheck: {
              TableName,
              Key: marshall({ pk: 'a', sk: '3' }),
              ConditionExpression: 'attribute_not_exists(pk)',
            },
          },
        ],
      }),
    );

  it('happen wholly, at two units an item', async () => {
    const { ConsumedCapacity } = await transact('attribute_not_exists(pk)');
    expect(ConsumedCapacity).toMatchObject([{ CapacityUnits: 6 }]);
    expect(await get('2')).toEqual({ pk: 'a', sk: '2', n: 1 });
  });

  it('or not at all, with a reason for each item', async () => {
    const error = await transact('attribute_exists(pk)').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect((error as TransactionCanceledException).CancellationReasons?.map(({ Code }) => Code)).toEqual([
      'None',
      'ConditionalCheckFailed',
      'None',
    ]);
    expect(await get('1')).toBeUndefined();
  });

  it('count once for one token, and refuse another request with it', async () => {
    await transact('attribute_not_exists(pk)', 'token');
    await transact('attribute_not_exists(pk)', 'token');
    expect((await get('2'))?.['n']).toBe(1);
    await expect(transact('attribute_exists(pk)', 'token')).rejects.toMatchObject({
      name: 'IdempotentParameterMismatchException',
    });
  });

  it('delete and return what was there', async () => {
    await put({ pk: 'a', sk: '1', v: 1 });
    const { Attributes } = await client.send(
      new DeleteItemCommand({ TableName, Key: marshall({ pk: 'a', sk: '1' }), ReturnValues: 'ALL_OLD' }),
    );
    expect(unmarshall(Attributes ?? {})).toEqual({ pk: 'a', sk: '1', v: 1 });
  });
});
