import middy from '@middy/core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HubError } from '../../../core/errors.ts';
import {
  type CustomResourceEvent,
  customResourceStack,
} from '../../../functions/middleware/custom-resource.ts';
import { invocation } from '../../support/queue-event.ts';

const EVENT: CustomResourceEvent = {
  RequestType: 'Create',
  ResponseURL: 'https://s3.amazonaws.com/response',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'Configuration',
};

let printed: string[] = [];
let uploads: unknown[] = [];
beforeEach(() => {
  [printed, uploads] = [[], []];
  vi.spyOn(console, 'error').mockImplementation((line: string) => {
    printed.push(line);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs the stack around a handler. Every upload gets the response `status`. */
const run = (
  handle: () => Promise<void>,
  event: CustomResourceEvent = EVENT,
  status = 200,
): Promise<unknown> => {
  const send: typeof fetch = async (url, init) => {
    uploads.push([url, JSON.parse(String(init?.body))]);
    return new Response(null, { status });
  };
  const handler = middy<CustomResourceEvent, unknown>()
    .use(customResourceStack('work', { physicalId: 'thing', send }))
    .handler(handle);
  return handler(event, invocation);
};
const uploaded = (outcome: object) => [
  EVENT.ResponseURL,
  {
    ...outcome,
    ...{ PhysicalResourceId: 'thing', StackId: 'stack' },
    ...{ RequestId: 'request', LogicalResourceId: 'Configuration' },
  },
];
const fail = (error: Error) => async () => {
  throw error;
};

it('uploads the success, under the physical id that the resource has', async () => {
  await run(async () => {});
  expect(uploads).toEqual([uploaded({ Status: 'SUCCESS' })]);
  await run(async () => {}, { ...EVENT, RequestType: 'Delete', PhysicalResourceId: 'older' });
  expect(uploads[1]).toMatchObject([EVENT.ResponseURL, { Status: 'SUCCESS', PhysicalResourceId: 'older' }]);
});

it('uploads a failure instead of failing: the sentence of a HubError, of other errors only where to look', async () => {
  await run(fail(new HubError('invalid-configuration', 'hub.yaml:3: wrong', { retry: 'never' })));
  await run(fail(new Error('secret text')));
  expect(uploads).toEqual([
    uploaded({ Status: 'FAILED', Reason: 'hub.yaml:3: wrong' }),
    uploaded({ Status: 'FAILED', Reason: 'See the log of the function work.' }),
  ]);
  expect(printed.map((line) => JSON.parse(line))).toMatchObject([
    {
      code: 'configuration-failure',
      type: 'Create',
      function: 'work',
      error: { code: 'invalid-configuration' },
    },
    { code: 'configuration-failure', type: 'Create', function: 'work', error: { name: 'Error' } },
  ]);
});

it('fails if the response is not accepted, and does not upload another one', async () => {
  await expect(run(async () => {}, EVENT, 403)).rejects.toMatchObject({ code: 'cloudformation-refusal' });
  expect(uploads).toHaveLength(1);
});

it('fails without a response URL', async () => {
  const { ResponseURL: _, ...rest } = EVENT;
  const withoutUrl: CustomResourceEvent = JSON.parse(JSON.stringify(rest));
  await expect(run(async () => {}, withoutUrl)).rejects.toThrow(/ResponseURL/u);
  expect(uploads).toEqual([]);
});
