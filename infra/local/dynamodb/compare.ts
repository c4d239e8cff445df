import { isDeepStrictEqual } from 'node:util';
import { AwsClient } from 'aws4fetch';
import * as z from 'zod';
import { definition, type Intent, Randomly, seeded, TABLE } from './random.ts';
import type { Item } from './values.ts';
import { callOf } from './wire.ts';

const Body = z.record(z.string(), z.unknown());
type Body = z.infer<typeof Body>;

/** Asks one DynamoDB; answers the body, whatever the status. */
export type Ask = (operation: string, input: object) => Promise<Body>;

/** A DynamoDB at an address, with the keys of the environment or any. */
export const endpoint = (url: string, env: Readonly<Record<string, string | undefined>>): Ask => {
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
  /** Operations that the other side does not know; they were not compared. */
  readonly unknown: ReadonlySet<string>;
}

const Kind = z.object({ __type: z.string() });
const kindOf = (body: Body): string | undefined => {
  const { data } = Kind.safeParse(body);
  return data?.__type.split('#').at(-1);
};

/** What must agree: the kind of an error without its wording, sets and lists without an order that DynamoDB does not promise. */
const comparable = (intent: Intent, body: Body): unknown => {
  const kind = kindOf(body);
  if (kind !== undefined)
    return {
      error: kind,
      codes: z.array(z.object({ Code: z.string() })).safeParse(body['CancellationReasons']).data,
    };
  const { ConsumedCapacity: _capacity, ...rest } = body;
  const ordered = intent.type === 'query' && intent.index === undefined;
  return settled(ordered || intent.type === 'transactGet' ? rest : sortedLists(rest));
};

const settled = (data: unknown): unknown => {
  if (Array.isArray(data)) return data.map(settled);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data)
      .filter(([, value]) => value !== undefined && value !== null)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, value]) => [
        name,
        /^(?:SS|NS|BS)$/u.test(name) && Array.isArray(value) ? [...value].sort() : settled(value),
      ]),
  );
};

const sortedLists = (body: Body): Body => {
  const sorted = (list: unknown): unknown =>
    Array.isArray(list) ? list.map((one) => JSON.stringify(settled(one))).sort() : list;
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

/** All pages of a search as one: where the pages end is DynamoDB's own affair, except their `Limit`. */
const searched = async (ask: Ask, intent: Extract<Intent, { backwards: boolean }>): Promise<Body> => {
  const whole = { Items: [] as unknown[], Count: 0, ScannedCount: 0 };
  let start: Item | undefined;
  do {
    const { operation, input } = callOf(intent, start);
    const page = await ask(operation, input);
    if (kindOf(page) !== undefined) return page;
    whole.Items.push(...(Array.isArray(page['Items']) ? page['Items'] : []));
    whole.Count += Number(page['Count']);
    whole.ScannedCount += Number(page['ScannedCount']);
    // The key goes back as it came.
    start = page['LastEvaluatedKey'] as Item | undefined;
  } while (start !== undefined);
  return whole;
};

const perform = (ask: Ask, intent: Intent): Promise<Body> => {
  if ('backwards' in intent) return searched(ask, intent);
  const { operation, input } = callOf(intent);
  return ask(operation, input);
};

const PATIENCE = 60;

const open = async (ask: Ask): Promise<void> => {
  const created = await ask('CreateTable', definition);
  const kind = kindOf(created);
  if (kind !== undefined)
    throw new TypeError(
      `The table ${TABLE} cannot be created: ${kind}: ${String(created['message'] ?? created['Message'])}${kind === 'ResourceInUseException' ? ' Delete it first; the comparison never touches a table that it has not made.' : ''}`,
    );
  const Described = z.object({ Table: z.object({ TableStatus: z.string() }) });
  for (let tries = 0; tries < PATIENCE; tries++) {
    const { data } = Described.safeParse(await ask('DescribeTable', { TableName: TABLE }));
    if (data?.Table.TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new TypeError(`The table ${TABLE} did not become active within ${PATIENCE} seconds.`);
};

/**
 * Runs the same seeded random operations on two DynamoDBs and tells where their answers differ. Both get a table of
 * their own, which is deleted afterwards. Throws a sentence where the table cannot be made.
 */
export const compare = async (
  ours: Ask,
  theirs: Ask,
  { operations, seed }: { readonly operations: number; readonly seed: number },
): Promise<Comparison> => {
  await open(ours);
  await open(theirs);
  const randomly = new Randomly(seeded(seed));
  const differences: Difference[] = [];
  const unknown = new Set<string>();
  try {
    for (let at = 0; at < operations; at++) {
      const intent = randomly.intent();
      const call = callOf(intent);
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
