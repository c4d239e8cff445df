import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { addressTypesOf } from '../../core/consent.ts';
import { identifierType } from '../../core/identifier.ts';
import { instant } from '../../core/interaction.ts';
import { type Claim, readUnsubscribeToken } from '../../core/signed-link.ts';
import { problem } from '../middleware.ts';
import type { History } from '../ports.ts';
import type { InteractionMessage } from '../record/message.ts';

export interface UnsubscribePorts {
  readonly history: History;
  readonly enqueue: (message: InteractionMessage) => Promise<void>;
  readonly signingKeys: () => Promise<readonly string[]>;
  readonly now: () => number;
  readonly newId: () => string;
}

/**
 * One-click unsubscribe (RFC 8058): whoever opens the link is shown a button, because readers and scanners of mail open
 * links too; a POST ends marketing on that channel. The link itself is the proof, so no API key is asked for.
 */
export const unsubscribe =
  (ports: UnsubscribePorts) =>
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const token = event.pathParameters?.['token'] ?? '';
    const claim = readUnsubscribeToken(token, await ports.signingKeys());
    if (claim === undefined)
      return problem(404, 'bad-link', 'This link is not complete. Open it from the message again.');
    if (event.requestContext.http.method !== 'POST')
      return page('<form method="post"><button>Unsubscribe</button></form>');
    await optOut(ports, claim);
    return page('<p>Done. You get no more of these messages.</p>');
  };

const optOut = async (
  { history, enqueue, now, newId }: UnsubscribePorts,
  { half, channel }: Claim,
): Promise<void> => {
  const customer = await history.customer(half);
  const own = customer?.halves.find(({ profile }) => profile.id === half)?.profile.identifiers ?? [];
  const types = addressTypesOf(channel);
  const identifiers = (customer?.identifiers ?? [])
    .filter((one) => types.includes(identifierType(one)))
    .sort((one, other) => Number(own.includes(other)) - Number(own.includes(one)));
  // A person without an address on this channel, or an erased one, gets nothing there anyway.
  if (identifiers.length === 0) return;
  const at = instant(now());
  await enqueue({
    type: 'interaction',
    receivedAt: at,
    interaction: {
      ...{
        key: newId(),
        provider: 'tributary',
        kind: 'opt-out',
        channel,
        direction: 'inbound',
        occurredAt: at,
      },
      ...{ identifiers: identifiers.slice(0, 1), properties: { scope: 'marketing' } },
    },
  });
};

const page = (body: string): APIGatewayProxyStructuredResultV2 => ({
  statusCode: 200,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; form-action 'self'",
    'referrer-policy': 'no-referrer',
  },
  body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Unsubscribe</title><body>${body}</body></html>`,
});
