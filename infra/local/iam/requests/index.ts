import { jsonOperation } from '../../protocol/json.ts';
import { queryOperation } from '../../protocol/query.ts';
import type { AwsRequest } from '../../protocol/service.ts';
import type { AccessRequest } from '../policy.ts';
import { type Derive, type Input, type KnownResources, record } from './derive.ts';
import { dynamodb } from './dynamodb.ts';
import { lambda } from './lambda.ts';
import { s3 } from './s3.ts';
import { events, scheduler, secretsmanager, ses, smsVoice, sns, sqs } from './services.ts';

export type { KnownResources } from './derive.ts';

const derivations: Readonly<Record<string, Derive>> = {
  dynamodb,
  lambda,
  sqs,
  events,
  scheduler,
  secretsmanager,
  ses,
  sns,
  s3,
  'sms-voice': smsVoice,
};

/** The access that a request needs, all of it. */
export const accessRequestsOf = (
  service: string,
  request: AwsRequest,
  operation: string,
  known: KnownResources,
): AccessRequest[] => {
  const derive = derivations[service];
  if (derive === undefined) return [{ action: `${service}:${operation}`, resource: '*' }];
  return derive(service === 's3' ? {} : inputOf(request), operation, known, request);
};

const inputOf = (request: AwsRequest): Input => {
  if (jsonOperation(request) === '' && queryOperation(request) !== '')
    return Object.fromEntries(new URLSearchParams(Buffer.from(request.body).toString()));
  try {
    return record(JSON.parse(Buffer.from(request.body).toString()));
  } catch {
    // The service itself answers with the error of an invalid body.
    return {};
  }
};
