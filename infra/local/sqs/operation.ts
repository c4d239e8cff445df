import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import { queueNameOf } from './attributes.ts';
import type { Queue, Queues } from './queues.ts';

/** Who asks for an operation, and the trace header of the request, which goes with the messages that it sends. */
export interface Asker {
  readonly sender: string;
  readonly trace: string | undefined;
}

/** One operation of the API. */
export type SqsOperation = (input: Readonly<Record<string, unknown>>, asker: Asker) => unknown;

const Url = z.looseObject({ QueueUrl: z.string() });

/** The queue that a request names by its address. */
export const queueIn =
  (queues: Queues) =>
  (input: unknown): Queue =>
    queues.get(queueNameOf(Url.parse(input).QueueUrl));

/** Input of the wrong shape, in the service's words; what is not the caller's fault is thrown on. */
export const asSqsError = (error: unknown): ServiceError => {
  if (error instanceof ServiceError) return error;
  if (!(error instanceof z.ZodError)) throw error;
  const [issue] = error.issues;
  const name = issue?.path.join('.') ?? '';
  return issue?.message.endsWith('received undefined') === true
    ? new ServiceError('MissingParameter', `The request must contain the parameter ${name}.`)
    : new ServiceError(
        'InvalidParameterValue',
        `Value for parameter ${name} is invalid. Reason: ${issue?.message}.`,
      );
};
