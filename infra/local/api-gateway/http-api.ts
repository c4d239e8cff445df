import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';
import type { Clock } from '../protocol/clock.ts';
import type { AwsResponse } from '../protocol/service.ts';

/** A request to the HTTP API. */
export interface FrontRequest {
  readonly method: string;
  /** Path and query, as on the request line. */
  readonly target: string;
  /** Repeated headers joined with a comma, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Route {
  /** `GET /orders/{id}`, `ANY /files/{path+}` or `$default`. */
  readonly key: string;
  readonly invoke: (event: APIGatewayProxyEventV2) => Promise<unknown>;
  /** The integration's timeout; by default and at most 30 seconds. */
  readonly timeoutMs?: number | undefined;
}

/** The throttling of an API: requests a second, and the size of a burst. */
export interface Throttle {
  readonly rate: number;
  readonly burst: number;
}

export interface FrontOptions {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly account: string;
  /** By the key of the route; `$default` is for all others together. */
  readonly throttles?: ReadonlyMap<string, Throttle>;
}

const BODY_LIMIT = 10 * 1024 * 1024;
const EVENT_LIMIT = 6 * 1024 * 1024;
const HEADERS_LIMIT = 10_240;
const LONGEST_WAIT_MS = 30_000;
const TEXT = /^(?:text\/|application\/(?:json|javascript|xml|.*\+json|.*\+xml))/u;

const Result = z.looseObject({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
  cookies: z.array(z.string()).nullish(),
});

const gatewayError = (status: number, message: string): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message }),
});

/** API Gateway's HTTP API: payload format 2.0, its routing and its limits. */
export const httpApi = (
  routes: readonly Route[],
  { clock, newId, account, throttles = new Map() }: FrontOptions,
): ((request: FrontRequest) => Promise<AwsResponse>) => {
  const buckets = new Map([...throttles].map(([key, throttle]) => [key, bucketOf(throttle, clock.now())]));
  const admits = (key: string): boolean =>
    (buckets.get(key) ?? buckets.get('$default'))?.(clock.now()) ?? true;
  const answer = async (request: FrontRequest, requestId: string): Promise<AwsResponse> => {
    const size = Object.entries(request.headers).reduce(
      (sum, [name, value]) => sum + name.length + value.length,
      request.target.length,
    );
    if (size > HEADERS_LIMIT) return gatewayError(431, 'Request Header Fields Too Large');
    if (request.body.byteLength > BODY_LIMIT) return gatewayError(413, 'Request Entity Too Large');
    const [rawPath = '/', ...query] = request.target.split('?');
    const found = findRoute(routes, request.method, rawPath);
    if (found === undefined) return gatewayError(404, 'Not Found');
    if (!admits(found.route.key)) return gatewayError(429, 'Too Many Requests');
    const about = { now: clock.now(), requestId, account };
    const event = eventOf(request, rawPath, query.join('?'), found, about);
    if (Buffer.byteLength(event.body ?? '') > EVENT_LIMIT)
      return gatewayError(413, 'Request Entity Too Large');
    const wait = Math.min(found.route.timeoutMs ?? LONGEST_WAIT_MS, LONGEST_WAIT_MS);
    const late = Promise.withResolvers<AwsResponse>();
    const timer = clock.at(clock.now() + wait, () => late.resolve(gatewayError(503, 'Service Unavailable')));
    const invoked = found.route
      .invoke(event)
      .then(answerOf, () => gatewayError(500, 'Internal Server Error'));
    return Promise.race([invoked, late.promise]).finally(() => timer.cancel());
  };
  return async (request) => {
    const requestId = newId();
    const response = await answer(request, requestId);
    return { ...response, headers: { ...response.headers, 'apigw-requestid': requestId } };
  };
};

/** A token bucket of `burst` requests, refilled with `rate` a second. Returns whether a request is admitted. */
const bucketOf = ({ rate, burst }: Throttle, start: number): ((now: number) => boolean) => {
  let [held, since] = [burst, start];
  return (now) => {
    held = Math.min(burst, held + ((now - since) / 1000) * rate);
    since = now;
    if (held < 1) return false;
    held -= 1;
    return true;
  };
};

