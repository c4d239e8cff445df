import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as z from 'zod';
import type { Assembly } from '../assembly.ts';
import { environmentOf } from './in-process.ts';
import type { LambdaFunction } from './resources.ts';

/** Runs inside the worker: Lambda's side of a function, one event at a time. */
const HOST = `
const { parentPort, workerData } = require('node:worker_threads');
const { handler } = require(workerData.file);
const context = (event) => ({ functionName: workerData.name, getRemainingTimeInMillis: () => workerData.timeout });
parentPort.on('message', async (event) => {
  try {
    parentPort.postMessage({ result: JSON.stringify(await handler(JSON.parse(event), context())) });
  } catch (error) {
    parentPort.postMessage({ error: { name: error?.name ?? 'Error', message: String(error?.message ?? error) } });
  }
});
`;

const Answer = z.union([
  z.object({ result: z.string().optional() }),
  z.object({ error: z.object({ name: z.string(), message: z.string() }) }),
]);

/** How many copies of one function work at once on this machine. */
const COPIES = 2;

interface Copy {
  readonly worker: Worker;
  busy: boolean;
}

export interface WorkerFunctions {
  invoke(target: LambdaFunction, event: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** Runs the bundles that would be deployed, each copy in its own worker with its own environment and access key. */
export const workerFunctions = (
  assembly: Assembly,
  awsUrl: () => string,
  log: (line: string) => void,
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
        name: target.name,
        timeout: target.timeoutSeconds * 1000,
      },
      stdout: true,
      stderr: true,
    });
    for (const stream of [worker.stdout, worker.stderr])
      stream.on('data', (chunk: Buffer) => log(`${target.name}: ${chunk.toString().trimEnd()}`));
    return { worker, busy: false };
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

  const give = (target: LambdaFunction, copy: Copy, alive: boolean): void => {
    copy.busy = false;
    const all = copies.get(target.name) ?? [];
    if (!alive) {
      all.splice(all.indexOf(copy), 1);
      void copy.worker.terminate();
    }
    waiting.get(target.name)?.shift()?.();
  };

  return {
    async invoke(target, event) {
      const copy = await take(target);
      const settled = await new Promise<{ answer?: unknown; lost?: string }>((resolve) => {
        const timer = setTimeout(
          () => end({ lost: `Task timed out after ${target.timeoutSeconds} seconds` }),
          target.timeoutSeconds * 1000,
        );
        const onMessage = (answer: unknown): void => end({ answer });
        const onError = (error: Error): void => end({ lost: `the function ended: ${error.message}` });
        const onExit = (code: number): void => end({ lost: `the function ended with code ${code}` });
        const end = (outcome: { answer?: unknown; lost?: string }): void => {
          clearTimeout(timer);
          copy.worker.off('message', onMessage).off('error', onError).off('exit', onExit);
          resolve(outcome);
        };
        copy.worker.on('message', onMessage).on('error', onError).on('exit', onExit);
        copy.worker.postMessage(JSON.stringify(event));
      });
      give(target, copy, settled.lost === undefined);
      if (settled.lost !== undefined) throw new Error(`${target.name}: ${settled.lost}`);
      const answer = Answer.parse(settled.answer);
      if ('error' in answer) throw new Error(`${target.name}: ${answer.error.name}: ${answer.error.message}`);
      return answer.result === undefined ? undefined : (JSON.parse(answer.result) as unknown);
    },
    async stop() {
      await Promise.all([...copies.values()].flat().map(({ worker }) => worker.terminate()));
      copies.clear();
    },
  };
};
