import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { samples } from '../../cli/local/samples.ts';
import { connectorOf } from '../../connectors/registry.ts';
import type { HttpAnswer, WebhookRequest } from '../../core/webhooks/channel.ts';
import type { DeliveryMessage } from '../../functions/contracts/messages/record.ts';
import { receive, type Secrets } from '../../functions/receive/receive.ts';
import { bodyOf, Case, documentOf, providerOf, settingOf } from '../../infra/scenario/case.ts';

const root = new URL('../fixtures/', import.meta.url).pathname;

/** A recorded webhook that must be taken, and where it stands. */
export interface Good {
  readonly name: string;
  readonly provider: string;
  readonly one: Case;
}

const fixtures = (): Good[] =>
  globSync(`${root}*/*.json`)
    .sort()
    .map((file) => ({ file, one: Case.safeParse(JSON.parse(readFileSync(file, 'utf8'))) }))
    .flatMap(({ file, one }) =>
      one.success
        ? [
            {
              name: `${providerOf(one.data)}: ${basename(file, '.json')}`,
              provider: providerOf(one.data),
              one: one.data,
            },
          ]
        : [],
    );

/** What the samples of the local hub hold, as cases. */
const ofSamples = (): Good[] => {
  const now = Date.parse('2026-03-02T09:00:00Z');
  const set = samples(now, 'https://acme.example');
  const schemes: Readonly<Record<string, string>> = {
    meta: 'meta-hub-signature-256',
    sendgrid: 'sendgrid-ecdsa-p256-sha256',
    twilio: 'twilio-hmac-sha1',
  };
  return set.deliveries
    .filter(({ status }) => status === 200)
    .map(({ about, provider, headers, body }) => ({
      name: `${provider}: ${about}`,
      provider,
      one: Case.parse({
        provider,
        case: about,
        method: 'POST',
        url: `https://acme.example/webhooks/${provider}`,
        headers,
        rawBody: body,
        verification: {
          scheme: schemes[provider],
          now: now / 1000,
          secret: set.secrets[provider]?.['appSecret'] ?? set.secrets[provider]?.['authToken'],
          publicKey: set.secrets[provider]?.['publicKey'],
        },
        expected: { accept: true, signatureOnly: true },
      }),
    }));
};

/** Every recorded webhook that must be taken, of registered providers. */
export const goodCases: readonly Good[] = [...fixtures(), ...ofSamples()].filter(
  ({ provider, one }) => connectorOf(provider) !== undefined && one.expected.accept,
);

export interface Otherwise {
  readonly request?: (request: WebhookRequest) => WebhookRequest;
  /** None are stored where it gives undefined. */
  readonly secrets?: (secrets: Secrets) => Secrets | undefined;
  /** Seconds after the time at which the case must be taken. */
  readonly later?: number;
  /** Whether a token was used before with another body. */
  readonly repeated?: true;
}

const LONG_AGO = Date.parse('2026-03-01T00:00:00Z');

/** Sends a case as the provider would, but for what is to be otherwise. */
export const send = async (
  { provider, one }: Good,
  { request = (same) => same, secrets = (same) => same, later = 0, repeated }: Otherwise = {},
): Promise<{ answer: HttpAnswer; queued: readonly DeliveryMessage[]; sent: WebhookRequest }> => {
  const connector = connectorOf(provider);
  const setting = settingOf(one, connector ?? { secrets: {} });
  const queued: DeliveryMessage[] = [];
  const headers = Object.fromEntries(
    Object.entries(one.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const sent = request({ method: one.method, url: setting.url, headers, body: bodyOf(one) });
  const use = receive({
    connector: () => connector,
    secrets: async () => secrets(setting.secrets),
    document: async (url) => documentOf(one, url),
    first: async () => repeated !== true,
    enqueue: async (message) => {
      queued.push(message);
    },
    now: () => (setting.now ?? LONG_AGO) + later * 1000,
    tell: () => {},
  });
  return { answer: await use({ provider, account: undefined, request: sent }), queued, sent };
};
