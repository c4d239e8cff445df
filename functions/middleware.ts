import type { MiddlewareObj } from '@middy/core';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';
import { HubError } from '../core/errors.ts';
import { log } from './log.ts';

/** Turns what a use case throws into an HTTP answer: the only place where `retry` becomes a status. */
export const httpErrors = (): MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2> => ({
  onError: (request) => {
    const { error } = request;
    log('error', error instanceof HubError ? error.code : 'unexpected', {}, error);
    if (error instanceof HubError && error.retry === 'never') {
      request.response = problem(400, error.code, error.message);
      return;
    }
    const seconds =
      error instanceof HubError && typeof error.retry === 'object' ? error.retry.afterSeconds : 5;
    request.response = {
      ...problem(503, 'try-again', 'The hub could not take this now. Send it again later.'),
      headers: { 'content-type': 'application/problem+json', 'retry-after': String(seconds) },
    };
  },
});

/** An RFC 9457 answer. */
export const problem = (status: number, code: string, detail: string): APIGatewayProxyStructuredResultV2 => ({
  statusCode: status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ status, code, detail }),
});

/** A queue's handler from a use case that names the messages which have to be delivered again, each with the reason. */
export const batch =
  (use: (event: SQSEvent) => Promise<ReadonlyMap<string, unknown>>) =>
  async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const failed = await use(event);
    for (const [message, error] of failed) log('error', 'message-failed', { message }, error);
    return { batchItemFailures: [...failed.keys()].map((itemIdentifier) => ({ itemIdentifier })) };
  };

/** One message after the other; those that throw are delivered again. */
export const eachMessage =
  (use: (body: string) => Promise<void>) =>
  async ({ Records }: SQSEvent): Promise<ReadonlyMap<string, unknown>> => {
    const failed = new Map<string, unknown>();
    for (const { messageId, body } of Records) {
      try {
        await use(body);
      } catch (error) {
        failed.set(messageId, error);
      }
    }
    return failed;
  };
