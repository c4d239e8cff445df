import { HubError } from '../errors.ts';
import { pairReviewId, sortedPair } from './ledger.ts';
import type { People } from './people.ts';

/** One open entry for two people, whichever of their halves it was filed for. */
export const requestReview = (
  people: People,
  one: string,
  other: string,
  reason: 'strong' | 'unmerged',
  cause: string,
): void => {
  if (areRelated(people, one, other, 'pendingReview')) return;
  for (const [profileId, stranger] of [
    [one, other],
    [other, one],
  ] as const) {
    const { profile } = people.sourceProfile(profileId);
    people.setProfile({ ...profile, pendingReview: [...profile.pendingReview, stranger] });
  }
  people.reviews.push({ type: 'pair', profileIds: sortedPair(one, other), reason, cause });
};

/** A person's decision that two customers are two people: rules leave them alone and no review asks again. */
export const markDistinct = (people: People, one: string, other: string): void => {
  const [first, second] = [people.canonicalId(one), people.canonicalId(other)];
  if (first === second) {
    throw new HubError(
      'existing-merge',
      'The two are one customer by now. Take the merge back first; that also keeps them apart.',
      { retry: 'never' },
    );
  }
  for (const [profileId, stranger] of [
    [first, second],
    [second, first],
  ] as const) {
    const { profile } = people.sourceProfile(profileId);
    people.setProfile({
      ...profile,
      confirmedDistinct: [...new Set([...profile.confirmedDistinct, stranger])],
    });
  }
  closeReviews(people, first, second);
};

/** A decision about two people answers every question that was asked about any two of their halves. */
export const closeReviews = (people: People, one: string, other: string): void => {
  const others = new Set(people.mergeTree(other).map(({ profile }) => profile.id));
  for (const { profile } of people.mergeTree(one)) {
    for (const asked of profile.pendingReview.filter((id) => others.has(id))) {
      people.resolvedReviews.add(pairReviewId(sortedPair(profile.id, asked)));
      removePendingReview(people, profile.id, asked);
      removePendingReview(people, asked, profile.id);
    }
  }
};

const removePendingReview = (people: People, profileId: string, other: string): void => {
  const { profile } = people.sourceProfile(profileId);
  people.setProfile({ ...profile, pendingReview: profile.pendingReview.filter((id) => id !== other) });
};

/** Whether the list of any half of one customer names any half of the other. */
export const areRelated = (
  people: People,
  one: string,
  other: string,
  list: 'neverAutoMerge' | 'confirmedDistinct' | 'pendingReview',
): boolean => {
  const others = new Set(people.mergeTree(other).map(({ profile }) => profile.id));
  return people.mergeTree(one).some(({ profile }) => profile[list].some((id) => others.has(id)));
};
