import { addressesOf, answerChannel, answerOf } from '../consent/consent.ts';
import {
  type ConsentChange,
  profileOfAddresses,
  recordAnswer,
  withConsentChanges,
} from '../consent/customer-consent.ts';
import { evidenceOf } from '../consent/evidence.ts';
import { HubError } from '../errors.ts';
import type { Instant, Interaction } from '../interaction/interaction.ts';
import { type Reply, replyOf } from '../timeline/conversation.ts';
import { haveSameEntries, listEntries } from '../timeline/lists.ts';
import type { Identifier } from './identifier.ts';
import type { Merge, Review } from './ledger.ts';
import { fitsLimits, matchIdentifiers } from './matching.ts';
import { mergeCustomers } from './merge.ts';
import { normaliseIdentifier, usableIdentifiers } from './normalise.ts';
import type { People } from './people.ts';
import { applyActivity, applyAddressEffect, applyInteraction, newSourceProfile } from './source-profile.ts';

/** The result of identity resolution of one interaction. Without a `profileId` the interaction is in the review queue. */
export interface Resolution {
  readonly profileId?: string;
  readonly isNew: boolean;
  readonly merge?: Merge;
  /** Identifiers that stay on the interaction only. */
  readonly setAside: readonly Identifier[];
  readonly consent: readonly ConsentChange[];
  /** Set if the interaction answers an open question. */
  readonly reply?: Reply;
  /** The customer's entries in the customer lists changed. */
  readonly moved?: true;
}

/**
 * Finds or creates the customer of an interaction and applies the interaction to it, by FORMATS, "How an interaction finds
 * its customer". `referred`: the source profile of the message that it refers to, if that is known. `receivedAt`: when the
 * hub received it.
 */
export const resolveInteraction = (
  people: People,
  interaction: Interaction,
  referred: string | undefined,
  receivedAt: Instant,
): Resolution => {
  const usable = usableIdentifiers(interaction.identifiers, people.config);
  if (usable.length === 0) {
    if (referred !== undefined) return attachInteraction(people, referred, interaction, [], {});
    return requestDecision(people, 'no-identifier', interaction, receivedAt, []);
  }
  const found = matchIdentifiers(people, usable, interaction.id);
  if (found === undefined) return requestDecision(people, 'over-limit', interaction, receivedAt, usable);
  const { profileId, roots, gained, setAside } = found;
  if (profileId === undefined) return createCustomer(people, interaction, gained, setAside);
  const merge = roots.length > 1 ? mergeCustomers(people, roots, interaction.id, receivedAt) : undefined;
  return attachInteraction(people, profileId, interaction, gained, { setAside, ...(merge && { merge }) });
};

/**
 * Assigns an interaction of the review queue to a source profile, or to a new customer if there is none. The customer gains
 * its identifiers that have no owner and fit the limits. Throws `HubError` `missing-identifier` for a new customer without
 * any identifier.
 */
export const assignInteraction = (
  people: People,
  review: Extract<Review, { type: 'interaction' }>,
  profileId: string | undefined,
): Resolution => {
  const { interaction } = review;
  const free = usableIdentifiers(interaction.identifiers, people.config).filter(
    (one) => people.owner(one) === undefined,
  );
  const owner = profileId === undefined ? [] : [people.canonicalId(profileId)];
  const gained: Identifier[] = [];
  for (const one of free) if (fitsLimits(people, owner, [...gained, one])) gained.push(one);
  if (profileId !== undefined) return attachInteraction(people, profileId, interaction, gained, {});
  if (gained.length > 0) return createCustomer(people, interaction, gained, []);
  throw new HubError(
    'missing-identifier',
    'The interaction has no identifier that a new customer could be found by. Assign it to a customer, or dismiss it.',
    { retry: 'never' },
  );
};

const createCustomer = (
  people: People,
  interaction: Interaction,
  identifiers: readonly Identifier[],
  setAside: readonly Identifier[],
): Resolution => {
  const id = people.newId();
  people.add(newSourceProfile(id, interaction.occurredAt));
  people.setProfile(people.sourceProfile(id).profile);
  return attachInteraction(people, id, interaction, identifiers, { isNew: true, setAside });
};

const attachInteraction = (
  people: People,
  profileId: string,
  interaction: Interaction,
  identifiers: readonly Identifier[],
  details: { isNew?: boolean; setAside?: readonly Identifier[]; merge?: Merge },
): Resolution => {
  const before = people.customer(profileId);
  const reply = replyOf(before.conversation, interaction, people.silence);
  const consent = withConsentChanges(people, profileId, () =>
    applyToCustomer(people, profileId, interaction, identifiers),
  );
  return {
    profileId,
    isNew: details.isNew ?? false,
    setAside: details.setAside ?? [],
    consent,
    ...(details.merge && { merge: details.merge }),
    ...(reply && { reply }),
    ...((details.isNew || !haveSameEntries(listEntries(before), listEntries(people.customer(profileId)))) && {
      moved: true,
    }),
  };
};

const requestDecision = (
  people: People,
  reason: 'no-identifier' | 'over-limit',
  interaction: Interaction,
  receivedAt: Instant,
  setAside: readonly Identifier[],
): Resolution => {
  people.reviews.push({ type: 'interaction', reason, interaction, receivedAt });
  return { isNew: false, setAside, consent: [] };
};

/** Applies an interaction to the customer: identifiers, profile, consent, closed addresses and activity. */
const applyToCustomer = (
  people: People,
  profileId: string,
  interaction: Interaction,
  identifiers: readonly Identifier[],
): void => {
  for (const identifier of identifiers) people.attachIdentifier(identifier, profileId);
  people.updateProfile(profileId, (profile) => applyInteraction(profile, interaction));
  const addresses = addressesOf(
    answerChannel(interaction),
    interaction.identifiers.map((one) => normaliseIdentifier(one) ?? one),
  );
  const answer = answerOf(interaction);
  const { occurredAt: at, id: source } = interaction;
  if (answer !== undefined)
    recordAnswer(
      people,
      profileOfAddresses(people, profileId, addresses),
      answerChannel(interaction),
      { answer, at, source },
      evidenceOf(interaction, addresses[0]),
    );
  // An address is closed for its owner, even if the interaction went to another customer.
  for (const address of addresses)
    people.updateProfile(people.owner(address) ?? profileId, (profile) =>
      applyAddressEffect(profile, address, interaction),
    );
  const { activity } = people.sourceProfile(profileId);
  const carried = usableIdentifiers(interaction.identifiers, people.config).filter(
    (one) => people.owner(one) !== undefined,
  );
  people.setActivity(applyActivity(activity, interaction, carried, people.silence));
};
