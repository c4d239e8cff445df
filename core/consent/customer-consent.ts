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

/** A person's answer for one channel, given outside any interaction. */
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
 * Opens an address again that bounced or was complained about, as its owner has asked. What they closed by STOP only
 * they open. Throws `HubError` `open-address` and `owner-stop`.
 */
export const reopenAddress = (
  people: People,
  address: Identifier,
  request: Omit<ManualDecision, 'cause'> & { readonly evidence?: string | undefined },
): void => {
  const customer = people.customer(people.ownerOf(address));
  const stopped = identifierType(address) === 'phone' && customer.consent.sms?.status === 'denied';
  if (stopped || customer.closed[address]?.reason === 'opt-out')
    throw new HubError(
      'owner-stop',
      'The owner has sent STOP from this address. Only they open it again, by sending START from it.',
      { retry: 'never' },
    );
  if (customer.closed[address] === undefined)
    throw new HubError('open-address', 'The address is not closed, so there is nothing to open.', {
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

/** An answer, and the proof that it was given; a YES that answers nothing is none. */
export const recordAnswer = (
  people: People,
  profileId: string,
  channel: Channel,
  said: ConsentAnswer,
  evidence: Evidence,
): void => {
  const statusOf = (): ConsentStatus =>
    people.sourceProfile(profileId).profile.consent[channel]?.status ?? 'unknown';
  const from = statusOf();
  people.updateProfile(profileId, (profile) => applyConsentAnswer(profile, channel, said));
  const { answer, at, source } = said;
  const to = statusOf();
  if (answer === 'resume' && to === from) return;
  people.answers.push({ profileId, given: { channel, answer, at, source, from, to, evidence } });
};

/** The half whose address carried an interaction, among those of the customer that it went to. */
export const profileOfAddresses = (
  people: People,
  profileId: string,
  addresses: readonly Identifier[],
): string => {
  const holders = addresses.map((one) => people.owner(one)).filter((one) => one !== undefined);
  return holders.find((one) => people.canonicalId(one) === people.canonicalId(profileId)) ?? profileId;
};

/** What a change of one half changes of the answers of the whole customer. */
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
