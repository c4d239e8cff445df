import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import type { Assembly } from '../../stack/assembly.ts';
import { root } from '../../stack/bundle.ts';
import type { LambdaFunction } from '../cloudformation/resources.ts';
import { inProcess } from '../runtime/client.ts';
import { accessKeyOf, type Cloud, REGION, RESPONSE_URL } from '../runtime/cloud.ts';
import type { Run } from './invocations.ts';

const FunctionFile = z.object({ module: z.string() });
const Module = z.object({
  create: z.custom<(runtime: Runtime) => (event: unknown, context: object) => Promise<unknown>>(
    (value) => typeof value === 'function',
  ),
});

/** The module under `functions/` that an asset was built from. */
export const moduleOf = (assembly: Assembly, { code }: LambdaFunction): string =>
  FunctionFile.parse(JSON.parse(readFileSync(join(assembly.assetFolder(code), 'function.json'), 'utf8')))
    .module;

/**
 * Runs the production handlers in this process, from source, with the clock and the services of a cloud. `cloud` is asked
 * at each call, because the cloud itself is built with this.
 */
export const inProcessFunctions = (
  assembly: Assembly,
  cloud: () => Pick<Cloud, 'aws'>,
  world: Pick<Runtime, 'now' | 'newId' | 'random'> & Partial<Pick<Runtime, 'senders' | 'fetch'>>,
): Run => {
  const tracing = new AsyncLocalStorage<string>();
  // As the SDK's clients and the hand-signed calls do with what Lambda puts into their environment.
  const aws = inProcess((request) => {
    const trace = tracing.getStore();
    const header = trace === undefined ? {} : { 'x-amzn-trace-id': trace };
    return cloud().aws({ ...request, headers: { ...request.headers, ...header } });
  });
  const built = new Map<string, (event: unknown, context: object) => Promise<unknown>>();
  let answered: unknown;
  const outside: typeof fetch = async (input, init) => {
    if (String(input) === RESPONSE_URL) {
      answered = JSON.parse(String(init?.body));
      return new Response(null, { status: 200 });
    }
    return (world.fetch ?? fetch)(input, init);
  };
  const handlerOf = async (
    target: LambdaFunction,
  ): Promise<(event: unknown, context: object) => Promise<unknown>> => {
    const known = built.get(target.name);
    if (known) return known;
    const { create } = Module.parse(
      await import(pathToFileURL(join(root, 'functions', `${moduleOf(assembly, target)}.ts`)).href),
    );
    const handler = create({
      ...world,
      env: { ...target.environment, ...environmentOf(target, assembly) },
      aws,
      fetch: outside,
    });
    built.set(target.name, handler);
    return handler;
  };
  return async (target, event, { requestId, trace }) => {
    const handler = await handlerOf(target);
    const deadline = world.now() + target.timeoutSeconds * 1000;
    // Lambda hands over JSON and takes JSON; so does this.
    const result = await tracing.run(trace, () =>
      handler(JSON.parse(JSON.stringify(event)), {
        ...contextOf(target, requestId),
        getRemainingTimeInMillis: () => Math.max(0, deadline - world.now()),
      }),
    );
    if (result !== undefined) return JSON.parse(JSON.stringify(result)) as unknown;
    const answer = answered;
    answered = undefined;
    return answer;
  };
};

/** What a handler is told of its invocation, besides the time that it has left. */
export const contextOf = (target: LambdaFunction, awsRequestId: string) => ({
  functionName: target.name,
  functionVersion: '$LATEST',
  invokedFunctionArn: target.arn,
  memoryLimitInMB: String(target.memoryMegabytes),
  awsRequestId,
  logGroupName: `/aws/lambda/${target.name}`,
  logStreamName: `local/[$LATEST]${target.name}`,
  callbackWaitsForEmptyEventLoop: true,
});

/** What Lambda itself puts into a function's environment. */
export const environmentOf = (target: LambdaFunction, assembly: Assembly): Record<string, string> => ({
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: accessKeyOf(target.name),
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_LAMBDA_FUNCTION_NAME: target.name,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(target.memoryMegabytes),
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  LAMBDA_TASK_ROOT: assembly.assetFolder(target.code),
});
