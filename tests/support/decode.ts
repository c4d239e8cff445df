import { mappingOf } from '../../connectors/registry.ts';
import type { Decoded } from '../../core/webhooks/channel.ts';
import { deliveryOf } from '../../functions/record/messages/decode.ts';

/** What a mapping decodes of a payload, without its signature. `method`: EVENT for what comes over EventBridge. */
export const decodeWith = async (
  provider: string,
  payload: unknown,
  headers: Readonly<Record<string, string>> = {},
  method = 'POST',
): Promise<Decoded> => {
  const mapping = mappingOf(provider);
  if (mapping === undefined) throw new Error(`no provider ${provider}`);
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const message = {
    ...{ type: 'delivery' as const, id: 'one', provider, receivedAt: '2026-03-02T09:00:00.000Z' },
    request: { method, url: `https://acme.example/webhooks/${provider}`, headers: { ...headers } },
  };
  return mapping.decode(deliveryOf(message, Buffer.from(body, 'latin1')));
};
