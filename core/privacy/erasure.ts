import * as z from 'zod';
import { addressTypesOf } from '../consent/consent.ts';
import { applyConsentAnswer } from '../consent/consent-history.ts';
import type { Customer } from '../identity/customer.ts';
import { type Identifier, identifierType } from '../identity/identifier.ts';
import { ClosedAddress, type Profile } from '../identity/profile.ts';
import { Channel, Instant } from '../interaction/interaction.ts';

/**
 * What is remembered of an address whose owner was erased, because forgetting it would open what its owner had closed:
 * the closure, and the channels on which marketing or everything was declined.
 */
export const RetainedRefusal = z.strictObject({
  closed: ClosedAddress.omit({ source: true }).optional(),
  declined: z
    .partialRecord(Channel, z.strictObject({ status: z.enum(['denied', 'service-only']), at: Instant }))
    .optional(),
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

/** The profile of whoever holds such an address from now on: what was closed stays closed, a later answer stands. */
export const applyRetainedRefusal = (
  profile: Profile,
  identifier: Identifier,
  refusal: RetainedRefusal,
): Profile => {
  const closed = refusal.closed && { [identifier]: { ...refusal.closed, source: 'erasure' } };
  return Channel.options.reduce(
    (whole, channel) => {
      const { status, at } = refusal.declined?.[channel] ?? {};
      if (status === undefined || at === undefined) return whole;
      return applyConsentAnswer(whole, channel, { answer: status, at, source: 'erasure' });
    },
    { ...profile, closed: { ...closed, ...profile.closed } },
  );
};
