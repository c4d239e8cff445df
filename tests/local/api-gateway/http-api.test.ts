import { request as httpRequest } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../core/clock.ts';
import { httpApi, type Throttle } from '../../../infra/local/api-gateway/http-api.ts';
import { listen } from '../../../infra/local/protocol/http.ts';

const start = Date.parse('2026-03-01T09:00:00Z');

const open = (
  answer: (event: APIGatewayProxyEventV2) => unknown = () => ({ statusCode: 204 }),
  throttles: Readonly<Record<string, Throttle>> = {},
) => {
  const clock = new VirtualClock(start);
  const events: APIGatewayProxyEventV2[] = [];
  let ids = 0;
  const front = httpApi(
    [
      {
        key: 'ANY /hooks/{provider}',
        invoke: async (event) => {
          events.push(event);
          return answer(event);
        },
      },
      { key: 'GET /files/{path+}', invoke: async ({ pathParameters }) => pathParameters },
    ],
    {
      clock,
      newId: () => `id-${ids++}`,
      account: '123456789012',
      throttles: new Map(Object.entries(throttles)),
    },
  );
  const ask = (method = 'POST', target = '/hooks/x', headers = {}, body = '') =>
    front({ method, target, headers, body: Buffer.from(body) });
  return { clock, front, events, ask };
};

describe('an event of payload 2.0', () => {
  it('holds what API Gateway knows of a request', async () => {
    const { events, ask } = open();
    const headers = {
      host: 'hub.example.com',
      'user-agent': 'probe',
      'content-type': 'application/json; charset=utf-8',
      cookie: 'a=1; b=2',
      'x-forwarded-for': '203.0.113.9',
      twice: 'one,two',
    };
    await ask('POST', '/hooks/a%20b?x=1&x=2&y=', headers, '{"ä":1}');
    expect(events[0]).toEqual({
      version: '2.0',
      routeKey: 'ANY /hooks/{provider}',
      rawPath: '/hooks/a b',
      rawQueryString: 'x=1&x=2&y=',
      cookies: ['a=1', 'b=2'],
      headers: {
        host: 'hub.example.com',
        'user-agent': 'probe',
        'content-type': 'application/json; charset=utf-8',
        'content-length': '8',
        twice: 'one,two',
        'x-forwarded-for': '203.0.113.9, 127.0.0.1',
        'x-forwarded-port': '443',
        'x-forwarded-proto': 'https',
      },
      queryStringParameters: { x: '1,2', y: '' },
      pathParameters: { provider: 'a b' },
      requestContext: {
        accountId: '123456789012',
        apiId: 'local',
        domainName: 'hub.example.com',
        domainPrefix: 'local',
        http: {
          method: 'POST',
          path: '/hooks/a b',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'probe',
        },
        requestId: 'id-0',
        routeKey: 'ANY /hooks/{provider}',
        stage: '$default',
        time: '01/Mar/2026:09:00:00 +0000',
        timeEpoch: start,
      },
      body: '{"ä":1}',
      isBase64Encoded: false,
    });
  });

  it('leaves out what a request does not have', async () => {
    const { events, ask } = open();
    await ask('GET');
    for (const name of ['cookies', 'queryStringParameters', 'body'])
      expect(events[0]).not.toHaveProperty(name);
    expect(events[0]?.isBase64Encoded).toBe(false);
  });

  it.each([
    ['text/plain', {}, false],
    ['application/xml', {}, false],
    ['application/json', { 'content-encoding': 'gzip' }, true],
    ['application/x-www-form-urlencoded', {}, true],
    ['multipart/form-data', {}, true],
  ])('holds a body of %s %j in base64: %s', async (type, more, encoded) => {
    const { events, ask } = open();
    await ask('POST', '/hooks/x', { 'content-type': type, ...more }, 'body');
    expect(events[0]?.isBase64Encoded).toBe(encoded);
    expect(events[0]?.body).toBe(encoded ? Buffer.from('body').toString('base64') : 'body');
  });

  it('has a greedy parameter whole', async () => {
    const response = await open().ask('GET', '/files/a/b%2Fc');
    expect(JSON.parse(String(response.body))).toEqual({ path: 'a/b/c' });
  });
});

