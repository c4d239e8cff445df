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

export interface ReceivePorts {
  readonly connector: (provider: string) => ChannelConnector | undefined;
  /** The stored secrets of a route, newest value first; undefined when none are stored. `anew` passes by the cache. */
  readonly secrets: (
    provider: string,
    account: string | undefined,
    anew: boolean,
  ) => Promise<RouteSecrets | undefined>;
  /** The text of a public document. */
  readonly document: (url: string) => Promise<string>;
  /** Whether the token was not used with another body before; remembers it for some seconds. */
  readonly first: (provider: string, once: Nonce, body: Uint8Array) => Promise<boolean>;
  /** Resolves once the delivery is durably queued. */
  readonly enqueue: (delivery: DeliveryMessage) => Promise<void>;
  readonly now: () => number;
  readonly tell: (code: LogCode, fields: Readonly<Record<string, string | number>>) => void;
}

export interface Call {
  readonly provider: string;
  readonly account: string | undefined;
  readonly request: WebhookRequest;
}

/** Raw bytes. Lambda hands a function at most 6 MB, in base64. */
export const BODY_LIMIT = 4_500_000;
const SECRET_ANEW_MS = 30_000;
/** What travels on: never a header that proves something. */
const CONFIDENTIAL = /^(?:authorization|cookie|proxy-.*|.*(?:signature|secret|token).*)$/u;

/** Authenticates a webhook and acknowledges it once it is queued. Nothing is parsed that this does not need. */
export const receive = (ports: ReceivePorts) => {
  const refetched = new Map<string, number>();
  return async ({ provider, account, request }: Call): Promise<HttpAnswer> => {
    const connector = ports.connector(provider);
    if (connector === undefined)
      return told(404, 'unknown-provider', 'No such provider. The README names those there are.');
    if (request.method !== 'POST' && !connector.methods?.some((method) => method === request.method)) {
      return told(405, 'unsupported-method', `${connector.title} is expected to send POST.`);
    }
    if (request.body.byteLength > BODY_LIMIT)
      return told(413, 'oversized-body', `A delivery may have ${BODY_LIMIT} bytes.`);
    const route = account === undefined ? provider : `${provider}/${account}`;
    const judged = async (anew: boolean): Promise<Verdict> =>
      judge(connector, request, await ports.secrets(provider, account, anew), ports);
    let verdict = await judged(false);
    if (
      verdict.verdict === 'refused' &&
      ports.now() - (refetched.get(route) ?? Number.NEGATIVE_INFINITY) >= SECRET_ANEW_MS
    ) {
      refetched.set(route, ports.now());
      verdict = await judged(true);
    }
    if (verdict.verdict === 'accepted' && verdict.nonce) {
      const first = await ports.first(provider, verdict.nonce, request.body);
      if (!first) verdict = { verdict: 'refused', reason: 'the token was used before, with another body' };
    }
    if (verdict.verdict === 'refused') {
      ports.tell('refused-delivery', { provider, reason: verdict.reason });
      return told(
        verdict.status ?? 401,
        'unauthentic-webhook',
        'The request is not authentic. The log of the receive function says why.',
      );
    }
    if (verdict.verdict === 'answered') return verdict.answer;
    await ports.enqueue(delivery(provider, account, request, ports.now()));
    return verdict.answer ?? { status: 200 };
  };
};

/** Fails closed: a secret that is not stored, or empty, refuses everything. */
const judge = async (
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
        reason: `the secret ${name} is not stored; put it into the secret of the route in Secrets Manager`,
      };
    }
    secrets[name] = values;
  }
  try {
    const document = async (url: string): Promise<string> => ports.document(declared(connector, url));
    return await connector.verify(request, { secrets, now: ports.now(), document });
  } catch (error) {
    if (error instanceof UndeclaredAddress) return { verdict: 'refused', reason: error.message };
    throw error;
  }
};

class UndeclaredAddress extends Error {}

/** An address that a request names is not fetched unless the connector says that such addresses are the vendor's. */
const declared = ({ id, documents }: ChannelConnector, address: string): string => {
  const url = URL.parse(address);
  const whole = documents && new RegExp(`^(?:${documents.hosts.source})$`, 'u');
  if (
    url?.protocol !== 'https:' ||
    url.port !== '' ||
    url.username !== '' ||
    whole?.test(url.hostname) !== true
  )
    throw new UndeclaredAddress(`the request names a document that is not at an address of ${id}`);
  return url.href;
};

const delivery = (
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
    url: request.url,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => !CONFIDENTIAL.test(name))),
    body: Buffer.from(request.body).toString('base64'),
  },
});

const told = (status: number, code: ErrorCode, detail: string): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ status, code, detail }),
});
