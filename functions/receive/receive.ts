import { createHash } from 'node:crypto';
import type { ErrorCode, LogCode } from '../../core/errors.ts';
import type {
  ChannelConnector,
  HttpAnswer,
  Nonce,
  Verdict,
  WebhookRequest,
} from '../../core/webhooks/channel.ts';
import type { DeliveryMessage } from '../contracts/messages/record.ts';
import type { RouteSecrets } from '../contracts/ports/secrets.ts';
import type { ChannelActivity } from './channel-activity.ts';

export interface ReceivePorts {
  /** Undefined for a provider, or an account of it, that hub.yaml does not switch on. */
  readonly connector: (provider: string, account: string | undefined) => ChannelConnector | undefined;
  /** The stored secrets of a route, newest value first; undefined when none are stored. `refresh` bypasses the cache. */
  readonly secrets: (
    provider: string,
    account: string | undefined,
    refresh: boolean,
  ) => Promise<RouteSecrets | undefined>;
  /** The text of a public document. */
  readonly document: (url: string) => Promise<string>;
  /** Stores a nonce with the digest of its body; false where it was used with another body before. */
  readonly useNonce: (provider: string, once: Nonce, body: Uint8Array) => Promise<boolean>;
  /** Resolves once the delivery is durably queued. */
  readonly enqueue: (delivery: DeliveryMessage) => Promise<void>;
  readonly activity: ChannelActivity;
  readonly now: () => number;
  readonly log: (code: LogCode, fields: Readonly<Record<string, string | number>>) => void;
}

export interface Call {
  readonly provider: string;
  readonly account: string | undefined;
  readonly request: WebhookRequest;
  /** The address from which it came. */
  readonly source: string;
}

/** Raw bytes. Lambda passes at most 6 MB to a function, in base64. */
const BODY_LIMIT = 4_500_000;
/** After a failed verification the secret is fetched again, at most this often per route: it may have been rotated. */
const SECRET_REFRESH_MS = 30_000;
/** Headers that prove authenticity are not queued. */
const CONFIDENTIAL = /^(?:authorization|cookie)$|^proxy-|signature|secret|token/u;

/**
 * Authenticates a webhook and acknowledges it once it is durably queued; answers handshakes. Parses nothing that
 * verification does not need. Throws `HubError` (later) where a document or a nonce cannot be read or the queue fails, so
 * that the provider sends the webhook again.
 */
export const receive = (ports: ReceivePorts) => {
  const refreshed = new Map<string, number>();
  return async ({ provider, account, request, source }: Call): Promise<HttpAnswer> => {
    const connector = ports.connector(provider, account);
    const route = account === undefined ? provider : `${provider}/${account}`;
    const refuse = async (
      answer: readonly [status: number, code: ErrorCode, detail: string],
      reason = answer[2],
    ): Promise<HttpAnswer> => {
      const [status] = answer;
      ports.log('refused-delivery', { provider: nameOf(provider), status, reason });
      const [row, shown] = connector === undefined ? ['unknown', 'unknown'] : [provider, route];
      await ports.activity.refused(row, { route: shown, status, reason, source });
      return problem(...answer);
    };
    if (connector === undefined)
      return refuse([
        404,
        'unknown-provider',
        'hub.yaml switches on no such provider or account. The README lists the providers; `channels` in hub.yaml lists what is on.',
      ]);
    if (request.method !== 'POST' && !connector.methods?.some((method) => method === request.method))
      return refuse([405, 'unsupported-method', `${connector.title} must send POST.`]);
    if (request.body.byteLength > BODY_LIMIT)
      return refuse([413, 'oversized-body', `A delivery may have ${BODY_LIMIT} bytes.`]);
    const stored = await ports.secrets(provider, account, false);
    let verdict = await verify(connector, request, stored, ports);
    if (
      verdict.verdict === 'refused' &&
      ports.now() - (refreshed.get(route) ?? Number.NEGATIVE_INFINITY) >= SECRET_REFRESH_MS
    ) {
      refreshed.set(route, ports.now());
      const current = await ports.secrets(provider, account, true);
      // Judging the same request by the same secrets again would only cost time.
      if (JSON.stringify(current) !== JSON.stringify(stored))
        verdict = await verify(connector, request, current, ports);
    }
    if (verdict.verdict === 'accepted' && verdict.nonce) {
      const isFirstUse = await ports.useNonce(provider, verdict.nonce, request.body);
      if (!isFirstUse)
        verdict = { verdict: 'refused', reason: 'the token was used before, with another body' };
    }
    if (verdict.verdict === 'refused')
      return refuse(
        [
          verdict.status ?? 401,
          'unauthentic-webhook',
          'The request is not authentic. The log of the receive function says why.',
        ],
        verdict.reason,
      );
    if (verdict.verdict === 'answered') return verdict.answer;
    const noted = ports.activity.delivered(provider);
    await ports.enqueue(deliveryMessage(provider, account, request, ports.now()));
    await noted;
    return verdict.answer ?? { status: 200 };
  };
};

