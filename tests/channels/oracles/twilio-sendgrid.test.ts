import { EventWebhook } from '@sendgrid/eventwebhook';
import fc from 'fast-check';
import twilioSdk from 'twilio';
import { describe, expect, it } from 'vitest';
import { samples } from '../../../cli/local/samples.ts';
import { connectorOf } from '../../../connectors/registry.ts';
import type { HttpAnswer, WebhookRequest } from '../../../core/webhooks/channel.ts';
import { hmac } from '../../../core/webhooks/signature.ts';
import type { DeliveryMessage } from '../../../functions/contracts/messages/record.ts';
import type { RouteSecrets } from '../../../functions/contracts/ports/secrets.ts';
import { receive } from '../../../functions/receive/receive.ts';

const now = Date.parse('2026-03-02T09:00:00Z');
const base = 'https://acme.example';
const set = samples(now, base);
const good = set.deliveries.filter(({ status }) => status === 200);

const secretsOf = (provider: string): RouteSecrets =>
  Object.fromEntries(Object.entries(set.secrets[provider] ?? {}).map(([name, value]) => [name, [value]]));

const take = async (
  provider: string,
  request: WebhookRequest,
  secrets: RouteSecrets | undefined,
): Promise<{ answer: HttpAnswer; queued: DeliveryMessage[] }> => {
  const queued: DeliveryMessage[] = [];
  const use = receive({
    connector: (id) => connectorOf(id),
    secrets: async () => secrets,
    document: async (url) => {
      throw new Error(`no document is served for ${url}`);
    },
    useNonce: async () => true,
    enqueue: async (delivery) => {
      queued.push(delivery);
    },
    activity: { delivered: async () => {}, refused: async () => {} },
    now: () => now,
    log: () => {},
  });
  return { answer: await use({ provider, account: undefined, request, source: '203.0.113.7' }), queued };
};

const expectRefused = async (
  provider: string,
  request: WebhookRequest,
  secrets: RouteSecrets | 'right' | 'none' = 'right',
): Promise<void> => {
  const stored = secrets === 'right' ? secretsOf(provider) : secrets === 'none' ? undefined : secrets;
  const { answer, queued } = await take(provider, request, stored);
  expect(queued).toEqual([]);
  expect([401, 403]).toContain(answer.status);
};

describe("the vendors' own libraries agree", () => {
  const twilioSamples = good.filter(({ provider }) => provider === 'twilio');
  it.each(twilioSamples.map((sample) => [sample.about, sample] as const))(
    'Twilio: %s',
    (_, { headers, body }) => {
      const fields = Object.fromEntries(new URLSearchParams(body));
      const token = set.secrets['twilio']?.['authToken'] ?? '';
      expect(
        twilioSdk.validateRequest(
          token,
          headers['x-twilio-signature'] ?? '',
          `${base}/webhooks/twilio`,
          fields,
        ),
      ).toBe(true);
    },
  );

  it('Twilio signs JSON by its digest, and we take it', async () => {
    const token = set.secrets['twilio']?.['authToken'] ?? '';
    const body = '{"CallSid":"CA1"}';
    const digest = twilioSdk.getExpectedBodyHash(body);
    const url = `${base}/webhooks/twilio?bodySHA256=${digest}`;
    const request = {
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/json',
        'x-twilio-signature': twilioSdk.getExpectedTwilioSignature(token, url, {}),
      },
      body: Buffer.from(body),
    };
    expect((await take('twilio', request, secretsOf('twilio'))).queued).toHaveLength(1);
    await expectRefused('twilio', { ...request, body: Buffer.from('{"CallSid":"CA2"}') });
  });

  const urls = fc
    .tuple(
      fc.constantFrom('https://acme.example', 'https://acme.example:443', 'https://acme.example:8443'),
      fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.string({ unit: 'grapheme', maxLength: 5 })), {
        maxLength: 3,
      }),
      fc.boolean(),
    )
    .map(([origin, fields, isRaw]) => {
      const written = fields.map(([name, value]) =>
        isRaw ? `${name}=${value.replace(/[#\s%]/gu, "'")}` : new URLSearchParams([[name, value]]).toString(),
      );
      return `${origin}/webhooks/twilio${fields.length === 0 ? '' : `?${written.join('&')}`}`;
    });

  it('Twilio: every form of the URL that its library accepts', async () => {
    const token = set.secrets['twilio']?.['authToken'] ?? '';
    const fields = { CallSid: 'CA1', From: '+14155550100' };
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(urls, async (url) => {
        const normal = new URL(url).href;
        const legacy = normal.replaceAll('%27', "'").replaceAll('+', '%20');
        for (const signed of [url, normal, legacy, `${url}/`]) {
          const signature = twilioSdk.getExpectedTwilioSignature(token, signed, fields);
          const headers = {
            'content-type': 'application/x-www-form-urlencoded',
            'x-twilio-signature': signature,
          };
          const verdict = await connectorOf('twilio').verify(
            { method: 'POST', url, headers, body: Buffer.from(new URLSearchParams(fields).toString()) },
            { secrets: { authToken: [token], sharedKey: [] }, now, document: async () => '' },
          );
          const isAccepted = twilioSdk.validateRequest(token, signature, url, fields);
          if (isAccepted) taken++;
          if (isAccepted || signed === `${url}/`)
            expect([signed, verdict.verdict]).toEqual([signed, isAccepted ? 'accepted' : 'refused']);
        }
      }),
    );
    expect(taken).toBeGreaterThan(200);
  });

  it.each([
    ['key=webhooks_1,algorithm=HMAC_SHA256', 'sha256', true],
    ['key=webhooks_1 , algorithm = hmac_sha256', 'sha256', true],
    ['key=webhooks_1,algorithm=HMAC_SHA1', 'sha1', true],
    ['key=webhooks_1', 'sha1', true],
    ['key=webhooks_1,algorithm=HMAC_SHA256', 'sha1', false],
    ['key=webhooks_1,algorithm=HMAC_SHA512', 'sha512', false],
  ] as const)('Twilio: the settings %s of a SharedKey, signed with %s', async (settings, hash, isRight) => {
    const url = `${base}/webhooks/twilio`;
    const headers = {
      'x-twilio-signature': hmac(hash, 'shared', 'base64', url),
      'x-twilio-webhooks-signature-settings': settings,
    };
    const request = { method: 'POST', url, headers, body: Buffer.from('') };
    const verdict = await connectorOf('twilio').verify(request, {
      ...{ secrets: { authToken: ['token'], sharedKey: ['shared'] }, now },
      document: async () => '',
    });
    expect(verdict.verdict).toBe(isRight ? 'accepted' : 'refused');
  });

  const sendgridSamples = good.filter(({ provider }) => provider === 'sendgrid');
  it.each(sendgridSamples.map((sample) => [sample.about, sample] as const))(
    'SendGrid: %s',
    (_, { headers, body }) => {
      const webhook = new EventWebhook();
      const key = webhook.convertPublicKeyToECDSA(set.secrets['sendgrid']?.['publicKey'] ?? '');
      expect(
        webhook.verifySignature(
          key,
          body,
          headers['x-twilio-email-event-webhook-signature'] ?? '',
          headers['x-twilio-email-event-webhook-timestamp'] ?? '',
        ),
      ).toBe(true);
    },
  );
});
