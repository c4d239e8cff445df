import { beforeAll, describe, expect, it } from 'vitest';
import { bare, type Call, keySchema } from './call.ts';

let call: Call;
const TableName = 'things';
const Key = { pk: { S: 'a' }, sk: { S: '1' } };

beforeAll(async () => {
  call = bare();
  await call('CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'n'].map((AttributeName) => ({
      AttributeName,
      AttributeType: AttributeName === 'n' ? 'N' : 'S',
    })),
    KeySchema: keySchema('pk', 'sk'),
    GlobalSecondaryIndexes: [
      { IndexName: 'byN', KeySchema: keySchema('pk', 'n'), Projection: { ProjectionType: 'KEYS_ONLY' } },
    ],
  });
  await call('PutItem', {
    TableName,
    Item: { ...Key, s: { S: 'x' }, m: { M: {} }, l: { L: [{ S: 'one' }] }, set: { SS: ['a'] } },
  });
});

const refused = async (operation: string, input: object): Promise<string> => {
  const { __type, message } = await call(operation, input);
  return `${__type?.split('#')[1]}: ${String(message)}`;
};
const V = 'ValidationException';
const ONE = 'One or more parameter values were invalid:';

describe('expressions are refused as the service refuses them', () => {
  it.each([
    ['', 'The expression can not be empty;'],
    ['SET', 'Syntax error; token: "<EOF>", near: "SET"'],
    ['SET a := :v', 'Syntax error; token: ":", near: "a :"'],
    ['HELLO a = :v', 'Syntax error; token: "HELLO", near: "HELLO a"'],
    ['SET a = :v +', 'Syntax error; token: "<EOF>", near: "+"'],
    ['SET a = :v SET b = :v', 'The "SET" section can only be used once in an update expression;'],
    ['SET size = :v', 'Attribute name is a reserved keyword; reserved keyword: size'],
    ['SET a = :w', 'An expression attribute value used in expression is not defined; attribute value: :w'],
    [
      'SET #b = :v',
      'An expression attribute name used in the document path is not defined; attribute name: #b',
    ],
    [
      'SET a = :v, a.b = :v',
      'Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]',
    ],
    [
      'SET a.b = :v, a[1] = :v',
      'Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [1]]',
    ],
    ['SET a = huh(:v)', 'Invalid function name; function: huh'],
    [
      'SET a = if_not_exists(a)',
      'Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1',
    ],
    [
      'SET a = if_not_exists(:v, :v)',
      'Operator or function requires a document path; operator or function: if_not_exists',
    ],
    [
      'SET a = list_append(a, :v)',
      'Incorrect operand type for operator or function; operator or function: list_append, operand type: S',
    ],
    [
      'SET a = a + :v',
      'Incorrect operand type for operator or function; operator or function: +, operand type: S',
    ],
    ['ADD a :v', 'Incorrect operand type for operator or function; operator: ADD, operand type: STRING'],
    [
      'DELETE a :v',
      'Incorrect operand type for operator or function; operator: DELETE, operand type: STRING',
    ],
  ])('UpdateExpression %j', async (UpdateExpression, reason) => {
    expect(
      await refused('UpdateItem', {
        TableName,
        Key,
        UpdateExpression,
        ExpressionAttributeValues: { ':v': { S: 'x' } },
      }),
    ).toBe(`${V}: Invalid UpdateExpression: ${reason}`);
  });

  it.each([
    ['a', 'Syntax error; token: "<EOF>", near: "a"'],
    ['((a = :v))', 'The expression has redundant parentheses;'],
    ['size(a)', 'The function is not allowed to be used this way in an expression; function: size'],
    [
      'attribute_exists(a) = :v',
      'The function is not allowed to be used this way in an expression; function: attribute_exists',
    ],
    [
      'attribute_exists(:v)',
      'Operator or function requires a document path; operator or function: attribute_exists',
    ],
    [
      'attribute_type(a, :v)',
      'Invalid attribute type name found; type: x, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}',
    ],
    [
      'begins_with(a, :n)',
      'Incorrect operand type for operator or function; operator or function: begins_with, operand type: N',
    ],
    [
      'a = a',
      'The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]',
    ],
    [
      'a BETWEEN :n AND :v',
      'The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:x}',
    ],
    [
      'a BETWEEN :two AND :n',
      'The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}',
    ],
    [
      'a > :list',
      'Incorrect operand type for operator or function; operator or function: >, operand type: L',
    ],
    [
      `a IN (${Array(101).fill(':v').join(',')})`,
      'Incorrect number of operands for operator or function; operator or function: IN, number of operands: 101',
    ],
    [`a = :v${' OR a = :v'.repeat(160)}`, 'The expression contains too many operators; operator count: 321'],
    [
      `a = :v${' '.repeat(5000)}`,
      'Expression size has exceeded the maximum allowed size; expression size: 5006',
    ],
    [`a${'.b'.repeat(32)} = :v`, 'The document path has too many nesting elements; nesting depth: 33'],
  ])('ConditionExpression %.40j', async (ConditionExpression, reason) => {
    const values = {
      ':v': { S: 'x' },
      ':n': { N: '1' },
      ':two': { N: '2' },
      ':list': { L: [] },
    };
    const used = Object.entries(values).filter(([name]) => ConditionExpression.includes(name));
    expect(
      await refused('DeleteItem', {
        TableName,
        Key,
        ConditionExpression,
        ...(used.length > 0 && { ExpressionAttributeValues: Object.fromEntries(used) }),
      }),
    ).toBe(`${V}: Invalid ConditionExpression: ${reason}`);
  });

  it.each([
    ['pk = :v OR sk = :v', 'Invalid operator used in KeyConditionExpression: OR'],
    ['pk <> :v', 'Invalid operator used in KeyConditionExpression: <>'],
    ['contains(pk, :v)', 'Invalid operator used in KeyConditionExpression: contains'],
    ['sk = :v', 'Query condition missed key schema element: pk'],
    ['pk = :v AND x = :v', 'Query condition missed key schema element: sk'],
    ['pk > :v', 'Query key condition not supported'],
    ['pk = :v AND pk = :v', 'KeyConditionExpressions must only contain one condition per key'],
    ['pk.a = :v', 'KeyConditionExpressions cannot have conditions on nested attributes'],
    [':v = :v', 'Invalid condition in KeyConditionExpression: No key attribute specified'],
  ])('KeyConditionExpression %j', async (KeyConditionExpression, reason) => {
    const given = { TableName, KeyConditionExpression, ExpressionAttributeValues: { ':v': { S: 'x' } } };
    expect(await refused('Query', given)).toBe(`${V}: ${reason}`);
  });

  it.each([
    'pk = :v AND sk >= :empty',
    'pk = :v AND sk <= :empty',
    'pk = :v AND sk BETWEEN :empty AND :v',
    'pk = :v AND begins_with(sk, :empty)',
  ])('KeyConditionExpression %j with an empty value', async (KeyConditionExpression) => {
    const ExpressionAttributeValues = { ':v': { S: 'x' }, ':empty': { S: '' } };
    const given = { TableName, KeyConditionExpression, ExpressionAttributeValues };
    expect(await refused('Query', given)).toBe(
      `${V}: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk`,
    );
  });

  it('and placeholders too', async () => {
    const names = (ExpressionAttributeNames: object, more: object = { ProjectionExpression: 'a' }) =>
      refused('GetItem', { TableName, Key, ExpressionAttributeNames, ...more });
    expect(await names({})).toBe(`${V}: ExpressionAttributeNames must not be empty`);
    expect(await names({ '#b': 'b' }, {})).toBe(
      `${V}: ExpressionAttributeNames can only be specified when using expressions`,
    );
    expect(await names({ b: 'b' })).toBe(
      `${V}: ExpressionAttributeNames contains invalid key: Syntax error; key: "b"`,
    );
    expect(await names({ '#b': 'b', '#c': 'c' })).toBe(
      `${V}: Value provided in ExpressionAttributeNames unused in expressions: keys: {#b, #c}`,
    );
    const values = (value: object) =>
      refused('DeleteItem', {
        TableName,
        Key,
        ConditionExpression: 'a = :v',
        ExpressionAttributeValues: { ':v': value },
      });
    expect(await values({ SS: [] })).toBe(
      `${V}: ExpressionAttributeValues contains invalid value: ${ONE} An string set  may not be empty for key :v`,
    );
  });
});

