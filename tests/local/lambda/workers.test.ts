import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { LambdaFunction } from '../../../infra/local/lambda/function.ts';
import { type WorkerFunctions, workerFunctions } from '../../../infra/local/lambda/workers.ts';

let folder: string;
let workers: WorkerFunctions;
afterEach(async () => {
  await workers.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A function made of a bundle's text, and a way to invoke it. */
const open = (bundle: string, more: Partial<LambdaFunction> = {}) => {
  folder = mkdtempSync(join(tmpdir(), 'hub-workers-'));
  mkdirSync(join(folder, 'work'));
  writeFileSync(join(folder, 'work', 'index.cjs'), bundle);
  workers = workerFunctions({
    assetFolder: (key) => join(folder, key),
    awsUrl: 'http://127.0.0.1:9',
    log: () => {},
  });
  const target: LambdaFunction = {
    name: 'work',
    arn: 'arn:aws:lambda:eu-south-1:123456789012:function:work',
    roleArn: 'arn:aws:iam::123456789012:role/work',
    code: 'work',
    environment: { MARK: join(folder, 'mark') },
    timeoutSeconds: 20,
    memoryMegabytes: 256,
    mayLoop: false,
    ...more,
  };
  return (event: unknown = {}) =>
    workers.invoke(target, event, { requestId: 'request-1', trace: 'Root=1;Lineage=1:aaaaaaaa:3' });
};

describe('a function in a worker', () => {
  it('is told all that Lambda tells, and the trace of its call', async () => {
    const invoke = open(`
      exports.handler = async (event, context) => ({
        event, trace: process.env._X_AMZN_TRACE_ID, name: process.env.AWS_LAMBDA_FUNCTION_NAME,
        context: { ...context, left: context.getRemainingTimeInMillis() },
      });`);
    expect(await invoke({ n: 1 })).toMatchObject({
      event: { n: 1 },
      trace: 'Root=1;Lineage=1:aaaaaaaa:3',
      name: 'work',
      context: {
        awsRequestId: 'request-1',
        functionName: 'work',
        functionVersion: '$LATEST',
        invokedFunctionArn: 'arn:aws:lambda:eu-south-1:123456789012:function:work',
        memoryLimitInMB: '256',
        logGroupName: '/aws/lambda/work',
        left: expect.toSatisfy((left: number) => left > 0 && left <= 20_000),
      },
    });
  });

  it('that cannot be loaded is loaded afresh for the next event', async () => {
    const invoke = open(`
      const { existsSync, writeFileSync } = require('node:fs');
      if (!existsSync(process.env.MARK)) { writeFileSync(process.env.MARK, ''); throw new Error('no start'); }
      exports.handler = async () => 'started';`);
    await expect(invoke()).rejects.toThrow(/work: the function ended: no start/u);
    expect(await invoke()).toBe('started');
  });

  it.each([
    ['takes too long', 'while (true) {}', { timeoutSeconds: 2 }, /Task timed out after 2\.00 seconds/u],
    ['ends its process', 'process.exit(3)', {}, /ended with code 3/u],
    [
      'takes more memory than it has',
      'const all = []; while (true) all.push(new Array(100_000).fill({ n: 1 }))',
      { memoryMegabytes: 64 },
      /memory/iu,
    ],
  ])('that %s fails, and the next event gets a new copy', async (_, fault, more, message) => {
    const invoke = open(
      `let events = 0; exports.handler = async ({ fault }) => { events++; if (fault) { ${fault} } return events; };`,
      more,
    );
    expect([await invoke(), await invoke()]).toEqual([1, 2]);
    await expect(invoke({ fault: true })).rejects.toThrow(message);
    expect(await invoke()).toBe(1);
  });

  it('that throws keeps its copy, as in Lambda', async () => {
    const invoke = open(
      'let events = 0; exports.handler = async ({ fault }) => { events++; if (fault) throw new TypeError("bad"); return events; };',
    );
    await expect(invoke({ fault: true })).rejects.toThrow('work: TypeError: bad');
    expect(await invoke()).toBe(2);
  });

  it('that breaks between two events breaks nothing else', async () => {
    const invoke = open(`
      const { threadId } = require('node:worker_threads');
      exports.handler = async ({ late }) => {
        if (late) setImmediate(() => { throw new Error('late'); });
        return threadId;
      };`);
    const broken = await invoke();
    // It breaks at this event, at one of the next or between two; from then on another copy answers.
    const answers: unknown[] = [await invoke({ late: true }).catch(() => 'lost')];
    do answers.push(await invoke().catch(() => 'lost'));
    while (answers.at(-1) === broken || answers.at(-1) === 'lost');
    expect(answers.filter((answer) => answer === 'lost').length).toBeLessThanOrEqual(1);
    expect(await invoke()).toBe(answers.at(-1));
  });
});
