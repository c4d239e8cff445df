import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import { queueNameOf } from './attributes.ts';
import type { Queue, Queues } from './queues.ts';

/** The sender of a request and its trace header, which the messages that it sends carry on. */
export interface Requester {
  readonly sender: string;
  readonly trace: string | undefined;
}

export type SqsOperation = (input: Readonly<Record<string, unknown>>, requester: Requester) => unknown;

const Url = z.looseObject({ QueueUrl: z.string() });

/** The queue that a request names by its URL. */
export const queueIn =
  (queues: Queues) =>
  (input: unknown): Queue =>
    queues.get(queueNameOf(Url.parse(input).QueueUrl));

/** The error of SQS for an invalid input. Rethrows every error that is not the caller's. */
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
