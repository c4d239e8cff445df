import { HubError } from '../../errors.ts';
import type { Customer } from '../customer.ts';
import type { Identifier } from '../identifier.ts';
import type { ManualDecision, Split, Unmerge } from '../ledger.ts';
import type { People } from '../people.ts';
import type { SourceProfile } from '../profile.ts';
import { newSourceProfile } from '../source-profile.ts';

/**
 * Undoes one merge of a customer exactly: the newest, or the one with the id `merge`. Other merges of the customer remain.
 * The separated source profiles are never merged automatically again. Throws `HubError` `unknown-merge`.
 */
export const unmergeCustomer = (
  people: People,
  profileId: string,
  { at, by }: Omit<ManualDecision, 'cause'>,
  merge?: string,
): Unmerge => {
  const root = people.canonicalId(profileId);
  const tree = people.mergeTree(root);
  const wanted = mergeToUndo(tree, merge);
  const detached = tree.filter(({ activity }) => activity.survivor?.merge === wanted);
  const pointer = detached[0]?.activity.survivor;
  if (pointer === undefined) throw unknownMerge(root, merge);
  const others = detached.map(({ profile }) => profile.id);
  for (const { activity } of detached) {
    const { survivor: _, ...alone } = activity;
    people.setActivity(alone);
  }
  const { profile } = people.sourceProfile(pointer.id);
  people.setProfile({ ...profile, merged: profile.merged.filter((child) => !others.includes(child)) });
  for (const id of [pointer.id, ...others])
    addNeverAutoMerge(
      people,
      id,
      [pointer.id, ...others].filter((other) => other !== id),
    );
  const undone: Unmerge = {
    merge: pointer.merge,
    survivor: pointer.id,
    others,
    mergedAt: pointer.at,
    at,
    by,
  };
  // A merge of the same transaction is written to the ledger as undone: one row can be written only once.
  const unwritten = people.merges.get(pointer.merge);
  if (unwritten) people.merges.set(pointer.merge, { ...unwritten, undoneAt: at, undoneBy: by });
  else people.unmerges.push(undone);
  return undone;
};

/**
 * The merge of a customer that is undone: the one that is given, or the newest. Only canonical profiles are merged, so the
 * last merge into the first profile of the tree is the newest. Throws `HubError` `unknown-merge`.
 */
export const mergeToUndo = (tree: readonly SourceProfile[], merge?: string): string => {
  const [root] = tree;
  const last = tree.find(({ profile }) => profile.id === root?.profile.merged.at(-1));
  const wanted = merge ?? last?.activity.survivor?.merge;
  if (wanted !== undefined && tree.some(({ activity }) => activity.survivor?.merge === wanted)) return wanted;
  throw unknownMerge(root?.profile.id ?? '', merge);
};

const unknownMerge = (root: string, merge: string | undefined): HubError =>
  new HubError(
    'unknown-merge',
    merge === undefined
      ? `Customer ${root} has no merge to undo. It may have been undone already: look at hub customer ledger IDENTIFIER.`
      : `Customer ${root} is not merged by ${merge}. It may have been undone already: look at hub customer ledger IDENTIFIER.`,
    { retry: 'never' },
  );

/** Throws `HubError` `last-identifier` where a customer would have none without one. */
export const expectOthers = ({ identifiers }: Pick<Customer, 'identifiers'>): void => {
  if (identifiers.length > 1) return;
  throw new HubError(
    'last-identifier',
    'This is the only identifier of the customer, so it cannot be split off.',
    { retry: 'never' },
  );
};

/**
 * Makes one identifier a customer of its own: a number that now belongs to somebody else, an address that was never theirs.
 * Past interactions stay; later ones go to the new customer. A closed address stays closed. The two are never merged
 * automatically again. Throws `HubError` `last-identifier`.
 */
export const splitIdentifier = (
  people: People,
  identifier: Identifier,
  { at, by, cause }: ManualDecision,
): Split => {
  const from = people.ownerOf(identifier);
  expectOthers(people.customer(from));
  const to = people.newId();
  const { profile, activity } = people.sourceProfile(from);
  const fresh = newSourceProfile(to, at);
  const { [identifier]: closure, ...closed } = profile.closed;
  const { [identifier]: reopening, ...reopened } = profile.reopened ?? {};
  const { [identifier]: lastInbound, ...lastInboundAt } = activity.lastInboundAt;
  people.add(fresh);
  people.setProfile({
    ...profile,
    closed,
    ...(reopening !== undefined && { reopened }),
    identifiers: profile.identifiers.filter((one) => one !== identifier),
  });
  people.setActivity({ ...activity, lastInboundAt });
  people.setProfile({
    ...fresh.profile,
    identifiers: [identifier],
    ...(closure && { closed: { [identifier]: closure } }),
    ...(reopening !== undefined && { reopened: { [identifier]: reopening } }),
  });
  people.setActivity({
    ...fresh.activity,
    ...(lastInbound !== undefined && { lastInboundAt: { [identifier]: lastInbound } }),
  });
  people.reassignIdentifier(identifier, to);
  addNeverAutoMerge(people, to, [from]);
  addNeverAutoMerge(people, from, [to]);
  const split: Split = { id: people.newId(), identifier, from, to, at, by, cause };
  people.splits.push(split);
  return split;
};

const addNeverAutoMerge = (people: People, profileId: string, others: readonly string[]): void => {
  const { profile } = people.sourceProfile(profileId);
  people.setProfile({ ...profile, neverAutoMerge: [...new Set([...profile.neverAutoMerge, ...others])] });
};
