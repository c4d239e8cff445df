import { HubError } from '../../errors.ts';
import { pairReviewId, sortedPair } from '../ledger.ts';
import type { People } from '../people.ts';
import { closeClaimedPairs } from '../proof/claimed-pairs.ts';
import { areRelated } from '../related.ts';

/** Opens a review for a pair of customers, unless one is open for any two of their source profiles. */
export const requestReview = (
  people: People,
  one: string,
  other: string,
  reason: 'strong' | 'unmerged' | 'handed-over' | 'crm-change',
  cause: string,
): void => {
  if (areRelated(people, one, other, 'pendingReview')) return;
  for (const [profileId, counterpart] of [
    [one, other],
    [other, one],
  ] as const) {
    const { profile } = people.sourceProfile(profileId);
    people.setProfile({ ...profile, pendingReview: [...profile.pendingReview, counterpart] });
  }
  people.reviews.push({ type: 'pair', profileIds: sortedPair(one, other), reason, cause });
};

/**
 * Records a person's decision that two customers are different people: no rule merges them, and no review is opened again.
 * Throws `HubError` `existing-merge` if they are one customer already.
 */
export const markDistinct = (people: People, one: string, other: string): void => {
  const [first, second] = [people.canonicalId(one), people.canonicalId(other)];
  if (first === second) {
    throw new HubError(
      'existing-merge',
      'The two are merged into one customer already. Unmerge them first; that also marks them as distinct.',
      { retry: 'never' },
    );
  }
  for (const [profileId, counterpart] of [
    [first, second],
    [second, first],
  ] as const) {
    const { profile } = people.sourceProfile(profileId);
    people.setProfile({
      ...profile,
      confirmedDistinct: [...new Set([...profile.confirmedDistinct, counterpart])],
    });
  }
  closeReviews(people, first, second);
};

/** Closes the open reviews of two customers, whichever of their source profiles they were opened for. */
export const closeReviews = (people: People, one: string, other: string): void => {
  closeClaimedPairs(people, one, other);
  const others = new Set(people.mergeTree(other).map(({ profile }) => profile.id));
  for (const { profile } of people.mergeTree(one)) {
    for (const pending of profile.pendingReview.filter((id) => others.has(id))) {
      people.resolvedReviews.add(pairReviewId(sortedPair(profile.id, pending)));
      removePendingReview(people, profile.id, pending);
      removePendingReview(people, pending, profile.id);
    }
  }
};

const removePendingReview = (people: People, profileId: string, other: string): void => {
  const { profile } = people.sourceProfile(profileId);
  people.setProfile({ ...profile, pendingReview: profile.pendingReview.filter((id) => id !== other) });
};
