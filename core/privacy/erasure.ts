import * as z from 'zod';
import { addressTypesOf } from '../consent/consent.ts';
import { applyConsentAnswer } from '../consent/consent-history.ts';
import type { Customer } from '../identity/customer.ts';
import { type Identifier, identifierType } from '../identity/identifier.ts';
import { ClosedAddress, type Profile } from '../identity/profile.ts';
import { Channel, Instant } from '../interaction/interaction.ts';

/**
 * What is remembered of an address whose owner was erased, because forgetting it would open what its owner had closed:
 * the closure, the channels on which marketing or everything was declined, and a mute.
 */
export const RetainedRefusal = z.strictObject({
  closed: ClosedAddress.omit({ source: true }).optional(),
  declined: z
    .partialRecord(Channel, z.strictObject({ status: z.enum(['denied', 'service-only']), at: Instant }))
    .optional(),
  /** The last opt-out by an interaction that only claimed the address. */
  muted: z.strictObject({ channel: Channel, at: Instant }).optional(),
});
export type RetainedRefusal = z.infer<typeof RetainedRefusal>;

/** What has to be remembered of each of a customer's identifiers; those of which it is nothing are left out. */
export const retainedRefusals = ({
  identifiers,
  closed,
  consent,
}: Customer): Map<Identifier, RetainedRefusal> => {
  const remembered = new Map<Identifier, RetainedRefusal>();
  for (const identifier of identifiers) {
    const closure = closed[identifier];
    const declined = Channel.options.flatMap((channel) => {
      const { status, at } = consent[channel] ?? {};
      return (status === 'denied' || status === 'service-only') &&
        addressTypesOf(channel).includes(identifierType(identifier))
        ? [[channel, { status, at }] as const]
        : [];
    });
    if (closure === undefined && declined.length === 0) continue;
    remembered.set(identifier, {
      ...(closure && { closed: { reason: closure.reason, at: closure.at } }),
      ...(declined.length > 0 && { declined: Object.fromEntries(declined) }),
    });
  }
  return remembered;
};

/**
 * The profile of a guest who claims such an address: it stays closed to what the guest's interactions cause, where its
 * erased owner had closed it or had declined everything on a channel.
 */
export const applyRefusalToGuest = (
  profile: Profile,
  identifier: Identifier,
  { closed, declined = {} }: RetainedRefusal,
): Profile => {
  const denied = Object.values(declined).find(({ status }) => status === 'denied');
  const closure = closed ?? (denied && { reason: 'opt-out' as const, at: denied.at });
  if (closure === undefined) return profile;
  return { ...profile, closed: { [identifier]: { ...closure, source: 'erasure' }, ...profile.closed } };
};

/** The profile of the next owner of an address: what was closed stays closed, and a later answer holds. */
export const applyRetainedRefusal = (
  profile: Profile,
  identifier: Identifier,
  refusal: RetainedRefusal,
): Profile => {
  const closed = refusal.closed && { [identifier]: { ...refusal.closed, source: 'erasure' } };
  const declined = Channel.options.reduce(
    (whole, channel) => {
      const { status, at } = refusal.declined?.[channel] ?? {};
      if (status === undefined || at === undefined) return whole;
      return applyConsentAnswer(whole, channel, { answer: status, at, source: 'erasure' });
    },
    { ...profile, closed: { ...closed, ...profile.closed } },
  );
  if (refusal.muted === undefined) return declined;
  const { channel, at } = refusal.muted;
  return applyConsentAnswer(declined, channel, { answer: 'no-marketing', at, source: 'erasure' });
};
