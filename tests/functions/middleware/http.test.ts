import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HubError } from '../../../core/errors.ts';
import { httpStack } from '../../../functions/middleware/http.ts';
import { invocation } from '../../support/queue-event.ts';

let printed: string[] = [];
beforeEach(() => {
  printed = [];
  for (const level of ['log', 'error'] as const)
    vi.spyOn(console, level).mockImplementation((line: string) => {
      printed.push(line);
    });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const call = (error?: unknown): Promise<APIGatewayProxyStructuredResultV2> =>
  middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(httpStack('door', ['unknown-job']))
    .handler(async () => {
      if (error !== undefined) throw error;
      return { statusCode: 200 };
    })(
    { routeKey: 'GET /cats/{id}/{token}', pathParameters: { id: '7', token: 'secret' } } as never,
    invocation,
  );

const answerOf = async (error: unknown) => {
  const { statusCode, headers, body } = await call(error);
  return { statusCode, headers, ...(JSON.parse(String(body)) as object) };
};

it('turns retry into a status, as a problem', async () => {
  const json = 'application/problem+json';
  expect(await answerOf(new HubError('invalid-query', 'No cat.', { retry: 'never' }))).toEqual({
    ...{
      statusCode: 400,
      status: 400,
      headers: { 'content-type': json },
      code: 'invalid-query',
      detail: 'No cat.',
    },
  });
  expect(await answerOf(new HubError('unknown-job', 'No cat.', { retry: 'never' }))).toMatchObject({
    statusCode: 404,
    code: 'unknown-job',
  });
  expect(await answerOf(new HubError('crm-pause', 'Wait.', { retry: { afterSeconds: 9 } }))).toMatchObject({
    statusCode: 503,
    headers: { 'content-type': json, 'retry-after': '9' },
    code: 'temporary-failure',
  });
  expect(await answerOf(new Error('a secret'))).toMatchObject({
    statusCode: 503,
    headers: { 'retry-after': '5' },
  });
  expect(printed.join()).not.toContain('a secret');
  expect(JSON.parse(printed[0] ?? '')).toMatchObject({
    code: 'invalid-query',
    function: 'door',
    request: 'request-1',
  });
});

it('prints one line per request with HUB_TRACE=1, without the token of a link', async () => {
  vi.stubEnv('HUB_TRACE', '1');
  await call();
  expect(printed).toEqual(['hop door GET /cats/{id}/{token} id=7']);
});
