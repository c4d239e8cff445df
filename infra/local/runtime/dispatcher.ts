import { functionOfKey } from '../iam/access-key.ts';
import type { RequestAuthorization } from '../iam/request-authorization.ts';
import type { LambdaFunction } from '../lambda/function.ts';
import type { AwsRequest, AwsResponse, AwsService } from '../protocol/service.ts';
import { credentialOf, unknownService } from '../protocol/signature.ts';
import { isOpenToAll } from '../sns/index.ts';
import { ACCOUNT } from './account.ts';
import type { CloudOptions } from './cloud-options.ts';
import { forwarder } from './external-endpoints.ts';
import { faulty } from './faults.ts';
import type { Meter } from './meter.ts';

export interface DispatchOptions
  extends Pick<CloudOptions, 'externalEndpoints' | 'before' | 'chaos' | 'random'> {
  /** Services by signing name. */
  readonly services: ReadonlyMap<string, AwsService>;
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly authorization: RequestAuthorization;
  readonly meter: Meter;
  /** Requests by `caller service operation`, counted here. */
  readonly counts: Map<string, number>;
}

/** Routes each request to the service of its signature, if the caller's policies allow the operation. */
export const dispatcher = ({
  services,
  functions,
  authorization,
  meter,
  counts,
  externalEndpoints,
  before,
  chaos = {},
  random,
}: DispatchOptions): ((request: AwsRequest) => Promise<AwsResponse>) => {
  const forward = externalEndpoints && forwarder(externalEndpoints);
  const withFaults = faulty(chaos, random);
  return async (request) => {
    const { accessKey, service: name } = isOpenToAll(request)
      ? { accessKey: '-', service: 'sns' }
      : credentialOf(request);
    const service = services.get(name);
    if (service === undefined)
      return unknownService(`The local runtime has no service ${name || '(the request is not signed)'}.`);
    const functionName = functionOfKey(accessKey);
    const caller = functionName ?? '-';
    const operation = service.operation(request);
    before?.(name, operation, caller);
    const counted = `${caller} ${name} ${operation}`;
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
    const refused = authorization.refuse(name, operation, request, functionName);
    if (refused) return refused;
    const send = (sent: AwsRequest): Promise<AwsResponse> =>
      forward !== undefined && externalEndpoints?.endpoints[name] !== undefined
        ? forward(name, sent)
        : service.handle(sent, {
            accessKeyId: accessKey,
            arn: functions.get(caller)?.roleArn ?? `arn:aws:iam::${ACCOUNT}:root`,
          });
    const response = await (functionName === undefined
      ? send(request)
      : withFaults(name, operation, request, send));
    if (response.status < 300) meter.request(name, operation, request);
    return authorization.hideMissing(name, request, functionName, response);
  };
};
