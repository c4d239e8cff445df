import { pairReviewId, sortedPair } from '../ledger.ts';
import type { People } from '../people.ts';
import { areRelated } from '../related.ts';

/** The most open reviews of claimed pairs per person. */
const MAX_OPEN_PAIRS = 5;

/**
 * Requests a review for each pair of persons that one interaction names by claim. A decided or open pair is skipped; a pair
 * of a person with five open reviews is only counted. `roots`: the persons' canonical ids.
 */
export const reviewClaimedPairs = (people: People, roots: readonly string[], cause: string): void => {
  for (const [position, one] of roots.entries())
    for (const other of roots.slice(position + 1)) reviewPair(people, one, other, cause);
};

const reviewPair = (people: People, one: string, other: string, cause: string): void => {
  const lists = ['neverAutoMerge', 'confirmedDistinct', 'pendingReview'] as const;
  if (lists.some((list) => areRelated(people, one, other, list))) return;
  const pairs = [people.claimedPairs(one), people.claimedPairs(other)] as const;
  if (isOpenPair(people, one, other)) return;
  if (pairs.some(({ open }) => open.length >= MAX_OPEN_PAIRS)) {
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

/** Closes the reviews of claimed pairs between two persons, for any of their source profiles, after a person's decision. */
export const closeClaimedPairs = (people: People, one: string, other: string): void => {
  for (const { profile } of people.mergeTree(one))
    for (const { profile: otherProfile } of people.mergeTree(other)) {
      const pairs = [people.claimedPairs(profile.id), people.claimedPairs(otherProfile.id)] as const;
      if (!pairs[0].open.includes(otherProfile.id)) continue;
      people.setClaimedPairs(profile.id, {
        ...pairs[0],
        open: pairs[0].open.filter((id) => id !== otherProfile.id),
      });
      people.setClaimedPairs(otherProfile.id, {
        ...pairs[1],
        open: pairs[1].open.filter((id) => id !== profile.id),
      });
      people.resolvedReviews.add(pairReviewId(sortedPair(profile.id, otherProfile.id)));
    }
};
