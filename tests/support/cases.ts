import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { samples } from '../../cli/local/samples.ts';
import { connectorOf } from '../../connectors/registry.ts';
import { Case, caseProvider } from '../../infra/scenario/webhook-case/case.ts';
import {
  type CaseChanges,
  type ReceivedCase,
  receiveCase,
} from '../../infra/scenario/webhook-case/receive-case.ts';

const root = new URL('../fixtures/', import.meta.url).pathname;

/** A recorded webhook that the hub must accept. */
export interface GoodCase {
  readonly name: string;
  readonly provider: string;
  readonly one: Case;
}

const fixtureCases = (): GoodCase[] =>
  globSync(`${root}*/*.json`)
    .sort()
    .map((file) => ({ file, one: Case.safeParse(JSON.parse(readFileSync(file, 'utf8'))) }))
    .flatMap(({ file, one }) =>
      one.success
        ? [
            {
              name: `${caseProvider(one.data)}: ${basename(file, '.json')}`,
              provider: caseProvider(one.data),
              one: one.data,
            },
          ]
        : [],
    );

/** The sample webhooks of the local hub, as cases. */
const sampleCases = (): GoodCase[] => {
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

/** Every recorded webhook that the hub must accept, of registered providers. */
export const goodCases: readonly GoodCase[] = [...fixtureCases(), ...sampleCases()].filter(
  ({ provider, one }) => connectorOf(provider) !== undefined && one.expected.accept,
);

/** Sends a case as its provider would, with changes. */
export const sendCase = ({ one }: GoodCase, changes: CaseChanges = {}): Promise<ReceivedCase> =>
  receiveCase(one, changes);
