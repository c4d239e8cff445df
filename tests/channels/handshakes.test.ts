import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { connectorOf, mappingOf, type ProviderId } from '../../connectors/registry.ts';
import type { WebhookRequest } from '../../core/webhooks/channel.ts';
import { hmac } from '../../core/webhooks/signature.ts';
import type { RouteSecrets } from '../../functions/contracts/ports/secrets.ts';
import { deliver } from './contract/subject.ts';

// Each condition of each handshake, and of each answer that depends on the request: removing one fails a test here.

const NOW = Date.parse('2026-03-02T09:00:00Z');
const SECONDS = String(NOW / 1000);

interface Sent {
  readonly method?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const send = async (
  provider: ProviderId,
  secrets: RouteSecrets,
  { method = 'POST', query = '', headers = {}, body = '' }: Sent,
) => {
  const request: WebhookRequest = {
    ...{ method, headers, body: Buffer.from(body) },
    url: `https://hub.example/webhooks/${provider}${query}`,
  };
  const { answer, queued } = await deliver({
    ...{ name: provider, connector: connectorOf(provider), mapping: mappingOf(provider) },
    ...{ request, secrets, now: NOW, document: () => '' },
  });
  return { ...answer, queued: queued.length };
};

describe('Meta', () => {
  const secrets = { appSecret: ['app-secret'], verifyToken: ['new-token', 'old-token'] };
  const ask = (query: string, stored: RouteSecrets = secrets) =>
    send('meta', stored, { method: 'GET', query });
  const good = 'hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=old-token';

  it('gets its challenge back as plain text', async () => {
    expect(await ask(`?${good}`)).toEqual({
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      body: '1158201444',
      queued: 0,
    });
  });

  it.each([
    ['another mode', good.replace('subscribe', 'unsubscribe')],
    ['no mode', good.replace('hub.mode=subscribe&', '')],
    ['another token', good.replace('old-token', 'other-tok')],
    ['an empty token', good.replace('old-token', '')],
    ['no token', good.replace('&hub.verify_token=old-token', '')],
  ])('is refused with %s', async (_, query) => {
    expect(await ask(`?${query}`)).toMatchObject({ status: 403, queued: 0 });
  });

  it('is refused if no verify token is stored, or an empty one', async () => {
    expect(await ask(`?${good}`, { appSecret: ['app-secret'] })).toMatchObject({ status: 403, queued: 0 });
    const request = {
      ...{ method: 'GET', headers: {}, body: new Uint8Array() },
      url: 'https://hub.example/webhooks/meta?hub.mode=subscribe&hub.challenge=1&hub.verify_token=',
    };
    const context = { secrets: { appSecret: [], verifyToken: [''] }, now: NOW, document: async () => '' };
    expect(await connectorOf('meta').verify(request, context)).toMatchObject({ verdict: 'refused' });
  });

  it('starts no handshake with POST', async () => {
    expect(await send('meta', secrets, { query: `?${good}` })).toMatchObject({ status: 401, queued: 0 });
  });
});

describe('X', () => {
  const secrets = { consumerSecret: ['newest', 'older'] };
  const ask = (query: string) => send('x', secrets, { method: 'GET', query });

  it('gets the HMAC of its token by the newest secret', async () => {
    const token = `sha256=${hmac('sha256', 'newest', 'base64', 'crc')}`;
    expect(await ask('?crc_token=crc&nonce=1')).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ response_token: token }),
      queued: 0,
    });
  });

  it.each(['', '?crc_token='])('gets no HMAC without a token: %j', async (query) => {
    expect(await ask(query)).toMatchObject({ status: 400, queued: 0 });
  });

  it('starts no handshake with POST', async () => {
    expect(await send('x', secrets, { query: '?crc_token=crc' })).toMatchObject({ status: 401, queued: 0 });
  });
});

describe('Intercom', () => {
  const secrets = { clientSecret: ['secret'] };

  it('may ask with HEAD whether the address exists, and with nothing else', async () => {
    expect(await send('intercom', secrets, { method: 'HEAD' })).toEqual({ status: 200, queued: 0 });
    expect(await send('intercom', secrets, { method: 'GET' })).toMatchObject({ status: 405, queued: 0 });
    expect(await send('intercom', secrets, {})).toMatchObject({ status: 401, queued: 0 });
  });
});

describe('Google RBM', () => {
  const secrets = { clientToken: ['new-token', 'old-token'] };
  const ask = (body: object | string, headers: Readonly<Record<string, string>> = {}) =>
    send('rbm', secrets, { body: typeof body === 'string' ? body : JSON.stringify(body), headers });

  it('gets its secret back as plain text', async () => {
    expect(await ask({ clientToken: 'old-token', secret: '1234' })).toEqual({
      status: 200,
      headers: { 'content-type': 'text/plain' },
      body: '1234',
      queued: 0,
    });
  });

  it.each([
    ['another token', { clientToken: 'any-token', secret: '1234' }],
    ['no token', { secret: '1234' }],
    ['a token that is no text', { clientToken: ['old-token'], secret: '1234' }],
    ['no secret', { clientToken: 'old-token' }],
    ['a secret that is no text', { clientToken: 'old-token', secret: { a: 1 } }],
  ])('is refused with %s', async (_, body) => {
    expect(await ask(body)).toMatchObject({ status: 401, queued: 0 });
  });

  it('is refused with a signature, which belongs to a message', async () => {
    const body = { clientToken: 'old-token', secret: '1234' };
    expect(await ask(body, { 'x-goog-signature': 'AAAA' })).toMatchObject({ status: 401, queued: 0 });
    const undefinedSigned = hmac('sha512', 'old-token', 'base64', Buffer.from('undefined', 'base64'));
    expect(await ask(body, { 'x-goog-signature': undefinedSigned })).toMatchObject({
      status: 401,
      queued: 0,
    });
  });

  it('is told that a body is not JSON', async () => {
    expect(await ask('not JSON')).toMatchObject({ status: 400, queued: 0 });
  });
});