describe('an answer', () => {
  const json = { 'content-type': 'application/json' };
  it.each([
    ['a text', 'hello', { status: 200, headers: json, body: 'hello' }],
    ['an object without a status', { ok: true }, { status: 200, headers: json, body: '{"ok":true}' }],
    ['nothing', undefined, { status: 200, headers: json, body: 'null' }],
    [
      'a whole answer',
      { statusCode: 201, headers: { 'X-Number': 7, 'Content-Type': 'text/html' }, body: '<p>' },
      { status: 201, headers: { 'x-number': '7', 'content-type': 'text/html' }, body: '<p>' },
    ],
    [
      'bytes in base64',
      { statusCode: 200, isBase64Encoded: true, body: 'aGk=', headers: { 'content-type': 'image/png' } },
      { status: 200, body: Buffer.from('hi') },
    ],
    ['cookies', { statusCode: 200, cookies: ['a=1; Path=/', 'b=2'] }, { cookies: ['a=1; Path=/', 'b=2'] }],
    [
      'a status that is none',
      { statusCode: 'fine' },
      { status: 500, body: '{"message":"Internal Server Error"}' },
    ],
    ['a body that is none', { statusCode: 200, body: { n: 1 } }, { status: 500 }],
  ])('is made of %s', async (_, returned, expected) => {
    expect(await open(() => returned).ask()).toMatchObject(expected);
  });

  it('is 503 when the function takes more than 30 seconds', async () => {
    const { clock, ask } = open(() => new Promise(() => {}));
    const asked = ask();
    await clock.runUntil(start + 29_999);
    expect(await Promise.race([asked, Promise.resolve('waiting')])).toBe('waiting');
    await clock.runUntil(start + 30_000);
    expect(await asked).toMatchObject({ status: 503, body: '{"message":"Service Unavailable"}' });
  });

  it('is 404 with a message where no route leads', async () => {
    expect(await open().ask('GET', '/hooks')).toMatchObject({ status: 404, body: '{"message":"Not Found"}' });
    expect((await open().ask('POST', '/files/a')).status).toBe(404);
  });

  it('is 429 beyond what the stage allows, until the bucket fills again', async () => {
    const { clock, ask } = open(undefined, { $default: { rate: 2, burst: 3 } });
    const statuses = async (count: number) => {
      const found: number[] = [];
      for (let n = 0; n < count; n++) found.push((await ask()).status);
      return found;
    };
    expect(await statuses(4)).toEqual([204, 204, 204, 429]);
    await clock.runUntil(start + 1000);
    expect(await statuses(3)).toEqual([204, 204, 429]);
  });

  it('is 429 beyond what a route allows, while others are served', async () => {
    const { ask } = open(undefined, {
      $default: { rate: 10, burst: 10 },
      'GET /files/{path+}': { rate: 1, burst: 1 },
    });
    const files = [await ask('GET', '/files/a'), await ask('GET', '/files/b')];
    expect(files.map(({ status }) => status)).toEqual([200, 429]);
    expect((await ask()).status).toBe(204);
  });
});

describe('over a socket', () => {
  it('joins repeated headers, sets each cookie, and refuses a body too large without reading it', async () => {
    const { front, events } = open(() => ({ statusCode: 200, body: 'x', cookies: ['a=1', 'b=2'] }));
    const server = await listen(front, { bodyLimit: 1000 });
    try {
      const answer = await new Promise<{ cookies: string[] | undefined }>((resolve, reject) => {
        const sent = httpRequest(
          { port: server.port, host: '127.0.0.1', path: '/hooks/x', method: 'POST' },
          (response) => {
            response.resume();
            resolve({ cookies: response.headers['set-cookie'] });
          },
        );
        sent.setHeader('X-Part', ['one', 'two']);
        sent.on('error', reject);
        sent.end('{}');
      });
      expect(answer.cookies).toEqual(['a=1', 'b=2']);
      expect(events[0]?.headers['x-part']).toBe('one,two');
      const large = await fetch(`http://127.0.0.1:${server.port}/hooks/x`, {
        method: 'POST',
        body: 'y'.repeat(1001),
      });
      expect([large.status, await large.json()]).toEqual([413, { message: 'Request Entity Too Large' }]);
      expect(events.length).toBe(1);
    } finally {
      await server.stop();
    }
  });
});
