import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../core/clock.ts';
import { hmac } from '../../core/signature.ts';
import { type Assembly, assembly } from '../../infra/assembly.ts';
import { inProcess } from '../../infra/local/client.ts';
import { type Cloud, startCloud } from '../../infra/local/cloud.ts';
import { inProcessFunctions } from '../../infra/local/in-process.ts';
import { samples } from '../../infra/local/samples.ts';

const now = Date.parse('2026-03-02T09:00:00Z');
const publicUrl = 'https://acme.example';
let synthesised: Assembly;
let cloud: Cloud;
let clock: VirtualClock;

const config = () => ({
  region: 'eu-south-1',
  credentials: { accessKeyId: 'TEST', secretAccessKey: 'test' },
  requestHandler: inProcess((request) => cloud.aws(request)).requestHandler,
});

beforeAll(async () => {
  synthesised = await assembly();
});

beforeEach(async () => {
  clock = new VirtualClock(now);
  let ids = 0;
  const world = {
    now: () => clock.now(),
    newId: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`,
    random: () => 0.5,
  };
  const services: { open?: Pick<Cloud, 'aws'> } = {};
  const opened = (): Pick<Cloud, 'aws'> => {
    if (services.open) return services.open;
    throw new Error('The services are not open yet.');
  };
  const invoke = inProcessFunctions(synthesised, opened, world);
  cloud = await startCloud({
    assembly: synthesised,
    clock,
    ...world,
    file: ':memory:',
    publicUrl,
    awsUrl: 'http://127.0.0.1',
    invoke,
    onService: (service) => {
      services.open = service;
    },
    onError: () => {},
  });
  for (const [provider, secret] of Object.entries(samples(now, publicUrl).secrets)) {
    await new SecretsManagerClient(config()).send(
      new PutSecretValueCommand({
        SecretId: `acme/channels/${provider}`,
        SecretString: JSON.stringify(secret),
      }),
    );
  }
});

afterEach(() => cloud.stop());

const post = async (provider: string, headers: Record<string, string>, body: string): Promise<number> => {
  const { status } = await cloud.front({
    method: 'POST',
    target: `/webhooks/${provider}`,
    headers,
    body: Buffer.from(body),
  });
  await clock.runUntil(clock.now());
  return status;
};

const metaPost = (body: string) =>
  post(
    'meta',
    {
      'content-type': 'application/json',
      'x-hub-signature-256': `sha256=${hmac('sha256', 'sample-meta-app-secret', 'hex', body)}`,
    },
    body,
  );
const messenger = (text: string): string =>
  JSON.stringify({
    object: 'page',
    entry: [
      {
        id: '300',
        messaging: [
          { sender: { id: '5678' }, recipient: { id: '300' }, timestamp: now, message: { mid: 'm_1', text } },
        ],
      },
    ],
  });

const rows = (like: string): Record<string, unknown>[] =>
  cloud.db
    .prepare('SELECT item FROM dynamodb_items WHERE item LIKE ?')
    .all(like)
    .map((row) => JSON.parse(String(row['item'])) as Record<string, unknown>);
const timeline = () =>
  rows('%"sk":{"S":"at#%').filter((row) => JSON.stringify(row['kind']) !== '{"S":"notification"}');

describe('a delivery on its way', () => {
  it('takes one AWS request before it is acknowledged, once the secret is known', async () => {
    await metaPost(messenger('first'));
    const before = new Map(cloud.counts);
    const { front } = cloud;
    const body = messenger('second');
    await front({
      method: 'POST',
      target: '/webhooks/meta',
      headers: {
        'content-type': 'application/json',
        'x-hub-signature-256': `sha256=${hmac('sha256', 'sample-meta-app-secret', 'hex', body)}`,
      },
      body: Buffer.from(body),
    });
    const spent = [...cloud.counts]
      .filter(([key]) => key.includes('Receive'))
      .map(([key, count]) => [key.split(' ').slice(1).join(' '), count - (before.get(key) ?? 0)] as const)
      .filter(([, count]) => count > 0);
    expect(spent).toEqual([['sqs SendMessage', 1]]);
    await clock.runUntil(clock.now());
  });

  it('goes through the bucket where it is too large for the queue, and keeps a text too long for a row whole', async () => {
    const text = `${'Ω'.repeat(600_000)} the end`;
    expect(await metaPost(messenger(text))).toBe(200);
    const [row] = timeline();
    const stored = JSON.stringify(row);
    expect(stored.length).toBeLessThan(400_000);
    const key = /"key":\{"S":"(texts\/[^"]+)"/u.exec(stored)?.[1];
    const bucket = [...cloud.created.values()].find(({ attributes }) =>
      attributes?.['Arn']?.startsWith('arn:aws:s3:::'),
    )?.ref;
    const object = await new S3Client({ ...config(), forcePathStyle: true }).send(
      new GetObjectCommand({ Bucket: bucket, Key: key }),
    );
    expect(await object.Body?.transformToString()).toBe(text);
  });

  it('is acknowledged and kept when it is authentic but unreadable, and told why', async () => {
    expect(await metaPost('{"object":"page","entry":"none"}')).toBe(200);
    expect(timeline()).toEqual([]);
    const [failure] = rows('%"pk":{"S":"failure#%');
    expect(failure).toMatchObject({ code: { S: 'unreadable' }, stage: { S: 'record' } });
    expect(JSON.stringify(failure?.['reason'])).toContain('mappings/channels/meta.ts');
    const bucket = [...cloud.created.values()].find(({ attributes }) =>
      attributes?.['Arn']?.startsWith('arn:aws:s3:::'),
    )?.ref;
    const Key = /failures\/record\/\w+/u.exec(JSON.stringify(failure))?.[0];
    const kept = await new S3Client({ ...config(), forcePathStyle: true }).send(
      new GetObjectCommand({ Bucket: bucket, Key }),
    );
    expect(await kept.Body?.transformToString()).toContain(
      Buffer.from('{"object":"page","entry":"none"}').toString('base64'),
    );
  });

  it('stores nothing and answers 401 when the signature is wrong, 404 for a provider that nobody knows', async () => {
    expect(
      await post(
        'meta',
        { 'content-type': 'application/json', 'x-hub-signature-256': 'sha256=00' },
        messenger('forged'),
      ),
    ).toBe(401);
    expect(await post('nobody', {}, '{}')).toBe(404);
    expect(timeline()).toEqual([]);
  });

  it('leaves no text and no identifier in what the functions log', async () => {
    const lines: string[] = [];
    const { info, warn, error } = console;
    Object.assign(console, {
      info: (line: string) => lines.push(line),
      warn: (line: string) => lines.push(line),
      error: (line: string) => lines.push(line),
    });
    try {
      await metaPost(messenger('a secret text'));
      await metaPost('{"object":"page","entry":"a secret text"}');
      // What JSON.parse throws quotes what it was given.
      await metaPost('a secret text');
    } finally {
      Object.assign(console, { info, warn, error });
    }
    expect(lines.join('\n')).not.toMatch(/secret text|5678/);
    expect(lines.length).toBeGreaterThan(0);
  });
});
