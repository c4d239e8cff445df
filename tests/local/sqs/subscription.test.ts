import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { type SqsOptions, type Subscription, sqs } from '../../../infra/local/sqs/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

const arn = (name: string): string => `arn:aws:sqs:eu-south-1:123456789012:${name}`;

interface Seen {
  readonly at: number;
  readonly bodies: string[];
}

const open = async ({
  attributes = {},
  options = {},
  random = () => 0.5,
  ...asked
}: Partial<Subscription> & {
  attributes?: Record<string, string>;
  options?: SqsOptions;
  random?: () => number;
} = {}) => {
  const around = serviceContext({ random });
  const start = around.clock.now();
  const service = sqs(around, options);
  const client = new SQSClient(clientOf(service));
  for (const [QueueName, Attributes] of [
    ['dead', {}],
    ['work', { VisibilityTimeout: '30', ...attributes }],
  ] as const)
    await client.send(new CreateQueueCommand({ QueueName, Attributes }));
  const seen: Seen[] = [];
  const subscribe = (): { stop(): Promise<void> } =>
    service.subscribe(arn('work'), {
      batchSize: 3,
      batchingWindowSeconds: 0,
      reportBatchItemFailures: true,
      ...asked,
      handler: async (event) => {
        seen.push({
          at: (around.clock.now() - start) / 1000,
          bodies: event.Records.map(({ body }) => body),
        });
        return asked.handler?.(event);
      },
    });
  const send = (...bodies: string[]): string[] => bodies.map((body) => service.send(arn('work'), body));
  const run = (seconds: number) => around.clock.runUntil(start + seconds * 1000);
  return { ...around, service, seen, send, run, subscribe };
};

const failing =
  (isBad: (body: string) => boolean) =>
  async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => ({
    batchItemFailures: Records.filter(({ body }) => isBad(body)).map(({ messageId }) => ({
      itemIdentifier: messageId,
    })),
  });

