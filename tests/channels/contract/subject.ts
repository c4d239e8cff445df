import { connectorOf, mappingOf } from '../../../connectors/registry.ts';
import type {
  ChannelConnector,
  ChannelMapping,
  HttpAnswer,
  Verdict,
  WebhookRequest,
} from '../../../core/webhooks/channel.ts';
import type { DeliveryMessage } from '../../../functions/contracts/messages/record.ts';
import type { RouteSecrets } from '../../../functions/contracts/ports/secrets.ts';
import { receive } from '../../../functions/receive/receive.ts';
import { caseBody, caseContext, caseDocument } from '../../../infra/scenario/webhook-case/case.ts';
import type { GoodCase } from '../../support/cases.ts';

/** A request that a provider must accept, with all that its verification needs. */
export interface Subject {
  readonly name: string;
  readonly connector: ChannelConnector;
  readonly mapping: ChannelMapping;
  readonly request: WebhookRequest;
  readonly secrets: RouteSecrets;
  /** Epoch milliseconds; undefined if the request names no time. */
  readonly now: number | undefined;
  readonly document: (url: string) => string;
}

export const subjectOf = ({ name, provider, one }: GoodCase): Subject => {
  const [connector, mapping] = [connectorOf(provider), mappingOf(provider)];
  if (connector === undefined || mapping === undefined) throw new Error(`no provider ${provider}`);
  const { url, now, secrets } = caseContext(one, connector);
  const headers = Object.fromEntries(
    Object.entries(one.headers).map(([header, value]) => [header.toLowerCase(), value]),
  );
  return {
    ...{ name, connector, mapping, secrets, now },
    request: { method: one.method, url, headers, body: caseBody(one) },
    document: (address) => caseDocument(one, address),
  };
};

export interface Changes {
  readonly request?: (request: WebhookRequest) => WebhookRequest;
  /** Undefined: no secrets are stored. */
  readonly secrets?: (secrets: RouteSecrets) => RouteSecrets | undefined;
  readonly delaySeconds?: number;
  /** Whether the nonce was used before with another body. */
  readonly isNonceUsed?: boolean;
}

export interface Outcome {
  readonly answer: HttpAnswer;
  /** The verdict of the connector; undefined if it was not asked, or threw. */
  readonly verdict: Verdict | undefined;
  readonly queued: readonly DeliveryMessage[];
  readonly sent: WebhookRequest;
  /** The headers of the request that the connector has read. */
  readonly headersRead: ReadonlySet<string>;
}

const LONG_AGO = Date.parse('2026-03-01T00:00:00Z');

/** Sends a request, with changes, through `receive`. */
export const deliver = async (
  subject: Subject,
  { request = (same) => same, secrets = (same) => same, delaySeconds = 0, isNonceUsed = false }: Changes = {},
): Promise<Outcome> => {
  const { connector } = subject;
  const sent = request(subject.request);
  const queued: DeliveryMessage[] = [];
  const headersRead = new Set<string>();
  let verdict: Verdict | undefined;
  const observed: ChannelConnector = {
    ...connector,
    async verify(received, context) {
      const headers = new Proxy(received.headers, {
        get(target, name) {
          if (typeof name === 'string' && target[name] !== undefined) headersRead.add(name);
          return Reflect.get(target, name);
        },
      });
      verdict = await connector.verify({ ...received, headers }, context);
      return verdict;
    },
  };
  const use = receive({
    connector: () => observed,
    secrets: async () => secrets(subject.secrets),
    document: async (url) => subject.document(url),
    useNonce: async () => !isNonceUsed,
    enqueue: async (message) => {
      queued.push(message);
    },
    activity: { delivered: async () => {}, refused: async () => {} },
    now: () => (subject.now ?? LONG_AGO) + delaySeconds * 1000,
    log: () => {},
  });
  const answer = await use({
    provider: connector.id,
    account: undefined,
    request: sent,
    source: '203.0.113.7',
  });
  return { answer, verdict, queued, sent, headersRead };
};

/** The scheme that authenticates the unchanged request; `open` for a handshake that needs none. */
export const schemeOf = async (subject: Subject): Promise<string | undefined> => {
  const { verdict } = await deliver(subject);
  return verdict?.verdict === 'refused' ? undefined : verdict?.scheme;
};
