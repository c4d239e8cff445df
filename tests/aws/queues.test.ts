import { afterEach, describe, expect, it, vi } from 'vitest';
import { bus } from '../../functions/aws/clients/bus.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { sendTo } from '../../functions/aws/clients/queue.ts';
import { waitingIn } from '../../functions/aws/clients/queue-depth.ts';
import { sendAllTo } from '../../functions/aws/clients/queue-many.ts';
import { refusalStatus } from '../../functions/aws/clients/refusal.ts';
import { answering } from '../support/answering-aws.ts';

afterEach(() => void vi.restoreAllMocks());

describe('a message', () => {
  it('is a text as it is, or JSON', async () => {
    const { runtime, asked } = answering({ body: {} });
    const send = sendTo(runtime, 'https://queue');
    await send('text');
    await send({ a: 1 });
    expect(asked).toEqual([
      { operation: 'SendMessage', body: { QueueUrl: 'https://queue', MessageBody: 'text' } },
      { operation: 'SendMessage', body: { QueueUrl: 'https://queue', MessageBody: '{"a":1}' } },
    ]);
  });

  it.each([
    [0, 0],
    [1.2, 2],
    [900, 900],
    [1000, 900],
  ])('with a delay of %d s is sent with %d s', async (delaySeconds, sent) => {
    const { runtime, asked } = answering({ body: {} });
    await sendTo(runtime, 'q')('x', { delaySeconds });
    expect(asked[0]?.body['DelaySeconds']).toBe(sent);
  });

  it('has text attributes', async () => {
    const { runtime, asked } = answering({ body: {} });
    await sendTo(runtime, 'q')('x', { attributes: { stage: 'record' } });
    expect(asked[0]?.body).toEqual({
      ...{ QueueUrl: 'q', MessageBody: 'x' },
      MessageAttributes: { stage: { DataType: 'String', StringValue: 'record' } },
    });
  });
});

describe('many messages', () => {
  const accepted = { body: { Successful: Array.from({ length: 20 }, (_, n) => ({ Id: String(n) })) } };
  const sizesOf = ({ asked }: ReturnType<typeof answering>): number[] =>
    asked.map(({ body }) => (body['Entries'] as unknown[]).length);

  it('are sent ten a call, by their positions', async () => {
    const aws = answering(accepted);
    expect(await sendAllTo(aws.runtime, 'q')(Array.from({ length: 12 }, (_, n) => `m${n}`))).toEqual(
      new Set(),
    );
    expect(sizesOf(aws).sort()).toEqual([10, 2]);
    expect(aws.asked).toContainEqual({
      operation: 'SendMessageBatch',
      body: {
        QueueUrl: 'q',
        Entries: [
          { Id: '10', MessageBody: 'm10' },
          { Id: '11', MessageBody: 'm11' },
        ],
      },
    });
  });

  it('are at most a million bytes a call', async () => {
    const aws = answering(accepted);
    const [half, wide] = ['x'.repeat(500_000), 'Ω'.repeat(250_001)];
    await sendAllTo(aws.runtime, 'q')([half, half, half, wide, 'x'.repeat(499_998)]);
    // The calls run at the same time, so they arrive in any order.
    expect(sizesOf(aws).sort()).toEqual([1, 2, 2]);
  });

  it('are ten calls at a time', async () => {
    const CALLS = 25;
    let [started, most] = [0, 0];
    const open = new Set<() => void>();
    const { runtime } = answering({ body: {} });
    const counting = {
      ...runtime,
      aws: {
        requestHandler: { handle: () => Promise.reject(new Error('The test uses no SDK.')) },
        // Calls are answered once ten are open, or all that are left.
        async fetch(): Promise<Response> {
          started++;
          await new Promise<void>((resolve) => {
            open.add(resolve);
            most = Math.max(most, open.size);
            if (open.size < 10 && started < CALLS) return;
            for (const answer of open) answer();
            open.clear();
          });
          return Response.json({ Successful: [] });
        },
      },
    };
    await sendAllTo(counting, 'q')(Array.from({ length: CALLS * 10 }, String));
    expect(most).toBe(10);
  });

  it('that a failed call holds are logged with their number', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { runtime } = answering({ status: 500, body: { __type: 'InternalError' } });
    expect(await sendAllTo(runtime, 'q')(['a', 'b'])).toEqual(new Set([0, 1]));
    expect(JSON.parse(String(logged.mock.calls[0]?.[0]))).toMatchObject({
      code: 'enqueue-failure',
      count: 2,
    });
  });
});