describe('a subscription', () => {
  it('without a window takes at once what is there, in full batches first', async () => {
    const { seen, send, run, subscribe, service } = await open();
    send('a', 'b', 'c', 'd');
    subscribe();
    await run(0);
    send('e');
    await run(1);
    expect(seen).toEqual([
      { at: 0, bodies: ['a', 'b', 'c'] },
      { at: 0, bodies: ['d'] },
      { at: 0, bodies: ['e'] },
    ]);
    expect(service.counts(arn('work'))).toEqual({ visible: 0, hidden: 0 });
  });

  it('gives functions the event they know', async () => {
    const events: SQSEvent[] = [];
    const { service, run, subscribe } = await open({
      handler: async (event) => {
        events.push(event);
      },
    });
    subscribe();
    const id = service.send(arn('work'), 'x', { kind: { DataType: 'String', StringValue: 'sms' } });
    await run(1);
    expect(events[0]?.Records).toEqual([
      {
        messageId: id,
        receiptHandle: expect.any(String),
        body: 'x',
        attributes: {
          SenderId: '123456789012',
          SentTimestamp: '1772355600000',
          ApproximateReceiveCount: '1',
          ApproximateFirstReceiveTimestamp: '1772355600000',
        },
        messageAttributes: {
          kind: { stringValue: 'sms', stringListValues: [], binaryListValues: [], dataType: 'String' },
        },
        md5OfMessageAttributes: expect.any(String),
        md5OfBody: '9dd4e461268c8034f5c8564e155c67a6',
        eventSource: 'aws:sqs',
        eventSourceARN: arn('work'),
        awsRegion: 'eu-south-1',
      },
    ]);
  });

  it('waits for its window from the first message on, and not when a batch is full', async () => {
    const { clock, seen, send, run, subscribe } = await open({ batchingWindowSeconds: 5 });
    subscribe();
    const at = (seconds: number, ...bodies: string[]) =>
      clock.at(clock.now() + seconds * 1000, () => {
        send(...bodies);
      });
    at(1, 'a');
    at(4, 'b');
    at(10, 'c');
    at(12, 'd', 'e', 'f');
    at(13, 'g');
    await run(60);
    expect(seen).toEqual([
      { at: 6, bodies: ['a', 'b'] },
      { at: 12, bodies: ['c', 'd', 'e'] },
      { at: 17, bodies: ['f', 'g'] },
    ]);
  });

  it('brings back what was reported as failed, when its visibility timeout ends', async () => {
    let bad = true;
    const { seen, send, run, subscribe, service } = await open({
      handler: failing((body) => bad && body === 'b'),
    });
    send('a', 'b', 'c');
    subscribe();
    await run(29.999);
    expect(service.counts(arn('work'))).toEqual({ visible: 0, hidden: 1 });
    bad = false;
    await run(60);
    expect(seen).toEqual([
      { at: 0, bodies: ['a', 'b', 'c'] },
      { at: 30, bodies: ['b'] },
    ]);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no'))],
    ['names no message', async () => ({ batchItemFailures: [{ itemIdentifier: '' }] })],
    ['names a stranger', async () => ({ batchItemFailures: [{ itemIdentifier: 'stranger' }] })],
  ])('brings back the whole batch when the handler %s', async (_, first) => {
    let calls = 0;
    const { seen, send, run, subscribe } = await open({
      handler: async () => (calls++ === 0 ? first() : undefined),
    });
    send('a', 'b');
    subscribe();
    await run(60);
    expect(seen).toEqual([
      { at: 0, bodies: ['a', 'b'] },
      { at: 30, bodies: ['a', 'b'] },
    ]);
  });

  it('does not look at the answer unless it was told to', async () => {
    const { seen, send, run, subscribe } = await open({
      reportBatchItemFailures: false,
      handler: failing(() => true),
    });
    send('a');
    subscribe();
    await run(60);
    expect(seen).toHaveLength(1);
  });

  it('sends poison to the dead-letter queue after its tries, while the rest goes on', async () => {
    const { seen, send, run, subscribe, service } = await open({
      attributes: {
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn('dead'), maxReceiveCount: 2 }),
      },
      handler: failing((body) => body === 'poison'),
    });
    send('a', 'poison');
    subscribe();
    await run(45);
    send('b');
    await run(300);
    expect(seen.map(({ bodies }) => bodies)).toEqual([['a', 'poison'], ['poison'], ['b']]);
    expect(service.counts(arn('dead'))).toEqual({ visible: 1, hidden: 0 });
    expect(service.counts(arn('work'))).toEqual({ visible: 0, hidden: 0 });
  });

  it('keeps to its concurrency and takes the next batch as soon as one has ended', async () => {
    const running: (() => void)[] = [];
    const { seen, run, subscribe, send } = await open({
      batchSize: 1,
      maximumConcurrency: 2,
      handler: () => new Promise<undefined>((resolve) => running.push(() => resolve(undefined))),
    });
    const settle = () => new Promise(setImmediate);
    send(...'abcd');
    subscribe();
    const end = run(1);
    await settle();
    expect(seen.map(({ bodies }) => bodies.join())).toEqual(['a', 'b']);
    running[1]?.();
    await settle();
    expect(seen.map(({ bodies }) => bodies.join())).toEqual(['a', 'b', 'c']);
    for (const at of [0, 2, 3]) {
      running[at]?.();
      await settle();
    }
    await end;
    expect(seen).toHaveLength(4);
  });

  it('fills an event with bodies up to what a function may be given', async () => {
    const { seen, service, run, subscribe } = await open({ batchSize: 10 });
    for (let at = 0; at < 8; at++) service.send(arn('work'), 'x'.repeat(1_000_000));
    subscribe();
    await run(1);
    expect(seen.map(({ bodies }) => bodies.length)).toEqual([6, 2]);
  });

  it('takes delayed messages when their time has come', async () => {
    const { seen, run, subscribe, send } = await open({ attributes: { DelaySeconds: '7' } });
    subscribe();
    send('a');
    await run(60);
    expect(seen).toEqual([{ at: 7, bodies: ['a'] }]);
  });

  it('takes nothing after it was stopped', async () => {
    const { seen, run, subscribe, send, service } = await open();
    const { stop } = subscribe();
    send('a');
    await stop();
    await run(60);
    expect([seen, service.counts(arn('work'))]).toEqual([[], { visible: 1, hidden: 0 }]);
  });
});

describe('chaos', () => {
  const seeded = (seed: number) => () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  const bodies = Array.from({ length: 60 }, (_, at) => String(at));

  it('delivers some messages twice and loses none, the same way for the same seed', async () => {
    const deliveries = async (seed: number) => {
      const { seen, send, run, subscribe, service } = await open({
        random: seeded(seed),
        options: { chaos: { duplicate: 0.2 } },
      });
      send(...bodies);
      subscribe();
      await run(120);
      expect(service.counts(arn('work'))).toEqual({ visible: 0, hidden: 0 });
      return seen;
    };
    const seen = await deliveries(7);
    const delivered = seen.flatMap((batch) => batch.bodies);
    expect(new Set(delivered)).toEqual(new Set(bodies));
    expect(delivered.length).toBeGreaterThan(62);
    expect(delivered.length).toBeLessThan(85);
    expect(await deliveries(7)).toEqual(seen);
  });

  it('delivers a message twice, and not more often, when every message is doubled', async () => {
    const { seen, send, run, subscribe } = await open({ options: { chaos: { duplicate: 1 } } });
    send('a', 'b');
    subscribe();
    await run(300);
    expect(seen).toEqual([
      { at: 0, bodies: ['a', 'b'] },
      { at: 15, bodies: ['a', 'b'] },
    ]);
  });

  it('delivers in another order than sent', async () => {
    const { seen, send, run, subscribe } = await open({
      random: seeded(3),
      options: { chaos: { reorder: true } },
    });
    send(...bodies);
    subscribe();
    await run(1);
    const delivered = seen.flatMap((batch) => batch.bodies);
    expect(delivered).not.toEqual(bodies);
    expect(delivered.toSorted()).toEqual(bodies.toSorted());
  });
});
