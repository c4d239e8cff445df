import * as z from 'zod';
import type { AwsRequest, AwsResponse } from './service.ts';

/** An error response of an AWS service. `type` is the service's own name for it. */
export class ServiceError extends Error {
  readonly type: string;
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(type: string, message: string, status = 400, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'ServiceError';
    this.type = type;
    this.status = status;
    this.fields = fields;
  }
}

export type Operation = (input: Readonly<Record<string, unknown>>, request: AwsRequest) => unknown;

const Body = z.record(z.string(), z.unknown());

/** The operation of an AWS JSON request, from `X-Amz-Target: Prefix.Operation`. */
export const jsonOperation = (request: AwsRequest): string =>
  (request.headers['x-amz-target'] ?? '').split('.').at(-1) ?? '';

/** Answers an AWS JSON 1.0 or 1.1 request with its operation. */
export const answerJson = async (
  request: AwsRequest,
  version: '1.0' | '1.1',
  operations: Readonly<Record<string, Operation>>,
  namespace = '',
): Promise<AwsResponse> => {
  const name = jsonOperation(request);
  const headers = {
    'content-type': `application/x-amz-json-${version}`,
    'x-amzn-requestid': crypto.randomUUID(),
  };
  try {
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined) {
      throw new ServiceError(
        'UnknownOperationException',
        `The local runtime does not support the operation ${JSON.stringify(name)}.`,
      );
    }
    const text = Buffer.from(request.body).toString();
    const output = await operation(Body.parse(text === '' ? {} : JSON.parse(text)), request);
    return { status: 200, headers, body: JSON.stringify(output ?? {}) };
  } catch (error) {
    const known = asServiceError(error);
    return {
      status: known.status,
      headers: { ...headers, 'x-amzn-errortype': known.type },
      body: JSON.stringify({ __type: `${namespace}${known.type}`, message: known.message, ...known.fields }),
    };
  }
};

/** The service's error for an invalid input. Rethrows every other error, which is a fault of the runtime. */
export const asServiceError = (error: unknown): ServiceError => {
  if (error instanceof ServiceError) return error;
  if (error instanceof z.ZodError) return new ServiceError('ValidationException', z.prettifyError(error));
  if (error instanceof SyntaxError)
    return new ServiceError('SerializationException', 'The body is not JSON.');
  throw error;
};
