import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as z from 'zod';
import type { Assembly } from '../cloudformation/assembly.ts';
import type { LambdaFunction } from './function.ts';
import { contextOf, environmentOf } from './in-process.ts';
import type { Invocation } from './invocations.ts';

/**
 * Runs inside the worker: Lambda's side of a function, one event at a time. The trace header stands in the environment,
 * where the SDK's clients find it. A bundle that cannot be loaded ends the copy, and the next event gets a new one.
 */
const HOST = `
const { parentPort, workerData } = require('node:worker_threads');
const { now } = Date;
Date.now = () => now() + workerData.ahead;
// Addresses of AWS lead to the endpoint of this machine: certificates of SNS and links that confirm a subscription.
const elsewhere = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = new URL(typeof input === 'object' && 'url' in input ? input.url : String(input));
  if (!url.hostname.endsWith('.amazonaws.com')) return elsewhere(input, init);
  const here = workerData.aws + url.pathname + url.search;
  return elsewhere(input instanceof Request ? new Request(here, input) : here, init);
};
const { handler } = require(workerData.file);
parentPort.on('message', async ({ event, context, trace }) => {
  process.env._X_AMZN_TRACE_ID = trace;
  const deadline = performance.now() + workerData.timeout;
  const getRemainingTimeInMillis = () => Math.max(0, Math.floor(deadline - performance.now()));
  try {
    const result = await handler(JSON.parse(event), { ...context, getRemainingTimeInMillis });
    parentPort.postMessage({ result: JSON.stringify(result) });
  } catch (error) {
    parentPort.postMessage({ error: { name: error?.name ?? 'Error', message: String(error?.message ?? error) } });
  }
});
`;

const Answer = z.union([
  z.object({ error: z.object({ name: z.string(), message: z.string() }) }),
  z.object({ result: z.string().optional() }),
]);

/** How many copies of one function work at once on this machine. */
const COPIES = 2;
/** A worker's heap needs this much to load anything at all; below it a function would fail that runs in Lambda. */
const SMALLEST_HEAP_MEGABYTES = 64;

interface Copy {
  readonly worker: Worker;
  busy: boolean;
  /** Set once the copy has ended or may not be used again. */
  gone: string | undefined;
  /** Hears of the answer to the event at work, or of why there is none. */
  settle: (outcome: Outcome) => void;
}

type Outcome = { readonly answer: unknown } | { readonly lost: string };

export interface WorkerFunctions {
  /** @throws Error with the function's name: what its handler threw, that it timed out, or that its copy ended. */
  invoke(target: LambdaFunction, event: unknown, invocation: Invocation): Promise<unknown>;
  stop(): Promise<void>;
}

/** Runs the bundles that would be deployed, each copy in its own worker with its own environment and access key. */
export const workerFunctions = (
  assembly: Assembly,
  awsUrl: () => string,
  log: (line: string) => void,
  /** Milliseconds by which the functions' clock is put forward. */
  ahead = 0,
): WorkerFunctions => {
  const copies = new Map<string, Copy[]>();
  const waiting = new Map<string, (() => void)[]>();

  const start = (target: LambdaFunction): Copy => {
    const worker = new Worker(HOST, {
      eval: true,
      env: {
        ...target.environment,
        ...environmentOf(target, assembly),
        AWS_ENDPOINT_URL: awsUrl(),
        NODE_OPTIONS: '',
      },
      workerData: {
        file: join(assembly.assetFolder(target.code), 'index.cjs'),
        timeout: target.timeoutSeconds * 1000,
        ahead,
        aws: awsUrl(),
      },
      resourceLimits: {
        maxOldGenerationSizeMb: Math.max(SMALLEST_HEAP_MEGABYTES, target.memoryMegabytes),
      },
      stdout: true,
      stderr: true,
    });
    for (const stream of [worker.stdout, worker.stderr])
      stream.on('data', (chunk: Buffer) => log(`${target.name}: ${chunk.toString().trimEnd()}`));
    const copy: Copy = { worker, busy: false, gone: undefined, settle: () => {} };
    const end = (why: string): void => {
      copy.gone ??= why;
      copy.settle({ lost: copy.gone });
      if (!copy.busy) drop(target, copy);
    };
    worker.on('message', (answer: unknown) => copy.settle({ answer }));
    // A copy may also end between two events, through something that it left running.
    worker.on('error', (error: Error) => end(`the function ended: ${error.message}`));
    worker.on('exit', (code) => end(`the function ended with code ${code}`));
    return copy;
  };
  const drop = (target: LambdaFunction, copy: Copy): void => {
    const all = copies.get(target.name) ?? [];
    if (all.includes(copy)) all.splice(all.indexOf(copy), 1);
    void copy.worker.terminate();
  };

  const take = async (target: LambdaFunction): Promise<Copy> => {
    const all = copies.get(target.name) ?? [];
    copies.set(target.name, all);
    for (;;) {
      const idle = all.find(({ busy }) => !busy);
      const copy = idle ?? (all.length < COPIES ? start(target) : undefined);
      if (copy !== undefined) {
        if (idle === undefined) all.push(copy);
        copy.busy = true;
        return copy;
      }
      await new Promise<void>((resolve) => {
        waiting.set(target.name, [...(waiting.get(target.name) ?? []), resolve]);
      });
    }
  };

  const give = (target: LambdaFunction, copy: Copy): void => {
    copy.busy = false;
    copy.settle = () => {};
    if (copy.gone !== undefined) drop(target, copy);
    waiting.get(target.name)?.shift()?.();
  };

  return {
    async invoke(target, event, { requestId, trace }) {
      const copy = await take(target);
      const outcome = await new Promise<Outcome>((resolve) => {
        const timer = setTimeout(() => {
          copy.gone ??= `Task timed out after ${target.timeoutSeconds.toFixed(2)} seconds`;
          copy.settle({ lost: copy.gone });
        }, target.timeoutSeconds * 1000);
        copy.settle = (settled) => {
          clearTimeout(timer);
          resolve(settled);
        };
        const context = contextOf(target, requestId);
        copy.worker.postMessage({ event: JSON.stringify(event), context, trace });
      });
      give(target, copy);
      if ('lost' in outcome) throw new Error(`${target.name}: ${outcome.lost}`);
      const answer = Answer.parse(outcome.answer);
      if ('error' in answer) throw new Error(`${target.name}: ${answer.error.name}: ${answer.error.message}`);
      return answer.result === undefined ? undefined : (JSON.parse(answer.result) as unknown);
    },
    async stop() {
      const all = [...copies.values()].flat();
      copies.clear();
      await Promise.all(all.map(({ worker }) => worker.terminate()));
    },
  };
};
