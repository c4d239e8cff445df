import { addressesOf, answeredChannel, answerOf } from '../consent/consent.ts';
import { type ConsentChange, carrier, changing, hear } from '../consent/customer-consent.ts';
import { evidenceOf } from '../consent/evidence.ts';
import { HubError } from '../errors.ts';
import type { Instant, Interaction } from '../interaction/interaction.ts';
import { type Reply, replyOf } from '../timeline/conversation.ts';
import { placesOf, samePlaces } from '../timeline/lists.ts';
import type { Identifier } from './identifier.ts';
import type { Merge, Review } from './ledger.ts';
import { fitsLimits, matchIdentifiers } from './matching.ts';
import { mergeCustomers } from './merge.ts';
import type { People } from './people.ts';
import { normaliseIdentifier, usableIdentifiers } from './rules.ts';
import { applyActivity, applyAddressEffect, applyInteraction, newSourceProfile } from './source-profile.ts';

/** Where an interaction went and what it changed; or, without `half`, that it waits on the review list. */
export interface Placement {
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
): Placement => {
  const usable = usableIdentifiers(interaction.identifiers, people.config);
  if (usable.length === 0) {
    if (referred !== undefined) return join(people, referred, interaction, [], {});
    return awaitDecision(people, 'no-identifier', interaction, receivedAt, []);
  }
  const found = matchIdentifiers(people, usable, interaction.id);
  if (found === undefined) return awaitDecision(people, 'over-limit', interaction, receivedAt, usable);
  const { profileId, roots, gained, setAside } = found;
  if (profileId === undefined) return create(people, interaction, gained, setAside);
  const merge = roots.length > 1 ? mergeCustomers(people, roots, interaction.id, receivedAt) : undefined;
  return join(people, profileId, interaction, gained, { setAside, ...(merge && { merge }) });
};

/**
 * A person's decision about an interaction that waits for one: it goes to the half named, or to a customer of its own.
 * Its identifiers join where nobody holds them and a limit allows it.
 */
export const assignInteraction = (
  people: People,
  review: Extract<Review, { type: 'interaction' }>,
  profileId: string | undefined,
): Placement => {
  const { interaction } = review;
  const free = usableIdentifiers(interaction.identifiers, people.config).filter(
    (one) => people.owner(one) === undefined,
  );
  const holder = profileId === undefined ? [] : [people.canonicalId(profileId)];
  const taken: Identifier[] = [];
  for (const one of free) if (fitsLimits(people, holder, [...taken, one])) taken.push(one);
  if (profileId !== undefined) return join(people, profileId, interaction, taken, {});
  if (taken.length > 0) return create(people, interaction, taken, []);
  throw new HubError(
    'missing-identifier',
    'The interaction names nobody who could be known again by it, so it cannot make a customer. Assign it to one, or dismiss it.',
    { retry: 'never' },
  );
};

const create = (
  people: People,
  interaction: Interaction,
  identifiers: readonly Identifier[],
  setAside: readonly Identifier[],
): Placement => {
  const id = people.newId();
  people.add(newSourceProfile(id, interaction.occurredAt));
  people.setProfile(people.sourceProfile(id).profile);
  return join(people, id, interaction, identifiers, { isNew: true, setAside });
};

const join = (
  people: People,
  profileId: string,
  interaction: Interaction,
  identifiers: readonly Identifier[],
  told: { isNew?: boolean; setAside?: readonly Identifier[]; merge?: Merge },
): Placement => {
  const before = people.customer(profileId);
  const reply = replyOf(before.conversation, interaction, people.silence);
  const consent = changing(people, profileId, () => take(people, profileId, interaction, identifiers));
  return {
    profileId,
    isNew: told.isNew ?? false,
    setAside: told.setAside ?? [],
    consent,
    ...(told.merge && { merge: told.merge }),
    ...(reply && { reply }),
    ...((told.isNew || !samePlaces(placesOf(before), placesOf(people.customer(profileId)))) && {
      moved: true,
    }),
  };
};

const awaitDecision = (
  people: People,
  reason: 'no-identifier' | 'over-limit',
  interaction: Interaction,
  receivedAt: Instant,
  setAside: readonly Identifier[],
): Placement => {
  people.reviews.push({ type: 'interaction', reason, interaction, receivedAt });
  return { isNew: false, setAside, consent: [] };
};

/** What the interaction teaches the half, answers about consent, and adds to its activity. */
const take = (
  people: People,
  profileId: string,
  interaction: Interaction,
  identifiers: readonly Identifier[],
): void => {
  for (const identifier of identifiers) people.own(identifier, profileId);
  people.change(profileId, (profile) => applyInteraction(profile, interaction));
  const addresses = addressesOf(
    answeredChannel(interaction),
    interaction.identifiers.map((one) => normaliseIdentifier(one) ?? one),
  );
  const answer = answerOf(interaction);
  const { occurredAt: at, id: source } = interaction;
  if (answer !== undefined)
    hear(
      people,
      carrier(people, profileId, addresses),
      answeredChannel(interaction),
      { answer, at, source },
      evidenceOf(interaction, addresses[0]),
    );
  // An address is closed for whoever holds it, also where the interaction went to somebody else.
  for (const address of addresses)
    people.change(people.owner(address) ?? profileId, (profile) =>
      applyAddressEffect(profile, address, interaction),
    );
  const { activity } = people.sourceProfile(profileId);
  const carried = usableIdentifiers(interaction.identifiers, people.config).filter(
    (one) => people.owner(one) !== undefined,
  );
  people.setActivity(applyActivity(activity, interaction, carried, people.silence));
};
