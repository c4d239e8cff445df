import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  normalNumber,
  numberSize,
  parseDecimal,
  sortableDecimal,
} from '../../../infra/local/dynamodb/values/numbers.ts';
import { bare, keySchema } from './call.ts';

describe('numbers', () => {
  it.each([
    ['1e3', '1000'],
    ['-0', '0'],
    ['+1.50', '1.5'],
    ['.5', '0.5'],
    ['1E125', `1${'0'.repeat(125)}`],
    ['1e-130', `0.${'0'.repeat(129)}1`],
    ['00012', '12'],
    [`${'9'.repeat(38)}`, '9'.repeat(38)],
  ])('%s is %s', (text, normal) => {
    expect(normalNumber(text)).toBe(normal);
    expect(normalNumber(normal)).toBe(normal);
  });

  it.each([
    ['0', 1],
    ['1', 2],
    ['10', 2],
    ['12', 2],
    ['123', 3],
    ['1234', 3],
    ['123.4', 4],
    ['-12', 3],
    ['0.05', 2],
    ['1'.repeat(38), 20],
  ])('%s counts %i bytes', (text, size) => {
    expect(numberSize(text)).toBe(size);
  });

  it('sort as keys as they do as numbers', () => {
    const number = fc.oneof(
      fc.integer({ min: -1000, max: 1000 }),
      fc
        .double({ min: -1e100, max: 1e100, noNaN: true, noDefaultInfinity: true })
        .filter((one) => one === 0 || Math.abs(one) > 1e-100),
    );
    fc.assert(
      fc.property(number, number, (one, other) => {
        const [left, right] = [one, other].map((each) =>
          Buffer.from(sortableDecimal(parseDecimal(String(each)))),
        );
        const order = one === other ? 0 : one < other ? -1 : 1;
        expect(Buffer.compare(left ?? Buffer.of(), right ?? Buffer.of())).toBe(order);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it('keep 38 digits in sums, and are refused beyond', async () => {
    const call = bare();
    const TableName = 'sums';
    const Key = { pk: { N: '1' } };
    await call('CreateTable', {
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'N' }],
      KeySchema: keySchema('pk'),
    });
    await call('PutItem', { TableName, Item: { ...Key, n: { N: '9'.repeat(37) } } });
    const add = (N: string) =>
      call('UpdateItem', {
        TableName,
        // The same key in another spelling.
        Key: { pk: { N: '1.0' } },
        UpdateExpression: 'ADD n :n',
        ExpressionAttributeValues: { ':n': { N } },
        ReturnValues: 'ALL_NEW',
      });
    expect(await add('1')).toMatchObject({ Attributes: { ...Key, n: { N: `1${'0'.repeat(37)}` } } });
    expect((await add('0.01'))['message']).toBe(
      'Attempting to store more than 38 significant digits in a Number',
    );
  });
});
