import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { log } from '../contracts/log.ts';
import { logContext } from './log-context.ts';

/** The request of CloudFormation for a custom resource. */
export const CustomResourceEvent = z.looseObject({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
});
export type CustomResourceEvent = z.infer<typeof CustomResourceEvent>;

type CustomResourceMiddleware = MiddlewareObj<
  CustomResourceEvent,
  unknown,
  Error,
  Context,
  { responded?: boolean }
>;

interface CustomResourceOptions {
  /** The id of the created resource. CloudFormation deletes the old resource where it changes. */
  readonly physicalId: string;
  readonly send: typeof fetch;
}

/** The stack of a function behind a custom resource: log context, and the response that CloudFormation waits for. */
export const customResourceStack = (
  name: string,
  options: CustomResourceOptions,
): CustomResourceMiddleware[] => [logContext(name), respond(name, options)];

/**
 * Validates the request and uploads the outcome to its `ResponseURL`: without a response CloudFormation waits for an hour.
 * A failure of the handler becomes the status `FAILED`; the function itself fails only if the response is not accepted.
 */
const respond = (name: string, options: CustomResourceOptions): CustomResourceMiddleware => ({
  before(request) {
    request.event = CustomResourceEvent.parse(request.event);
  },
  async after(request) {
    request.internal.responded = true;
    await putResponse(options, request.event, { Status: 'SUCCESS' });
  },
  async onError(request) {
    const { event, error, internal } = request;
    if (internal.responded || !CustomResourceEvent.safeParse(event).success) return;
    log('error', 'configuration-failure', { type: event.RequestType }, error);
    const Reason =
      error instanceof HubError
        ? error.message
        : error?.name === 'TimeoutError'
          ? `The function ${name} did not end in time. Deploy again; if it happens again, read its log.`
          : `See the log of the function ${name}.`;
    await putResponse(options, event, { Status: 'FAILED', Reason });
    request.response = 'FAILED';
  },
});

const putResponse = async (
  { physicalId, send }: CustomResourceOptions,
  {
    ResponseURL,
    StackId,
    RequestId,
    LogicalResourceId,
    PhysicalResourceId = physicalId,
  }: CustomResourceEvent,
  outcome: { readonly Status: 'SUCCESS' | 'FAILED'; readonly Reason?: string },
): Promise<void> => {
  const response = await send(ResponseURL, {
    method: 'PUT',
    body: JSON.stringify({ ...outcome, PhysicalResourceId, StackId, RequestId, LogicalResourceId }),
    headers: { 'content-type': '' },
  });
  if (!response.ok)
    throw new HubError(
      'cloudformation-refusal',
      `CloudFormation answered ${response.status} to the outcome of the configuration.`,
      { retry: 'later' },
    );
};
