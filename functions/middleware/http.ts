import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type ErrorCode, HubError } from '../../core/errors.ts';
import { isTracing, log, trace } from '../contracts/log.ts';
import { logContext } from './log-context.ts';

type HttpMiddleware = MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>;

/** The stack of a function behind API Gateway: log context, trace, and problem answers for what the handler throws. */
export const httpStack = (name: string, notFound: readonly ErrorCode[] = []): HttpMiddleware[] => [
  logContext(name),
  traceRequest(name),
  httpErrors(notFound),
];

/** With `HUB_TRACE=1`, one line per request: its route, and the parameters that are no secrets. */
const traceRequest = (name: string): HttpMiddleware => ({
  before({ event: { routeKey, pathParameters = {} } }) {
    if (!isTracing()) return;
    const { token: _, ...ids } = pathParameters;
    trace(name, routeKey, ids);
  },
});

/** The only place where the `retry` of an error becomes a status: 400, 404 for the codes of `notFound`, or 503. */
const httpErrors = (notFound: readonly ErrorCode[]): HttpMiddleware => ({
  onError(request) {
    const { error } = request;
    log('error', error instanceof HubError ? error.code : 'unexpected-error', {}, error);
    if (error instanceof HubError && error.retry === 'never') {
      const status = notFound.includes(error.code) ? 404 : 400;
      request.response = problem(status, error.code, error.message);
      return;
    }
    const seconds =
      error instanceof HubError && typeof error.retry === 'object' ? error.retry.afterSeconds : 5;
    request.response = {
      ...problem(503, 'temporary-failure', 'The hub cannot handle this request now. Send it again later.'),
      headers: { 'content-type': 'application/problem+json', 'retry-after': String(seconds) },
    };
  },
});

/** An answer as RFC 9457 describes it; `code` is one of the catalogue's, `detail` says what to do. */
export const problem = (
  status: number,
  code: ErrorCode,
  detail: string,
): APIGatewayProxyStructuredResultV2 => ({
  statusCode: status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ status, code, detail }),
});
