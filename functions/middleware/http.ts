import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { HubError } from '../../core/errors.ts';
import { log } from '../contracts/log.ts';

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
