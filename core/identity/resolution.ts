import { type Answer, addressesOf, answerChannel, answerOf, isPageAnswer } from '../consent/consent.ts';
import {
  type ConsentChange,
  profileOfAddresses,
  recordAnswer,
  withConsentChanges,
} from '../consent/customer-consent.ts';
import { evidenceOf } from '../consent/evidence.ts';
import { HubError } from '../errors.ts';
import type { Instant, Interaction } from '../interaction/interaction.ts';
import { isPrivacyRequest, privacyReview } from '../privacy/requests.ts';
import { type Reply, replyOf } from '../timeline/conversation.ts';
import { haveSameEntries, listEntries } from '../timeline/lists.ts';
import type { Identifier } from './identifier.ts';
import { sortByStrength } from './identity-config.ts';
import type { Merge, Review } from './ledger.ts';
import { fitsLimits, matchIdentifiers } from './matching.ts';
import { mergeCustomers } from './merge.ts';
import { normaliseIdentifier, usableIdentifiers } from './normalise.ts';
import type { AddressClaim, People } from './people.ts';
import { reviewClaimedPairs } from './proof/claimed-pairs.ts';
import { resolveGuest } from './proof/guests.ts';
import { handOverNumbers } from './proof/handed-over.ts';
import { isReport, type Vouched, vouchedIdentifiers } from './proof/vouched.ts';
import { requestReview } from './review-queue.ts';
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
  /** Set for a report about a message of an unknown customer, which is not stored. */
  readonly ignored?: true;
  /** Set if the interaction changes the customer's position in the customer lists. */
  readonly moved?: true;
}

/**
 * Finds or creates the customer of an interaction that arrived at `receivedAt` (FORMATS, "How an interaction finds its
 * customer"). `referred`: the source profile of the message that the interaction refers to, or of the cause of a message that
 * the hub sent. Only proven identifiers find, merge and create persons; claimed identifiers alone lead to a guest.
 */
export const resolveInteraction = (
  people: People,
  interaction: Interaction,
  referred: string | undefined,
  receivedAt: Instant,
): Resolution => {
  const placement = placeInteraction(people, interaction, referred, receivedAt);
  const review = privacyReview(interaction, placement.profileId, receivedAt);
  if (review) people.reviews.push(review);
  return placement;
};

const placeInteraction = (
  people: People,
  interaction: Interaction,
  referred: string | undefined,
  receivedAt: Instant,
): Resolution => {
  const { proven, claimed } = vouchedIdentifiers(interaction, people.config);
  const named = [...proven, ...claimed];
  const request = isPrivacyRequest(interaction)
    ? resolveRequest(people, interaction, referred, { proven, claimed })
    : undefined;
  if (request) return request;
  if ((isReport(interaction) && named.length > 0) || interaction.kind === 'notification')
    return resolveReport(people, interaction, referred, named);
  const pageOwner = isPageAnswer(interaction) ? ownerAmong(people, named) : undefined;
  if (pageOwner !== undefined) return attachInteraction(people, pageOwner, interaction, [], {});
  if (proven.length > 0) return resolveProven(people, interaction, receivedAt, proven, claimed);
  if (claimed.length > 0) return resolveClaimed(people, interaction, claimed);
  if (referred !== undefined) return attachInteraction(people, referred, interaction, [], {});
  return requestDecision(people, 'no-identifier', interaction, receivedAt, []);
};

/**
 * A request about somebody known merges nobody, gives nobody an identifier and opens no pair: a person decides whom it is
 * about. Where it is only claimed to be about them, it goes to a guest. Undefined where its proven identifiers are new.
 */
const resolveRequest = (
  people: People,
  interaction: Interaction,
  referred: string | undefined,
  { proven, claimed }: Vouched,
): Resolution | undefined => {
  const isOwned = (one: Identifier): boolean => people.owner(one) !== undefined;
  if (proven.some(isOwned)) return resolveReport(people, interaction, undefined, proven);
  if (claimed.some(isOwned)) return attachToGuest(people, interaction, claimed);
  return proven.length + claimed.length > 0 || referred !== undefined
    ? undefined
    : { isNew: false, setAside: [], consent: [] };
};

/** Attaches a report to the recipient of its message, else to the owner of its address; ignored if neither is known. */
const resolveReport = (
  people: People,
  interaction: Interaction,
  referred: string | undefined,
  usable: readonly Identifier[],
): Resolution => {
  const profileId = referred ?? ownerAmong(people, usable);
  if (profileId === undefined) return { isNew: false, setAside: [], consent: [], ignored: true };
  return attachInteraction(people, profileId, interaction, [], {});
};

/** The source profile that owns the strongest owned one of these identifiers. */
const ownerAmong = (people: People, identifiers: readonly Identifier[]): string | undefined =>
  sortByStrength(identifiers, people.config)
    .map((one) => people.owner(one))
    .find((one) => one !== undefined);

