import { AsyncLocalStorage } from 'node:async_hooks';
import type { Assembly } from '../cloudformation/assembly.ts';
import { RESPONSE_URL } from '../cloudformation/custom-resources.ts';
import { accessKeyOf, LOCAL_SECRET } from '../iam/access-key.ts';
import type { AwsService } from '../protocol/service.ts';
import { REGION } from '../runtime/account.ts';
import { type InProcess, inProcess } from '../runtime/client.ts';
import type { LambdaFunction } from './function.ts';
import type { Run } from './invocations.ts';

export type Handler = (event: unknown, context: object) => Promise<unknown>;

/** What a function's module uses in place of the process's own environment, AWS endpoints and network. */
interface Bindings {
  readonly env: Readonly<Record<string, string>>;
  readonly aws: InProcess;
  readonly fetch: typeof fetch;
}

export interface InProcessOptions extends Pick<Assembly, 'assetFolder'> {
  /** The services. It is called at each request, because the cloud itself is built with these functions. */
  readonly cloud: () => {
    aws(request: Parameters<AwsService['handle']>[0]): ReturnType<AwsService['handle']>;
  };
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** The network; the global `fetch` where it is absent. */
  readonly fetch?: typeof fetch | undefined;
  /** Loads the handler of a function; called once per function. */
  readonly load: (target: LambdaFunction, bindings: Bindings) => Promise<Handler>;
}

/** Runs functions in this process: one instance of each, with the services and the time of a cloud. */
export const inProcessFunctions = ({
  assetFolder,
  cloud,
  now,
  fetch: network = fetch,
  load,
}: InProcessOptions): Run => {
  const tracing = new AsyncLocalStorage<string>();
  // In Lambda the SDK's clients read the trace header from their environment and send it along.
  const aws = inProcess((request) => {
    const trace = tracing.getStore();
    const header = trace === undefined ? {} : { 'x-amzn-trace-id': trace };
    return cloud().aws({ ...request, headers: { ...request.headers, ...header } });
  });
  const handlers = new Map<string, Handler>();
  const boundFetch: typeof fetch = (input, init) =>
    String(input) === RESPONSE_URL ? aws.fetch(new Request(RESPONSE_URL, init)) : network(input, init);
  const handlerOf = async (target: LambdaFunction): Promise<Handler> => {
    const known = handlers.get(target.name);
    if (known) return known;
    const env = { ...target.environment, ...environmentOf(target, { assetFolder }) };
    const handler = await load(target, { env, aws, fetch: boundFetch });
    handlers.set(target.name, handler);
    return handler;
  };
  return async (target, event, { requestId, trace }) => {
    const handler = await handlerOf(target);
    const deadline = now() + target.timeoutSeconds * 1000;
    // Lambda hands over JSON and takes JSON; so does this.
    const result = await tracing.run(trace, () =>
      handler(JSON.parse(JSON.stringify(event)), {
        ...contextOf(target, requestId),
        getRemainingTimeInMillis: () => Math.max(0, deadline - now()),
      }),
    );
    return result === undefined ? undefined : (JSON.parse(JSON.stringify(result)) as unknown);
  };
};

/** The context that Lambda passes to a handler, without the remaining time. */
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

/** The variables that Lambda itself sets in a function's environment. */
export const environmentOf = (
  target: LambdaFunction,
  { assetFolder }: Pick<Assembly, 'assetFolder'>,
): Record<string, string> => ({
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: accessKeyOf(target.name),
  AWS_SECRET_ACCESS_KEY: LOCAL_SECRET,
  AWS_LAMBDA_FUNCTION_NAME: target.name,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(target.memoryMegabytes),
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  LAMBDA_TASK_ROOT: assetFolder(target.code),
});
