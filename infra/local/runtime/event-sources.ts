import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import type { EventSource } from '../lambda/function.ts';
import type { Invocations } from '../lambda/invocations.ts';
import { stopped } from '../lambda/lineage.ts';
import type { Sqs } from '../sqs/index.ts';
import type { Subscribed } from '../sqs/subscription.ts';
import type { Meter } from './meter.ts';

export interface EventSourceOptions {
  readonly queues: Sqs;
  readonly lambda: Invocations;
  readonly meter: Meter;
  readonly onError: (error: unknown) => void;
  /** The longest batching window, in seconds. */
  readonly longestWindowSeconds: number;
}

const BatchResponse: z.ZodType<SQSBatchResponse> = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })),
});

/** Invokes a function with the messages of a queue, like Lambda's event source mapping. */
export const connectEventSource = (
  { queueArn, functionName, batchSize, windowSeconds, maximumConcurrency }: EventSource,
  { queues, lambda, meter, onError, longestWindowSeconds }: EventSourceOptions,
): Subscribed =>
  queues.subscribe(queueArn, {
    batchSize,
    maximumConcurrency,
    batchingWindowSeconds: Math.min(windowSeconds, longestWindowSeconds),
    reportBatchItemFailures: true,
    async handler(event: SQSEvent) {
      const { accepted, loops, trace } = lambda.withoutLoops(functionName, event);
      for (const { receiptHandle } of loops.Records) queues.moveToDeadLetter(queueArn, receiptHandle);
      if (loops.Records.length > 0) onError(stopped(functionName));
      const received = accepted.Records.length;
      if (received === 0) return { batchItemFailures: [] };
      try {
        const response = BatchResponse.parse(await lambda.call(functionName, accepted, trace));
        meter.batch(queueArn, received, response.batchItemFailures.length);
        return response;
      } catch (error) {
        meter.batch(queueArn, received, received);
        onError(error);
        throw error;
      }
    },
  });
