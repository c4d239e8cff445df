import { describe, expect, it } from 'vitest';
import type { LambdaFunction } from '../../../infra/local/lambda/function.ts';
import { invocations, type Run } from '../../../infra/local/lambda/invocations.ts';
import { invokedBy, LONGEST_CHAIN, timesInvoked } from '../../../infra/local/lambda/lineage.ts';
import type { Deliver } from '../../../infra/local/protocol/service.ts';
import { serviceContext } from '../../support/service-context.ts';

const dead = 'arn:aws:sqs:eu-south-1:123456789012:dead';
const failed = 'arn:aws:sqs:eu-south-1:123456789012:failed';
const arn = 'arn:aws:lambda:eu-south-1:123456789012:function:work';

const open = (run: Run, more: Partial<LambdaFunction> = {}) => {
  const told: Parameters<Deliver>[0][] = [];
  const around = serviceContext({ deliver: async (one) => void told.push(one) });
  const work: LambdaFunction = {
    name: 'work',
    arn,
    roleArn: 'arn:aws:iam::123456789012:role/work',
    code: 'work.zip',
    environment: {},
    timeoutSeconds: 3,
    memoryMegabytes: 128,
    mayLoop: false,
    ...more,
  };
  const functions = new Map([['work', work]]);
  const lambda = invocations(around, { functions, run, deployed: Promise.resolve() });
  const settle = () => around.clock.runUntilIdle(around.clock.now() + 86_400_000);
  return { ...around, functions, lambda, told, settle };
};

describe('an event for a function', () => {
  it('is repeated after one minute and after two more, then told to queue and destination', async () => {
    const at: number[] = [];
    const opened = open(
      async () => {
        at.push(opened.clock.now());
        throw new Error('broken');
      },
      { deadLetterArn: dead, onFailure: failed },
    );
    const start = opened.clock.now();
    opened.lambda.accept(arn, '{"n":1}', undefined);
    await opened.settle();
    expect(at.map((time) => (time - start) / 60_000)).toEqual([0, 1, 3]);
    expect(opened.told).toMatchObject([
      { arn: dead, payload: '{"n":1}', attributes: { ErrorCode: '200', ErrorMessage: 'broken' } },
      { arn: failed, source: arn, role: 'arn:aws:iam::123456789012:role/work' },
    ]);
    expect(JSON.parse(opened.told[1]?.payload ?? '')).toMatchObject({
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { n: 1 },
      responsePayload: { errorMessage: 'broken' },
    });
  });

  it('is tried as often and as long as the function says', async () => {
    let runs = 0;
    const run: Run = async () => {
      runs++;
      throw new Error('broken');
    };
    for (const [more, expected] of [
      [{ eventRetries: 0 }, 1],
      [{ eventAgeSeconds: 90 }, 2],
    ] as const) {
      runs = 0;
      const { lambda, settle } = open(run, { ...more, deadLetterArn: dead });
      lambda.accept('work', '{}', undefined);
      await settle();
      expect(runs).toBe(expected);
    }
  });

  it('runs after a restart, when it was accepted before', async () => {
    const { lambda, db, functions } = open(async () => {});
    lambda.accept('work', '{"n":1}', undefined);
    const events: unknown[] = [];
    const later = serviceContext({ db });
    invocations(
      { ...later, db, newId: () => crypto.randomUUID() },
      { functions, run: async (_, event) => void events.push(event), deployed: Promise.resolve() },
    );
    await later.clock.runUntil(later.clock.now());
    expect(events).toEqual([{ n: 1 }]);
  });

  it('is refused beyond one megabyte; a call and its answer beyond six', async () => {
    const { lambda } = open(async () => 'y'.repeat(6 * 1024 * 1024));
    expect(() => lambda.accept('work', `"${'x'.repeat(1024 * 1024)}"`, undefined)).toThrow(
      /Event invocation/u,
    );
    await expect(lambda.call('work', 'x'.repeat(6 * 1024 * 1024))).rejects.toThrow(/RequestResponse/u);
    await expect(lambda.call('work', {})).rejects.toThrow(/ResponseSizeTooLarge/u);
    await expect(lambda.call('none', {})).rejects.toThrow(/Function not found/u);
  });
});

describe('a chain of calls', () => {
  const chain = (name: string, times: number): string | undefined => {
    let header: string | undefined;
    for (let n = 0; n < times; n++) header = invokedBy(header, name, crypto.randomUUID());
    return header;
  };

  it('is counted for each function apart, under one root', () => {
    const first = invokedBy(undefined, 'a', '11111111-2222-4333-8444-555555555555');
    expect(first).toMatch(
      /^Root=1-11111111-222243338444555555555555;Parent=8444555555555555;Sampled=0;Lineage=/u,
    );
    const third = invokedBy(invokedBy(first, 'b', crypto.randomUUID()), 'a', crypto.randomUUID());
    expect([timesInvoked(third, 'a'), timesInvoked(third, 'b'), timesInvoked(third, 'c')]).toEqual([2, 1, 0]);
    expect(third.split(';')[0]).toBe(first.split(';')[0]);
    expect(timesInvoked('Lineage=nonsense|1:zz:9', 'a')).toBe(0);
  });

  it('is stopped before its seventeenth run, unless the function may loop', async () => {
    let runs = 0;
    const run: Run = async () => void runs++;
    const stopping = open(run, { deadLetterArn: dead });
    stopping.lambda.accept('work', '{"n":1}', chain('work', LONGEST_CHAIN));
    stopping.lambda.accept('work', '{"n":2}', chain('work', LONGEST_CHAIN - 1));
    await stopping.settle();
    expect([runs, stopping.told.map(({ payload }) => payload)]).toEqual([1, ['{"n":1}']]);
    const allowing = open(run, { mayLoop: true });
    allowing.lambda.accept('work', '{}', chain('work', 40));
    await allowing.settle();
    expect(runs).toBe(2);
  });
});
