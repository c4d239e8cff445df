import { EventWebhook } from '@sendgrid/eventwebhook';
import twilioSdk from 'twilio';
import { describe, expect, it } from 'vitest';
import { samples } from '../../../cli/local/samples.ts';
import { connectorOf } from '../../../connectors/registry.ts';
import type { HttpAnswer, WebhookRequest } from '../../../core/webhooks/channel.ts';
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
    now: () => now,
    log: () => {},
  });
  return { answer: await use({ provider, account: undefined, request }), queued };
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
