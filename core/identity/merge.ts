import type { Instant } from '../interaction/interaction.ts';
import type { Decision, Merge } from './ledger.ts';
import { apart, fits, strongDiffer } from './matching.ts';
import type { People } from './people.ts';
import { settlePairs } from './review-queue.ts';

/** Merges customers, named by their surviving halves, into the one first seen; of equals the smaller id. */
export const mergeByRule = (people: People, roots: readonly string[], cause: string, at: Instant): Merge => {
  const seen = (root: string): string => people.customer(root).firstSeenAt;
  const [survivor = '', ...others] = [...roots].sort((one, other) => {
    const [first, second] = [seen(one), seen(other)];
    if (first !== second) return first < second ? -1 : 1;
    return one < other ? -1 : 1;
  });
  return unite(people, survivor, others, { at, by: 'identifiers', cause, overrode: [] });
};

/** Merges by a person's decision: may override strong identifiers, limits and an earlier unmerge, and says so. */
export const mergeByHand = (
  people: People,
  keep: string,
  other: string,
  decision: Decision,
): Merge | undefined => {
  const roots = [people.rootOf(keep), people.rootOf(other)];
  const [survivor, loser] = roots;
  if (survivor === undefined || loser === undefined || survivor === loser) return undefined;
  const overrode: Merge['overrode'] = [
    ...(strongDiffer(people, survivor, loser) ? ['strong' as const] : []),
    ...(fits(people, roots, []) ? [] : ['limit' as const]),
    ...(apart(people, survivor, loser) ? ['apart' as const] : []),
  ];
  return unite(people, survivor, [loser], { ...decision, overrode });
};

const unite = (
  people: People,
  survivor: string,
  others: readonly string[],
  told: Pick<Merge, 'at' | 'by' | 'cause' | 'overrode'>,
): Merge => {
  const merge: Merge = { id: people.newId(), survivor, others: [...others], ...told };
  const all = [survivor, ...others];
  for (const [position, one] of all.entries())
    for (const other of all.slice(position + 1)) settlePairs(people, one, other);
  people.merges.set(merge.id, merge);
  for (const other of others) {
    people.setActivity({
      ...people.half(other).activity,
      survivor: { id: survivor, at: told.at, merge: merge.id },
    });
    // The loser's profile is written too, so that a concurrent change of its identifiers and this merge exclude each other.
    people.setProfile(people.half(other).profile);
  }
  const { profile } = people.half(survivor);
  people.setProfile({ ...profile, merged: [...profile.merged, ...others] });
  return merge;
};
