import { escapeXml } from '../protocol/query.ts';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';
import { errorAnswer as s3ErrorAnswer } from '../s3/answer.ts';
import type { AccessRequest } from './policy.ts';

/** A refused request for access. */
export interface Refusal extends AccessRequest {
  /** An ARN: `arn:aws:sts::…:assumed-role/<role>/<function>`, or the service that acts. */
  readonly caller: string;
  readonly because: 'no-identity-policy' | 'no-resource-policy' | 'explicit-deny';
}

const reasons: Readonly<Record<Refusal['because'], (action: string) => string>> = {
  'no-identity-policy': (action) => `because no identity-based policy allows the ${action} action`,
  'no-resource-policy': (action) => `because no resource-based policy allows the ${action} action`,
  'explicit-deny': () => 'with an explicit deny in a policy',
};

/** The error message of AWS. */
export const sentenceOf = ({ caller, action, resource, because }: Refusal): string =>
  `User: ${caller} is not authorized to perform: ${action} on resource: ${resource} ${reasons[because](action)}`;

/** The error response of a service to a refused request. */
export const refusedAnswer = (service: string, request: AwsRequest, refusal: Refusal): AwsResponse => {
  if (service === 'ses')
    return errorAnswer(service, request, {
      type: 'AccessDenied',
      message: `User \`${refusal.caller}' is not authorized to perform \`${refusal.action}' on resource \`${refusal.resource}'`,
    });
  const types: Readonly<Record<string, string>> = { s3: 'AccessDenied', sns: 'AuthorizationError' };
  return errorAnswer(service, request, {
    type: types[service] ?? 'AccessDeniedException',
    message: sentenceOf(refusal),
  });
};

/** The error response to a request that is signed with the key of an unknown function. */
export const unknownKeyAnswer = (service: string, request: AwsRequest): AwsResponse => {
  const types: Readonly<Record<string, string>> = {
    s3: 'InvalidAccessKeyId',
    ses: 'InvalidClientTokenId',
    sns: 'InvalidClientTokenId',
  };
  return errorAnswer(service, request, {
    type: types[service] ?? 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  });
};

/** An error in the protocol of a service; without a `status` it has that of a refused access. */
export const errorAnswer = (
  service: string,
  request: AwsRequest,
  { type, message, status }: { readonly type: string; readonly message: string; readonly status?: number },
): AwsResponse => {
  if (service === 's3')
    return s3ErrorAnswer({ type, message, status: status ?? 403, fields: {} }, request.path);
  const isJson = request.headers['x-amz-target'] !== undefined || ['scheduler', 'lambda'].includes(service);
  if (!isJson) {
    const code = service === 'sqs' ? type.replace(/Exception$/u, '') : type;
    return {
      status: status ?? 403,
      headers: { 'content-type': 'text/xml' },
      body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${crypto.randomUUID()}</RequestId></ErrorResponse>`,
    };
  }
  return {
    status: status ?? (service === 'scheduler' ? 403 : 400),
    headers: {
      'content-type': request.headers['content-type'] ?? 'application/json',
      'x-amzn-errortype': type,
      'x-amzn-requestid': crypto.randomUUID(),
      ...(service === 'sqs' && { 'x-amzn-query-error': `${type.replace(/Exception$/u, '')};Sender` }),
    },
    // Services spell the field `Message` or `message`; every client reads both.
    body: JSON.stringify({ __type: `com.amazon.coral.service#${type}`, message, Message: message }),
  };
};
