import type * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { type IdentityConfig, readableIdentifier } from '../../core/identity/rules.ts';
import { DecodedInteraction, type Interaction, interactionId } from '../../core/interaction/interaction.ts';
import type { ChannelMapping, Content, Delivery, VerifiedRequest } from '../../core/webhooks/channel.ts';
import type { DeliveryMessage } from '../contracts/messages/record.ts';

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

/** An act as its mapping gave it, and whose it is. */
export interface Act extends Omit<z.output<typeof DecodedInteraction>, 'provider' | 'account'> {
  readonly provider: string;
  readonly account?: string | undefined;
}

export interface DecodedDelivery {
  readonly acts: readonly Act[];
  readonly ignored: readonly string[];
}

/**
 * A delivery's acts. Whatever goes wrong in here is the payload's fault or the mapping's, never the moment's: the error
 * is always `unreadable`, and the delivery is kept to be tried again by a person.
 */
export const decode = async (
  mapping: ChannelMapping | undefined,
  message: DeliveryMessage,
  body: Uint8Array,
): Promise<DecodedDelivery> => {
  const { provider, account } = message;
  return readable(provider, async () => {
    if (mapping === undefined) throw new Error(`no mapping is registered for ${provider}`);
    const { interactions, ignored } = await mapping.decode(deliveryOf(message, body));
    return {
      ignored,
      acts: interactions.map((one) => ({ ...DecodedInteraction.parse(one), provider, account })),
    };
  });
};

/** An act with what was fetched for it. */
export const complete = async (
  mapping: ChannelMapping | undefined,
  { provider, account, ...act }: Act,
  content: Content,
): Promise<Act> =>
  readable(provider, async () => {
    const { fetch: _fetch, ...whole } = DecodedInteraction.parse(
      (await mapping?.complete?.(act, content)) ?? act,
    );
    // What makes the act the same act stays as it was first decoded.
    return { ...whole, key: act.key, kind: act.kind, channel: act.channel, provider, account };
  });

const readable = async <Result>(provider: string, use: () => Promise<Result>): Promise<Result> => {
  try {
    return await use();
  } catch (error) {
    throw new HubError(
      'unreadable',
      `A delivery of ${provider} is authentic but is not what its mapping expects. It is kept; mend mappings/channels/${provider}.ts and replay it.`,
      { retry: 'never', cause: error },
    );
  }
};

/** Gives an act its id, its time where the provider gave none, and its identifiers in the form in which they are kept. */
export const identified = (
  { key, provider, account, occurredAt, fetch: _fetch, attachments, becomes = [], ...act }: Act,
  receivedAt: string,
  config: IdentityConfig,
): Interaction => ({
  ...act,
  id: interactionId(provider, account, key),
  provider,
  ...(account !== undefined && { account }),
  occurredAt: occurredAt ?? receivedAt,
  identifiers: [...new Set([...act.identifiers, ...becomes].map((one) => readableIdentifier(one, config)))],
  ...(attachments && { attachments: attachments.map(({ keep: _keep, content: _content, ...file }) => file) }),
});
