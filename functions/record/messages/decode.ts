import type * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import { identifierType } from '../../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { readableIdentifier } from '../../../core/identity/normalise.ts';
import {
  DecodedInteraction,
  type Interaction,
  interactionId,
} from '../../../core/interaction/interaction.ts';
import { storableMembers } from '../../../core/interaction/storable.ts';
import type {
  ChannelMapping,
  Content,
  Delivery,
  Unreadable,
  VerifiedRequest,
} from '../../../core/webhooks/channel.ts';
import { unreadableReason } from '../../../core/webhooks/members.ts';
import type { DeliveryMessage } from '../../contracts/messages/record.ts';

/** A queued delivery with its body. It was verified before it was queued. */
export const deliveryOf = (message: DeliveryMessage, body: Uint8Array): Delivery => {
  const { method, url, headers } = message.request;
  const request = { method, url, headers, body } as VerifiedRequest;
  return {
    ...request,
    receivedAt: message.receivedAt,
    ...(message.account !== undefined && { account: message.account }),
    ...(message.member !== undefined && { member: message.member }),
  };
};

/** An interaction as its mapping decoded it, with the route that it came by. */
export interface ProviderInteraction
  extends Omit<z.output<typeof DecodedInteraction>, 'provider' | 'account'> {
  readonly provider: string;
  readonly account?: string | undefined;
}

interface DecodedDelivery {
  readonly interactions: readonly ProviderInteraction[];
  /** Event types of the provider that its mapping does not map. */
  readonly ignored: readonly string[];
  /** Members of a batch that cannot be decoded; the others are among the interactions. */
  readonly unreadable: readonly Unreadable[];
}

/**
 * The interactions of a delivery. Throws `HubError` `unreadable-delivery` (never) whatever goes wrong: it is the payload's fault or
 * the mapping's, so the delivery is stored for a replay after the mapping was fixed.
 */
export const decode = async (
  mapping: ChannelMapping | undefined,
  message: DeliveryMessage,
  body: Uint8Array,
): Promise<DecodedDelivery> => {
  const { provider, account } = message;
  return unreadableOnError(provider, async () => {
    if (mapping === undefined) throw new Error(`no mapping is registered for ${provider}`);
    const { interactions, ignored, unreadable = [] } = await mapping.decode(deliveryOf(message, body));
    return {
      ignored,
      unreadable,
      interactions: interactions.map((one) => ({
        ...withAnonymousClaimed(DecodedInteraction.parse(one)),
        provider,
        account,
      })),
    };
  });
};

/** Adds fetched content to an interaction. Throws `HubError` `unreadable-delivery` (never) as `decode` does. */
export const addContent = async (
  mapping: ChannelMapping | undefined,
  { provider, account, ...decoded }: ProviderInteraction,
  content: Content,
): Promise<ProviderInteraction> =>
  unreadableOnError(provider, async () => {
    const { fetch: _fetch, ...complete } = DecodedInteraction.parse(
      (await mapping?.complete?.(decoded, content)) ?? decoded,
    );
    // What the id is derived from stays as it was first decoded.
    const { key, kind, channel } = decoded;
    return { ...complete, key, kind, channel, provider, account };
  });

const unreadableOnError = async <Result>(provider: string, use: () => Promise<Result>): Promise<Result> => {
  try {
    return await use();
  } catch (error) {
    throw new HubError(
      'unreadable-delivery',
      `A delivery of ${provider} is authentic but is not what its mapping expects (${unreadableReason(error)}). It is stored as a failure. Fix the mapping of ${provider} in mappings/channels, then replay the failure.`,
      { retry: 'never', cause: error },
    );
  }
};

/** The interaction to record: with its id, the time of receipt where the provider gives no time, normalised identifiers. */
export const toInteraction = (
  {
    key,
    provider,
    account,
    occurredAt,
    fetch: _fetch,
    change: _change,
    attachments,
    becomes = [],
    ...decoded
  }: ProviderInteraction,
  receivedAt: string,
  config: IdentityConfig,
): Interaction => ({
  ...decoded,
  id: interactionId(provider, account, key),
  provider,
  ...(account !== undefined && { account }),
  occurredAt: occurredAt ?? receivedAt,
  identifiers: [
    ...new Set([...decoded.identifiers, ...becomes].map((one) => readableIdentifier(one, config))),
  ],
  ...claimedOf({ ...decoded, identifiers: [...decoded.identifiers, ...becomes], provider, account }, config),
  ...(decoded.properties && { properties: storableMembers(decoded.properties) }),
  ...(decoded.profile?.traits && {
    profile: { ...decoded.profile, traits: storableMembers(decoded.profile.traits) },
  }),
  ...(attachments && { attachments: attachments.map(({ keep: _keep, content: _content, ...file }) => file) }),
});

/** The claimed identifiers, after what identity.yaml decides under `proof` about the provider or its account. */
const claimedOf = (
  { identifiers, claimed = [], provider, account }: Omit<ProviderInteraction, 'key'>,
  { proof, ...config }: IdentityConfig,
): Pick<Interaction, 'claimed'> => {
  const decided = proof[`${provider}/${account}`] ?? proof[provider];
  const isAnonymous = (one: string): boolean => identifierType(one) === 'anonymous';
  const counted =
    decided === 'claimed' ? identifiers : decided === 'proven' ? claimed.filter(isAnonymous) : claimed;
  return counted.length === 0
    ? {}
    : { claimed: [...new Set(counted.map((one) => readableIdentifier(one, { proof, ...config })))] };
};

/** A device or browser is claimed for every reporter: it can be shared, and its id can be copied. */
const withAnonymousClaimed = <Decoded extends Pick<DecodedInteraction, 'identifiers' | 'claimed'>>(
  decoded: Decoded,
): Decoded => {
  const anonymous = decoded.identifiers.filter((one) => identifierType(one) === 'anonymous');
  return anonymous.length === 0
    ? decoded
    : { ...decoded, claimed: [...new Set([...(decoded.claimed ?? []), ...anonymous])] };
};
