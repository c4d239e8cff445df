import { connectorOf } from '../../../connectors/registry.ts';
import type { HttpAnswer, WebhookRequest } from '../../../core/webhooks/channel.ts';
import type { DeliveryMessage } from '../../../functions/contracts/messages/record.ts';
import type { RouteSecrets } from '../../../functions/contracts/ports/secrets.ts';
import { receive } from '../../../functions/receive/receive.ts';
import { type Case, caseBody, caseContext, caseDocument, caseProvider } from './case.ts';

/** Changes to a case before it is sent. */
export interface CaseChanges {
  readonly request?: (request: WebhookRequest) => WebhookRequest;
  /** The stored secrets; undefined: none are stored. */
  readonly secrets?: (secrets: RouteSecrets) => RouteSecrets | undefined;
  /** Epoch milliseconds of arrival where the case names no time. */
  readonly receivedAt?: number | undefined;
  /** Seconds that the request arrives after the time of the case. */
  readonly delaySeconds?: number;
  /** Whether a nonce was used before with another body. */
  readonly nonceUsed?: boolean;
}

/** How the hub received a case. */
export interface ReceivedCase {
  readonly answer: HttpAnswer;
  /** The messages that were put on the deliveries queue. */
  readonly queued: readonly DeliveryMessage[];
  /** The request as it was sent. */
  readonly sent: WebhookRequest;
}

const DEFAULT_ARRIVAL = Date.parse('2026-03-01T00:00:00Z');

/** Sends a case through `receive` as its provider would, with the secrets and the time of the case. */
export const receiveCase = async (
  one: Case,
  {
    request = (same) => same,
    secrets = (same) => same,
    receivedAt = DEFAULT_ARRIVAL,
    delaySeconds = 0,
    nonceUsed = false,
  }: CaseChanges = {},
): Promise<ReceivedCase> => {
  const provider = caseProvider(one);
  const connector = connectorOf(provider);
  const setting = caseContext(one, connector ?? { secrets: {} });
  const queued: DeliveryMessage[] = [];
  const headers = Object.fromEntries(
    Object.entries(one.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const sent = request({ method: one.method, url: setting.url, headers, body: caseBody(one) });
  const use = receive({
    connector: () => connector,
    secrets: async () => secrets(setting.secrets),
    document: async (url) => caseDocument(one, url),
    useNonce: async () => !nonceUsed,
    enqueue: async (message) => {
      queued.push(message);
    },
    activity: { delivered: async () => {}, refused: async () => {} },
    now: () => (setting.now ?? receivedAt) + delaySeconds * 1000,
    log: () => {},
  });
  return {
    answer: await use({ provider, account: undefined, request: sent, source: '203.0.113.7' }),
    queued,
    sent,
  };
};

/**
 * The queue message of a case, stamped with `receivedAt` (epoch milliseconds) instead of the time of the case, as a story
 * needs it; undefined where the case is refused or ignored.
 */
export const receiveMessage = async (
  one: Case,
  receivedAt?: number,
): Promise<DeliveryMessage | undefined> => {
  const { queued } = await receiveCase(one, { receivedAt });
  const [message] = queued;
  return message && receivedAt !== undefined
    ? { ...message, receivedAt: new Date(receivedAt).toISOString() }
    : message;
};