describe('Slack', () => {
  const secrets = { signingSecret: ['secret'] };
  const json = 'application/json; charset=utf-8';
  const ask = (body: string, type = json, timestamp = SECONDS, secret = 'secret') =>
    send('slack', secrets, {
      body,
      headers: {
        'content-type': type,
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${hmac('sha256', secret, 'hex', `v0:${timestamp}:`, body)}`,
      },
    });
  const challenge = '{"type":"url_verification","challenge":"3eZb"}';

  it('gets its challenge back as plain text', async () => {
    expect(await ask(challenge)).toEqual({
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      body: '3eZb',
      queued: 0,
    });
  });

  it('gets no challenge back with a wrong signature, an old one, or none', async () => {
    expect(await ask(challenge, json, SECONDS, 'another')).toMatchObject({ status: 401, queued: 0 });
    expect(await ask(challenge, json, String(NOW / 1000 - 301))).toMatchObject({ status: 401, queued: 0 });
    expect(
      await send('slack', secrets, { body: challenge, headers: { 'content-type': json } }),
    ).toMatchObject({
      status: 401,
      queued: 0,
    });
  });

  it('has everything else queued: another type, and a form', async () => {
    expect(await ask('{"type":"event_callback","challenge":"3eZb"}')).toEqual({ status: 200, queued: 1 });
    const form = 'application/x-www-form-urlencoded';
    expect(await ask('payload=%7B%7D', form)).toEqual({ status: 200, queued: 1 });
    expect(await ask(challenge, form)).toEqual({ status: 200, queued: 1 });
  });
});

describe('Discord', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const secrets = {
    publicKey: [publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')],
  };
  const ask = (body: object, timestamp = SECONDS, signed = JSON.stringify(body)) =>
    send('discord', secrets, {
      body: JSON.stringify(body),
      headers: {
        'x-signature-timestamp': timestamp,
        'x-signature-ed25519': sign(undefined, Buffer.from(timestamp + signed), privateKey).toString('hex'),
      },
    });
  const json = { 'content-type': 'application/json' };

  it.each([
    ['a ping of webhook events', { type: 0 }, { status: 204, queued: 0 }],
    ['a webhook event', { type: 1, event: { type: 'ENTITLEMENT_CREATE' } }, { status: 204, queued: 1 }],
    ['a ping of interactions', { type: 1 }, { status: 200, headers: json, body: '{"type":1}', queued: 0 }],
    ['a command', { type: 2 }, { body: '{"type":5,"data":{"flags":64}}', queued: 1 }],
    ['a click', { type: 3 }, { body: '{"type":6}', queued: 1 }],
    ['a suggestion', { type: 4 }, { body: '{"type":8,"data":{"choices":[]}}', queued: 1 }],
    ['a form', { type: 5 }, { body: '{"type":5,"data":{"flags":64}}', queued: 1 }],
  ] as const)('gets the answer that it expects to %s', async (_, body, expected) => {
    expect(await ask(body)).toMatchObject(expected);
  });

  it('gets 401 to a ping that is wrongly signed, old, from the future, or whose time is no number', async () => {
    for (const type of [0, 1]) {
      expect(await ask({ type }, SECONDS, '{}')).toMatchObject({ status: 401, queued: 0 });
      for (const timestamp of [String(NOW / 1000 - 901), String(NOW / 1000 + 901), `${SECONDS}.0`])
        expect(await ask({ type }, timestamp)).toMatchObject({ status: 401, queued: 0 });
    }
  });
});

describe('those that check the address with a signed event', () => {
  it('LINE: a body without events is accepted, and holds nothing', async () => {
    const body = '{"destination":"U1","events":[]}';
    const headers = { 'x-line-signature': hmac('sha256', 'secret', 'base64', body) };
    expect(await send('line', { channelSecret: ['secret'] }, { body, headers })).toEqual({
      status: 200,
      queued: 1,
    });
  });

  it('Viber: its event `webhook` is accepted, unless it is wrongly signed', async () => {
    const body = '{"event":"webhook","timestamp":1772442000000,"message_token":1}';
    const ask = (secret: string) =>
      send(
        'viber',
        { authToken: ['token'] },
        { body, headers: { 'x-viber-content-signature': hmac('sha256', secret, 'hex', body) } },
      );
    expect(await ask('token')).toEqual({ status: 200, queued: 1 });
    expect(await ask('other')).toMatchObject({ status: 401, queued: 0 });
  });
});
