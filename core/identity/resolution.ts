import { isPageAnswer } from '../consent/consent.ts';
import { HubError } from '../errors.ts';
import type { Instant, Interaction } from '../interaction/interaction.ts';
import { isPrivacyRequest, privacyReview } from '../privacy/requests.ts';
import { attachInteraction, type Resolution } from './attach-interaction.ts';
import { linkedProfiles, resolveLinked } from './crm/linked.ts';
import { isCrmReport, linkRecords } from './crm/references.ts';
import { requestReview } from './decisions/review-queue.ts';
import type { Identifier } from './identifier.ts';
import { sortByStrength } from './identity-config.ts';
import type { Review } from './ledger.ts';
import { fitsLimits, matchIdentifiers } from './matching.ts';
import { mergeCustomers } from './merge.ts';
import { usableIdentifiers } from './normalise.ts';
import type { People } from './people.ts';
import { reviewClaimedPairs } from './proof/claimed-pairs.ts';
import { resolveGuest } from './proof/guests.ts';
import { handOverNumbers } from './proof/handed-over.ts';
import { isReport, type Vouched, vouchedIdentifiers } from './proof/vouched.ts';
import { newSourceProfile } from './source-profile.ts';

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

const ignored: Resolution = { isNew: false, setAside: [], consent: [], ignored: true };

const placeInteraction = (
  people: People,
  interaction: Interaction,
  referred: string | undefined,
  receivedAt: Instant,
): Resolution => {
  const { proven, claimed } = vouchedIdentifiers(interaction, people.config);
  const named = [...proven, ...claimed];
  const linked = linkedProfiles(people, interaction, named.length > 0, referred);
  const request = isPrivacyRequest(interaction)
    ? resolveRequest(people, interaction, referred ?? linked[0], { proven, claimed })
    : undefined;
  if (request) return request;
  if ((isReport(interaction) && named.length > 0) || interaction.kind === 'notification')
    return resolveReport(people, interaction, referred, named);
  const pageOwner = isPageAnswer(interaction) ? ownerAmong(people, named) : undefined;
  if (pageOwner !== undefined) return attachInteraction(people, pageOwner, interaction, [], {});
  if (linked.length > 0) return resolveLinked(people, interaction, receivedAt, linked, { proven, claimed });
  if (proven.length > 0) return resolveProven(people, interaction, receivedAt, proven, claimed);
  if (claimed.length > 0) return resolveClaimed(people, interaction, claimed);
  if (referred !== undefined) return attachInteraction(people, referred, interaction, [], {});
  if (isCrmReport(interaction) && people.config.references.has(interaction.provider)) return ignored;
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
  if (profileId === undefined) return ignored;
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
  if (resolution.profileId !== undefined) linkRecords(people, interaction, resolution.profileId);
  const root = people.canonicalId(resolution.profileId ?? '');
  for (const other of people.rootsOf([], handedOver.others))
    if (other !== root) requestReview(people, root, other, 'handed-over', interaction.id);
  reviewClaimedPairs(people, people.rootsOf(claimed, [root]), interaction.id);
  return resolution;
};

const resolveClaimed = (
  people: People,
  interaction: Interaction,
  claimed: readonly Identifier[],
): Resolution => {
  const placement = attachToGuest(people, interaction, claimed);
  reviewClaimedPairs(people, people.rootsOf(claimed), interaction.id);
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
