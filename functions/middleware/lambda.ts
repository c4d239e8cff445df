import { processRuntime, type Runtime } from '../contracts/runtime.ts';

/**
 * The handler that Lambda calls. Built at once inside Lambda, where the time before the first event is the cheapest, and
 * at the first call elsewhere, where a module may be loaded only to be built with another runtime.
 */
export const lambda = <Event, Context, Result>(
  create: (runtime: Runtime) => (event: Event, context: Context) => Promise<Result>,
): ((event: Event, context: Context) => Promise<Result>) => {
  let built = process.env['AWS_LAMBDA_FUNCTION_NAME'] === undefined ? undefined : create(processRuntime());
  return (event, context) => {
    built ??= create(processRuntime());
    return built(event, context);
  };
};
