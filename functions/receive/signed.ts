import { AwsClient } from 'aws4fetch';
import type { Runtime } from '../runtime.ts';

/** One signed call. The SDK would be three times the size of everything else in this function. */
export type SignedCall = (
  service: 'sqs' | 's3' | 'secretsmanager' | 'dynamodb',
  init: {
    readonly path?: string;
    readonly method?: string;
    readonly target?: string;
    readonly body?: string | Uint8Array;
  },
) => Promise<Response>;

const endpointVariable = {
  sqs: 'SQS',
  s3: 'S3',
  secretsmanager: 'SECRETS_MANAGER',
  dynamodb: 'DYNAMODB',
} as const;

const clientOf = ({ env }: Runtime, region: string): AwsClient =>
  new AwsClient({
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    ...(env['AWS_SESSION_TOKEN'] !== undefined && { sessionToken: env['AWS_SESSION_TOKEN'] }),
    region,
  });

const baseOf = ({ env }: Runtime, service: keyof typeof endpointVariable, region: string): string =>
  (
    env[`AWS_ENDPOINT_URL_${endpointVariable[service]}`] ??
    env['AWS_ENDPOINT_URL'] ??
    `https://${service}.${region}.amazonaws.com`
  ).replace(/\/$/u, '');

/**
 * Signs an address of the hub's bucket, so that whoever holds it may do this one thing for so many seconds. `answer`: what
 * S3 is told to say of the file, such as `response-content-disposition`.
 */
export type Presign = (
  method: 'GET' | 'PUT',
  key: string,
  seconds: number,
  answer?: Readonly<Record<string, string>>,
) => Promise<string>;

export const presigner = (runtime: Runtime): Presign => {
  const region = runtime.env['AWS_REGION'] ?? '';
  const client = clientOf(runtime, region);
  return async (method, key, seconds, answer = {}) => {
    const url = new URL(`${baseOf(runtime, 's3', region)}/${runtime.env['BUCKET']}/${key}`);
    for (const [name, value] of Object.entries({ ...answer, 'X-Amz-Expires': String(seconds) }))
      url.searchParams.set(name, value);
    const { url: signed } = await client.sign(url, {
      method,
      aws: { service: 's3', region, signQuery: true },
    });
    return signed;
  };
};

export const signedCalls = (runtime: Runtime): SignedCall => {
  const region = runtime.env['AWS_REGION'] ?? '';
  const client = clientOf(runtime, region);
  const send = runtime.aws?.fetch ?? ((request: Request) => fetch(request));
  return async (service, { path = '/', method = 'POST', target, body }) => {
    const request = await client.sign(`${baseOf(runtime, service, region)}${path}`, {
      method,
      ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
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
