import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as z from 'zod';
import type { Assembly } from '../cloudformation/assembly.ts';
import type { LambdaFunction } from './function.ts';
import { contextOf, environmentOf } from './in-process.ts';
import type { Invocation } from './invocations.ts';

/**
 * The code of a worker: Lambda's side of a function, one event at a time. The trace header is set in the environment,
 * where the SDK's clients read it. A bundle that cannot be loaded ends the worker, and the next event starts a new one.
 */
const HOST = `
const { parentPort, workerData } = require('node:worker_threads');
const { now } = Date;
Date.now = () => now() + workerData.clockOffsetMs;
// Requests to AWS go to the local endpoint: SNS certificates, confirmation links, responses of custom resources.
const network = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = new URL(typeof input === 'object' && 'url' in input ? input.url : String(input));
  if (!url.hostname.endsWith('.amazonaws.com')) return network(input, init);
  const local = workerData.aws + url.pathname + url.search;
  return network(input instanceof Request ? new Request(local, input) : local, init);
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

/** The concurrent executions of a new account, which one function may use alone. */
const ACCOUNT_EXECUTIONS = 10;
/** The smallest heap in which a worker can load a bundle. Lambda's own smallest size is too little for Node's workers. */
const SMALLEST_HEAP_MEGABYTES = 64;

/** One execution environment of a function. */
interface Environment {
  readonly worker: Worker;
  busy: boolean;
  /** Why the environment cannot be used again. */
  ended: string | undefined;
  /** Called with the outcome of the running event. */
  onOutcome: (outcome: Outcome) => void;
}

type Outcome = { readonly answer: unknown } | { readonly lost: string };

export interface WorkerFunctions {
  /** @throws Error with the function's name: the handler's error, a timeout, or the end of the environment. */
  invoke(target: LambdaFunction, event: unknown, invocation: Invocation): Promise<unknown>;
  stop(): Promise<void>;
}

export interface WorkerOptions extends Pick<Assembly, 'assetFolder'> {
  readonly awsUrl: string;
  readonly log: (line: string) => void;
  /** Variables that every function gets besides those of the template. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The most concurrent executions of one function; default those of a new account. */
  readonly concurrentExecutions?: number | undefined;
  /** Milliseconds by which the functions' clock is ahead of the machine's. */
  readonly clockOffsetMs?: number | undefined;
}

/** Runs the deployed bundles, each execution environment in a worker with its own variables and access key. */
export const workerFunctions = (options: WorkerOptions): WorkerFunctions => {
  const pool = environmentPool(options);
  return {
    async invoke(target, event, invocation) {
      const environment = await pool.acquire(target);
      const outcome = await outcomeOf(environment, target, event, invocation);
      pool.release(target, environment);
      if ('lost' in outcome) throw new Error(`${target.name}: ${outcome.lost}`);
      const answer = Answer.parse(outcome.answer);
      if ('error' in answer) throw new Error(`${target.name}: ${answer.error.name}: ${answer.error.message}`);
      return answer.result === undefined ? undefined : (JSON.parse(answer.result) as unknown);
    },
    stop: pool.stop,
  };
};

/** Sends an event to an environment. Resolves to its answer, or to the reason why there is none. */
const outcomeOf = (
  environment: Environment,
  target: LambdaFunction,
  event: unknown,
  { requestId, trace }: Invocation,
): Promise<Outcome> =>
  new Promise<Outcome>((resolve) => {
    const timer = setTimeout(() => {
      environment.ended ??= `Task timed out after ${target.timeoutSeconds.toFixed(2)} seconds`;
      environment.onOutcome({ lost: environment.ended });
    }, target.timeoutSeconds * 1000);
    environment.onOutcome = (outcome) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const context = contextOf(target, requestId);
    environment.worker.postMessage({ event: JSON.stringify(event), context, trace });
  });

/** The execution environments of all functions. A function whose environments are all busy waits for one. */
const environmentPool = (options: WorkerOptions) => {
  const environments = new Map<string, Environment[]>();
  const waiting = new Map<string, (() => void)[]>();
  const remove = (target: LambdaFunction, environment: Environment): void => {
    const all = environments.get(target.name) ?? [];
    if (all.includes(environment)) all.splice(all.indexOf(environment), 1);
    void environment.worker.terminate();
  };
  return {
    async acquire(target: LambdaFunction): Promise<Environment> {
      const all = environments.get(target.name) ?? [];
      environments.set(target.name, all);
      for (;;) {
        const idle = all.find(({ busy }) => !busy);
        if (idle) {
          idle.busy = true;
          return idle;
        }
        if (all.length < (options.concurrentExecutions ?? ACCOUNT_EXECUTIONS)) {
          const started = startEnvironment(target, options, (ended) => remove(target, ended));
          all.push(started);
          return started;
        }
        await new Promise<void>((resolve) => {
          waiting.set(target.name, [...(waiting.get(target.name) ?? []), resolve]);
        });
      }
    },
    release(target: LambdaFunction, environment: Environment): void {
      environment.busy = false;
      environment.onOutcome = () => {};
      if (environment.ended !== undefined) remove(target, environment);
      waiting.get(target.name)?.shift()?.();
    },
    async stop(): Promise<void> {
      const all = [...environments.values()].flat();
      environments.clear();
      await Promise.all(all.map(({ worker }) => worker.terminate()));
    },
  };
};

/** Starts a busy environment. `onEnd` is called where it ends between two events. */
const startEnvironment = (
  target: LambdaFunction,
  { assetFolder, awsUrl, log, environment: added = {}, clockOffsetMs = 0 }: WorkerOptions,
  onEnd: (environment: Environment) => void,
): Environment => {
  const worker = new Worker(HOST, {
    eval: true,
    env: {
      ...added,
      ...target.environment,
      ...environmentOf(target, { assetFolder }),
      AWS_ENDPOINT_URL: awsUrl,
      NODE_OPTIONS: '',
    },
    workerData: {
      file: join(assetFolder(target.code), 'index.cjs'),
      timeout: target.timeoutSeconds * 1000,
      clockOffsetMs,
      aws: awsUrl,
    },
    resourceLimits: {
      maxOldGenerationSizeMb: Math.max(SMALLEST_HEAP_MEGABYTES, target.memoryMegabytes),
    },
    stdout: true,
    stderr: true,
  });
  for (const stream of [worker.stdout, worker.stderr])
    stream.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().trimEnd().split('\n')) log(`${target.name}: ${line}`);
    });
  const environment: Environment = { worker, busy: true, ended: undefined, onOutcome: () => {} };
  const end = (reason: string): void => {
    environment.ended ??= reason;
    environment.onOutcome({ lost: environment.ended });
    if (!environment.busy) onEnd(environment);
  };
  worker.on('message', (answer: unknown) => environment.onOutcome({ answer }));
  worker.on('error', (error: Error) => end(`the function ended: ${error.message}`));
  worker.on('exit', (code) => end(`the function ended with code ${code}`));
  return environment;
};
