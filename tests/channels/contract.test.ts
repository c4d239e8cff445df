import { EventWebhook } from '@sendgrid/eventwebhook';
import fc from 'fast-check';
import twilioSdk from 'twilio';
import { describe, expect, it } from 'vitest';
import { channels } from '../../connectors/channels/index.ts';
import type { HttpAnswer, WebhookRequest } from '../../core/channel.ts';
import { DecodedInteraction } from '../../core/interaction.ts';
import { receive, type Secrets } from '../../functions/receive/receive.ts';
import { deliveryOf } from '../../functions/record/decode.ts';
import type { DeliveryMessage } from '../../functions/record/message.ts';
import { samples } from '../../infra/local/samples.ts';
import { mappings } from '../../mappings/channels/index.ts';

const now = Date.parse('2026-03-02T09:00:00Z');
const base = 'https://acme.example';
const set = samples(now, base);
const good = set.deliveries.filter(({ status }) => status === 200);

const secretsOf = (provider: string): Secrets =>
  Object.fromEntries(Object.entries(set.secrets[provider] ?? {}).map(([name, value]) => [name, [value]]));

const requestOf = ({ provider, headers, body }: (typeof good)[number]): WebhookRequest => ({
  method: 'POST',
  url: `${base}/webhooks/${provider}`,
  headers,
  body: Buffer.from(body),
});

const take = async (
  provider: string,
  request: WebhookRequest,
  secrets: Secrets | undefined,
): Promise<{ answer: HttpAnswer; queued: DeliveryMessage[] }> => {
  const queued: DeliveryMessage[] = [];
  const use = receive({
    connector: (id) => channels[id],
    secrets: async () => secrets,
    document: async (url) => {
      throw new Error(`no document is served for ${url}`);
    },
    first: async () => true,
    enqueue: async (delivery) => {
      queued.push(delivery);
    },
    now: () => now,
    tell: () => {},
  });
  return { answer: await use({ provider, account: undefined, request }), queued };
};

const expectRefused = async (
  provider: string,
  request: WebhookRequest,
  secrets: Secrets | 'right' | 'none' = 'right',
): Promise<void> => {
  const stored = secrets === 'right' ? secretsOf(provider) : secrets === 'none' ? undefined : secrets;
  const { answer, queued } = await take(provider, request, stored);
  expect(queued).toEqual([]);
  expect([401, 403]).toContain(answer.status);
};

describe.each(good.map((sample) => [`${sample.provider}: ${sample.about}`, sample] as const))(
  '%s',
  (_, sample) => {
    const { provider } = sample;
    const request = requestOf(sample);
    const signatures = Object.keys(sample.headers).filter((name) => name !== 'content-type');

    it('is taken as it came, with any one of several secrets', async () => {
      const rotated = Object.fromEntries(
        Object.entries(secretsOf(provider)).map(([name, values]) => [name, [...values, ...values]]),
      );
      const { queued } = await take(provider, request, rotated);
      expect(Buffer.from(queued[0]?.request.body ?? '', 'base64').toString()).toBe(sample.body);
    });

    it('is refused with one byte changed', async () => {
      const body = Buffer.from(request.body);
      // The last letter, so that a form stays a form.
      const at = body.findLastIndex((byte) => byte >= 97 && byte <= 122);
      body[at] = (body[at] ?? 0) ^ 1;
      await expectRefused(provider, { ...request, body });
    });

    it.each(signatures)('is refused without the header %s', async (name) => {
      const { [name]: _gone, ...headers } = request.headers;
      await expectRefused(provider, { ...request, headers });
    });

    it('is refused with a wrong, an empty or no secret', async () => {
      const other = samples(now, base).secrets['sendgrid']?.['publicKey'] ?? '';
      const wrong = Object.fromEntries(
        Object.keys(secretsOf(provider)).map((name) => [name, [name === 'publicKey' ? other : 'wrong']]),
      );
      const empty = Object.fromEntries(Object.keys(secretsOf(provider)).map((name) => [name, ['']]));
      await expectRefused(provider, request, wrong);
      await expectRefused(provider, request, empty);
      await expectRefused(provider, request, 'none');
    });

    it('gives what the model allows', async () => {
      const { queued } = await take(provider, request, secretsOf(provider));
      const decoded = await mappings[provider]?.decode(
        deliveryOf(queued[0] as DeliveryMessage, request.body),
      );
      for (const interaction of decoded?.interactions ?? [])
        expect(() => DecodedInteraction.parse(interaction)).not.toThrow();
      expect((decoded?.interactions.length ?? 0) + (decoded?.ignored.length ?? 0)).toBeGreaterThan(0);
    });

    it('never makes a crash of another kind, or a customer of nothing, out of a damaged payload', async () => {
      const verified = (await take(provider, request, secretsOf(provider))).queued[0] as DeliveryMessage;
      const original = Buffer.from(request.body);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 8 }),
          fc.nat(original.length),
          async (changes, cut) => {
            const body = Buffer.from(original.subarray(0, cut === 0 ? original.length : cut));
            for (const [at, byte] of changes) if (at < body.length) body[at] = byte;
            const outcome = await Promise.resolve()
              .then(() => mappings[provider]?.decode(deliveryOf(verified, body)))
              .catch((error: unknown) => error);
            if (outcome instanceof Error)
              expect(['HubError', 'ZodError', '$ZodError']).toContain(outcome.name);
            else
              for (const { identifiers } of (
                outcome as Awaited<ReturnType<NonNullable<(typeof mappings)[string]>['decode']>>
              ).interactions)
                expect(identifiers.every((one) => /^[a-z][a-z0-9-]*:.+/su.test(one))).toBe(true);
          },
        ),
        { numRuns: Number(process.env['FUZZ'] ?? 200) },
      );
    });

    it('is too large above the limit, before anything is looked at', async () => {
      const { answer } = await take(
        provider,
        { ...request, body: new Uint8Array(4_500_001) },
        secretsOf(provider),
      );
      expect(answer.status).toBe(413);
    });
  },
);

describe('what is nested or named to do harm', () => {
  const meta = async (body: string) =>
    mappings['meta']?.decode(
      deliveryOf(
        {
          type: 'delivery',
          id: '',
          provider: 'meta',
          receivedAt: new Date(now).toISOString(),
          request: { method: 'POST', url: base, headers: {} },
        },
        Buffer.from(body),
      ),
    );

  it('is refused beyond what any vendor sends', async () => {
    await expect(meta(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)).rejects.toThrow(/nested deeper/);
  });

  it('changes no prototype', async () => {
    await meta(
      '{"object":"page","__proto__":{"polluted":true},"entry":[{"id":"1","__proto__":{"polluted":true},"messaging":[]}]}',
    );
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

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

describe("Meta's handshake", () => {
  const ask = (token: string) =>
    take(
      'meta',
      {
        method: 'GET',
        url: `${base}/webhooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`,
        headers: {},
        body: new Uint8Array(),
      },
      secretsOf('meta'),
    );

  it('echoes the challenge for the right token alone, and queues nothing', async () => {
    expect((await ask('sample-verify-token')).answer).toMatchObject({ status: 200, body: '1158201444' });
    const { answer, queued } = await ask('another');
    expect([answer.status, queued]).toEqual([403, []]);
  });
});