/** The provider in the path of a request, unless anybody's words stand there. */
const nameOf = (provider: string): string => (/^[a-z][a-z-]{0,20}$/u.test(provider) ? provider : 'unknown');

/** Fails closed: a required secret that is missing or empty refuses every request. */
const verify = async (
  connector: ChannelConnector,
  request: WebhookRequest,
  stored: RouteSecrets | undefined,
  ports: Pick<ReceivePorts, 'now' | 'document'>,
): Promise<Verdict> => {
  const secrets: Record<string, readonly string[]> = {};
  for (const [name, { optional }] of Object.entries(connector.secrets)) {
    const values = (stored?.[name] ?? []).filter((value) => value !== '');
    if (values.length === 0 && optional !== true) {
      return {
        verdict: 'refused',
        reason: `the secret ${name} is not stored; add it to the secret of the route in Secrets Manager`,
      };
    }
    secrets[name] = values;
  }
  try {
    const document = async (url: string): Promise<string> => ports.document(declaredUrl(connector, url));
    return await connector.verify(request, { secrets, now: ports.now(), document });
  } catch (error) {
    if (error instanceof UndeclaredAddress) return { verdict: 'refused', reason: error.message };
    throw error;
  }
};

class UndeclaredAddress extends Error {}

/** A URL that a request names is fetched only if its host is one that the connector declares as the vendor's. */
const declaredUrl = ({ id, documents }: ChannelConnector, address: string): string => {
  const url = URL.parse(address);
  if (
    url?.protocol !== 'https:' ||
    url.port !== '' ||
    url.username !== '' ||
    documents?.hosts.test(url.hostname) !== true
  )
    throw new UndeclaredAddress(`the request names a document on a host that is not one of ${id}`);
  return url.href;
};

const deliveryMessage = (
  provider: string,
  account: string | undefined,
  request: WebhookRequest,
  now: number,
): DeliveryMessage => ({
  type: 'delivery',
  id: createHash('sha256')
    .update(JSON.stringify([provider, account ?? '', request.method, request.url]))
    .update(request.body)
    .digest('base64url')
    .slice(0, 22),
  provider,
  ...(account !== undefined && { account }),
  receivedAt: new Date(now).toISOString(),
  request: {
    method: request.method,
    url: withoutAddressKey(request.url),
    headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => !CONFIDENTIAL.test(name))),
    body: Buffer.from(request.body).toString('base64'),
  },
});

/** The word by which some providers are known stands in the address: it is a secret, and proven by now. */
const withoutAddressKey = (url: string): string =>
  url.replace(/([?&])key=[^&]*&?/gu, '$1').replace(/[?&]$/u, '');

const problem = (status: number, code: ErrorCode, detail: string): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ status, code, detail }),
});
