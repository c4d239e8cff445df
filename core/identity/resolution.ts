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

/** Where an interaction went and what it changed; or, without `half`, that it waits on the review list. */
export interface Resolution {
  readonly profileId?: string;
  readonly isNew: boolean;
  readonly merge?: Merge;
  /** Identifiers that stay on the interaction only. */
  readonly setAside: readonly Identifier[];
  readonly consent: readonly ConsentChange[];
  /** How long the person has waited for this answer. */
  readonly reply?: Reply;
  /** The customer stands elsewhere in the lists that people read. */
  readonly moved?: true;
}

/**
 * Finds or makes the customer of an interaction that arrived at `receivedAt`. `referred` is the half that holds the
 * message it refers to.
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
 * A person's decision about an interaction that waits for one: it goes to the half named, or to a customer of its own.
 * Its identifiers join where nobody holds them and a limit allows it.
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
  const holder = profileId === undefined ? [] : [people.canonicalId(profileId)];
  const taken: Identifier[] = [];
  for (const one of free) if (fitsLimits(people, holder, [...taken, one])) taken.push(one);
  if (profileId !== undefined) return attachInteraction(people, profileId, interaction, taken, {});
  if (taken.length > 0) return createCustomer(people, interaction, taken, []);
  throw new HubError(
    'missing-identifier',
    'The interaction names nobody who could be known again by it, so it cannot make a customer. Assign it to one, or dismiss it.',
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

/** What the interaction teaches the half, answers about consent, and adds to its activity. */
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
  // An address is closed for whoever holds it, also where the interaction went to somebody else.
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