describe('items are refused as the service refuses them', () => {
  const big = 'x'.repeat(400 * 1024);
  it.each([
    [{ sk: { S: '1' } }, `${V}: ${ONE} Missing the key pk in the item`],
    [{ ...Key, pk: { N: '1' } }, `${V}: ${ONE} Type mismatch for key pk expected: S actual: N`],
    [
      { ...Key, sk: { S: '' } },
      `${V}: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk`,
    ],
    [
      { ...Key, n: { S: 'x' } },
      `${V}: ${ONE} Type mismatch for Index Key n Expected: N Actual: S IndexName: byN`,
    ],
    [
      { ...Key, pk: { S: 'x'.repeat(2049) } },
      `${V}: ${ONE} Size of hashkey has exceeded the maximum size limit of2048 bytes`,
    ],
    [
      { ...Key, sk: { S: 'x'.repeat(1025) } },
      `${V}: ${ONE} Aggregated size of all range keys has exceeded the size limit of 1024 bytes`,
    ],
    [{ ...Key, a: { S: big } }, `${V}: Item size has exceeded the maximum allowed size`],
    [
      { ...Key, a: {} },
      `${V}: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes`,
    ],
    [
      { ...Key, a: { S: 'x', N: '1' } },
      `${V}: Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes`,
    ],
    [{ ...Key, a: { N: 'one' } }, `${V}: The parameter cannot be converted to a numeric value: one`],
    [{ ...Key, a: { N: '' } }, `${V}: The parameter cannot be converted to a numeric value`],
    [
      { ...Key, a: { N: '1e126' } },
      `${V}: Number overflow. Attempting to store a number with magnitude larger than supported range`,
    ],
    [
      { ...Key, a: { N: '1e-131' } },
      `${V}: Number underflow. Attempting to store a number with magnitude smaller than supported range`,
    ],
    [{ ...Key, a: { SS: ['x', 'x'] } }, `${V}: ${ONE} Input collection [x, x] contains duplicates.`],
    [{ ...Key, a: { NS: ['1', '1.0'] } }, `${V}: Input collection contains duplicates`],
    [{ ...Key, a: { BS: [] } }, `${V}: ${ONE} Binary sets should not be empty`],
    [{ ...Key, a: { NULL: false } }, `${V}: ${ONE} Null attribute value types must have the value of true`],
    [{ ...Key, a: { S: 1 } }, 'SerializationException: NUMBER_VALUE cannot be converted to String'],
    [
      { ...Key, a: { B: 'abc' } },
      'SerializationException: Base64 encoded length is expected a multiple of 4 bytes but found: 3',
    ],
    [{ ...Key, a: nested(33) }, `${V}: Nesting Levels have exceeded supported limits`],
  ])('%.60j', async (Item, reason) => {
    expect(await refused('PutItem', { TableName, Item })).toBe(reason);
  });

  it.each([[{ pk: { S: 'a' } }], [{ ...Key, x: { S: 'a' } }], [{ pk: { N: '1' }, sk: { S: '1' } }]])(
    'the key %j',
    async (wrong) => {
      const reason = `${V}: The provided key element does not match the schema`;
      expect(await refused('GetItem', { TableName, Key: wrong })).toBe(reason);
      expect(await refused('DeleteItem', { TableName, Key: wrong })).toBe(reason);
    },
  );

  it.each([
    ['SET a.b = :v', 'The document path provided in the update expression is invalid for update'],
    ['SET a = b', 'The provided expression refers to an attribute that does not exist in the item'],
    ['SET a = s + :n', 'An operand in the update expression has an incorrect data type'],
    ['ADD s :n', 'An operand in the update expression has an incorrect data type'],
    ['SET pk = :v', `${ONE} Cannot update attribute pk. This attribute is part of the key`],
    ['SET n = :v', `${ONE} Type mismatch for Index Key n Expected: N Actual: S IndexName: byN`],
    [
      'REMOVE n.x',
      "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: n",
    ],
  ])('the update %s', async (UpdateExpression, reason) => {
    const values = Object.entries({ ':v': { S: 'x' }, ':n': { N: '1' } }).filter(([name]) =>
      UpdateExpression.includes(name),
    );
    const given = { TableName, Key, UpdateExpression };
    expect(
      await refused('UpdateItem', {
        ...given,
        ...(values.length > 0 && { ExpressionAttributeValues: Object.fromEntries(values) }),
      }),
    ).toBe(`${V}: ${reason}`);
  });
});

