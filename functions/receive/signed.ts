import { AwsClient } from 'aws4fetch';
import type { Runtime } from '../runtime.ts';

/** One signed call. The SDK would be three times the size of everything else in this function. */
export type SignedCall = (
  service: 'sqs' | 's3' | 'secretsmanager' | 'dynamodb',
  init: {
    readonly path?: string;
    readonly method?: string;
    readonly target?: string;
    readonly body: string | Uint8Array;
  },
) => Promise<Response>;

const endpointVariable = {
  sqs: 'SQS',
  s3: 'S3',
  secretsmanager: 'SECRETS_MANAGER',
  dynamodb: 'DYNAMODB',
} as const;

export const signedCalls = (runtime: Runtime): SignedCall => {
  const { env } = runtime;
  const region = env['AWS_REGION'] ?? '';
  const client = new AwsClient({
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    ...(env['AWS_SESSION_TOKEN'] !== undefined && { sessionToken: env['AWS_SESSION_TOKEN'] }),
    region,
  });
  const send = runtime.aws?.fetch ?? ((request: Request) => fetch(request));
  return async (service, { path = '/', method = 'POST', target, body }) => {
    const base =
      env[`AWS_ENDPOINT_URL_${endpointVariable[service]}`] ??
      env['AWS_ENDPOINT_URL'] ??
      `https://${service}.${region}.amazonaws.com`;
    const request = await client.sign(`${base.replace(/\/$/u, '')}${path}`, {
      method,
      body: typeof body === 'string' ? body : new Uint8Array(body),
      headers:
        target === undefined
          ? { 'content-type': 'application/octet-stream' }
          : {
              'content-type': `application/x-amz-json-${service === 'secretsmanager' ? '1.1' : '1.0'}`,
              'x-amz-target': target,
            },
      aws: { service, region },
    });
    return send(request);
  };
};