it('counts the messages of a queue: waiting, in flight and delayed', async () => {
  const { runtime, asked } = answering({
    body: {
      Attributes: {
        ApproximateNumberOfMessages: '3',
        ApproximateNumberOfMessagesNotVisible: '2',
        ApproximateNumberOfMessagesDelayed: '1',
      },
    },
  });
  expect(await waitingIn(runtime, 'q')).toBe(6);
  expect(asked[0]).toEqual({
    operation: 'GetQueueAttributes',
    body: {
      QueueUrl: 'q',
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    },
  });
  expect(await waitingIn(answering({ body: { Attributes: {} } }).runtime, 'q')).toBe(0);
});

describe('the configuration of SDK clients', () => {
  const { runtime } = answering({ body: {} });
  const of = (env: Record<string, string | undefined>) => {
    const { requestHandler: _handler, ...rest } = clientConfig({ ...runtime, env });
    return rest;
  };

  it('has the region, three attempts and the keys of the environment', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'KEY', AWS_SECRET_ACCESS_KEY: 'secret' };
    const credentials = { accessKeyId: 'KEY', secretAccessKey: 'secret' };
    const common = { region: 'eu-south-1', maxAttempts: 3 };
    expect(of({ AWS_REGION: 'eu-south-1' })).toEqual(common);
    expect(of({ AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'KEY' })).toEqual(common);
    expect(of({ AWS_REGION: 'eu-south-1', AWS_SECRET_ACCESS_KEY: 'secret' })).toEqual(common);
    expect(of({ AWS_REGION: 'eu-south-1', ...keys })).toEqual({ ...common, credentials });
    expect(of({ AWS_REGION: 'eu-south-1', ...keys, AWS_SESSION_TOKEN: 'token' })).toEqual({
      ...common,
      credentials: { ...credentials, sessionToken: 'token' },
    });
    expect(() => of({})).toThrow();
  });

  it('uses the handler of the runtime where it has one', () => {
    const { aws, ...rest } = runtime;
    expect(clientConfig(runtime).requestHandler).toBe(aws?.requestHandler);
    expect(clientConfig(rest)).not.toHaveProperty('requestHandler');
  });
});

describe('the bus', () => {
  it('needs its name', () => {
    const { runtime } = answering({ body: {} });
    expect(() => bus({ ...runtime, env: { ...runtime.env, BUS: undefined } })).toThrow('BUS is not set');
  });

  it('sends the type, the detail and the time of an event', async () => {
    const { runtime, asked } = answering({ body: { Entries: [{ EventId: '1' }] } });
    const at = '2026-03-02T09:00:00.000Z';
    const event = {
      type: 'sync.failed',
      at,
      detail: { customer: { profileId: 'ada' }, crm: 'hubspot', code: 'x' },
    };
    await bus(runtime)([event as never]);
    expect(asked[0]).toEqual({
      operation: 'PutEvents',
      body: {
        Entries: [
          {
            ...{ EventBusName: 'hub', Source: 'tributary', DetailType: 'sync.failed' },
            ...{ Detail: JSON.stringify(event.detail), Time: Date.parse(at) / 1000 },
          },
        ],
      },
    });
  });

  it('treats an answer without entries as a refusal of all', async () => {
    const event = { type: 'sync.failed', at: '2026-03-02T09:00:00.000Z', detail: {} };
    expect(await bus(answering({ body: {} }).runtime)([event as never])).toEqual([false]);
    expect(await bus(answering({ body: {} }).runtime)([])).toEqual([]);
  });
});

it.each([
  [Object.assign(new Error('x'), { $metadata: undefined }), undefined],
  [Object.assign(new Error('x'), { $metadata: null }), undefined],
  [Object.assign(new Error('x'), { $metadata: { httpStatusCode: '404' } }), undefined],
  [Object.assign(new Error('x'), { $metadata: { httpStatusCode: 500 } }), 500],
  [{ $metadata: { httpStatusCode: 404 } }, undefined],
])('the status of a refusal: %o', (error, status) => {
  expect(refusalStatus(error)).toBe(status);
});