/** A list in a list, and so on. */
function nested(depth: number): object {
  return depth === 0 ? { S: 'x' } : { L: [nested(depth - 1)] };
}

describe('requests are refused as the service refuses them', () => {
  const put = { PutRequest: { Item: Key } };
  it.each<[string, object, string]>([
    ['GetItem', { TableName: 'nothing', Key }, 'ResourceNotFoundException: Requested resource not found'],
    [
      'DescribeTable',
      { TableName: 'nothing' },
      'ResourceNotFoundException: Requested resource not found: Table: nothing not found',
    ],
    [
      'GetItem',
      { Key },
      `${V}: 1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null`,
    ],
    [
      'PutItem',
      { TableName, Item: Key, ReturnValues: 'SOME' },
      `${V}: 1 validation error detected: Value 'SOME' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]`,
    ],
    [
      'PutItem',
      { TableName, Item: Key, ReturnValues: 'ALL_NEW' },
      `${V}: ReturnValues can only be ALL_OLD or NONE`,
    ],
    [
      'DeleteItem',
      { TableName, Key, ReturnValues: 'ALL_NEW' },
      `${V}: ReturnValues can only be ALL_OLD or NONE`,
    ],
    [
      'Scan',
      { TableName, Limit: 0 },
      `${V}: 1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1`,
    ],
    [
      'Scan',
      { TableName, Segment: 2, TotalSegments: 2 },
      `${V}: The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2`,
    ],
    ['Scan', { TableName, IndexName: 'huh' }, `${V}: The table does not have the specified index: huh`],
    [
      'Scan',
      { TableName, IndexName: 'byN', ConsistentRead: true },
      `${V}: Consistent reads are not supported on global secondary indexes`,
    ],
    [
      'Scan',
      { TableName, IndexName: 'byN', Select: 'ALL_ATTRIBUTES' },
      `${V}: ${ONE} Select type ALL_ATTRIBUTES is not supported for global secondary index byN because its projection type is not ALL`,
    ],
    [
      'Scan',
      { TableName, IndexName: 'byN', ProjectionExpression: 's' },
      `${V}: ${ONE} Global secondary index byN does not project [s]`,
    ],
    [
      'Scan',
      { TableName, ExclusiveStartKey: { pk: { S: 'a' } } },
      `${V}: The provided starting key is invalid: The provided key element does not match the schema`,
    ],
    [
      'Query',
      { TableName },
      `${V}: Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.`,
    ],
    [
      'BatchWriteItem',
      { RequestItems: { [TableName]: [put, put] } },
      `${V}: Provided list of item keys contains duplicates`,
    ],
    [
      'BatchGetItem',
      { RequestItems: { [TableName]: { Keys: [Key, Key] } } },
      `${V}: Provided list of item keys contains duplicates`,
    ],
    [
      'TransactWriteItems',
      { TransactItems: [{ Put: { TableName, Item: Key } }, { Delete: { TableName, Key } }] },
      `${V}: Transaction request cannot include multiple operations on one item`,
    ],
    [
      'TransactWriteItems',
      { TransactItems: [{ Put: { TableName, Item: Key }, Delete: { TableName, Key } }] },
      `${V}: TransactItems can only contain one of Check, Put, Update or Delete`,
    ],
    ['Huh', {}, 'UnknownOperationException: The local runtime does not support the operation "Huh".'],
  ])('%s %.70j', async (operation, input, reason) => {
    expect(await refused(operation, input)).toBe(reason);
  });

  it('with their limits on numbers of items', async () => {
    const puts = Array.from({ length: 26 }, (_, at) => ({
      PutRequest: { Item: { ...Key, sk: { S: `k${at}` } } },
    }));
    expect(await refused('BatchWriteItem', { RequestItems: { [TableName]: puts } })).toMatch(
      /at 'requestItems.things.member' failed to satisfy constraint: Member must have length less than or equal to 25$/u,
    );
    const Keys = Array.from({ length: 101 }, (_, at) => ({ ...Key, sk: { S: `k${at}` } }));
    expect(await refused('BatchGetItem', { RequestItems: { [TableName]: { Keys } } })).toMatch(
      /at 'requestItems.things.member.keys' failed to satisfy constraint: Member must have length less than or equal to 100$/u,
    );
    const TransactItems = Keys.map((one) => ({ Delete: { TableName, Key: one } }));
    expect(await refused('TransactWriteItems', { TransactItems })).toMatch(
      /at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100$/u,
    );
  });

  it('and a transaction says which of its items is invalid', async () => {
    const { __type, CancellationReasons } = await call('TransactWriteItems', {
      TransactItems: [
        { Put: { TableName, Item: { ...Key, sk: { S: 'new' } } } },
        {
          Update: {
            TableName,
            Key,
            UpdateExpression: 'ADD s :n',
            ExpressionAttributeValues: { ':n': { N: '1' } },
          },
        },
      ],
    });
    expect(__type).toMatch(/TransactionCanceledException$/u);
    expect(CancellationReasons).toEqual([
      { Code: 'None' },
      {
        Code: 'ValidationError',
        Message: 'An operand in the update expression has an incorrect data type',
      },
    ]);
    expect(await call('GetItem', { TableName, Key: { ...Key, sk: { S: 'new' } } })).toEqual({});
  });
});
