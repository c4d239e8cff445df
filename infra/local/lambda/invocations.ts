import type { SQSEvent } from 'aws-lambda';
import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { asynchronousInvocations } from './asynchronous.ts';
import type { LambdaFunction } from './function.ts';
import { invokedBy, isLoop, timesInvoked } from './lineage.ts';

/** One run of a function: its request id, and the trace header that its calls carry on. */
export interface Invocation {
  readonly requestId: string;
  readonly trace: string;
}

export type Run = (target: LambdaFunction, event: unknown, invocation: Invocation) => Promise<unknown>;

export interface Invocations {
  /** Invokes a function synchronously. `trace` is the trace header of the caller. */
  call(nameOrArn: string, event: unknown, trace?: string): Promise<unknown>;
  /** Accepts an event for an asynchronous invocation. */
  accept(nameOrArn: string, payload: string, trace: string | undefined): void;
  /** Divides a batch into messages that a function accepts, and messages of a chain that Lambda stops. */
  withoutLoops(
    nameOrArn: string,
    event: SQSEvent,
  ): { readonly accepted: SQSEvent; readonly loops: SQSEvent; readonly trace: string | undefined };
}

export interface InvocationOptions {
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly run: Run;
  /** Resolves once every function is known. */
  readonly deployed: Promise<void>;
}

/** The limit of a synchronous event and of its response, in bytes. */
const PAYLOAD_BYTES = 6 * 1024 * 1024;

/** Lambda's side of functions: invocations with their limits and retries, and the detection of loops. */
export const invocations = (
  context: ServiceContext,
  { functions, run, deployed }: InvocationOptions,
): Invocations => {
  const { clock, newId } = context;
  const expectFunction = (nameOrArn: string): LambdaFunction => {
    const target = functions.get(nameOrArn.split(':').at(-1) ?? nameOrArn);
    if (target) return target;
    throw new ServiceError('ResourceNotFoundException', `Function not found: ${nameOrArn}`, 404);
  };
  const invoke = async (
    target: LambdaFunction,
    event: unknown,
    requestId: string,
    trace: string | undefined,
  ): Promise<unknown> => {
    const size = sizeOf(event);
    if (size > PAYLOAD_BYTES)
      throw new ServiceError(
        'RequestTooLargeException',
        `${size} byte payload is too large for the RequestResponse invocation type (limit ${PAYLOAD_BYTES} bytes)`,
        413,
      );
    const invocation = { requestId, trace: invokedBy(trace, target.name, requestId) };
    const result = await clock.track(run(target, event, invocation));
    const answered = sizeOf(result);
    if (answered > PAYLOAD_BYTES)
      throw new Error(
        `${target.name}: Function.ResponseSizeTooLarge: Response payload size (${answered} bytes) exceeded maximum allowed payload size (${PAYLOAD_BYTES} bytes).`,
      );
    return result;
  };
  return {
    call: async (nameOrArn, event, trace) => invoke(expectFunction(nameOrArn), event, newId(), trace),
    accept: asynchronousInvocations(context, { expectFunction, invoke, deployed }),
    withoutLoops(nameOrArn, { Records }) {
      const target = expectFunction(nameOrArn);
      const accepted = Records.filter((record) => !isLoop(target, traceOf(record)));
      const loops = Records.filter((record) => isLoop(target, traceOf(record)));
      // A batch runs under one trace header: that of the message with the longest chain.
      const [longest] = [...accepted].sort(
        (one, other) => timesInvoked(traceOf(other), target.name) - timesInvoked(traceOf(one), target.name),
      );
      return {
        accepted: { Records: accepted },
        loops: { Records: loops },
        trace: longest && traceOf(longest),
      };
    },
  };
};

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

const traceOf = (record: SQSEvent['Records'][number]): string | undefined => record.attributes.AWSTraceHeader;
