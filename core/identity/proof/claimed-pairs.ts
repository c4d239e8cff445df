import { pairReviewId, sortedPair } from '../ledger.ts';
import type { People } from '../people.ts';
import { areRelated } from '../related.ts';

/** How many reviews of claimed pairs are open for one person. */
const MOST_OPEN_PAIRS = 5;

/**
 * Requests a review for each two persons whom one interaction names together by claim. A pair that is known, and one of
 * a person with five open reviews, is counted alone. `roots` are the persons' canonical ids.
 */
export const reviewClaimedPairs = (people: People, roots: readonly string[], cause: string): void => {
  for (const [position, one] of roots.entries())
    for (const other of roots.slice(position + 1)) reviewPair(people, one, other, cause);
};

const reviewPair = (people: People, one: string, other: string, cause: string): void => {
  const lists = ['neverAutoMerge', 'confirmedDistinct', 'pendingReview'] as const;
  if (lists.some((list) => areRelated(people, one, other, list))) return;
  const pairs = [people.claimedPairs(one), people.claimedPairs(other)] as const;
  const isOpen = isOpenPair(people, one, other);
  if (isOpen) return;
  if (pairs.some(({ open }) => open.length >= MOST_OPEN_PAIRS)) {
    people.setClaimedPairs(one, { ...pairs[0], more: pairs[0].more + 1 });
    people.setClaimedPairs(other, { ...pairs[1], more: pairs[1].more + 1 });
    return;
  }
  people.setClaimedPairs(one, { ...pairs[0], open: [...pairs[0].open, other] });
  people.setClaimedPairs(other, { ...pairs[1], open: [...pairs[1].open, one] });
  people.reviews.push({ type: 'pair', profileIds: sortedPair(one, other), reason: 'claimed', cause });
};

const isOpenPair = (people: People, one: string, other: string): boolean => {
  const others = new Set(people.mergeTree(other).map(({ profile }) => profile.id));
  return people
    .mergeTree(one)
    .some(({ profile }) => people.claimedPairs(profile.id).open.some((id) => others.has(id)));
};

/** Closes the reviews of claimed pairs between any two source profiles of two persons: somebody has decided. */
export const closeClaimedPairs = (people: People, one: string, other: string): void => {
  for (const { profile } of people.mergeTree(one))
    for (const { profile: stranger } of people.mergeTree(other)) {
      const pairs = [people.claimedPairs(profile.id), people.claimedPairs(stranger.id)] as const;
      if (!pairs[0].open.includes(stranger.id)) continue;
      people.setClaimedPairs(profile.id, {
        ...pairs[0],
        open: pairs[0].open.filter((id) => id !== stranger.id),
      });
      people.setClaimedPairs(stranger.id, {
        ...pairs[1],
        open: pairs[1].open.filter((id) => id !== profile.id),
      });
      people.resolvedReviews.add(pairReviewId(sortedPair(profile.id, stranger.id)));
    }
};
