import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { bus, publisher } from '../../functions/aws/clients/bus.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { table } from '../../functions/aws/clients/dynamo.ts';
import { sendAllTo } from '../../functions/aws/clients/queue-many.ts';
import { AwsRefusal, isAwsRefusal, refusalStatus } from '../../functions/aws/clients/refusal.ts';
import { dropRule, putRule } from '../../functions/aws/triggers/trigger-rules.ts';
import { conversationClosed } from '../../functions/contracts/events/build.ts';
import type { BusEvent } from '../../functions/contracts/events/catalogue.ts';
import { type Answer, answering } from '../support/answering-aws.ts';

const AT = '2026-03-02T09:00:00.000Z';
const closed = (by: string): BusEvent =>
  conversationClosed(
    {
      ...{ id: 'ada', profileId: 'ada', identifiers: [], tags: [], traits: {}, consent: {} },
      ...{ preferences: {}, firstSeenAt: AT, lastSeenAt: AT, isNew: false },
    },
    by,
    AT,
  );

describe('PutEvents', () => {
  const refused = { ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' };

  it('counts an entry that is refused inside a 200 as unpublished', async () => {
    const { runtime } = answering({
      body: { FailedEntryCount: 1, Entries: [{ EventId: '1' }, refused, { EventId: '3' }] },
    });
    expect(await bus(runtime)([closed('a'), closed('b'), closed('c')])).toEqual([true, false, true]);
    const full = answering({
      body: { Entries: Array.from({ length: 10 }, (_, n) => ({ EventId: String(n) })) },
    });
    await bus(full.runtime)(Array.from({ length: 10 }, (_, n) => closed(String(n))));
    expect(full.asked).toHaveLength(1);
  });

  it('keeps the entries of several calls apart', async () => {
    const accepted = Array.from({ length: 10 }, (_, n) => ({ EventId: String(n) }));
    const { runtime, asked } = answering(
      { body: { FailedEntryCount: 0, Entries: accepted } },
      { body: { FailedEntryCount: 1, Entries: [refused, { EventId: '12' }] } },
    );
    const published = await bus(runtime)(Array.from({ length: 12 }, (_, n) => closed(String(n))));
    expect(published).toEqual([...accepted.map(() => true), false, true]);
    expect(asked.map(({ body }) => (body['Entries'] as unknown[]).length)).toEqual([10, 2]);
  });

  it('fails for the functions that publish one event and have no other answer', async () => {
    const { runtime } = answering({ body: { FailedEntryCount: 1, Entries: [refused] } });
    await expect(publisher(runtime)(closed('a'))).rejects.toMatchObject({
      ...{ code: 'unpublished-events', retry: 'later' },
      message: expect.stringContaining('conversation.closed'),
    });
    const accepting = answering({ body: { Entries: [{ EventId: '1' }] } });
    await publisher(accepting.runtime)(closed('a'));
    expect(accepting.asked.map(({ body }) => (body['Entries'] as unknown[]).length)).toEqual([1]);
  });
});

describe('SendMessageBatch', () => {
  it('returns the entries that are refused inside a 200', async () => {
    const { runtime } = answering({
      body: {
        Successful: [{ Id: '0' }, { Id: '2' }],
        Failed: [{ Id: '1', Code: 'InternalError', SenderFault: false }],
      },
    });
    expect(await sendAllTo(runtime, 'queue')(['a', 'b', 'c'])).toEqual(new Set([1]));
  });

  it('takes no entry for accepted that the answer does not name', async () => {
    const { runtime } = answering({ body: { Successful: [{ Id: '1' }] } });
    expect(await sendAllTo(runtime, 'queue')(['a', 'b'])).toEqual(new Set([0]));
  });

  it('returns every entry of a call that failed, and no other', async () => {
    const successful = { Successful: Array.from({ length: 10 }, (_, n) => ({ Id: String(n) })) };
    const { runtime } = answering(
      { body: successful },
      { status: 503, body: { __type: 'ServiceUnavailable' } },
    );
    const messages = Array.from({ length: 12 }, String);
    expect(await sendAllTo(runtime, 'queue')(messages)).toEqual(new Set([10, 11]));
  });
});

describe('BatchGetItem', () => {
  const item = (id: string) => ({ pk: { S: id }, sk: { S: 'row' } });

  it('asks again for the keys that it left unread inside a 200', async () => {
    const { runtime, asked } = answering(
      { body: { Responses: { hub: [item('a')] }, UnprocessedKeys: { hub: { Keys: [item('b')] } } } },
      { body: { Responses: { hub: [item('b')] } } },
    );
    const rows = await table(runtime).get([
      { pk: 'a', sk: 'row' },
      { pk: 'b', sk: 'row' },
    ]);
    expect(rows.map(({ pk }) => pk)).toEqual(['a', 'b']);
    expect(asked[1]?.body['RequestItems']).toMatchObject({ hub: { Keys: [item('b')] } });
  });

  it('fails, instead of returning fewer rows, where the keys stay unread', async () => {
    const { runtime, asked } = answering({
      body: { Responses: { hub: [] }, UnprocessedKeys: { hub: { Keys: [item('a')] } } },
    });
    await expect(table(runtime).get([{ pk: 'a', sk: 'row' }])).rejects.toMatchObject({
      ...{ code: 'busy-table', retry: 'later' },
    });
    expect(asked.length).toBe(10);
  });
});

describe('a write beside a transaction', () => {
  const row = { pk: 'a', sk: 'row' };
  const conflict = {
    status: 400,
    body: { __type: 'com.amazonaws.dynamodb.v20120810#TransactionConflictException', message: 'Ongoing' },
  };
  const cancelled = (...codes: readonly string[]): Answer => ({
    status: 400,
    body: {
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      CancellationReasons: codes.map((Code) => ({ Code })),
    },
  });

  it('is repeated where a transaction is at its row', async () => {
    const { runtime, asked } = answering(conflict, { body: {} });
    expect(await table(runtime).put(row)).toBe(true);
    expect(asked.length).toBe(2);
  });

  it('is false where transactions stay in the way', async () => {
    const single = answering(conflict);
    expect(await table(single.runtime).put(row, { absent: true })).toBe(false);
    const several = answering(cancelled('None', 'TransactionConflict'));
    expect(await table(several.runtime).transact([{ put: row }, { put: row }])).toBe(false);
    expect([single.asked.length, several.asked.length]).toEqual([5, 5]);
  });

  it('is false at once where a condition does not hold', async () => {
    const { runtime, asked } = answering(cancelled('ConditionalCheckFailed', 'TransactionConflict'));
    expect(await table(runtime).transact([{ put: row, if: { absent: true } }])).toBe(false);
    expect(asked.length).toBe(1);
  });

  it('rejects where it is cancelled for another reason', async () => {
    const { runtime } = answering(cancelled('ValidationError'));
    await expect(table(runtime).transact([{ put: row }])).rejects.toThrow();
  });
});

describe('targets of a rule', () => {
  const failed = { FailedEntryCount: 1, FailedEntries: [{ TargetId: 'decisions', ErrorMessage: 'No.' }] };
  const bus = ({ runtime }: ReturnType<typeof answering>) => ({
    events: new EventBridgeClient(clientConfig(runtime)),
    ...{ bus: 'hub', decisionsQueue: 'queue', deadQueue: 'dead' },
  });

  it('that are refused inside a 200 are an error, added or removed', async () => {
    const adding = answering({ body: {} }, { body: failed });
    await expect(
      putRule(bus(adding), { name: 'trigger-a-v1', pattern: '{}' }, 'ENABLED'),
    ).rejects.toMatchObject({ code: 'rule-without-target' });
    const removing = answering({ body: failed });
    await expect(dropRule(bus(removing), 'trigger-a-v1')).rejects.toMatchObject({
      code: 'rule-without-target',
    });
    expect(removing.asked.map(({ operation }) => operation)).toEqual(['RemoveTargets']);
  });
});

it('recognises a refusal whether the SDK or the signed client reports it', () => {
  const own = new AwsRefusal('s3', 404, 'NoSuchKey', 'Gone.');
  const ofSdk = Object.assign(new Error('Gone.'), { name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } });
  for (const error of [own, ofSdk]) {
    expect([isAwsRefusal(error), isAwsRefusal(error, 'NoSuchKey'), isAwsRefusal(error, 'Other')]).toEqual([
      ...[true, true, false],
    ]);
    expect(refusalStatus(error)).toBe(404);
  }
  expect([isAwsRefusal(new TypeError('fetch failed')), refusalStatus('text')]).toEqual([false, undefined]);
});
