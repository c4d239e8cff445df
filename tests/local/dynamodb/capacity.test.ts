import { beforeEach, describe, expect, it } from 'vitest';
import { bare, type Call, keySchema } from './call.ts';

let call: Call;
let spent: string[];
const TableName = 'things';
const key = (sk: string) => ({ pk: { S: 'a' }, sk: { S: sk } });
/** An item of about so many bytes: the names and keys of it take 10. */
const sized = (sk: string, bytes: number, more: object = {}) => ({
  ...key(sk),
  data: { S: 'x'.repeat(bytes - 10) },
  ...more,
});

beforeEach(async () => {
  spent = [];
  call = bare({ onConsumed: ({ mode, total }) => spent.push(`${mode} ${total}`) });
  await call('CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'g'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: keySchema('pk', 'sk'),
    GlobalSecondaryIndexes: [
      { IndexName: 'whole', KeySchema: keySchema('g'), Projection: { ProjectionType: 'ALL' } },
      { IndexName: 'keys', KeySchema: keySchema('g'), Projection: { ProjectionType: 'KEYS_ONLY' } },
    ],
    LocalSecondaryIndexes: [
      { IndexName: 'local', KeySchema: keySchema('pk', 'g'), Projection: { ProjectionType: 'KEYS_ONLY' } },
    ],
  });
});

const consumed = async (operation: string, input: object, wanted = 'INDEXES'): Promise<unknown> =>
  (await call(operation, { ...input, ReturnConsumedCapacity: wanted }))['ConsumedCapacity'];
const put = (Item: object) => consumed('PutItem', { TableName, Item });
const units = (CapacityUnits: number) => ({ CapacityUnits });

describe('writes', () => {
  it('count each started kilobyte of the larger of before and after', async () => {
    expect(await put(sized('1', 1024))).toEqual({ TableName, ...units(1), Table: units(1) });
    expect(await put(sized('1', 1025))).toMatchObject(units(2));
    expect(await put(sized('1', 20))).toMatchObject(units(2));
    expect(await put(sized('1', 20))).toMatchObject(units(1));
    expect(await consumed('DeleteItem', { TableName, Key: key('none') }, 'TOTAL')).toEqual({
      TableName,
      ...units(1),
    });
    expect(await consumed('DeleteItem', { TableName, Key: key('none') }, 'NONE')).toBeUndefined();
  });

  it('count in each index that they touch, by what it holds', async () => {
    const indexed = { g: { S: 'g1' } };
    expect(await put(sized('1', 3000, indexed))).toEqual({
      TableName,
      ...units(8),
      Table: units(3),
      GlobalSecondaryIndexes: { whole: units(3), keys: units(1) },
      LocalSecondaryIndexes: { local: units(1) },
    });
    // Nothing that the indexes of keys hold has changed.
    expect(await put(sized('1', 2000, indexed))).toEqual({
      TableName,
      ...units(6),
      Table: units(3),
      GlobalSecondaryIndexes: { whole: units(3) },
    });
    // A new key moves the entries: one write to remove, one to add.
    expect(await put(sized('1', 2000, { g: { S: 'g2' } }))).toMatchObject({
      GlobalSecondaryIndexes: { whole: units(4), keys: units(2) },
      LocalSecondaryIndexes: { local: units(2) },
    });
    expect(await consumed('DeleteItem', { TableName, Key: key('1') })).toMatchObject({
      GlobalSecondaryIndexes: { whole: units(2), keys: units(1) },
    });
  });

  it('cost a write even where the condition fails', async () => {
    await put(sized('1', 2500));
    spent.length = 0;
    const ConditionExpression = 'attribute_not_exists(pk)';
    await call('PutItem', { TableName, Item: key('1'), ConditionExpression });
    await call('TransactWriteItems', {
      TransactItems: [{ Put: { TableName, Item: key('1'), ConditionExpression } }],
    });
    expect(spent).toEqual(['write 3', 'write 6']);
  });

  it('count twice in a transaction, checks too; repeated with its token it only reads', async () => {
    const TransactItems = [
      { Put: { TableName, Item: sized('1', 1500) } },
      { ConditionCheck: { TableName, Key: key('2'), ConditionExpression: 'attribute_not_exists(pk)' } },
    ];
    const asked = { TransactItems, ClientRequestToken: 'token' };
    expect(await consumed('TransactWriteItems', asked)).toEqual([
      {
        TableName,
        ...units(6),
        WriteCapacityUnits: 6,
        Table: { ...units(6), WriteCapacityUnits: 6 },
      },
    ]);
    expect(await consumed('TransactWriteItems', asked)).toMatchObject([
      { ...units(4), ReadCapacityUnits: 4 },
    ]);
    const RequestItems = { [TableName]: ['3', '4'].map((sk) => ({ PutRequest: { Item: sized(sk, 1500) } })) };
    expect(await consumed('BatchWriteItem', { RequestItems }, 'TOTAL')).toEqual([{ TableName, ...units(4) }]);
  });
});

