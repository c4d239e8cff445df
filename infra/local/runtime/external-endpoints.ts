import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AwsClient } from 'aws4fetch';
import { LocalError } from '../protocol/errors.ts';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';
import { callOf } from '../s3/request.ts';

/** The signing names of the services that can be replaced, by the SDK's variable for their endpoint. */
const REPLACEABLE: Readonly<Record<string, string>> = {
  AWS_ENDPOINT_URL_DYNAMODB: 'dynamodb',
  AWS_ENDPOINT_URL_S3: 's3',
  AWS_ENDPOINT_URL_SES: 'ses',
  AWS_ENDPOINT_URL_SNS: 'sns',
  AWS_ENDPOINT_URL_SECRETS_MANAGER: 'secretsmanager',
  AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2: 'sms-voice',
};
const NOT_REPLACEABLE = [
  'AWS_ENDPOINT_URL_SQS',
  'AWS_ENDPOINT_URL_EVENTBRIDGE',
  'AWS_ENDPOINT_URL_SCHEDULER',
];

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Real endpoints in place of local services, and the developer's own credentials for them. */
export interface ExternalEndpoints {
  /** URLs by signing name. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly region: string;
  readonly credentials: () => Promise<Credentials>;
}

/**
 * The endpoints in the environment.
 *
 * @throws LocalError `bad-endpoint` for an invalid URL, and for a service that the runtime must run itself.
 */
export const externalEndpointsOf = (
  env: Readonly<Record<string, string | undefined>>,
  region: string,
): ExternalEndpoints => {
  const named = (name: string): string | undefined => env[name] || undefined;
  const refused = NOT_REPLACEABLE.find((name) => named(name) !== undefined);
  if (refused !== undefined)
    throw new LocalError(
      'bad-endpoint',
      `${refused} names a service that the local runtime must run itself. Unset it. These can be replaced: ${Object.keys(REPLACEABLE).join(', ')}.`,
    );
  const endpoints = Object.entries(REPLACEABLE).flatMap(([name, service]): [string, string][] => {
    const address = named(name);
    if (address === undefined) return [];
    if (!/^https?:\/\//u.test(address) || !URL.canParse(address))
      throw new LocalError('bad-endpoint', `${name} is not a URL. Write http://… or https://….`);
    return [[service, address.replace(/\/+$/u, '')]];
  });
  const signedFor = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? region;
  return {
    endpoints: Object.fromEntries(endpoints),
    region: signedFor,
    // The SDK finds credentials in the environment, in profiles and in the metadata service.
    credentials: () => new SecretsManagerClient({ region: signedFor }).config.credentials(),
  };
};

const LOOPBACK = /^https?:\/\/(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?::|\/|$)/u;
/** Headers of the connection and of the old signature, which are not forwarded. */
const UNFORWARDED_HEADERS =
  /^(?:host|authorization|connection|content-length|transfer-encoding|expect|x-amz-date|x-amz-security-token)$/u;
const SIGNATURE_PARAMETERS =
  /^x-amz-(?:algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)$/iu;

/** Forwards requests to real endpoints. Each is signed again, because a function's key is valid on this machine only. */
export const forwarder = (
  { endpoints, region, credentials }: ExternalEndpoints,
  send: typeof fetch = fetch,
): ((service: string, request: AwsRequest) => Promise<AwsResponse>) => {
  const clients = new Map<string, Promise<AwsClient>>();
  const clientFor = async (endpoint: string, service: string): Promise<AwsClient> => {
    const found = await credentials().catch((error: unknown): Credentials => {
      // A server on this machine, such as DynamoDB Local, accepts any key.
      if (LOOPBACK.test(endpoint)) return { accessKeyId: 'local', secretAccessKey: 'local' };
      throw new LocalError(
        'no-credentials',
        `There are no AWS credentials for ${endpoint}: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
        error,
      );
    });
    const { accessKeyId, secretAccessKey, sessionToken } = found;
    const session = sessionToken === undefined ? {} : { sessionToken };
    return new AwsClient({ accessKeyId, secretAccessKey, ...session, service, region, retries: 0 });
  };
  return async (service, request) => {
    const endpoint = endpoints[service] ?? '';
    const client = clients.get(service) ?? clientFor(endpoint, service);
    clients.set(service, client);
    const query = new URLSearchParams(request.query);
    for (const name of [...query.keys()]) if (SIGNATURE_PARAMETERS.test(name)) query.delete(name);
    const headers = Object.entries(request.headers).filter(([name]) => !UNFORWARDED_HEADERS.test(name));
    const target = `${endpoint}${pathOf(service, request)}${query.size === 0 ? '' : `?${query}`}`;
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    const signed = await (await client).sign(target, {
      method: request.method,
      headers: Object.fromEntries(headers),
      ...(hasBody && { body: Buffer.from(request.body) }),
    });
    const response = await send(signed);
    const answered = [...response.headers].filter(
      ([name]) =>
        !/^(?:connection|content-encoding|content-length|transfer-encoding|keep-alive)$/u.test(name),
    );
    return {
      status: response.status,
      headers: Object.fromEntries(answered),
      body: new Uint8Array(await response.arrayBuffer()),
    };
  };
};

/** The path with the bucket: the endpoint is one host for every bucket. */
const pathOf = (service: string, request: AwsRequest): string => {
  if (service !== 's3') return request.path;
  const bucket = encodeURIComponent(callOf(request).bucket);
  const inPath = bucket === '' || request.path === `/${bucket}` || request.path.startsWith(`/${bucket}/`);
  return inPath ? request.path : `/${bucket}${request.path}`;
};
