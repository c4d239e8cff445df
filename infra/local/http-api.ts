import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';
import type { AwsResponse } from './service.ts';

/** A request as it reaches the front door. */
export interface FrontRequest {
  readonly method: string;
  /** Path and query, as on the request line. */
  readonly target: string;
  /** Repeated headers joined with a comma, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Route {
  /** `GET /customers/{id}`, `ANY /webhooks/{provider}` or `$default`. */
  readonly key: string;
  readonly invoke: (event: APIGatewayProxyEventV2) => Promise<unknown>;
}

const BODY_LIMIT = 10 * 1024 * 1024;
const EVENT_LIMIT = 6 * 1024 * 1024;
const HEADERS_LIMIT = 10_240;
const TEXT = /^(?:text\/|application\/(?:json|javascript|xml|.*\+json|.*\+xml))/u;

const Result = z.looseObject({
  statusCode: z.int().optional(),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).optional(),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().optional(),
  cookies: z.array(z.string()).optional(),
});

const told = (status: number, message: string): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message }),
});

/** API Gateway's HTTP API in front of functions: payload format 2.0, its routing, its limits. */
export const httpApi =
  (routes: readonly Route[], now: () => number, newId: () => string) =>
  async (request: FrontRequest): Promise<AwsResponse> => {
    const size = Object.entries(request.headers).reduce(
      (sum, [name, value]) => sum + name.length + value.length,
      request.target.length,
    );
    if (size > HEADERS_LIMIT) return told(431, 'Request Header Fields Too Large');
    if (request.body.byteLength > BODY_LIMIT) return told(413, 'Request Entity Too Large');
    const [rawPath = '/', ...query] = request.target.split('?');
    const found = findRoute(routes, request.method, rawPath);
    if (found === undefined) return told(404, 'Not Found');
    const event = eventOf(request, rawPath, query.join('?'), found, now(), newId());
    if (Buffer.byteLength(event.body ?? '') > EVENT_LIMIT) return told(413, 'Request Entity Too Large');
    try {
      return answerOf(await found.route.invoke(event));
    } catch {
      return told(500, 'Internal Server Error');
    }
  };

interface Found {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The most specific route: a fixed segment before a variable one, a named method before ANY, `$default` last. */
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
  now: number,
  requestId: string,
): APIGatewayProxyEventV2 => {
  const { cookie, ...headers } = request.headers;
  const isText = TEXT.test(headers['content-type'] ?? '') && headers['content-encoding'] === undefined;
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
      accountId: '123456789012',
      apiId: 'local',
      domainName: headers['host'] ?? '127.0.0.1',
      domainPrefix: 'local',
      http: {
        method: request.method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: route.key,
      stage: '$default',
      time: new Date(now).toUTCString(),
      timeEpoch: now,
    },
    ...(request.body.byteLength > 0 && {
      body: Buffer.from(request.body).toString(isText ? 'utf8' : 'base64'),
    }),
    isBase64Encoded: !isText && request.body.byteLength > 0,
  };
};

/** What a function returned, as API Gateway reads it: without a status it is the body itself. */
const answerOf = (returned: unknown): AwsResponse => {
  const result = Result.safeParse(returned);
  if (!result.success || result.data.statusCode === undefined) {
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: typeof returned === 'string' ? returned : JSON.stringify(returned ?? null),
    };
  }
  const { statusCode, headers = {}, body = '', isBase64Encoded = false, cookies } = result.data;
  return {
    status: statusCode,
    headers: {
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      ...(cookies && { 'set-cookie': cookies.join(', ') }),
    },
    body: isBase64Encoded ? Buffer.from(body, 'base64') : body,
  };
};
