import { isDeepStrictEqual } from 'node:util';
import { AwsClient } from 'aws4fetch';
import * as z from 'zod';
import { normalNumber } from '../values/numbers.ts';
import type { Item } from '../values/values.ts';
import { definition, type Intent, RandomOperations, seeded, TABLE } from './random-operations.ts';
import { requestOf } from './requests.ts';

const Body = z.record(z.string(), z.unknown());
type Body = z.infer<typeof Body>;

/** Calls one DynamoDB. Resolves to the body, also of an error. */
export type DynamodbCall = (operation: string, input: object) => Promise<Body>;

/** A DynamoDB at a URL, called with the credentials of the environment, or with arbitrary ones. */
export const endpoint = (url: string, env: Readonly<Record<string, string | undefined>>): DynamodbCall => {
  const client = new AwsClient({
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? 'local',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? 'local',
    ...(env['AWS_SESSION_TOKEN'] !== undefined && { sessionToken: env['AWS_SESSION_TOKEN'] }),
    service: 'dynamodb',
    region: env['AWS_REGION'] ?? 'eu-south-1',
    retries: 0,
  });
  return async (operation, input) => {
    const response = await client.fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
      },
      body: JSON.stringify(input),
    });
    return Body.parse(JSON.parse(await response.text()));
  };
};

export interface Difference {
  readonly operation: string;
  readonly input: object;
  readonly ours: unknown;
  readonly theirs: unknown;
}

export interface Comparison {
  readonly operations: number;
  readonly differences: readonly Difference[];
  /** Operations that the other DynamoDB does not support; they are not compared. */
  readonly unknown: ReadonlySet<string>;
}

const Kind = z.object({ __type: z.string() });
const kindOf = (body: Body): string | undefined => {
  const { data } = Kind.safeParse(body);
  return data?.__type.split('#').at(-1);
};

/** The comparable part of a response: the name of an error without its text, and sets and lists without their order where DynamoDB does not define it. */
const comparable = (intent: Intent, body: Body): unknown => {
  const kind = kindOf(body);
  if (kind !== undefined)
    return {
      error: kind,
      codes: z.array(z.object({ Code: z.string() })).safeParse(body['CancellationReasons']).data,
    };
  const { ConsumedCapacity: _capacity, ...rest } = body;
  const ordered = intent.type === 'query' && intent.index === undefined;
  return normalised(ordered || intent.type === 'transactGet' ? rest : sortedLists(rest));
};

const normalised = (data: unknown): unknown => {
  if (Array.isArray(data)) return data.map(normalised);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data)
      .filter(([, value]) => value !== undefined && value !== null)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, value]) => [
        name,
        // A number has several spellings, of which DynamoDB Local returns some as they were written.
        name === 'N' && typeof value === 'string'
          ? normalNumber(value)
          : /^(?:SS|NS|BS)$/u.test(name) && Array.isArray(value)
            ? [...value].sort()
            : normalised(value),
      ]),
  );
};

const sortedLists = (body: Body): Body => {
  const sorted = (list: unknown): unknown =>
    Array.isArray(list) ? list.map((one) => JSON.stringify(normalised(one))).sort() : list;
  return {
    ...body,
    ...(body['Items'] !== undefined && { Items: sorted(body['Items']) }),
    ...(body['Responses'] !== undefined && {
      Responses: Object.fromEntries(
        Object.entries(Body.safeParse(body['Responses']).data ?? {}).map(([name, list]) => [
          name,
          sorted(list),
        ]),
      ),
    }),
  };
};

/** All pages of a search as one, because DynamoDB does not define where a page ends before its `Limit`. */
const searchAllPages = async (
  ask: DynamodbCall,
  intent: Extract<Intent, { backwards: boolean }>,
): Promise<Body> => {
  const whole = { Items: [] as unknown[], Count: 0, ScannedCount: 0 };
  let start: Item | undefined;
  do {
    const { operation, input } = requestOf(intent, start);
    const page = await ask(operation, input);
    if (kindOf(page) !== undefined) return page;
    whole.Items.push(...(Array.isArray(page['Items']) ? page['Items'] : []));
    whole.Count += Number(page['Count']);
    whole.ScannedCount += Number(page['ScannedCount']);
    start = page['LastEvaluatedKey'] as Item | undefined;
  } while (start !== undefined);
  return whole;
};

const perform = (ask: DynamodbCall, intent: Intent): Promise<Body> => {
  if ('backwards' in intent) return searchAllPages(ask, intent);
  const { operation, input } = requestOf(intent);
  return ask(operation, input);
};

const MOST_POLLS = 60;

const createTable = async (ask: DynamodbCall): Promise<void> => {
  const created = await ask('CreateTable', definition);
  const kind = kindOf(created);
  if (kind !== undefined)
    throw new TypeError(
      `The table ${TABLE} cannot be created: ${kind}: ${String(created['message'] ?? created['Message'])}${kind === 'ResourceInUseException' ? ' Delete it first; the comparison never touches a table that it has not made.' : ''}`,
    );
  const Described = z.object({ Table: z.object({ TableStatus: z.string() }) });
  for (let tries = 0; tries < MOST_POLLS; tries++) {
    const { data } = Described.safeParse(await ask('DescribeTable', { TableName: TABLE }));
    if (data?.Table.TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new TypeError(`The table ${TABLE} did not become active within ${MOST_POLLS} seconds.`);
};

/**
 * Runs the same seeded random operations on two DynamoDBs and compares the responses. Creates a table in each and
 * deletes it afterwards. Throws a TypeError where a table cannot be created.
 */
export const compare = async (
  ours: DynamodbCall,
  theirs: DynamodbCall,
  { operations, seed }: { readonly operations: number; readonly seed: number },
): Promise<Comparison> => {
  await createTable(ours);
  await createTable(theirs);
  const randomly = new RandomOperations(seeded(seed), { isOdd: true });
  const differences: Difference[] = [];
  const unknown = new Set<string>();
  try {
    for (let at = 0; at < operations; at++) {
      const intent = randomly.intent();
      const call = requestOf(intent);
      if (unknown.has(call.operation)) continue;
      const answer = await perform(theirs, intent);
      if (kindOf(answer) === 'UnknownOperationException') {
        unknown.add(call.operation);
        continue;
      }
      const [is, should] = [comparable(intent, await perform(ours, intent)), comparable(intent, answer)];
      if (!isDeepStrictEqual(is, should)) differences.push({ ...call, ours: is, theirs: should });
    }
  } finally {
    await ours('DeleteTable', { TableName: TABLE });
    await theirs('DeleteTable', { TableName: TABLE });
  }
  return { operations, differences, unknown };
};
