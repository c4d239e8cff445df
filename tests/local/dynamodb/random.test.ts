import { describe, expect, it } from 'vitest';
import {
  definition,
  type Intent,
  RandomOperations,
  seeded,
  TABLE,
} from '../../../infra/local/dynamodb/comparison/random-operations.ts';
import { requestOf } from '../../../infra/local/dynamodb/comparison/requests.ts';
import { dynamodb } from '../../../infra/local/dynamodb/index.ts';
import type { Item } from '../../../infra/local/dynamodb/values/values.ts';
import { serviceContext } from '../../support/service-context.ts';
import { Model, normal } from './model.ts';

type Body = Readonly<Record<string, unknown>> & { readonly __type?: string };

const table = async () => {
  const service = dynamodb(serviceContext());
  const call = async (operation: string, input: object): Promise<Body> => {
    const { body } = await service.handle(
      {
        method: 'POST',
        path: '/',
        query: '',
        headers: { 'x-amz-target': `DynamoDB_20120810.${operation}` },
        body: Buffer.from(JSON.stringify(input)),
      },
      { accessKeyId: 'TEST', arn: 'test' },
    );
    return JSON.parse(String(body)) as Body;
  };
  await call('CreateTable', definition);
  return call;
};

/** What DynamoDB answered, in the words of the model. Reads every page of a search. */
const run = async (call: Awaited<ReturnType<typeof table>>, intent: Intent): Promise<unknown> => {
  let start: Item | undefined;
  const [items, ranges] = [[] as unknown[], [] as unknown[]];
  let [scanned, count] = [0, 0];
  for (;;) {
    const { operation, input } = requestOf(intent, start);
    const body = await call(operation, input);
    if (body.__type !== undefined) return refusal(body);
    if (!('backwards' in intent)) return { answer: answerOf(intent, body) };
    const page = (body['Items'] ?? []) as Item[];
    items.push(...page);
    const range = intent.index === 'byN' ? 'n' : intent.index === 'byA' ? 'a' : 'sk';
    ranges.push(...page.map((item) => item[range]));
    scanned += Number(body['ScannedCount']);
    count += Number(body['Count']);
    if (intent.limit !== undefined) expect(body['ScannedCount']).toBeLessThanOrEqual(intent.limit);
    start = body['LastEvaluatedKey'] as Item | undefined;
    if (start === undefined) return { answer: { scanned, count, items, ranges } };
  }
};

const refusal = (body: Body): unknown => {
  const error = body.__type?.split('#')[1];
  const reasons = body['CancellationReasons'] as { Code: string }[] | undefined;
  return {
    error,
    ...(reasons && { codes: reasons.map(({ Code }) => Code) }),
    ...(error === 'ConditionalCheckFailedException' && { item: body['Item'] }),
  };
};

const answerOf = (intent: Intent, body: Body): unknown => {
  if (intent.type === 'write') return body['Attributes'];
  if (intent.type === 'get') return body['Item'];
  if (intent.type === 'transactGet')
    return (body['Responses'] as { Item?: Item }[]).map(({ Item: item }) => item ?? null);
  if (intent.type === 'batchGet') return (body['Responses'] as Record<string, Item[]>)[TABLE];
  return undefined;
};

/** The order of a scan, of a batch, and of equal keys in an index is DynamoDB's own affair. */
const comparable = (intent: Intent, outcome: unknown): unknown => {
  const data = JSON.parse(JSON.stringify(normal(outcome)) ?? 'null') as { answer?: unknown };
  const sorted = (list: readonly unknown[]): string[] => list.map((one) => JSON.stringify(one)).sort();
  if (intent.type === 'batchGet' && Array.isArray(data.answer))
    return sorted(data.answer.filter((one) => one !== null));
  if (!('backwards' in intent) || typeof data.answer !== 'object') return data;
  const { items, ranges, ...rest } = data.answer as { items: unknown[]; ranges: unknown[] };
  return { ...rest, items: sorted(items), ranges: intent.type === 'scan' || intent.count ? [] : ranges };
};

const OPERATIONS = 20_000;

describe('random operations', () => {
  it(`answer as a plain model does, ${OPERATIONS} in a row`, async () => {
    const call = await table();
    const model = new Model();
    const randomly = new RandomOperations(seeded(20_260_301));
    const outcomes = new Map<string, number>();
    for (let at = 0; at < OPERATIONS; at++) {
      const intent = randomly.intent();
      const expected = model.run(intent);
      const found = await run(call, intent);
      const [is, should] = [comparable(intent, found), comparable(intent, expected)];
      if (JSON.stringify(is) !== JSON.stringify(should))
        expect.fail(
          `operation ${at}: ${JSON.stringify(requestOf(intent))}\nanswered ${JSON.stringify(is)}\nbut should ${JSON.stringify(should)}`,
        );
      const kind = 'error' in expected ? expected.error : intent.type;
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
    }
    // The sequence meets every kind of answer often enough to mean something.
    for (const kind of [
      'write',
      'get',
      'query',
      'scan',
      'batchGet',
      'batchWrite',
      'transactGet',
      'transactWrite',
      'ValidationException',
      'ConditionalCheckFailedException',
      'TransactionCanceledException',
    ])
      expect(outcomes.get(kind), kind).toBeGreaterThan(100);
  }, 180_000);
});
