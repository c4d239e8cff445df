import { AwsClient } from 'aws4fetch';
import type { Runtime } from '../../contracts/runtime.ts';
import { pauseBeforeRetry } from './optimistic.ts';
import { AwsRefusal, isTransient } from './refusal.ts';

/** By the name of a service in signatures: the SDK's endpoint variable, and the constants of its protocol. */
const services = {
  sqs: { variable: 'SQS', target: 'AmazonSQS', json: '1.0' },
  s3: { variable: 'S3' },
  secretsmanager: {
    variable: 'SECRETS_MANAGER',
    target: 'secretsmanager',
    json: '1.1',
  },
  dynamodb: { variable: 'DYNAMODB', target: 'DynamoDB_20120810', json: '1.0' },
  scheduler: { variable: 'SCHEDULER' },
  lambda: { variable: 'LAMBDA' },
  events: { variable: 'EVENTBRIDGE', target: 'AWSEvents', json: '1.1' },
  sns: { variable: 'SNS', version: '2010-03-31' },
  ses: { variable: 'SES', version: '2010-12-01', host: 'email' },
  cloudformation: { variable: 'CLOUDFORMATION', version: '2010-05-15' },
  'sms-voice': {
    variable: 'PINPOINT_SMS_VOICE_V2',
    target: 'PinpointSMSVoiceV2',
    json: '1.0',
  },
  monitoring: {
    variable: 'CLOUDWATCH',
    target: 'GraniteServiceVersion20100801',
    json: '1.0',
  },
} as const;

type Service = keyof typeof services;
type JsonService = 'dynamodb' | 'events' | 'sqs' | 'secretsmanager' | 'sms-voice' | 'monitoring';
type QueryService = 'sns' | 'ses' | 'cloudformation';
type RestService = 's3' | 'scheduler' | 'lambda';

export interface RestRequest {
  readonly method: string;
  /** Percent-encoded, starting with `/`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/**
 * AWS calls without the SDK, whose clients would exceed the bundle budget of small functions. Each rejects with `AwsRefusal`
 * where the service refuses the request, and with what `fetch` throws where no answer arrives.
 */
export interface SignedCalls {
  /** The answer of an AWS JSON operation, before the caller validates it. */
  json(service: JsonService, operation: string, input: object): Promise<unknown>;
  /** The XML answer of an AWS query operation. */
  query(service: QueryService, action: string, fields: Readonly<Record<string, string>>): Promise<string>;
  rest(service: RestService, request: RestRequest): Promise<Response>;
  /** A URL that allows its holder this one request for some seconds. */
  presign(
    service: RestService,
    request: Pick<RestRequest, 'method' | 'path' | 'query'>,
    seconds: number,
  ): Promise<string>;
}

const regionOf = (env: Runtime['env']): string => env['AWS_REGION'] ?? '';

const signerOf = (env: Runtime['env']): AwsClient =>
  new AwsClient({
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    ...(env['AWS_SESSION_TOKEN'] !== undefined && { sessionToken: env['AWS_SESSION_TOKEN'] }),
    region: regionOf(env),
  });

const baseOf = (env: Runtime['env'], service: Service): string => {
  const { variable, ...constants } = services[service];
  const host = 'host' in constants ? constants.host : service;
  return (
    env[`AWS_ENDPOINT_URL_${variable}`] ??
    env['AWS_ENDPOINT_URL'] ??
    `https://${host}.${regionOf(env)}.amazonaws.com`
  ).replace(/\/$/u, '');
};

/** A request of a browser or a provider waits for these calls. */
const PAUSES = { firstMs: 50, longestMs: 1000 };

/**
 * `attempts`: three repeat a request after a lost connection, a throttle or a 5xx, with a pause before each; one is for requests
 * that must not be made twice. `timeLimit`: a fresh signal that aborts one request.
 */
export const signedCalls = (
  runtime: Pick<Runtime, 'env' | 'aws' | 'random' | 'sleep'>,
  { attempts = 3, timeLimit }: { attempts?: 1 | 3; timeLimit?: () => AbortSignal } = {},
): SignedCalls => {
  const { env, aws } = runtime;
  const signer = signerOf(env);
  const bound = aws?.fetch ?? ((request: Request) => fetch(request));
  const send = (request: Request): Promise<Response> =>
    bound(timeLimit === undefined ? request : new Request(request, { signal: timeLimit() }));
  const call = async (service: Service, request: RestRequest): Promise<Response> => {
    const query = new URLSearchParams(request.query).toString();
    const { method, body } = request;
    // Lambda detects recursive loops of functions by the trace header that each passes on.
    const trace = env['_X_AMZN_TRACE_ID'];
    const headers = { ...request.headers, ...(trace && { 'x-amzn-trace-id': trace }) };
    const sign = (): Promise<Request> =>
      signer.sign(
        `${baseOf(env, service)}${request.path}${query === '' ? '' : `?${query.replaceAll('+', '%20')}`}`,
        {
          method,
          headers,
          ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
          aws: { service, region: regionOf(env) },
        },
      );
    for (let made = 1; ; made++) {
      try {
        const response = await send(await sign());
        if (response.ok) return response;
        throw await refusalOf(service, response);
      } catch (error) {
        // `fetch` throws a TypeError when the connection fails.
        if (made === attempts || !(error instanceof TypeError || isTransient(error))) throw error;
        await pauseBeforeRetry(runtime, made, PAUSES);
      }
    }
  };
  return {
    async json(service, operation, input) {
      const { target, json } = services[service];
      const response = await call(service, {
        method: 'POST',
        path: '/',
        headers: {
          'content-type': `application/x-amz-json-${json}`,
          'x-amz-target': `${target}.${operation}`,
        },
        body: JSON.stringify(input),
      });
      const text = await response.text();
      return text === '' ? {} : JSON.parse(text);
    },
    async query(service, action, fields) {
      const response = await call(service, {
        method: 'POST',
        path: '/',
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: new URLSearchParams({
          Action: action,
          Version: services[service].version,
          ...fields,
        }).toString(),
      });
      return response.text();
    },
    rest: call,
    async presign(service, { method, path, query }, seconds) {
      const url = new URL(`${baseOf(env, service)}${path}`);
      for (const [name, value] of Object.entries({ ...query, 'X-Amz-Expires': String(seconds) }))
        url.searchParams.set(name, value);
      const { url: signed } = await signer.sign(url, {
        method,
        aws: { service, region: regionOf(env), signQuery: true },
      });
      return signed;
    },
  };
};

/** The error's name is in a header, a JSON field or an XML element, with a namespace or an address in some services. */
const refusalOf = async (service: Service, response: Response): Promise<AwsRefusal> => {
  const text = await response.text();
  const inJson = /"__type"\s*:\s*"([^"]*)"/u.exec(text)?.[1];
  const inXml = /<Code>([^<]*)<\/Code>/u.exec(text)?.[1];
  const full = response.headers.get('x-amzn-errortype') ?? inJson ?? inXml ?? 'UnknownError';
  const name = full.split(':')[0]?.split('#').at(-1) ?? full;
  const message =
    /"[mM]essage"\s*:\s*"((?:[^"\\]|\\.)*)"/u.exec(text)?.[1] ??
    /<Message>([^<]*)<\/Message>/u.exec(text)?.[1];
  return new AwsRefusal(service, response.status, name, message ?? '');
};
