import type { ChannelMapping, Delivery, VerifiedRequest } from '../../core/channel.ts';
import { HubError } from '../../core/errors.ts';
import { normaliseIdentifier } from '../../core/identity.ts';
import { DecodedInteraction, type Interaction, interactionId } from '../../core/interaction.ts';
import type { DeliveryMessage, InteractionMessage } from './message.ts';
import type { Work } from './record.ts';

/** A delivery as the queue carried it, with its body. It was verified before it was queued. */
export const deliveryOf = (message: DeliveryMessage, body: Uint8Array): Delivery => {
  const { method, url, headers } = message.request;
  const request = { method, url, headers, body } as VerifiedRequest;
  return {
    ...request,
    receivedAt: message.receivedAt,
    ...(message.account !== undefined && { account: message.account }),
  };
};

export interface DecodedDelivery {
  readonly interactions: readonly Interaction[];
  readonly ignored: readonly string[];
}

/**
 * A delivery's interactions. Whatever goes wrong in here is the payload's fault or the mapping's, never the moment's:
 * the error is always `unreadable`, and the delivery is kept to be tried again by a person.
 */
export const decode = async (
  mapping: ChannelMapping | undefined,
  message: DeliveryMessage,
  body: Uint8Array,
): Promise<DecodedDelivery> => {
  const { provider, account, receivedAt } = message;
  try {
    if (mapping === undefined) throw new Error(`no mapping is registered for ${provider}`);
    const { interactions, ignored } = await mapping.decode(deliveryOf(message, body));
    return {
      ignored,
      interactions: interactions.map((one) =>
        identified({ ...DecodedInteraction.parse(one), provider, account }, receivedAt),
      ),
    };
  } catch (error) {
    throw new HubError(
      'unreadable',
      `A delivery of ${provider} is authentic but is not what its mapping expects. It is kept; mend mappings/channels/${provider}.ts and replay it.`,
      { retry: 'never', cause: error },
    );
  }
};

export const interactionWork = (message: InteractionMessage, queued: string): Work => ({
  type: 'interaction',
  interaction: identified(message.interaction, message.receivedAt),
  receivedAt: message.receivedAt,
  message: queued,
});

/** Gives an act its id, its time where the provider gave none, and its identifiers in normal form where they have one. */
const identified = (
  {
    key,
    provider,
    account,
    occurredAt,
    fetch: _fetch,
    ...act
  }: Omit<DecodedInteraction, 'provider' | 'account'> & {
    readonly provider: string;
    readonly account?: string | undefined;
  },
  receivedAt: string,
): Interaction => ({
  ...act,
  id: interactionId(provider, account, key),
  provider,
  ...(account !== undefined && { account }),
  occurredAt: occurredAt ?? receivedAt,
  identifiers: [...new Set(act.identifiers.map((one) => normaliseIdentifier(one) ?? one))],
});
