import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DynamodbCall, endpoint } from '../../../infra/local/dynamodb/comparison/compare.ts';
import { seeded } from '../../../infra/local/dynamodb/comparison/random-operations.ts';
import { dynamodb } from '../../../infra/local/dynamodb/index.ts';
import { type Listener, listen } from '../../../infra/local/protocol/http.ts';
import { faulty } from '../../../infra/local/runtime/faults.ts';
import { serviceContext } from '../../support/service-context.ts';
import { keySchema } from './call.ts';

const TableName = 'accounts';
const CLIENTS = 6;
let listener: Listener;
let clients: DynamodbCall[];
const conflicts = seeded(5);
let conflicted = 0;

beforeAll(async () => {
  const service = dynamodb(serviceContext());
  const withFaults = faulty({ conflict: 0.1 }, conflicts);
  listener = await listen(async ({ target, ...rest }) => {
    const request = { ...rest, path: target, query: '' };
    const response = await withFaults('dynamodb', service.operation(request), request, (sent) =>
      service.handle(sent, { accessKeyId: 'TEST', arn: 'test' }),
    );
    if (String(response.body).includes('TransactionConflict')) conflicted++;
    return response;
  });
  clients = Array.from({ length: CLIENTS }, () => {
    const ask = endpoint(`http://127.0.0.1:${listener.port}/`, {});
    // A transaction in the way is met by asking again.
    return async (operation, input) => {
      for (;;) {
        const answer = await ask(operation, input);
        if (!JSON.stringify(answer).includes('TransactionConflict')) return answer;
      }
    };
  });
  await clients[0]?.('CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: keySchema('pk'),
  });
});
afterAll(() => listener.stop());

/** Every client at once, each with randomness of its own. */
const everyClient = (
  work: (ask: DynamodbCall, random: () => number, client: number) => Promise<void>,
): Promise<unknown> => Promise.all(clients.map((ask, client) => work(ask, seeded(client + 1), client)));
const key = (pk: string) => ({ pk: { S: pk } });
const kindOf = (body: Readonly<Record<string, unknown>>): string | undefined =>
  typeof body['__type'] === 'string' ? body['__type'].split('#')[1] : undefined;

describe('several clients at once', () => {
  it('move money without making or losing any, and each reading of all accounts sees the whole', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const [first] = clients;
    for (const name of names)
      await first?.('PutItem', { TableName, Item: { ...key(name), balance: { N: '20' } } });
    const sum = async (ask: DynamodbCall): Promise<number> => {
      const body = await ask('TransactGetItems', {
        TransactItems: names.map((name) => ({ Get: { TableName, Key: key(name) } })),
      });
      return (body['Responses'] as { Item: { balance: { N: string } } }[]).reduce(
        (total, { Item }) => total + Number(Item.balance.N),
        0,
      );
    };
    const done = { moved: 0, refused: 0 };
    await everyClient(async (ask, random, client) => {
      for (let at = 0; at < 60; at++) {
        const from = names[Math.floor(random() * 5)] ?? 'a';
        const to = names[(names.indexOf(from) + 1 + Math.floor(random() * 4)) % 5] ?? 'b';
        const amount = { ':n': { N: String(1 + Math.floor(random() * 15)) } };
        const asked = {
          ClientRequestToken: `${client}-${at}`,
          TransactItems: [
            {
              Update: {
                TableName,
                Key: key(from),
                UpdateExpression: 'SET balance = balance - :n',
                ConditionExpression: 'balance >= :n',
                ExpressionAttributeValues: amount,
              },
            },
            {
              Update: {
                TableName,
                Key: key(to),
                UpdateExpression: 'ADD balance :n',
                ExpressionAttributeValues: amount,
              },
            },
          ],
        };
        const answer = await ask('TransactWriteItems', asked);
        // Asking once more for what is done must not do it twice.
        if (kindOf(answer) === undefined) {
          done.moved++;
          expect(kindOf(await ask('TransactWriteItems', asked))).toBeUndefined();
        } else {
          done.refused++;
          expect(kindOf(answer)).toBe('TransactionCanceledException');
        }
        if (at % 10 === 0) expect(await sum(ask)).toBe(100);
      }
    });
    expect(await sum(clients[0] as DynamodbCall)).toBe(100);
    expect(done.moved).toBeGreaterThan(50);
    expect(done.refused).toBeGreaterThan(10);
    expect(conflicted).toBeGreaterThan(10);
  });

  it('have one winner for each conditional put', async () => {
    const winners = new Map<string, number[]>();
    await everyClient(async (ask, _random, client) => {
      for (let at = 0; at < 40; at++) {
        const answer = await ask('PutItem', {
          TableName,
          Item: { ...key(`prize ${at}`), by: { N: String(client) } },
          ConditionExpression: 'attribute_not_exists(pk)',
        });
        if (kindOf(answer) === undefined)
          winners.set(`prize ${at}`, [...(winners.get(`prize ${at}`) ?? []), client]);
        else expect(kindOf(answer)).toBe('ConditionalCheckFailedException');
      }
    });
    expect(winners.size).toBe(40);
    for (const [prize, by] of winners) {
      const { Item } = (await (clients[0] as DynamodbCall)('GetItem', { TableName, Key: key(prize) })) as {
        Item?: { by: { N: string } };
      };
      expect(by).toEqual([Number(Item?.by.N)]);
    }
  });

  it('count exactly, by ADD and by versions that are compared', async () => {
    const taken: number[] = [];
    await everyClient(async (ask) => {
      for (let at = 0; at < 30; at++) {
        await ask('UpdateItem', {
          TableName,
          Key: key('counter'),
          UpdateExpression: 'ADD n :one',
          ExpressionAttributeValues: { ':one': { N: '1' } },
        });
        for (;;) {
          const { Item } = (await ask('GetItem', {
            TableName,
            Key: key('version'),
            ConsistentRead: true,
          })) as {
            Item?: { v: { N: string } };
          };
          const v = Number(Item?.v.N ?? 0);
          const answer = await ask('UpdateItem', {
            TableName,
            Key: key('version'),
            UpdateExpression: 'SET v = :next',
            ConditionExpression: 'v = :v OR attribute_not_exists(v)',
            ExpressionAttributeValues: { ':v': { N: String(v) }, ':next': { N: String(v + 1) } },
          });
          if (kindOf(answer) !== undefined) continue;
          taken.push(v);
          break;
        }
      }
    });
    expect(taken.sort((one, other) => one - other)).toEqual(
      Array.from({ length: 30 * CLIENTS }, (_, at) => at),
    );
    expect(await (clients[0] as DynamodbCall)('GetItem', { TableName, Key: key('counter') })).toMatchObject({
      Item: { n: { N: String(30 * CLIENTS) } },
    });
  });
});
