import { describe, expect, it } from 'vitest';
import { type QueryRange, table, type Write } from '../../functions/aws/clients/dynamo.ts';
import { answering } from '../support/answering-aws.ts';
import { openTestTable } from '../support/open-test-table.ts';

const row = { pk: 'a', sk: 'row' };
const key = { pk: { S: 'a' }, sk: { S: 'row' } };

it('needs the name of its table', () => {
  const { runtime } = answering({ body: {} });
  expect(() => table({ ...runtime, env: { ...runtime.env, TABLE: undefined } })).toThrow('TABLE is not set');
  expect(table(runtime).name).toBe('hub');
});

describe('get', () => {
  it('requests each key once, a hundred a call, strongly consistent', async () => {
    const { runtime, asked } = answering({ body: {} });
    const keys = Array.from({ length: 150 }, (_, n) => ({ pk: `p${n}`, sk: 'row' }));
    await table(runtime).get([...keys, ...keys]);
    const requests = asked.map(({ body }) => body['RequestItems'] as { hub: { Keys: unknown[] } });
    expect(requests.map(({ hub }) => hub.Keys.length)).toEqual([100, 50]);
    expect(requests[1]?.hub).toMatchObject({ ConsistentRead: true });
    expect(requests[1]?.hub.Keys[0]).toEqual({ pk: { S: 'p100' }, sk: { S: 'row' } });
  });

  it('sends no request without keys', async () => {
    const { runtime, asked } = answering({ body: {} });
    expect(await table(runtime).get([])).toEqual([]);
    expect(asked).toEqual([]);
  });
});

