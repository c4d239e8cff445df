import type { IdentityConfig } from '../../core/identity/identity-config.ts';
import { isReport } from '../../core/identity/proof/vouched.ts';
import { interactionId } from '../../core/interaction/interaction.ts';
import type { Loaded } from '../contracts/ports/record.ts';
import {
  claimsOf,
  type InteractionWork,
  identifiersOf,
  idOf,
  reviewedProfileIds,
  reviewOf,
  soughtIdentifiers,
  type Work,
} from '../contracts/work.ts';

/**
 * Groups work so that no two groups concern the same customer, identifier or row. Work keeps its order within a group.
 * Each group is one transaction.
 */
export const groupByCustomer = (works: readonly Work[], loaded: Loaded, config: IdentityConfig): Work[][] => {
  const { union, find } = unionFind();
  const survivors = new Map(
    loaded.sourceProfiles.map(({ activity }) => [activity.id, activity.survivor?.id]),
  );
  const canonicalId = (profileId: string): string => {
    const survivor = survivors.get(profileId);
    return survivor === undefined ? profileId : canonicalId(survivor);
  };
  for (const work of works) {
    const identifiers = soughtIdentifiers(work, config);
    const owners = identifiers.flatMap((one) => loaded.owners.get(one) ?? []);
    const referred = loaded.referred.get(idOf(work));
    const guests = claimsOf(work, config).flatMap((one) => loaded.guests.get(one) ?? []);
    const review = reviewOf(work);
    const profileIds = [
      ...owners,
      ...guests,
      ...(referred === undefined ? [] : [referred]),
      ...(review === undefined ? [] : reviewedProfileIds(loaded.reviews.get(review))),
    ];
    for (const key of [
      ...identifiers,
      ...(review === undefined ? [] : [`review ${review}`]),
      ...profileIds.map((profileId) => `profile ${canonicalId(profileId)}`),
    ])
      union(key, `work ${idOf(work)}`);
  }
  return [...Map.groupBy(works, (work) => find(`work ${idOf(work)}`)).values()];
};

/** Disjoint sets of keys: `find` returns the key that stands for all keys united with the given one. */
const unionFind = () => {
  const parents = new Map<string, string>();
  const find = (key: string): string => {
    const parent = parents.get(key);
    if (parent === undefined || parent === key) return key;
    const root = find(parent);
    parents.set(key, root);
    return root;
  };
  const union = (one: string, other: string): void => {
    parents.set(find(one), find(other));
  };
  return { find, union };
};

/**
 * Anonymous interactions that refer to a message of the same batch, such as a read receipt that arrives in one delivery
 * with its message. Their customer is known once that message is stored.
 */
export const findOutOfOrder = (works: readonly Work[], config: IdentityConfig): ReadonlySet<Work> => {
  const interactions = works.filter((work) => work.type === 'interaction');
  const isAnonymous = (work: InteractionWork): boolean =>
    isReport(work.interaction) || identifiersOf(work, config).length === 0;
  const messages = new Set(
    interactions
      .filter((work) => !isAnonymous(work))
      .flatMap(({ interaction: { id, provider, direction, externalId } }) =>
        // A message that the hub sent is found by the provider's own id for it, whatever its key.
        direction === 'outbound' && externalId !== undefined ? [id, `${provider}#${externalId}`] : [id],
      ),
  );
  if (messages.size === 0) return new Set();
  return new Set(
    interactions.filter((work) => {
      const { provider, account, refersTo } = work.interaction;
      if (refersTo === undefined || !isAnonymous(work)) return false;
      return (
        messages.has(interactionId(provider, account, refersTo)) || messages.has(`${provider}#${refersTo}`)
      );
    }),
  );
};

/**
 * Delays an anonymous event, or a report about an address that nobody owns, that arrives before the message it references: the function that queues it again. Absent after
 * the last try, and where the message is stored.
 */
export const delayOf = (
  work: Work,
  { seen, referred, receivedBeforeErasure, owners }: Loaded,
  config: IdentityConfig,
): (() => Promise<void>) | undefined => {
  if (work.type !== 'interaction') return undefined;
  const { id } = work.interaction;
  const isOwned = identifiersOf(work, config).some((one) => owners.has(one));
  return isOwned || seen.has(id) || referred.has(id) || receivedBeforeErasure.has(id)
    ? undefined
    : work.later;
};
