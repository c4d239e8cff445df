/** A request, and what the service answers: `accepted`, or the name of its error. */
export interface Verdict {
  readonly about: string;
  readonly operation: string;
  readonly input: object;
  readonly verdict: string;
}

const BREAKS = 'InternalFailure';

/** What DynamoDB Local answers where it is known to differ from the service, by the subject of the request. */
export const differsInDynamodbLocal: Readonly<Record<string, string>> = {
  // It reads JSON more loosely, and breaks where a value has an unexpected shape.
  'put: a number as a text in JSON': 'accepted',
  'put: a truth value as a text in JSON': 'accepted',
  'put: a list where a map is expected': BREAKS,
  'put: base64 without its padding': BREAKS,
  'put: base64 for URLs': BREAKS,
  // It stores names in a database that cannot hold the longest ones.
  'put: a name of 65,535 bytes': BREAKS,
  'put: a name of 65,536 bytes': BREAKS,
  // It takes `size` for a name, and an empty token for none.
  'condition: a reserved word that is a function': 'ConditionalCheckFailedException',
  'transaction: an empty token': 'accepted',
  // It refuses the request where the service cancels the transaction and gives the reason of each item.
  'transaction: an item without its key': 'ValidationException',
};

/** The verdict that an answer expresses. */
export const verdictOf = ({ __type }: { readonly __type?: unknown }): string =>
  typeof __type === 'string' ? (__type.split('#').at(-1) ?? __type) : 'accepted';

const TableName = 'judged';

