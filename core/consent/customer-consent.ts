import { HubError } from '../errors.ts';
import { type Identifier, identifierType } from '../identity/identifier.ts';
import type { ManualDecision } from '../identity/ledger.ts';
import type { People } from '../identity/people.ts';
import type { Channel } from '../interaction/interaction.ts';
import type { ConsentAnswer, ConsentStatus } from './consent.ts';
import { applyConsentAnswer } from './consent-history.ts';
import type { Evidence } from './evidence.ts';

export interface ConsentChange {
  readonly channel: Channel;
  readonly from: ConsentStatus;
  readonly to: ConsentStatus;
}

/** Records an answer for one channel that a person gave outside any interaction. `by`: who entered it. */
export const setConsent = (
  people: People,
  profileId: string,
  channel: Channel,
  answer: ConsentAnswer,
  by: string,
): ConsentChange[] => {
  const { evidence: text } = answer;
  return withConsentChanges(people, profileId, () =>
    recordAnswer(people, profileId, channel, answer, {
      type: 'command',
      by,
      ...(text !== undefined && { text }),
    }),
  );
};

/**
 * Reopens an address that a bounce or a complaint closed, because its owner asked for it. Throws `HubError` `owner-stop` if
 * the owner closed it by STOP, and `open-address` if it is not closed.
 */
export const reopenAddress = (
  people: People,
  address: Identifier,
  request: Omit<ManualDecision, 'cause'> & { readonly evidence?: string | undefined },
): void => {
  const customer = people.customer(people.ownerOf(address));
  const isDenied = identifierType(address) === 'phone' && customer.consent.sms?.status === 'denied';
  if (isDenied || customer.closed[address]?.reason === 'opt-out')
    throw new HubError(
      'owner-stop',
      'The owner sent STOP from this address. Only the owner can reopen it, by sending START from it.',
      { retry: 'never' },
    );
  if (customer.closed[address] === undefined)
    throw new HubError('open-address', 'The address is not closed, so it cannot be reopened.', {
      retry: 'never',
    });
  for (const { profile } of customer.sourceProfiles) {
    const { [address]: closure, ...closed } = profile.closed;
    if (closure === undefined || closure.reason === 'opt-out') continue;
    const { reason, at: closedAt } = closure;
    const { at, by, evidence } = request;
    people.setProfile({ ...profile, closed });
    people.reopenings.push({
      ...{ id: people.newId(), address, profileId: profile.id, reason, closedAt, at, by },
      ...(evidence !== undefined && { evidence }),
    });
  }
};

/** Applies an answer to a source profile and stores it with its evidence. A YES that lifts no denial is not stored. */
export const recordAnswer = (
  people: People,
  profileId: string,
  channel: Channel,
  answer: ConsentAnswer,
  evidence: Evidence,
): void => {
  const statusOf = (): ConsentStatus =>
    people.sourceProfile(profileId).profile.consent[channel]?.status ?? 'unknown';
  const from = statusOf();
  people.updateProfile(profileId, (profile) => applyConsentAnswer(profile, channel, answer));
  const { answer: given, at, source } = answer;
  const to = statusOf();
  if (given === 'resume' && to === from) return;
  people.answers.push({ profileId, answer: { channel, answer: given, at, source, from, to, evidence } });
};

/** The source profile that owns one of these addresses, if it belongs to the same customer; else `profileId` itself. */
export const profileOfAddresses = (
  people: People,
  profileId: string,
  addresses: readonly Identifier[],
): string => {
  const holders = addresses.map((one) => people.owner(one)).filter((one) => one !== undefined);
  return holders.find((one) => people.canonicalId(one) === people.canonicalId(profileId)) ?? profileId;
};

/** Runs `change` on a source profile and returns how the consent of the whole customer changed. */
export const withConsentChanges = (
  people: People,
  profileId: string,
  change: () => void,
): ConsentChange[] => {
  const before = people.customer(profileId).consent;
  change();
  const after = people.customer(profileId).consent;
  return Object.entries(after).flatMap(([channel, entry]) => {
    const from = before[channel as Channel]?.status ?? 'unknown';
    return entry === undefined || entry.status === from
      ? []
      : [{ channel: channel as Channel, from, to: entry.status }];
  });
};
