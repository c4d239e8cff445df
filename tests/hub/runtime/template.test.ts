import { beforeAll, describe, expect, it } from 'vitest';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';
import { deployTemplate } from '../../support/deploy-template.ts';

let synthesised: Assembly;
beforeAll(async () => {
  synthesised = await assembly();
});

const deploy = (change: (template: Assembly['template']) => void) => deployTemplate({ change });

const first = (template: Assembly['template'], type: string) =>
  Object.entries(template.Resources).find(([, { Type }]) => Type === type) ?? [
    '',
    { Type: '', Properties: {} },
  ];

describe('the template in the local runtime', () => {
  it('is refused with the resource of an unknown type', async () => {
    await expect(
      deploy((template) =>
        Object.assign(template.Resources, { Odd: { Type: 'AWS::Neptune::DBCluster', Properties: {} } }),
      ),
    ).rejects.toThrow(/Odd has the type AWS::Neptune::DBCluster/);
  });

  it('is refused with the name of an unknown property', async () => {
    await expect(
      deploy((template) =>
        Object.assign(first(template, 'AWS::SQS::Queue')[1].Properties, { FifoQueue: true }),
      ),
    ).rejects.toThrow(/AWS::SQS::Queue.*FifoQueue/su);
  });

  it('is refused with a route to a function that API Gateway may not invoke', async () => {
    await expect(
      deploy((template) => {
        delete template.Resources[first(template, 'AWS::Lambda::Permission')[0]];
      }),
    ).rejects.toThrow(/does not allow API Gateway/);
  });

  it('needs no account, region or network, and retains stateful resources', () => {
    const kept = Object.values(synthesised.template.Resources)
      .filter((resource) => String(resource['DeletionPolicy']).startsWith('Retain'))
      .map(({ Type }) => Type);
    expect(kept).toEqual(
      expect.arrayContaining(['AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::KMS::Key']),
    );
  });

  it('grants no action by a wildcard', () => {
    const actions =
      JSON.stringify(synthesised.template.Resources).match(/"Action":(?:"[^"]*"|\[[^\]]*\])/gu) ?? [];
    expect(
      actions.filter(
        (one) =>
          /[":]\*"/u.test(one) && !one.includes('kms:*') && !one.includes('s3:*') && !one.includes('sqs:*'),
      ),
    ).toEqual([]);
  });
});

describe('the front door', () => {
  const ask = async (
    request: { method?: string; target: string; headers?: Record<string, string>; body?: Uint8Array },
    answer: unknown = { statusCode: 204 },
  ) => {
    const events: { routeKey?: string }[] = [];
    const { cloud } = await deployTemplate({
      async invoke(_, event) {
        events.push(event as { routeKey?: string });
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    const response = await cloud.front({
      method: request.method ?? 'POST',
      target: request.target,
      headers: request.headers ?? {},
      body: request.body ?? new Uint8Array(),
    });
    await cloud.stop();
    return { response, event: events[0] };
  };

  it('passes on the raw query, the path parameters and a binary body in base64', async () => {
    const { event } = await ask({
      target: '/webhooks/twilio/shop%202?b=2&a=%20x',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from('A=1'),
    });
    expect(event).toMatchObject({
      routeKey: 'ANY /webhooks/{provider}/{account+}',
      rawQueryString: 'b=2&a=%20x',
      pathParameters: { provider: 'twilio', account: 'shop 2' },
      body: Buffer.from('A=1').toString('base64'),
      isBase64Encoded: true,
    });
  });

  it.each([
    ['an unknown route', { target: '/nowhere' }, 404],
    [
      'a body beyond ten megabytes',
      { target: '/webhooks/meta', body: new Uint8Array(10 * 1024 * 1024 + 1) },
      413,
    ],
    ['headers beyond their limit', { target: '/webhooks/meta', headers: { x: 'y'.repeat(10_300) } }, 431],
  ])('answers %s itself', async (_, request, status) => {
    const { response, event } = await ask(request);
    expect([response.status, event]).toEqual([status, undefined]);
  });

  it('answers 500 where the function fails', async () => {
    expect((await ask({ target: '/webhooks/meta' }, new Error('broken'))).response.status).toBe(500);
  });
});
