import { describe, expect, it } from 'vitest';
import { AwsRefusal } from '../../functions/aws/clients/refusal.ts';
import { signedCalls } from '../../functions/aws/clients/signed.ts';

interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly attempts?: 1 | 3;
  readonly answer?: (request: Request, attempt: number) => Response;
}

const open = ({ env = {}, attempts = 3, answer = () => Response.json({}) }: World = {}) => {
  const seen: Request[] = [];
  const pauses: number[] = [];
  const aws = signedCalls(
    {
      env: {
        ...{ AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'KEY', AWS_SECRET_ACCESS_KEY: 'secret' },
        ...env,
      },
      random: () => 0.5,
      sleep: async (milliseconds) => void pauses.push(milliseconds),
      aws: {
        async fetch(request) {
          seen.push(request.clone());
          return answer(request, seen.length);
        },
        requestHandler: { handle: () => Promise.reject(new Error('no SDK here')) },
      },
    },
    { attempts },
  );
  return { aws, seen, pauses };
};

describe('signed calls', () => {
  it('are signed for the service and region, with the session token', async () => {
    const { aws, seen } = open({ env: { AWS_SESSION_TOKEN: 'session' } });
    await aws.json('secretsmanager', 'GetSecretValue', { SecretId: 'a' });
    const headers = seen[0]?.headers;
    expect(headers?.get('authorization')).toMatch(
      /^AWS4-HMAC-SHA256 Credential=KEY\/\d{8}\/eu-south-1\/secretsmanager\/aws4_request, SignedHeaders=.*x-amz-security-token/u,
    );
    expect(headers?.get('x-amz-security-token')).toBe('session');
    expect(headers?.get('x-amz-target')).toBe('secretsmanager.GetSecretValue');
    expect(seen[0]?.url).toBe('https://secretsmanager.eu-south-1.amazonaws.com/');
  });

  it.each([
    [{}, 'https://sms-voice.eu-south-1.amazonaws.com/'],
    [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:1/' }, 'http://127.0.0.1:1/'],
    [
      {
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2: 'http://127.0.0.1:2',
      },
      'http://127.0.0.1:2/',
    ],
  ])('use the endpoint of the variables: %j', async (env, url) => {
    const { aws, seen } = open({ env });
    await aws.json('sms-voice', 'SendTextMessage', {});
    expect(seen[0]?.url).toBe(url);
  });

  it('forward the trace header by which Lambda detects loops', async () => {
    const { aws, seen } = open({ env: { _X_AMZN_TRACE_ID: 'Root=1-a;Lineage=1:b:3' } });
    await aws.json('sqs', 'SendMessage', {});
    expect(seen[0]?.headers.get('x-amzn-trace-id')).toBe('Root=1-a;Lineage=1:b:3');
  });

  it('of the JSON protocol post their input, and take an empty answer for an empty object', async () => {
    const { aws, seen } = open({ answer: (_, attempt) => new Response(attempt === 1 ? '{"a":1}' : '') });
    expect(await aws.json('dynamodb', 'GetItem', { Key: 1 })).toEqual({ a: 1 });
    expect(await aws.json('secretsmanager', 'DeleteSecret', {})).toEqual({});
    expect(seen.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toEqual(['POST /', 'POST /']);
    expect(await seen[0]?.text()).toBe('{"Key":1}');
    expect(seen.map(({ headers }) => headers.get('content-type'))).toEqual([
      'application/x-amz-json-1.0',
      'application/x-amz-json-1.1',
    ]);
  });

  it('of the query protocol post a form, and resolve to the text of the answer', async () => {
    const { aws, seen } = open({ answer: () => new Response('<PublishResponse/>') });
    expect(await aws.query('sns', 'Publish', { Message: 'a b&c' })).toBe('<PublishResponse/>');
    expect(seen.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toEqual(['POST /']);
    expect(seen[0]?.headers.get('content-type')).toBe('application/x-www-form-urlencoded; charset=utf-8');
    expect(Object.fromEntries(new URLSearchParams(await seen[0]?.text()))).toEqual({
      ...{ Action: 'Publish', Version: '2010-03-31', Message: 'a b&c' },
    });
  });

  it('that are refused without a name or a sentence are refused all the same', async () => {
    const { aws } = open({ answer: () => new Response('', { status: 502 }) });
    await expect(aws.json('sqs', 'SendMessage', {})).rejects.toMatchObject({
      ...{ name: 'UnknownError', message: 'sqs answered 502 UnknownError: ' },
    });
  });

  it('send the query exactly as it was signed', async () => {
    const { aws, seen } = open();
    await aws.rest('s3', { method: 'GET', path: '/b/a%20b', query: { prefix: 'a b+c' } });
    expect(seen[0]?.url).toBe('https://s3.eu-south-1.amazonaws.com/b/a%20b?prefix=a%20b%2Bc');
  });

  it.each([
    ['a JSON field', { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'no "queue"' }, {}],
    ['a header', {}, { 'x-amzn-errortype': 'QueueDoesNotExist:http://internal.amazon.com/' }],
  ])('throw the error name of the service, in %s', async (_, body, headers) => {
    const { aws } = open({ answer: () => Response.json(body, { status: 400, headers }) });
    await expect(aws.json('sqs', 'SendMessage', {})).rejects.toMatchObject({
      ...{ name: 'QueueDoesNotExist', $metadata: { httpStatusCode: 400 } },
    });
  });

  it('throw the error name of the service, in XML', async () => {
    const answer = () =>
      new Response(
        '<ErrorResponse><Error><Code>Throttled</Code><Message>slow</Message></Error></ErrorResponse>',
        {
          status: 400,
        },
      );
    const refused = open({ answer }).aws.query('sns', 'Publish', {});
    await expect(refused).rejects.toBeInstanceOf(AwsRefusal);
    await expect(refused).rejects.toThrow('sns answered 400 Throttled: slow');
  });

  const lost = (_: Request, attempt: number): Response => {
    if (attempt === 1) throw new TypeError('fetch failed');
    return Response.json({ MessageId: 'm' });
  };

  const refusing =
    (status: number, name: string) =>
    (_: Request, attempt: number): Response =>
      attempt < 3 ? Response.json({ __type: name }, { status }) : Response.json({ MessageId: 'm' });

  it('retry after a lost connection', async () => {
    const { aws, seen } = open({ answer: lost });
    expect(await aws.json('sqs', 'SendMessage', {})).toEqual({ MessageId: 'm' });
    expect(seen).toHaveLength(2);
  });

  it.each([
    [500, 'InternalServerError'],
    [503, 'SlowDown'],
    [429, 'TooManyRequestsException'],
    [400, 'ThrottlingException'],
    [400, 'com.amazonaws#ProvisionedThroughputExceededException'],
    [403, 'RequestThrottled'],
  ])('retry after %d %s, each time after a longer random pause', async (status, name) => {
    const { aws, seen, pauses } = open({ answer: refusing(status, name) });
    expect(await aws.json('sqs', 'SendMessage', {})).toEqual({ MessageId: 'm' });
    expect([seen.length, pauses]).toEqual([3, [25, 50]]);
    const down = open({ answer: () => Response.json({ __type: name }, { status }) });
    await expect(down.aws.json('sqs', 'SendMessage', {})).rejects.toBeInstanceOf(AwsRefusal);
    expect(down.seen).toHaveLength(3);
  });

  it('do not retry what the service refuses for good', async () => {
    const { aws, seen } = open({
      answer: () => Response.json({ __type: 'AccessDeniedException' }, { status: 400 }),
    });
    await expect(aws.json('sqs', 'SendMessage', {})).rejects.toThrow('AccessDeniedException');
    expect(seen).toHaveLength(1);
  });

  it('do not retry an operation that is not idempotent', async () => {
    const { aws, seen } = open({ answer: lost, attempts: 1 });
    await expect(aws.json('sms-voice', 'SendTextMessage', {})).rejects.toThrow('fetch failed');
    expect(seen).toHaveLength(1);
  });
});
