import { describe, expect, it } from 'vitest';
import type { AwsRequest, AwsResponse } from '../../../infra/local/protocol/service.ts';
import { type Faults, faulty } from '../../../infra/local/runtime/faults.ts';

const request = (body: object): AwsRequest => ({
  ...{ method: 'POST', path: '/', query: '', headers: { 'x-amz-target': 'T.O' } },
  body: Buffer.from(JSON.stringify(body)),
});
const bodyOf = ({ body }: AwsResponse) => JSON.parse(Buffer.from(body).toString());

/** Sends a request through faults that happen while `random` is below their probability. */
const ask = async (
  faults: Faults,
  [service, operation, input]: [string, string, object],
  { random = () => 0, answer = {} }: { random?: () => number; answer?: object } = {},
) => {
  const sent: unknown[] = [];
  const response = await faulty(faults, random)(service, operation, request(input), async ({ body }) => {
    sent.push(JSON.parse(Buffer.from(body).toString()));
    return { status: 200, headers: {}, body: JSON.stringify(answer) };
  });
  return { status: response.status, body: bodyOf(response), sent };
};

describe('faults of AWS services', () => {
  it.each([
    ['PutItem', {}, 'TransactionConflictException', undefined],
    [
      'TransactWriteItems',
      { TransactItems: [{}, {}] },
      'TransactionCanceledException',
      ['TransactionConflict', 'TransactionConflict'],
    ],
  ])('conflict: %s is refused without an effect', async (operation, input, type, codes) => {
    const { status, body, sent } = await ask({ conflict: 0.1 }, ['dynamodb', operation, input]);
    expect([status, body.__type.split('#')[1], sent]).toEqual([400, type, []]);
    expect(body.CancellationReasons?.map(({ Code }: { Code: string }) => Code)).toEqual(codes);
  });

  it('conflict: no read is refused', async () => {
    expect(await ask({ conflict: 1 }, ['dynamodb', 'Query', {}])).toMatchObject({ status: 200 });
  });

  it('unread: half of the keys of a batch are left', async () => {
    const input = { RequestItems: { hub: { Keys: [1, 2, 3], ConsistentRead: true } } };
    const { body, sent } = await ask({ unread: 0.1 }, ['dynamodb', 'BatchGetItem', input], {
      answer: { Responses: {}, UnprocessedKeys: {} },
    });
    expect(sent).toEqual([{ RequestItems: { hub: { Keys: [1, 2], ConsistentRead: true } } }]);
    expect(body.UnprocessedKeys).toEqual({ hub: { Keys: [3], ConsistentRead: true } });
  });

  it('refused entries: the others are put, and each has its result in order', async () => {
    let at = 0;
    const { body, sent } = await ask(
      { refusedEntry: 0.5 },
      ['events', 'PutEvents', { Entries: ['a', 'b', 'c'] }],
      { random: () => (at++ === 1 ? 0 : 1), answer: { Entries: [{ EventId: '1' }, { EventId: '2' }] } },
    );
    expect(sent).toEqual([{ Entries: ['a', 'c'] }]);
    expect(body).toMatchObject({
      FailedEntryCount: 1,
      Entries: [{ EventId: '1' }, { ErrorCode: 'InternalFailure' }, { EventId: '2' }],
    });
  });

  it('broken: a 500 comes before or after the effect', async () => {
    const asked = (random: () => number) =>
      ask({ broken: 0.9 }, ['sqs', 'SendMessage', { a: 1 }], { random });
    expect(await asked(() => 0)).toMatchObject({ status: 500, sent: [{ a: 1 }] });
    expect(await asked(() => 0.8)).toMatchObject({ status: 500, sent: [] });
  });

  it('throttle: nothing is done', async () => {
    expect(await ask({ throttle: 0.1 }, ['scheduler', 'CreateSchedule', {}])).toMatchObject({
      status: 429,
      sent: [],
    });
  });
});
