import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hmac } from '../../../core/webhooks/signature.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { synthesiseHub } from '../../support/synthesise-hub.ts';

let built: ReturnType<typeof synthesiseHub>;
let hub: TestHub;
/** The services that functions have called. */
const called: string[] = [];
beforeAll(() => {
  built = synthesiseHub({
    channels: { twilio: {}, sendgrid: {}, meta: {}, mailgun: {}, standard: { accounts: ['till'] } },
  });
});
afterAll(() => built.remove());
beforeEach(async () => {
  hub = await openTestHub({ assembly: built, before: (service) => void called.push(service) });
});
afterEach(() => hub.stop());

const post = async (target: string, headers: Record<string, string>, body: string): Promise<number> => {
  const { status } = await hub.cloud.front({
    method: 'POST',
    target,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(body),
  });
  await hub.settle();
  return status;
};

describe('a nonce', () => {
  const delivery = (recipient: string): string => {
    const [timestamp, token] = [String(NOW / 1000), 'a'.repeat(50)];
    const signature = hmac('sha256', 'key', 'hex', timestamp, token);
    const event = { id: 'e1', event: 'unsubscribed', timestamp: NOW / 1000, recipient };
    return JSON.stringify({ signature: { timestamp, token, signature }, 'event-data': event });
  };

  it('is accepted again with the same body, and refused with another', async () => {
    await hub.connect('mailgun', { signingKey: 'key' });
    expect(await post('/webhooks/mailgun', {}, delivery('ada@example.com'))).toBe(200);
    expect(await post('/webhooks/mailgun', {}, delivery('ada@example.com'))).toBe(200);
    expect(await post('/webhooks/mailgun', {}, delivery('eve@example.com'))).toBe(401);
    expect(await hub.timeline()).toHaveLength(1);
  });
});

describe('an account', () => {
  it('has a route and a secret of its own', async () => {
    await hub.connect('standard', { signingSecret: 'whsec_b25l' });
    await hub.connect('standard/till', { signingSecret: 'whsec_dHdv' });
    const body = JSON.stringify({ id: 'same', identifiers: ['user-id:42'], name: 'page' });
    const sign = (key: string) => ({
      'webhook-id': 'm',
      'webhook-timestamp': String(NOW / 1000),
      'webhook-signature': `v1,${hmac('sha256', key, 'base64', `m.${NOW / 1000}.`, body)}`,
    });
    expect(await post('/webhooks/standard', sign('one'), body)).toBe(200);
    expect(await post('/webhooks/standard/till', sign('one'), body)).toBe(401);
    expect(await post('/webhooks/standard/till', sign('two'), body)).toBe(200);
    expect(await hub.timeline()).toHaveLength(2);
  });

  it('is reached by an address that ends with a slash, which is signed with it', async () => {
    await hub.connect('twilio', { authToken: 'token' });
    await hub.connect('standard/till', { signingSecret: 'whsec_b25l' });
    const headers = (signed: string) => ({
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': hmac(
        'sha1',
        'token',
        'base64',
        `https://acme.example${signed}BodyHiFrom+14155550100MessageSidSM1`,
      ),
    });
    const sms = 'MessageSid=SM1&From=%2B14155550100&Body=Hi';
    expect(await post('/webhooks/twilio/', headers('/webhooks/twilio/'), sms)).toBe(200);
    expect(await post('/webhooks/twilio/', headers('/webhooks/twilio'), sms)).toBe(401);
    expect(await post('/webhooks/standard/till/', {}, '{}')).toBe(401);
    expect(await post('/webhooks/standard/till/more', {}, '{}')).toBe(404);
  });

  it('that hub.yaml does not name, or of a channel that is off, is 404 and reads no secret', async () => {
    await hub.connect('standard/shop', { signingSecret: 'whsec_b25l' });
    await hub.connect('postmark', { username: 'u', password: 'p' });
    called.length = 0;
    for (const target of ['standard/shop', 'postmark', 'constructor', '__proto__', 'standard/constructor'])
      expect(await post(`/webhooks/${target}`, {}, '{}')).toBe(404);
    expect(called).not.toContain('secretsmanager');
  });
});

describe('events over the API', () => {
  it('are recorded once each', async () => {
    const act = { identifiers: ['email:ada@example.com'], name: 'page', occurredAt: '2026-03-02T08:00:00Z' };
    const events = [
      ...Array.from({ length: 25 }, (_, at) => ({ ...act, id: `e${at}` })),
      { ...act, id: 'e0' },
      {},
    ];
    const { status, body } = await hub.api('POST', '/events', events);
    expect([status, body.accepted, body.results.at(-1).code]).toEqual([207, 26, 'invalid-event']);
    await hub.settle();
    expect(await hub.timeline()).toHaveLength(25);
  });
});

describe('a stored file', () => {
  it('is downloaded through an address that the API signs', async () => {
    const bucket = [...hub.cloud.created.values()].find(({ attributes }) =>
      attributes?.['Arn']?.startsWith('arn:aws:s3:::'),
    )?.ref;
    const interaction = {
      ...{ key: 'm1', kind: 'message', channel: 'email', provider: 'postmark', direction: 'inbound' },
      identifiers: ['email:ada@example.com'],
      attachments: [
        { name: 'Ünvoice "1".pdf', key: 'attachments/x/0' },
        { name: 'later.pdf', key: 'attachments/x/1' },
        { url: 'https://files.example/2' },
      ],
    };
    hub.send(/^IntakeDeliveries|^Deliveries(?!Dead)/, {
      ...{ type: 'interaction', receivedAt: '2026-03-02T08:00:00.000Z', interaction },
    });
    await hub.settle();
    await new S3Client({ ...clientConfig(hub.runtime), forcePathStyle: true }).send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: 'attachments/x/0',
        Body: 'the file',
        ContentType: 'text/html',
      }),
    );
    const { body: ada } = await hub.api('GET', '/customers?identifier=email:ada@example.com');
    const [item] = (await hub.api('GET', `/customers/${ada.id}/timeline?order=oldest`)).body.items;
    const file = (n: number | string, customer: string = ada.id) =>
      hub.api('GET', `/customers/${customer}/interactions/${item.id}/attachments/${n}`);
    const url = new URL((await file(0)).body.url);
    const request = {
      method: 'GET',
      path: url.pathname,
      headers: { host: url.host },
      body: new Uint8Array(),
    };
    const answer = await hub.cloud.aws({ ...request, query: url.search.slice(1) });
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([200, 'the file']);
    expect(url.searchParams.get('response-content-disposition')).toMatch(
      /^attachment; filename="_nvoice _1_.pdf"/,
    );
    expect((await file(1)).body.code).toBe('unavailable-file');
    expect((await file(2)).body).toEqual({ url: 'https://files.example/2' });
    expect((await file(3)).status).toBe(404);
    expect((await file('__proto__')).status).toBe(404);
    expect((await file(0, 'somebody-else')).status).toBe(404);
  });
});