describe('reads', () => {
  beforeEach(async () => {
    for (const sk of ['1', '2', '3']) await put(sized(sk, 5000, { g: { S: 'g1' } }));
  });

  it('count each started four kilobytes, half where they may be late', async () => {
    const get = (sk: string, ConsistentRead: boolean) =>
      consumed('GetItem', { TableName, Key: key(sk), ConsistentRead }, 'TOTAL');
    expect(await get('1', true)).toEqual({ TableName, ...units(2) });
    expect(await get('1', false)).toEqual({ TableName, ...units(1) });
    expect(await get('none', false)).toEqual({ TableName, ...units(0.5) });
    const Keys = ['1', '2', 'none'].map(key);
    expect(await consumed('BatchGetItem', { RequestItems: { [TableName]: { Keys } } }, 'TOTAL')).toEqual([
      { TableName, ...units(2.5) },
    ]);
    const TransactItems = Keys.map((Key) => ({ Get: { TableName, Key } }));
    expect(await consumed('TransactGetItems', { TransactItems }, 'TOTAL')).toEqual([
      { TableName, ...units(10), ReadCapacityUnits: 10 },
    ]);
  });

  it('of many items count their sum before they are filtered', async () => {
    const query = {
      TableName,
      KeyConditionExpression: 'pk = :a',
      FilterExpression: 'attribute_not_exists(g)',
      ExpressionAttributeValues: { ':a': { S: 'a' } },
    };
    expect(await consumed('Query', query)).toEqual({ TableName, ...units(2), Table: units(2) });
    expect(await consumed('Query', { ...query, ConsistentRead: true })).toMatchObject(units(4));
    expect(await consumed('Scan', { TableName, Select: 'COUNT' })).toMatchObject(units(2));
    const byKeys = { TableName, IndexName: 'keys', KeyConditionExpression: 'g = :a' };
    const values = { ExpressionAttributeValues: { ':a': { S: 'g1' } } };
    expect(await consumed('Query', { ...byKeys, ...values })).toEqual({
      TableName,
      ...units(0.5),
      Table: units(0),
      GlobalSecondaryIndexes: { keys: units(0.5) },
    });
    // A local index fetches what it does not hold, item by item.
    const local = { ...query, IndexName: 'local', FilterExpression: undefined, Select: 'ALL_ATTRIBUTES' };
    expect(await consumed('Query', local)).toEqual({
      TableName,
      ...units(3.5),
      Table: units(3),
      LocalSecondaryIndexes: { local: units(0.5) },
    });
  });
});

describe('pages', () => {
  it('end at one megabyte', async () => {
    for (const sk of ['1', '2', '3', '4']) await put(sized(sk, 300 * 1024));
    const first = await call('Scan', { TableName });
    expect(first['Count']).toBe(3);
    const second = await call('Scan', { TableName, ExclusiveStartKey: first['LastEvaluatedKey'] });
    expect(second).toMatchObject({ Count: 1 });
    expect(second['LastEvaluatedKey']).toBeUndefined();
  });

  it('of a batch end at sixteen megabytes, and the rest is left to be asked again', async () => {
    const Keys = Array.from({ length: 50 }, (_, at) => key(String(at)));
    for (const { sk } of Keys) await put(sized(sk.S, 390 * 1024));
    const { Responses, UnprocessedKeys } = await call('BatchGetItem', {
      RequestItems: { [TableName]: { Keys, ConsistentRead: true } },
    });
    expect(Responses).toMatchObject({ [TableName]: { length: 42 } });
    expect(UnprocessedKeys).toMatchObject({ [TableName]: { Keys: { length: 8 }, ConsistentRead: true } });
    const again = await call('BatchGetItem', { RequestItems: UnprocessedKeys });
    expect(again['Responses']).toMatchObject({ [TableName]: { length: 8 } });
    expect(again['UnprocessedKeys']).toEqual({});
  });

  it('of a transaction end at four megabytes, and nothing is written', async () => {
    const TransactItems = Array.from({ length: 12 }, (_, at) => ({
      Put: { TableName, Item: sized(`t${at}`, 390 * 1024) },
    }));
    const { __type } = await call('TransactWriteItems', { TransactItems });
    expect(__type).toMatch(/ValidationException$/u);
    expect(await call('Scan', { TableName })).toMatchObject({ Count: 0 });
  });
});
