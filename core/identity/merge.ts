import type { Instant } from '../interaction/interaction.ts';
import { closeReviews } from './decisions/review-queue.ts';
import type { ManualDecision, Merge } from './ledger.ts';
import { fitsLimits, hasStrongConflict, isNeverAutoMerged } from './matching.ts';
import type { People } from './people.ts';

/** Merges customers, given by canonical ids, into the one first seen; if equal, into the smaller id. */
export const mergeCustomers = (
  people: People,
  roots: readonly string[],
  cause: string,
  at: Instant,
): Merge => {
  const seen = (root: string): string => people.customer(root).firstSeenAt;
  const [survivor = '', ...others] = [...roots].sort((one, other) => {
    const [first, second] = [seen(one), seen(other)];
    if (first !== second) return first < second ? -1 : 1;
    return one < other ? -1 : 1;
  });
  return recordMerge(people, survivor, others, { at, by: 'identifiers', cause, overrode: [] });
};

/**
 * Merges two customers by a person's decision, which may override strong identifiers, limits and an earlier unmerge; the
 * ledger entry lists what it overrode. Undefined if they are one customer already.
 */
export const mergeManually = (
  people: People,
  keep: string,
  other: string,
  decision: ManualDecision,
): Merge | undefined => {
  const [survivor, merged] = [people.canonicalId(keep), people.canonicalId(other)] as const;
  if (survivor === merged) return undefined;
  const overrode: Merge['overrode'] = [
    ...(hasStrongConflict(people, survivor, merged) ? ['strong' as const] : []),
    ...(fitsLimits(people, [survivor, merged], []) ? [] : ['limit' as const]),
    ...(isNeverAutoMerged(people, survivor, merged) ? ['unmerged' as const] : []),
  ];
  const { at, by, cause, reason } = decision;
  return recordMerge(people, survivor, [merged], {
    ...{ at, by, cause, overrode },
    ...(reason !== undefined && { reason }),
  });
};

const recordMerge = (
  people: People,
  survivor: string,
  others: readonly string[],
  details: Pick<Merge, 'at' | 'by' | 'cause' | 'overrode' | 'reason'>,
): Merge => {
  const merge: Merge = { id: people.newId(), survivor, others: [...others], ...details };
  const all = [survivor, ...others];
  for (const [position, one] of all.entries())
    for (const other of all.slice(position + 1)) closeReviews(people, one, other);
  people.merges.set(merge.id, merge);
  for (const other of others) {
    people.setActivity({
      ...people.sourceProfile(other).activity,
      survivor: { id: survivor, at: details.at, merge: merge.id },
    });
    // The merged profile is written too, so that this merge conflicts with a concurrent change of its identifiers.
    people.setProfile(people.sourceProfile(other).profile);
  }
  const { profile } = people.sourceProfile(survivor);
  people.setProfile({ ...profile, merged: [...profile.merged, ...others] });
  return merge;
};