/** The table that every request is made to; it has two items. */
export const judgedTable = {
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk', 'g', 'n'].map((AttributeName) => ({
    AttributeName,
    AttributeType: AttributeName === 'n' ? 'N' : 'S',
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byG',
      KeySchema: [
        { AttributeName: 'g', KeyType: 'HASH' },
        { AttributeName: 'n', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
};

const Key = { pk: { S: 'a' }, sk: { S: '1' } };
export const judgedItems = [
  {
    ...Key,
    s: { S: 'x' },
    c: { N: '1' },
    l: { L: [{ S: 'one' }, { S: 'two' }] },
    m: { M: { a: { S: 'x' } } },
    set: { SS: ['a'] },
  },
  { pk: { S: 'a' }, sk: { S: '2' }, g: { S: 'g' }, n: { N: '1' } },
];
const Fresh = { pk: { S: 'new' }, sk: { S: '1' } };

/** `levels` lists or maps around a text. */
const inLists = (levels: number): object => (levels === 0 ? { S: 'x' } : { L: [inLists(levels - 1)] });
const inMaps = (levels: number): object => (levels === 0 ? { S: 'x' } : { M: { a: inMaps(levels - 1) } });

const REFUSED = 'ValidationException';
const UNMET = 'ConditionalCheckFailedException';
const CANCELLED = 'TransactionCanceledException';

const put = (about: string, attributes: object, verdict: string): Verdict => ({
  ...{
    about: `put: ${about}`,
    operation: 'PutItem',
    input: { TableName, Item: { ...Fresh, ...attributes } },
  },
  verdict,
});
const condition = (
  about: string,
  ConditionExpression: string,
  verdict: string,
  values?: object,
  names?: object,
): Verdict => ({
  about: `condition: ${about}`,
  operation: 'PutItem',
  input: {
    ...{ TableName, Item: judgedItems[0], ConditionExpression },
    ...(values && { ExpressionAttributeValues: values }),
    ...(names && { ExpressionAttributeNames: names }),
  },
  verdict,
});
const update = (
  about: string,
  UpdateExpression: string,
  verdict: string,
  values?: object,
  names?: object,
): Verdict => ({
  about: `update: ${about}`,
  operation: 'UpdateItem',
  input: {
    ...{ TableName, Key, UpdateExpression },
    ...(values && { ExpressionAttributeValues: values }),
    ...(names && { ExpressionAttributeNames: names }),
  },
  verdict,
});
const query = (
  about: string,
  expression: string,
  values: object,
  verdict: string,
  more: object = {},
): Verdict => ({
  about: `query: ${about}`,
  operation: 'Query',
  input: { TableName, KeyConditionExpression: expression, ExpressionAttributeValues: values, ...more },
  verdict,
});
const transact = (about: string, TransactItems: object[], verdict: string, more: object = {}): Verdict => ({
  about: `transaction: ${about}`,
  operation: 'TransactWriteItems',
  input: { TransactItems, ...more },
  verdict,
});
const get = (about: string, more: object, verdict: string): Verdict => ({
  about: `get: ${about}`,
  operation: 'GetItem',
  input: { TableName, Key, ...more },
  verdict,
});

const v = { ':v': { S: 'x' } };
const n = { ':n': { N: '1' } };
const check = (more: object): object => ({ ConditionCheck: { TableName, Key, ...more } });
const stored = (item: object): object => ({ Put: { TableName, Item: { ...Fresh, ...item } } });

export const verdicts: readonly Verdict[] = [
  // Attribute names.
  put('an empty attribute name', { '': { S: 'x' } }, REFUSED),
  put('an empty name in a map', { m: { M: { '': { S: 'x' } } } }, REFUSED),
  put('an empty name in a map in a list', { l: { L: [{ M: { '': { S: 'x' } } }] } }, REFUSED),
  put('a name with a dot, a space and an emoji', { 'a.b c🙂': { S: 'x' } }, 'accepted'),
  put('a name of 65,535 bytes', { ['x'.repeat(65_535)]: { S: 'x' } }, 'accepted'),
  put('a name of 65,536 bytes', { ['x'.repeat(65_536)]: { S: 'x' } }, REFUSED),
  put('a reserved word as a name', { size: { S: 'x' } }, 'accepted'),
  put('__proto__ as a name', JSON.parse('{"__proto__":{"S":"x"}}'), 'accepted'),
  // Values.
  put('an empty text', { a: { S: '' } }, 'accepted'),
  put('an empty binary', { a: { B: '' } }, 'accepted'),
  put('an empty list and map', { a: { L: [] }, b: { M: {} } }, 'accepted'),
  put('an empty set of texts', { a: { SS: [] } }, REFUSED),
  put('an empty set of numbers', { a: { NS: [] } }, REFUSED),
  put('an empty set of binaries', { a: { BS: [] } }, REFUSED),
  put('an empty text in a set', { a: { SS: [''] } }, 'accepted'),
  put('an empty binary in a set', { a: { BS: [''] } }, 'accepted'),
  put('an empty text in a list', { a: { L: [{ S: '' }] } }, 'accepted'),
  put('the same text twice in a set', { a: { SS: ['x', 'x'] } }, REFUSED),
  put('the same number spelled twice in a set', { a: { NS: ['1', '1.0'] } }, REFUSED),
  put('the same binary twice in a set', { a: { BS: ['eA==', 'eA=='] } }, REFUSED),
  put('texts in a set that differ in their composition only', { a: { SS: ['é', 'e\u0301'] } }, 'accepted'),
  put('a lone surrogate', { a: { S: 'x\ud800' } }, 'accepted'),
  put('a null character', { a: { S: '\u0000' } }, 'accepted'),
  put('NULL that is false', { a: { NULL: false } }, REFUSED),
  put('a value without a type', { a: {} }, REFUSED),
  put('null in place of a value', { a: null }, REFUSED),
  put('null in a list', { a: { L: [null] } }, REFUSED),
  put('a type that does not exist beside one that does', { a: { S: 'x', Q: 'x' } }, 'accepted'),
  put('a value of two types', { a: { S: 'x', N: '1' } }, REFUSED),
  put('a number as a text in JSON', { a: { S: 1 } }, 'SerializationException'),
  put('a truth value as a text in JSON', { a: { BOOL: 'true' } }, 'SerializationException'),
  put('a list where a map is expected', { a: { M: [] } }, 'SerializationException'),
  put('an empty number', { a: { N: '' } }, REFUSED),
  put('a number with spaces', { a: { N: ' 1' } }, REFUSED),
  put('a number in hexadecimal', { a: { N: '0x1' } }, REFUSED),
  put('NaN', { a: { N: 'NaN' } }, REFUSED),
  put('infinity', { a: { N: 'Infinity' } }, REFUSED),
  put('a number with a plus and zeros', { a: { N: '+001.500' } }, 'accepted'),
  put('a number that begins with its point', { a: { N: '.5' } }, 'accepted'),
  put('a number that ends with its point', { a: { N: '5.' } }, 'accepted'),
  put('minus zero', { a: { N: '-0' } }, 'accepted'),
  put('a number of 38 digits', { a: { N: '9'.repeat(38) } }, 'accepted'),
  put('a number of 39 digits', { a: { N: '9'.repeat(39) } }, REFUSED),
  put('a number of 39 digits that ends with zeros', { a: { N: `${'9'.repeat(38)}0` } }, 'accepted'),
  put('the largest number', { a: { N: '9.9999999999999999999999999999999999999E+125' } }, 'accepted'),
  put('a number that is too large', { a: { N: '1E126' } }, REFUSED),
  put('the smallest number', { a: { N: '1E-130' } }, 'accepted'),
  put('a number that is too small', { a: { N: '1E-131' } }, REFUSED),
  put('zero with a large exponent', { a: { N: '0E500' } }, 'accepted'),
  put('base64 without its padding', { a: { B: 'eA' } }, 'SerializationException'),
  put('base64 for URLs', { a: { B: '-_8=' } }, 'SerializationException'),
  // Nesting.
  put('31 lists in each other', { a: inLists(31) }, 'accepted'),
  put('32 lists in each other', { a: inLists(32) }, REFUSED),
  put('31 maps in each other', { a: inMaps(31) }, 'accepted'),
  put('32 maps in each other', { a: inMaps(32) }, REFUSED),
  condition('32 lists in a value', 's <> :v', 'accepted', { ':v': inLists(32) }),
  condition('33 lists in a value', 's <> :v', REFUSED, { ':v': inLists(33) }),
  update('31 lists in each other', 'SET x = :v', 'accepted', { ':v': inLists(31) }),
  update('32 lists in each other', 'SET x = :v', REFUSED, { ':v': inLists(32) }),
  update('31 lists in a map', 'SET m.x = :v', REFUSED, { ':v': inLists(31) }),
  update('30 lists in a map', 'SET m.x = :v', 'accepted', { ':v': inLists(30) }),
  // Keys.
  put('an empty sort key', { sk: { S: '' } }, REFUSED),
  put('an empty partition key', { pk: { S: '' } }, REFUSED),
  put('a key of another type', { sk: { N: '1' } }, REFUSED),
  put('an empty key of an index', { g: { S: '' } }, REFUSED),
  put('a key of an index of another type', { n: { S: '1' } }, REFUSED),
  put('the key of an index without the other', { g: { S: 'g' } }, 'accepted'),
  put('a partition key of 2,048 bytes', { pk: { S: 'x'.repeat(2048) } }, 'accepted'),
  put('a partition key of 2,049 bytes', { pk: { S: 'x'.repeat(2049) } }, REFUSED),
  put('a sort key of 1,024 bytes', { sk: { S: 'x'.repeat(1024) } }, 'accepted'),
  put('a sort key of 1,025 bytes', { sk: { S: 'x'.repeat(1025) } }, REFUSED),
  put('an item of more than 400 KB', { a: { S: 'x'.repeat(409_600) } }, REFUSED),
  update('a key', 'SET sk = :v', REFUSED, v),
  update('an empty key of an index', 'SET g = :v', REFUSED, { ':v': { S: '' } }),
  update('the removal of the key of an index', 'REMOVE g', 'accepted'),
  get('an empty sort key', { Key: { ...Key, sk: { S: '' } } }, REFUSED),
  get('a key with another attribute', { Key: { ...Key, x: { S: 'x' } } }, REFUSED),
  get('a key without its sort key', { Key: { pk: { S: 'a' } } }, REFUSED),
  // Key conditions.
  query('an empty partition key', 'pk = :p', { ':p': { S: '' } }, REFUSED),
  query(
    'a sort key of 1,025 bytes',
    'pk = :p AND sk = :s',
    { ':p': { S: 'a' }, ':s': { S: 'x'.repeat(1025) } },
    REFUSED,
  ),
  query('an empty sort key', 'pk = :p AND sk = :s', { ':p': { S: 'a' }, ':s': { S: '' } }, REFUSED),
  query(
    'a sort key above an empty one',
    'pk = :p AND sk > :s',
    { ':p': { S: 'a' }, ':s': { S: '' } },
    REFUSED,
  ),
  query(
    'a sort key that begins with nothing',
    'pk = :p AND begins_with(sk, :s)',
    { ':p': { S: 'a' }, ':s': { S: '' } },
    REFUSED,
  ),
  query(
    'a range that begins with nothing',
    'pk = :p AND sk BETWEEN :s AND :e',
    { ':p': { S: 'a' }, ':s': { S: '' }, ':e': { S: 'z' } },
    REFUSED,
  ),
  query(
    'a range upside down',
    'pk = :p AND sk BETWEEN :s AND :e',
    { ':p': { S: 'a' }, ':s': { S: 'z' }, ':e': { S: 'a' } },
    REFUSED,
  ),
  query('a key of another type', 'pk = :p', { ':p': { N: '1' } }, REFUSED),
  query('keys in the other order', 'sk = :s AND pk = :p', { ':p': { S: 'a' }, ':s': { S: '1' } }, 'accepted'),
  query('a value on the left', ':p = pk', { ':p': { S: 'a' } }, 'accepted'),
  query(
    'each condition in parentheses',
    '(pk = :p) AND (sk = :s)',
    { ':p': { S: 'a' }, ':s': { S: '1' } },
    'accepted',
  ),
  query(
    'the whole in parentheses',
    '(pk = :p AND sk = :s)',
    { ':p': { S: 'a' }, ':s': { S: '1' } },
    'accepted',
  ),
  query('the whole in two parentheses', '((pk = :p))', { ':p': { S: 'a' } }, REFUSED),
  query('OR', 'pk = :p OR sk = :s', { ':p': { S: 'a' }, ':s': { S: '1' } }, REFUSED),
  query('NOT', 'NOT pk = :p', { ':p': { S: 'a' } }, REFUSED),
  query('IN', 'pk IN (:p)', { ':p': { S: 'a' } }, REFUSED),
  query('the sort key alone', 'sk = :s', { ':s': { S: '1' } }, REFUSED),
  query('a range of the partition key', 'pk > :p', { ':p': { S: 'a' } }, REFUSED),
  query(
    'two conditions on the sort key',
    'pk = :p AND sk > :s AND sk < :e',
    { ':p': { S: 'a' }, ':s': { S: '1' }, ':e': { S: '2' } },
    REFUSED,
  ),
  query('an attribute that is no key', 'pk = :p AND s = :s', { ':p': { S: 'a' }, ':s': { S: 'x' } }, REFUSED),
  query('a function of the key', 'size(pk) = :n', n, REFUSED),
  query('a filter on a key', 'pk = :p', { ':p': { S: 'a' }, ...v }, REFUSED, { FilterExpression: 'sk = :v' }),
  query('a filter with an empty text', 'pk = :p', { ':p': { S: 'a' }, ':v': { S: '' } }, 'accepted', {
    FilterExpression: 's <> :v',
  }),
  query('an empty filter', 'pk = :p', { ':p': { S: 'a' } }, REFUSED, { FilterExpression: '' }),
  query('a start in another partition', 'pk = :p', { ':p': { S: 'a' } }, REFUSED, {
    ExclusiveStartKey: Fresh,
  }),
  query('a start that does not exist', 'pk = :p', { ':p': { S: 'a' } }, 'accepted', {
    ExclusiveStartKey: { pk: { S: 'a' }, sk: { S: '0' } },
  }),
  query('a start outside the range', 'pk = :p AND sk > :s', { ':p': { S: 'a' }, ':s': { S: '5' } }, REFUSED, {
    ExclusiveStartKey: Key,
  }),
  query('a start with an empty key', 'pk = :p', { ':p': { S: 'a' } }, REFUSED, {
    ExclusiveStartKey: { pk: { S: 'a' }, sk: { S: '' } },
  }),
  query('a limit of zero', 'pk = :p', { ':p': { S: 'a' } }, REFUSED, { Limit: 0 }),
  query('an index with an empty key', 'g = :g', { ':g': { S: '' } }, REFUSED, { IndexName: 'byG' }),
  query('a consistent read of an index', 'g = :g', { ':g': { S: 'g' } }, REFUSED, {
    IndexName: 'byG',
    ConsistentRead: true,
  }),
  query('an index that does not exist', 'g = :g', { ':g': { S: 'g' } }, REFUSED, { IndexName: 'byX' }),
  // Placeholders.
  condition('a name that is not defined', '#s = :v', REFUSED, v),
  condition('a value that is not defined', 's = :w', REFUSED, v),
  condition('a name that is not used', 's = :v', REFUSED, v, { '#s': 's' }),
  condition('a value that is not used', 'attribute_exists(s)', REFUSED, v),
  condition('a name of an empty attribute', '#s = :v', REFUSED, v, { '#s': '' }),
  condition('no names at all', 's = :v', REFUSED, v, {}),
  condition('no values at all', 'attribute_exists(s)', REFUSED, {}),
  condition('a name without its mark', 's = :v', REFUSED, v, { s: 's' }),
  condition('a value without its mark', 's = :v', REFUSED, { ...v, v: { S: 'x' } }),
  condition('a mark alone', '# = :v', REFUSED, v, { '#': 's' }),
  condition('a name with a hyphen', '#a-b = :v', REFUSED, v, { '#a-b': 's' }),
  condition('a name with a digit first', '#1 = :v', 'accepted', v, { '#1': 's' }),
  condition('a name with an underscore', '#_ = :v', 'accepted', v, { '#_': 's' }),
  condition('names in two spellings', '#s = :v', REFUSED, v, { '#S': 's' }),
  condition('an attribute with a dot by a placeholder', '#s = :v', UNMET, v, { '#s': 'm.a' }),
  condition('a reserved word', 'count = :v', REFUSED, v),
  condition('a reserved word that is a function', 'size = :v', REFUSED, v),
  condition('a reserved word in a map', 'm.count = :v', REFUSED, v),
  condition('a reserved word by a placeholder', 'm.#s = :v', UNMET, v, { '#s': 'count' }),
  get('names without an expression', { ExpressionAttributeNames: { '#s': 's' } }, REFUSED),
  get('a projection', { ProjectionExpression: 's, m.a, l[0]' }, 'accepted'),
  get('an empty projection', { ProjectionExpression: '' }, REFUSED),
  get('a projection of overlapping paths', { ProjectionExpression: 'm, m.a' }, REFUSED),
  get('a projection of one path twice', { ProjectionExpression: 's, s' }, REFUSED),
  get('a projection that ends with a comma', { ProjectionExpression: 's,' }, REFUSED),
  get('a projection of a value', { ProjectionExpression: ':v' }, REFUSED),
  get('a projection in parentheses', { ProjectionExpression: '(s)' }, REFUSED),
  get('a projection into a key', { ProjectionExpression: 'pk.a' }, REFUSED),
  // Paths and list indexes.
  condition('a list index', 'l[0] = :v', UNMET, v),
  condition('a list index beyond the end', 'attribute_not_exists(l[99])', 'accepted'),
  condition('a negative list index', 'l[-1] = :v', REFUSED, v),
  condition('a list index with a point', 'l[1.5] = :v', REFUSED, v),
  condition('a list index with spaces', 'l[ 0 ] = :v', UNMET, v),
  condition('a list index by a placeholder', 'l[:n] = :v', REFUSED, { ...v, ...n }),
  condition('an empty list index', 'l[] = :v', REFUSED, v),
  condition('a list index with a zero in front', 'l[00] = :v', REFUSED, v),
  condition('the largest list index', 'attribute_not_exists(l[2147483647])', 'accepted'),
  condition('a list index above 32 bits', 'attribute_not_exists(l[2147483648])', REFUSED),
  condition('a list index of many digits', `attribute_not_exists(l[${'9'.repeat(30)}])`, REFUSED),
  condition('a list index of a map', 'attribute_not_exists(m[0])', 'accepted'),
  condition('a name in a list', 'attribute_not_exists(l.a)', 'accepted'),
  condition('a path that begins with an index', '[0] = :v', REFUSED, v),
  condition('a path that ends with a dot', 'm. = :v', REFUSED, v),
  condition('a path with two dots', 'm..a = :v', REFUSED, v),
  condition('a path of 32 steps', `attribute_not_exists(s${'.a'.repeat(31)})`, 'accepted'),
  condition('a path of 33 steps', `attribute_not_exists(s${'.a'.repeat(32)})`, REFUSED),
  condition('a path into a key', 'attribute_not_exists(pk.a)', REFUSED),
  update('a list index beyond the end', 'SET l[99] = :v', 'accepted', v),
  update('an index of an absent list', 'SET x[0] = :v', REFUSED, v),
  update('an index above 32 bits', 'SET l[2147483648] = :v', REFUSED, v),
  update('the removal of an absent index', 'REMOVE l[99]', 'accepted'),
  update('the removal in an absent map', 'REMOVE x.a', REFUSED),
  update('two indexes of one list', 'SET l[0] = :v, l[1] = :v', 'accepted', v),
  update('one index twice', 'SET l[0] = :v, l[0] = :v', REFUSED, v),
  update('a list and its index', 'SET l = :l, l[0] = :v', REFUSED, { ...v, ':l': { L: [] } }),
  update('an index and a name in one attribute', 'SET l[0] = :v, l.a = :v', REFUSED, v),
  // Parentheses and operators.
  condition('one pair of parentheses', '(s = :v)', 'accepted', v),
  condition('two pairs of parentheses', '((s = :v))', REFUSED, v),
  condition('two pairs around each other', '((s = :v)) AND (c = :n)', REFUSED, { ...v, ...n }),
  condition('parentheses around two conditions', '((s = :v) AND (c = :n))', 'accepted', { ...v, ...n }),
  condition('two pairs around a part', '(s = :v AND ((c = :n)))', REFUSED, { ...v, ...n }),
  condition('parentheses around an operand', '(s) = :v', 'accepted', v),
  condition('two pairs around an operand', '((s)) = :v', REFUSED, v),
  condition('parentheses around a value', 's = (:v)', 'accepted', v),
  condition('two pairs around a value', 's = ((:v))', REFUSED, v),
  condition('parentheses around an argument', 'attribute_exists((s))', 'accepted'),
  condition('two pairs around an argument', 'attribute_exists((((s))))', REFUSED),
  condition('parentheses around a function', '(attribute_exists(s))', 'accepted'),
  condition('two pairs around a function', '((attribute_exists(s)))', REFUSED),
  condition('NOT with parentheses', 'NOT (s = :w)', 'accepted', { ':w': { S: 'y' } }),
  condition('NOT with two pairs', 'NOT ((s = :w))', REFUSED, { ':w': { S: 'y' } }),
  condition('NOT NOT', 'NOT NOT s = :v', 'accepted', v),
  condition('an open parenthesis', '(s = :v', REFUSED, v),
  condition('a closed parenthesis too many', 's = :v)', REFUSED, v),
  condition('empty parentheses', '()', REFUSED),
  condition('words in small letters', 's = :v and not c <> :n', 'accepted', { ...v, ...n }),
  condition('a function in capitals', 'ATTRIBUTE_EXISTS(s)', REFUSED),
  condition('a function that does not exist', 'exists(s)', REFUSED),
  condition('a function without its argument', 'attribute_exists()', REFUSED),
  condition('a function of a value', 'attribute_exists(:v)', REFUSED, v),
  condition('two equals signs', 's == :v', REFUSED, v),
  condition('an exclamation mark', 's != :v', REFUSED, v),
  condition('three comparisons in a row', 's = :v = :v', REFUSED, v),
  condition('an attribute and itself', 's = s', REFUSED),
  condition('two values', ':v = :v', 'accepted', v),
  condition('a number in place of a placeholder', 'c = 1', REFUSED),
  condition('a text in place of a placeholder', "s = 'x'", REFUSED),
  condition('IN with one value', 's IN (:v)', 'accepted', v),
  condition('IN without values', 's IN ()', REFUSED),
  condition('IN with the attribute itself', 's IN (s)', REFUSED),
  condition('IN with 100 values', `s IN (${Array(100).fill(':v').join()})`, 'accepted', v),
  condition('IN with 101 values', `s IN (${Array(101).fill(':v').join()})`, REFUSED, v),
  condition('BETWEEN upside down', 'c BETWEEN :b AND :a', REFUSED, { ':a': { N: '1' }, ':b': { N: '2' } }),
  condition('BETWEEN of two types', 'c BETWEEN :a AND :v', REFUSED, { ':a': { N: '1' }, ...v }),
  condition('an order of lists', 'l > :l', REFUSED, { ':l': { L: [] } }),
  condition('begins_with of a number', 'begins_with(s, :n)', REFUSED, n),
  condition('begins_with of nothing', 'begins_with(s, :e)', 'accepted', { ':e': { S: '' } }),
  condition('contains of nothing', 'contains(s, :e)', 'accepted', { ':e': { S: '' } }),
  condition('contains of the attribute itself', 'contains(s, s)', REFUSED),
  condition('an unknown type', 'attribute_type(s, :t)', REFUSED, { ':t': { S: 'STRING' } }),
  condition('size alone', 'size(s)', REFUSED),
  condition('size of a value', 'size(:v) = :n', 'accepted', { ...v, ...n }),
  condition('size of a number', 'size(c) = :n', UNMET, n),
  condition('a sum', 'c + :n = :n', REFUSED, n),
  condition('an empty condition', '', REFUSED),
  condition('spaces alone', ' ', REFUSED),
  condition('4,096 bytes', `s = :v${' '.repeat(4090)}`, 'accepted', v),
  condition('4,097 bytes', `s = :v${' '.repeat(4091)}`, REFUSED, v),
  condition('300 operators', `s = :v${' OR s = :v'.repeat(149)}`, 'accepted', v),
  condition('more than 300 operators', `s = :v${' OR s = :v'.repeat(150)}`, REFUSED, v),
  // Updates.
  update('no section', '', REFUSED),
  update('one section twice', 'SET a = :v SET b = :v', REFUSED, v),
  update('an empty section', 'SET', REFUSED),
  update('a comma at the end', 'SET a = :v,', REFUSED, v),
  update('sections in small letters', 'set a = :v remove b', 'accepted', v),
  update('one path twice', 'SET a = :v, a = :v', REFUSED, v),
  update('one path in two sections', 'SET a = :v REMOVE a', REFUSED, v),
  update('a map and its member', 'SET m = :m, m.a = :v', REFUSED, { ...v, ':m': { M: {} } }),
  update('a sum of two numbers', 'SET c = c + :n', 'accepted', n),
  update('a sum of three numbers', 'SET c = c + :n + :n', REFUSED, n),
  update('a sum in parentheses', 'SET c = (c + :n)', 'accepted', n),
  update('a sum of a sum in parentheses', 'SET c = (c + :n) + :n', REFUSED, n),
  update('a sum with a sum in parentheses', 'SET c = c + (c + :n)', REFUSED, n),
  update('a sum in two pairs of parentheses', 'SET c = ((c + :n))', REFUSED, n),
  update('an operand in parentheses', 'SET c = (c) + :n', 'accepted', n),
  update('an operand in two pairs of parentheses', 'SET c = ((c)) + :n', REFUSED, n),
  update('a sum with an absent attribute', 'SET c = absent + :n', REFUSED, n),
  update('a sum with a text', 'SET c = s + :n', REFUSED, n),
  update('a copy of an absent attribute', 'SET a = absent', REFUSED),
  update('an absent attribute with a default', 'SET a = if_not_exists(absent, :v)', 'accepted', v),
  update('a default of a value', 'SET a = if_not_exists(:v, :v)', REFUSED, v),
  update('list_append to an absent list', 'SET x = list_append(x, :l)', REFUSED, { ':l': { L: [] } }),
  update('list_append of a text', 'SET l = list_append(l, :v)', REFUSED, v),
  update('a function inside another', 'SET c = if_not_exists(c, :n) + :n', 'accepted', n),
  update('a condition as a value', 'SET a = attribute_exists(s)', REFUSED),
  update('ADD of a text', 'ADD s :v', REFUSED, v),
  update('ADD of a set to a number', 'ADD c :s', REFUSED, { ':s': { SS: ['a'] } }),
  update('ADD in a map', 'ADD m.n2 :n', 'accepted', n),
  update('ADD in an absent map', 'ADD x.y :n', REFUSED, n),
  update('ADD of an empty set', 'ADD s2 :s', REFUSED, { ':s': { SS: [] } }),
  update('DELETE of a number', 'DELETE c :n', REFUSED, n),
  update('DELETE of a set in an absent attribute', 'DELETE x :s', 'accepted', { ':s': { SS: ['a'] } }),
  update('DELETE of another type of set', 'DELETE set :s', REFUSED, { ':s': { NS: ['1'] } }),
  update('a map in an absent map', 'SET x.y = :v', REFUSED, v),
  update('a name in a text', 'SET s.a = :v', REFUSED, v),
  // Transactions.
  transact('a check without a condition', [check({})], REFUSED),
  transact('a check with an empty condition', [check({ ConditionExpression: '' })], REFUSED),
  transact('a check that holds', [check({ ConditionExpression: 'attribute_exists(pk)' })], 'accepted'),
  transact('a check that fails', [check({ ConditionExpression: 'attribute_not_exists(pk)' })], CANCELLED),
  transact('an update without an expression', [{ Update: { TableName, Key } }], 'accepted'),
  transact(
    'a put with an update',
    [{ ...stored({}), Update: { TableName, Key, UpdateExpression: 'REMOVE x' } }],
    REFUSED,
  ),
  transact(
    'an item twice',
    [stored({}), check({ ConditionExpression: 'attribute_exists(pk)' }), { Delete: { TableName, Key } }],
    REFUSED,
  ),
  transact('an empty key', [{ Delete: { TableName, Key: { ...Key, sk: { S: '' } } } }], REFUSED),
  transact('an item without its key', [{ Put: { TableName, Item: { pk: { S: 'a' } } } }], CANCELLED),
  transact('a key of another type', [stored({ sk: { N: '1' } })], CANCELLED),
  transact('an empty key of an index', [stored({ g: { S: '' } })], REFUSED),
  transact('an empty attribute name', [stored({ '': { S: 'x' } })], REFUSED),
  transact('33 lists in each other', [stored({ a: inLists(33) })], REFUSED),
  transact(
    'a value that is not used',
    [stored({}), check({ ConditionExpression: 'attribute_exists(pk)', ExpressionAttributeValues: v })],
    REFUSED,
  ),
  transact(
    'an update of a key',
    [{ Update: { TableName, Key, UpdateExpression: 'SET sk = :v', ExpressionAttributeValues: v } }],
    CANCELLED,
  ),
  transact(
    'a table that does not exist',
    [{ Put: { TableName: 'absent', Item: Fresh } }],
    'ResourceNotFoundException',
  ),
  transact('nothing', [], REFUSED),
  transact('an empty token', [stored({})], REFUSED, { ClientRequestToken: '' }),
  transact('a token of 36 characters', [stored({ t: { S: '36' } })], 'accepted', {
    ClientRequestToken: 't'.repeat(36),
  }),
  transact('a token of 37 characters', [stored({})], REFUSED, { ClientRequestToken: 't'.repeat(37) }),
  transact('a token', [stored({ a: { S: 'x' }, b: { N: '1' } })], 'accepted', {
    ClientRequestToken: 'token',
  }),
  transact(
    'the same token with the members in another order',
    [{ Put: { Item: { b: { N: '1' }, a: { S: 'x' }, sk: Fresh.sk, pk: Fresh.pk }, TableName } }],
    'accepted',
    { ClientRequestToken: 'token' },
  ),
  transact(
    'the same token with another value',
    [stored({ a: { S: 'y' }, b: { N: '1' } })],
    'IdempotentParameterMismatchException',
    { ClientRequestToken: 'token' },
  ),
  transact(
    'the same token with the number in another spelling',
    [stored({ a: { S: 'x' }, b: { N: '1.0' } })],
    'IdempotentParameterMismatchException',
    { ClientRequestToken: 'token' },
  ),
  transact(
    'the same token with another return of capacity',
    [stored({ a: { S: 'x' }, b: { N: '1' } })],
    'accepted',
    { ClientRequestToken: 'token', ReturnConsumedCapacity: 'TOTAL' },
  ),
  // Batches.
  {
    about: 'batch: one key twice',
    operation: 'BatchGetItem',
    input: { RequestItems: { [TableName]: { Keys: [Key, Key] } } },
    verdict: REFUSED,
  },
  {
    about: 'batch: no key',
    operation: 'BatchGetItem',
    input: { RequestItems: { [TableName]: { Keys: [] } } },
    verdict: REFUSED,
  },
  { about: 'batch: no table', operation: 'BatchGetItem', input: { RequestItems: {} }, verdict: REFUSED },
  {
    about: 'batch: an empty key',
    operation: 'BatchGetItem',
    input: { RequestItems: { [TableName]: { Keys: [{ ...Key, sk: { S: '' } }] } } },
    verdict: REFUSED,
  },
  {
    about: 'batch: a put and a deletion of one item',
    operation: 'BatchWriteItem',
    input: {
      RequestItems: { [TableName]: [{ PutRequest: { Item: Fresh } }, { DeleteRequest: { Key: Fresh } }] },
    },
    verdict: REFUSED,
  },
  {
    about: 'batch: an empty attribute name',
    operation: 'BatchWriteItem',
    input: { RequestItems: { [TableName]: [{ PutRequest: { Item: { ...Fresh, '': { S: 'x' } } } }] } },
    verdict: REFUSED,
  },
  {
    about: 'scan: a segment without their number',
    operation: 'Scan',
    input: { TableName, Segment: 0 },
    verdict: REFUSED,
  },
  {
    about: 'scan: a filter on a key',
    operation: 'Scan',
    input: { TableName, FilterExpression: 'pk = :v', ExpressionAttributeValues: v },
    verdict: 'accepted',
  },
  {
    about: 'scan: values without an expression',
    operation: 'Scan',
    input: { TableName, ExpressionAttributeValues: v },
    verdict: REFUSED,
  },
  {
    about: 'delete: an absent item',
    operation: 'DeleteItem',
    input: { TableName, Key: { ...Key, sk: { S: 'absent' } } },
    verdict: 'accepted',
  },
  {
    about: 'delete: all new values',
    operation: 'DeleteItem',
    input: { TableName, Key, ReturnValues: 'ALL_NEW' },
    verdict: REFUSED,
  },
  { about: 'update: no expression', operation: 'UpdateItem', input: { TableName, Key }, verdict: 'accepted' },
];
