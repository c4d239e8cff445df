import type { Item, Value } from '../values/values.ts';
import { type Action, type Intent, type Step, TABLE, type Test, type Write } from './random-operations.ts';

/** A request in DynamoDB's protocol. */
export interface ComparedRequest {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Writes expressions with placeholders for every name and value. */
class ExpressionWriter {
  readonly names: Record<string, string> = {};
  readonly values: Record<string, Value> = {};

  path(path: readonly Step[]): string {
    return path
      .map((step, at) => {
        if (typeof step === 'number') return `[${step}]`;
        this.names[`#${step}`] = step;
        return `${at === 0 ? '' : '.'}#${step}`;
      })
      .join('');
  }

  value(value: Value): string {
    const name = `:v${Object.keys(this.values).length}`;
    this.values[name] = value;
    return name;
  }

  test(test: Test): string {
    if ('tests' in test) return `(${this.test(test.tests[0])}) ${test.op} (${this.test(test.tests[1])})`;
    if ('test' in test) return `NOT (${this.test(test.test)})`;
    const path = this.path(test.path);
    if ('low' in test) return `${path} BETWEEN ${this.value(test.low)} AND ${this.value(test.high)}`;
    if ('values' in test) return `${path} IN (${test.values.map((one) => this.value(one)).join(', ')})`;
    if (!('value' in test))
      return `${test.op === 'exists' ? 'attribute_exists' : 'attribute_not_exists'}(${path})`;
    if (test.op === 'size>=') return `size(${path}) >= ${this.value(test.value)}`;
    return /^[a-z]/u.test(test.op)
      ? `${test.op}(${path}, ${this.value(test.value)})`
      : `${path} ${test.op} ${this.value(test.value)}`;
  }

  update(actions: readonly Action[]): string {
    const of = (section: string, some: readonly string[]): string[] =>
      some.length > 0 ? [`${section} ${some.join(', ')}`] : [];
    return [
      ...of(
        'SET',
        actions.flatMap((one) => this.#set(one)),
      ),
      ...of(
        'REMOVE',
        actions.flatMap((one) => (one.do === 'remove' ? [this.path(one.path)] : [])),
      ),
      ...(['add', 'delete'] as const).flatMap((kind) =>
        of(
          kind.toUpperCase(),
          actions.flatMap((one) =>
            one.do === kind ? [`${this.path(one.path)} ${this.value(one.value)}`] : [],
          ),
        ),
      ),
    ].join(' ');
  }

  #set(action: Action): string[] {
    const path = this.path(action.path);
    if (action.do === 'copy') return [`${path} = ${this.path(action.from)}`];
    if (action.do === 'set') return [`${path} = ${this.value(action.value)}`];
    if (action.do === 'plus') return [`${path} = ${path} + ${this.value(action.value)}`];
    if (action.do === 'minus') return [`${path} = ${path} - ${this.value(action.value)}`];
    if (action.do === 'default') return [`${path} = if_not_exists(${path}, ${this.value(action.value)})`];
    return action.do === 'append' ? [`${path} = list_append(${path}, ${this.value(action.value)})`] : [];
  }

  get placeholders(): object {
    return {
      ...(Object.keys(this.names).length > 0 && { ExpressionAttributeNames: this.names }),
      ...(Object.keys(this.values).length > 0 && { ExpressionAttributeValues: this.values }),
    };
  }
}

const writeInput = (write: Write): Record<string, unknown> => {
  const writer = new ExpressionWriter();
  const condition = write.test && { ConditionExpression: writer.test(write.test) };
  const update = write.type === 'Update' && { UpdateExpression: writer.update(write.actions) };
  return {
    TableName: TABLE,
    ...(write.type === 'Put' ? { Item: write.item } : { Key: write.key }),
    ...condition,
    ...update,
    ...writer.placeholders,
    ...(write.test && { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
  };
};

/** The request of an intent; `start` is the key at which a page starts. */
export const requestOf = (intent: Intent, start?: Item): ComparedRequest => {
  const counted = { ReturnConsumedCapacity: 'INDEXES' };
  if (intent.type === 'write')
    return {
      operation: `${intent.write.type}Item`,
      input: { ...writeInput(intent.write), ReturnValues: intent.returns, ...counted },
    };
  if (intent.type === 'get') {
    const writer = new ExpressionWriter();
    const shown = intent.paths && {
      ProjectionExpression: intent.paths.map((path) => writer.path(path)).join(', '),
    };
    return {
      operation: 'GetItem',
      input: {
        TableName: TABLE,
        Key: intent.key,
        ConsistentRead: true,
        ...shown,
        ...writer.placeholders,
        ...counted,
      },
    };
  }
  if ('backwards' in intent) return searchRequest(intent, start);
  if ('keys' in intent && intent.type === 'batchGet')
    return {
      operation: 'BatchGetItem',
      input: { RequestItems: { [TABLE]: { Keys: intent.keys } }, ...counted },
    };
  if ('keys' in intent)
    return {
      operation: 'TransactGetItems',
      input: { TransactItems: intent.keys.map((Key) => ({ Get: { TableName: TABLE, Key } })), ...counted },
    };
  if (intent.type === 'batchWrite')
    return {
      operation: 'BatchWriteItem',
      input: {
        RequestItems: {
          [TABLE]: [
            ...intent.puts.map((Item) => ({ PutRequest: { Item } })),
            ...intent.deletes.map((Key) => ({ DeleteRequest: { Key } })),
          ],
        },
        ...counted,
      },
    };
  return {
    operation: 'TransactWriteItems',
    input: { TransactItems: intent.writes.map((write) => ({ [write.type]: writeInput(write) })), ...counted },
  };
};

const searchRequest = (
  intent: Extract<Intent, { type: 'query' | 'scan' }>,
  start: Item | undefined,
): ComparedRequest => {
  const writer = new ExpressionWriter();
  const filter = intent.filter && { FilterExpression: writer.test(intent.filter) };
  const hash = intent.index === 'byN' ? 'g' : 'pk';
  const key = intent.type === 'query' && {
    KeyConditionExpression: [
      `${writer.path([hash])} = ${writer.value(intent.hash)}`,
      ...(intent.range ? [writer.test(intent.range)] : []),
    ].join(' AND '),
    ScanIndexForward: !intent.backwards,
  };
  return {
    operation: intent.type === 'query' ? 'Query' : 'Scan',
    input: {
      TableName: TABLE,
      ...(intent.index && { IndexName: intent.index }),
      ...key,
      ...filter,
      ...(intent.limit !== undefined && { Limit: intent.limit }),
      ...(intent.count && { Select: 'COUNT' }),
      ...(start && { ExclusiveStartKey: start }),
      ...writer.placeholders,
      ReturnConsumedCapacity: 'INDEXES',
    },
  };
};