describe('put', () => {
  it.each([
    [undefined, {}],
    [{ absent: true } as const, { ConditionExpression: 'attribute_not_exists(pk)' }],
    [{ exists: true } as const, { ConditionExpression: 'attribute_exists(pk)' }],
    [
      { version: 3 },
      {
        ConditionExpression: '#version = :version',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':version': { N: '3' } },
      },
    ],
  ])('with the condition %j', async (condition, expression) => {
    const { runtime, asked } = answering({ body: {} });
    expect(await table(runtime).put({ ...row, name: undefined, size: 1 }, condition)).toBe(true);
    expect(asked.map(({ operation }) => operation)).toEqual(['PutItem']);
    expect(asked[0]?.body).toEqual({ TableName: 'hub', Item: { ...key, size: { N: '1' } }, ...expression });
  });

  it('rejects with the error of DynamoDB for another reason', async () => {
    const { runtime } = answering({ status: 400, body: { __type: 'ValidationException', message: 'No.' } });
    await expect(table(runtime).put(row)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('is false where its condition does not hold', async () => {
    const failed = { status: 400, body: { __type: 'ConditionalCheckFailedException' } };
    const { runtime, asked } = answering(failed);
    expect(await table(runtime).put(row, { absent: true })).toBe(false);
    expect(asked.length).toBe(1);
  });
});

describe('transact', () => {
  it.each<[string, Write, object]>([
    ['put', { put: row, if: { absent: true } }, { Put: { ConditionExpression: 'attribute_not_exists(pk)' } }],
    ['put without a condition', { put: row }, { Put: { TableName: 'hub', Item: key } }],
    [
      'delete',
      { delete: row, if: { exists: true } },
      { Delete: { Key: key, ConditionExpression: 'attribute_exists(pk)' } },
    ],
    ['delete without a condition', { delete: row }, { Delete: { TableName: 'hub', Key: key } }],
    [
      'check',
      { check: row, if: { version: 1 } },
      { ConditionCheck: { TableName: 'hub', Key: key, ConditionExpression: '#version = :version' } },
    ],
    [
      'add',
      { add: row, amounts: { sent: 1, failed: undefined, read: 2 } },
      {
        Update: {
          TableName: 'hub',
          Key: key,
          UpdateExpression: 'ADD #n0 :v0, #n1 :v1',
          ExpressionAttributeNames: { '#n0': 'sent', '#n1': 'read' },
          ExpressionAttributeValues: { ':v0': { N: '1' }, ':v1': { N: '2' } },
        },
      },
    ],
    [
      'set and remove',
      { set: row, values: { name: 'Ada', size: 2 }, remove: ['old', 'older'], if: { version: 1 } },
      {
        Update: {
          TableName: 'hub',
          Key: key,
          UpdateExpression: 'SET #n0 = :v0, #n1 = :v1 REMOVE #r0, #r1',
          ConditionExpression: '#version = :version',
          ExpressionAttributeNames: {
            ...{ '#n0': 'name', '#n1': 'size', '#r0': 'old', '#r1': 'older', '#version': 'version' },
          },
          ExpressionAttributeValues: { ':v0': { S: 'Ada' }, ':v1': { N: '2' }, ':version': { N: '1' } },
        },
      },
    ],
    [
      'set',
      { set: row, values: { name: 'Ada' } },
      { Update: { UpdateExpression: 'SET #n0 = :v0', ExpressionAttributeValues: { ':v0': { S: 'Ada' } } } },
    ],
  ])('%s', async (_, write, item) => {
    const { runtime, asked } = answering({ body: {} });
    expect(await table(runtime).transact([write])).toBe(true);
    expect(asked[0]?.operation).toBe('TransactWriteItems');
    expect(asked[0]?.body).toMatchObject({ TransactItems: [item] });
  });

  it('removes without values', async () => {
    const { runtime, asked } = answering({ body: {} });
    await table(runtime).transact([{ set: row, values: {}, remove: ['old'] }]);
    expect(asked[0]?.body['TransactItems']).toEqual([
      {
        Update: {
          ...{ TableName: 'hub', Key: key, UpdateExpression: 'REMOVE #r0' },
          ExpressionAttributeNames: { '#r0': 'old' },
        },
      },
    ]);
  });

  it('rejects with an error that is no cancellation', async () => {
    const { runtime, asked } = answering({ status: 400, body: { __type: 'ValidationException' } });
    await expect(table(runtime).transact([{ put: row }])).rejects.toMatchObject({
      name: 'ValidationException',
    });
    expect(asked.length).toBe(1);
  });
});

describe('query', () => {
  const fill = async () => {
    const { rows } = await openTestTable();
    for (const sk of ['at#1', 'at#2', 'at#3', 'profile']) await rows.put({ pk: 'a', sk });
    await rows.put({ pk: 'b', sk: 'at#1' });
    return rows;
  };

  it.each<[QueryRange | undefined, string[]]>([
    [undefined, ['at#1', 'at#2', 'at#3', 'profile']],
    [{ beginsWith: 'at#' }, ['at#1', 'at#2', 'at#3']],
    [{ from: 'at#2', to: 'at#3' }, ['at#2', 'at#3']],
    [{ from: 'at#2' }, ['at#2', 'at#3', 'profile']],
    [{ to: 'at#2' }, ['at#1', 'at#2']],
    [{ beginsWith: 'at#', backwards: true }, ['at#3', 'at#2', 'at#1']],
    [{ pageSize: 1 }, ['at#1', 'at#2', 'at#3', 'profile']],
  ])('of %j', async (range, expected) => {
    const rows = await fill();
    const found: string[] = [];
    for await (const { sk } of range === undefined ? rows.query('a') : rows.query('a', range)) found.push(sk);
    expect(found).toEqual(expected);
  });

  it('returns one page, from behind a sort key, and says whether it is the last', async () => {
    const rows = await fill();
    const range = { beginsWith: 'at#', pageSize: 2 };
    const first = await rows.page('a', range);
    expect([first.rows.map(({ sk }) => sk), first.isLast]).toEqual([['at#1', 'at#2'], false]);
    const second = await rows.page('a', range, 'at#2');
    expect([second.rows.map(({ sk }) => sk), second.isLast]).toEqual([['at#3'], true]);
    expect(await rows.page('nobody', range)).toEqual({ rows: [], isLast: true });
  });

  it('is strongly consistent', async () => {
    const { runtime, asked } = answering({ body: { Items: [key] } });
    for await (const { pk } of table(runtime).query('a')) expect(pk).toBe('a');
    expect(asked.map(({ body }) => body)).toEqual([
      {
        ...{ TableName: 'hub', ConsistentRead: true, ScanIndexForward: true },
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: 'a' } },
      },
    ]);
  });

  it('rejects a row without keys', async () => {
    const { runtime } = answering({ body: { Items: [{ pk: { S: 'a' } }] } });
    await expect(table(runtime).page('a', {})).rejects.toThrow();
  });
});