const resolveProven = (
  people: People,
  interaction: Interaction,
  receivedAt: Instant,
  proven: readonly Identifier[],
  claimed: readonly Identifier[],
): Resolution => {
  const handedOver = handOverNumbers(people, proven, interaction);
  const found = matchIdentifiers(people, handedOver.proven, interaction.id);
  if (found === undefined) return requestDecision(people, 'over-limit', interaction, receivedAt, proven);
  const { profileId, roots, gained, setAside } = found;
  const merge =
    profileId !== undefined && roots.length > 1
      ? mergeCustomers(people, roots, interaction.id, receivedAt)
      : undefined;
  const resolution =
    profileId === undefined
      ? createCustomer(people, interaction, gained, setAside)
      : attachInteraction(people, profileId, interaction, gained, { setAside, ...(merge && { merge }) });
  const root = people.canonicalId(resolution.profileId ?? '');
  for (const other of rootsOf(people, [], handedOver.others))
    if (other !== root) requestReview(people, root, other, 'handed-over', interaction.id);
  reviewClaimedPairs(people, rootsOf(people, claimed, [root]), interaction.id);
  return resolution;
};

const resolveClaimed = (
  people: People,
  interaction: Interaction,
  claimed: readonly Identifier[],
): Resolution => {
  const placement = attachToGuest(people, interaction, claimed);
  reviewClaimedPairs(people, rootsOf(people, claimed), interaction.id);
  return placement;
};

const attachToGuest = (
  people: People,
  interaction: Interaction,
  claimed: readonly Identifier[],
): Resolution => {
  const { profileId, isNew } = resolveGuest(people, claimed, interaction);
  const { profile } = people.sourceProfile(profileId);
  const isShown = profile.claimed.some((one) => people.owner(one) !== undefined);
  return attachInteraction(people, profileId, interaction, [], { isNew: isNew && !isShown });
};

/** The canonical ids of the owners of identifiers and of source profiles, without duplicates. */
const rootsOf = (
  people: People,
  identifiers: readonly Identifier[],
  profileIds: readonly string[] = [],
): string[] => {
  const owners = identifiers.flatMap((one) => people.owner(one) ?? []);
  return [...new Set([...profileIds, ...owners].map((one) => people.canonicalId(one)))];
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
    'The interaction has no identifier that could identify a new customer. Assign it to a customer, or dismiss it.',
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

/** Applies an interaction to its source profile: identifiers, hints, consent, closed addresses, activity. */
const applyToCustomer = (
  people: People,
  profileId: string,
  interaction: Interaction,
  identifiers: readonly Identifier[],
): void => {
  for (const identifier of identifiers) people.attachIdentifier(identifier, profileId);
  people.updateProfile(profileId, (profile) => applyInteraction(profile, interaction));
  const { proven, claimed } = vouchedIdentifiers(interaction, people.config);
  // Only the recipient of the address has the link to the page, so the present owner of the address gives the answer.
  const isOwnerOnPage = (one: Identifier): boolean =>
    isPageAnswer(interaction) && people.owner(one) !== undefined;
  applyAnswer(people, profileId, interaction, new Set(claimed.filter((one) => !isOwnerOnPage(one))));
  const { activity } = people.sourceProfile(profileId);
  // A report and what the hub sent prove nothing: nobody was heard from at the address.
  const vouched = isReport(interaction) || interaction.kind === 'notification' ? [] : proven;
  const carried = vouched.filter((one) => people.owner(one) !== undefined);
  for (const identifier of carried) removeConfirmation(people, identifier);
  people.setActivity(applyActivity(activity, interaction, carried, people.silence));
};

/** Removes an agent's confirmation of an identifier, because an interaction has proven it. */
const removeConfirmation = (people: People, identifier: Identifier): void =>
  people.updateProfile(people.ownerOf(identifier), (profile) =>
    profile.confirmed.includes(identifier)
      ? { ...profile, confirmed: profile.confirmed.filter((one) => one !== identifier) }
      : profile,
  );

/**
 * Records the consent answer of an interaction: for the person if the address is proven or absent, for the address only if
 * it is claimed. A report closes its address for any owner; a claim closes no address.
 */
const applyAnswer = (
  people: People,
  profileId: string,
  interaction: Interaction,
  claimed: ReadonlySet<Identifier>,
): void => {
  const channel = answerChannel(interaction);
  const addresses = addressesOf(
    channel,
    interaction.identifiers.map((one) => normaliseIdentifier(one) ?? one),
  );
  const vouched = addresses.filter((one) => !claimed.has(one));
  const answer = answerOf(interaction);
  const { occurredAt: at, id: source } = interaction;
  const isGuest = people.sourceProfile(profileId).profile.guest === true;
  if (answer !== undefined && (vouched.length > 0 || (addresses.length === 0 && !isGuest)))
    recordAnswer(
      people,
      profileOfAddresses(people, profileId, vouched),
      channel,
      { answer, at, source },
      evidenceOf(interaction, vouched[0]),
    );
  // `resume` only lifts a denial, and a claim never does.
  if (answer !== undefined && answer !== 'resume')
    for (const address of addresses.filter((one) => claimed.has(one)))
      people.addressClaims.push({ address, claim: claimFor(answer), channel, at, source });
  for (const address of isReport(interaction) ? addresses : vouched)
    people.updateProfile(people.owner(address) ?? profileId, (profile) =>
      applyAddressEffect(profile, address, interaction),
    );
};

const claimFor = (answer: Answer): AddressClaim['claim'] => (answer === 'granted' ? 'opt-in' : 'mute');