interface Found {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The most specific route: fixed segments before variable ones, a method before ANY, `$default` last. */
const findRoute = (routes: readonly Route[], method: string, path: string): Found | undefined => {
  const matched = routes.flatMap((route) => {
    if (route.key === '$default') return [{ route, parameters: {}, rank: -1 }];
    const [verb = '', pattern = ''] = route.key.split(' ');
    if (verb !== 'ANY' && verb !== method) return [];
    const parameters = matchPath(pattern, path);
    if (parameters === undefined) return [];
    return [
      { route, parameters, rank: 1000 - Object.keys(parameters).length * 10 + (verb === 'ANY' ? 0 : 1) },
    ];
  });
  return matched.sort((one, other) => other.rank - one.rank)[0];
};

const matchPath = (pattern: string, path: string): Record<string, string> | undefined => {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  const parameters: Record<string, string> = {};
  for (const [at, segment] of wanted.entries()) {
    const name = /^\{(\w+)(\+?)\}$/u.exec(segment);
    const value = given[at];
    if (value === undefined) return undefined;
    if (name === null) {
      if (segment !== value) return undefined;
    } else if (name[2] === '+') {
      parameters[name[1] ?? ''] = decoded(given.slice(at).join('/'));
      return parameters;
    } else if (value === '') return undefined;
    else parameters[name[1] ?? ''] = decoded(value);
  }
  return wanted.length === given.length ? parameters : undefined;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const eventOf = (
  request: FrontRequest,
  rawPath: string,
  rawQueryString: string,
  { route, parameters }: Found,
  { now, requestId, account }: { readonly now: number; readonly requestId: string; readonly account: string },
): APIGatewayProxyEventV2 => {
  const { cookie, ...given } = request.headers;
  const before = given['x-forwarded-for'];
  const headers = {
    ...given,
    'content-length': String(request.body.byteLength),
    'x-forwarded-for': before === undefined ? '127.0.0.1' : `${before}, 127.0.0.1`,
    'x-forwarded-port': '443',
    'x-forwarded-proto': 'https',
  };
  const isText = TEXT.test(given['content-type'] ?? '') && given['content-encoding'] === undefined;
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQueryString))
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  const path = decoded(rawPath);
  return {
    version: '2.0',
    routeKey: route.key,
    rawPath: path,
    rawQueryString,
    ...(cookie !== undefined && { cookies: cookie.split(/;\s*/u) }),
    headers,
    ...(rawQueryString !== '' && { queryStringParameters: query }),
    ...(Object.keys(parameters).length > 0 && { pathParameters: { ...parameters } }),
    requestContext: {
      accountId: account,
      apiId: 'local',
      domainName: given['host'] ?? '127.0.0.1',
      domainPrefix: 'local',
      http: {
        method: request.method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: given['user-agent'] ?? '',
      },
      requestId,
      routeKey: route.key,
      stage: '$default',
      time: logTime(now),
      timeEpoch: now,
    },
    ...(request.body.byteLength > 0 && {
      body: Buffer.from(request.body).toString(isText ? 'utf8' : 'base64'),
    }),
    isBase64Encoded: !isText && request.body.byteLength > 0,
  };
};

/** An instant in the format of access logs: `12/Mar/2026:19:03:58 +0000`. */
const logTime = (now: number): string => {
  const [, day, month, year, time] = new Date(now).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
};

/** The response for a function's result. A result without a status is the body; a malformed one is an error. */
const answerOf = (returned: unknown): AwsResponse => {
  if (typeof returned !== 'object' || returned === null || !('statusCode' in returned)) {
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: typeof returned === 'string' ? returned : JSON.stringify(returned ?? null),
    };
  }
  const result = Result.safeParse(returned);
  if (!result.success) return gatewayError(500, 'Internal Server Error');
  const { statusCode, headers, body, isBase64Encoded, cookies } = result.data;
  const named = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    status: statusCode,
    headers: { ...(body && { 'content-type': 'text/plain;charset=UTF-8' }), ...Object.fromEntries(named) },
    body: isBase64Encoded ? Buffer.from(body ?? '', 'base64') : (body ?? ''),
    ...(cookies && cookies.length > 0 && { cookies }),
  };
};
