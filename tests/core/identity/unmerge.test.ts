import { describe, expect, it } from 'vitest';
import { splitIdentifier, unmergeCustomer } from '../../../core/identity/decisions/unmerge.ts';
import { mergeManually } from '../../../core/identity/merge.ts';
import type { People } from '../../../core/identity/people.ts';
import { crowd, decisionAt, meet, reloaded, thrownBy } from './crowd.ts';
import { at } from './histories.ts';

const [ada, number, chat, desk] = ['email:ada@example.com', 'phone:+14155550100', 'line:U1', 'telegram:7'];

/** Four people, c0 to c3. */
const four = (): People => {
  const people = crowd();
  for (const [minute, one] of [ada, number, chat, desk].entries()) meet(people, minute, [one]);
  return people;
};
const merge = (people: People, keep: string, other: string, minute: number): string =>
  mergeManually(people, keep, other, decisionAt(minute))?.id ?? '';
const who = (people: People): string[] => ['c0', 'c1', 'c2', 'c3'].map((id) => people.canonicalId(id));
const apart = (people: People): string[][] =>
  ['c0', 'c1', 'c2', 'c3'].map((id) => people.sourceProfile(id).profile.neverAutoMerge);

describe('an unmerge', () => {
  it('undoes the newest merge and leaves the others', () => {
    const people = four();
    merge(people, 'c0', 'c1', 10);
    merge(people, 'c0', 'c2', 11);
    const stored = reloaded(people);
    const undone = unmergeCustomer(stored, 'c1', decisionAt(12));
    expect(undone).toEqual({
      merge: expect.any(String),
      survivor: 'c0',
      others: ['c2'],
      mergedAt: at(11),
      at: at(12),
      by: 'ada',
    });
    expect(stored.unmerges).toEqual([undone]);
    expect(who(stored)).toEqual(['c0', 'c0', 'c2', 'c3']);
    expect(stored.sourceProfile('c0').profile.merged).toEqual(['c1']);
    expect(stored.sourceProfile('c2').activity).not.toHaveProperty('survivor');
    expect(apart(stored)).toEqual([['c2'], [], ['c0'], []]);
  });

  it('undoes the merge that it names, also an inner one of the tree', () => {
    const people = four();
    const inner = merge(people, 'c1', 'c2', 10);
    merge(people, 'c0', 'c1', 11);
    merge(people, 'c0', 'c3', 12);
    const stored = reloaded(people);
    expect(unmergeCustomer(stored, 'c3', decisionAt(13), inner)).toMatchObject({
      merge: inner,
      survivor: 'c1',
      others: ['c2'],
      mergedAt: at(10),
    });
    expect(who(stored)).toEqual(['c0', 'c0', 'c2', 'c0']);
    expect(apart(stored)).toEqual([[], ['c2'], ['c1'], []]);
  });

  it('separates all whom one merge united, each from each, with what was merged into them before', () => {
    const people = four();
    merge(people, 'c2', 'c3', 10);
    const { merge: united } = meet(people, 11, [ada, number, chat]);
    const stored = reloaded(people);
    const undone = unmergeCustomer(stored, 'c0', decisionAt(12));
    expect(undone).toMatchObject({ merge: united?.id, survivor: 'c0', others: ['c1', 'c2'] });
    expect(who(stored)).toEqual(['c0', 'c1', 'c2', 'c2']);
    expect(apart(stored).map((ids) => ids.toSorted())).toEqual([
      ['c1', 'c2'],
      ['c0', 'c2'],
      ['c0', 'c1'],
      [],
    ]);
    expect(stored.sourceProfile('c0').profile.merged).toEqual([]);
    expect([...stored.changedActivities].sort()).toEqual(['c1', 'c2']);
  });

  it('of a merge that is not stored yet is written with it, as undone', () => {
    const people = four();
    const id = merge(people, 'c0', 'c1', 10);
    unmergeCustomer(people, 'c0', { at: at(11), by: 'eve' });
    expect(people.unmerges).toEqual([]);
    expect(people.merges.get(id)).toMatchObject({
      ...{ survivor: 'c0', others: ['c1'], at: at(10), by: 'ada' },
      ...{ undoneAt: at(11), undoneBy: 'eve' },
    });
  });

  it('is overridden by a person who merges the two again, and the ledger says so', () => {
    const people = four();
    merge(people, 'c0', 'c1', 10);
    unmergeCustomer(people, 'c1', decisionAt(11));
    expect(mergeManually(people, 'c0', 'c1', decisionAt(12))?.overrode).toEqual(['unmerged']);
  });

  it('twice names nobody twice', () => {
    const people = four();
    for (const minute of [10, 20]) {
      merge(people, 'c0', 'c1', minute);
      unmergeCustomer(people, 'c1', decisionAt(minute + 1));
    }
    expect(apart(people)).toEqual([['c1'], ['c0'], [], []]);
  });

  it('is refused for good where there is no such merge', () => {
    const people = four();
    merge(people, 'c0', 'c1', 10);
    const refused = { code: 'unknown-merge', retry: 'never' };
    expect(thrownBy(() => unmergeCustomer(people, 'c2', decisionAt(11)))).toMatchObject(refused);
    const other = thrownBy(() => unmergeCustomer(people, 'c0', decisionAt(11), 'm99'));
    expect(other).toMatchObject({ ...refused, message: expect.stringContaining('m99') });
    expect(who(people)).toEqual(['c0', 'c0', 'c2', 'c3']);
  });
});

describe('a split', () => {
  /** One person with an address and a number. The number was stopped, reopened and heard from. */
  const one = (): People => {
    const people = crowd();
    meet(people, 1, [ada, number], { profile: { name: { full: 'Ada' } } });
    meet(people, 2, [number], { text: 'STOP' });
    meet(people, 3, [number], { text: 'START' });
    meet(people, 4, [number], { text: 'STOP' });
    return reloaded(people);
  };

  it('makes the identifier a customer of its own, which keeps what is known of the address alone', () => {
    const people = one();
    const split = splitIdentifier(people, number, decisionAt(10));
    const { to } = split;
    expect(split).toEqual({
      id: expect.any(String),
      identifier: number,
      from: 'c0',
      to: expect.any(String),
      at: at(10),
      by: 'ada',
      cause: 'command-10',
    });
    expect(people.splits).toEqual([split]);
    expect(split.id).not.toBe(to);
    expect(people.owner(number)).toBe(to);
    const fresh = people.sourceProfile(to);
    expect(fresh.profile).toMatchObject({
      ...{ id: to, identifiers: [number], firstSeenAt: at(10) },
      closed: { [number]: { reason: 'opt-out', at: at(4) } },
      reopened: { [number]: at(3) },
      neverAutoMerge: ['c0'],
    });
    expect([fresh.profile.name, fresh.profile.consent]).toEqual([undefined, {}]);
    expect(fresh.activity).toMatchObject({ interactions: 0, lastInboundAt: { [number]: at(4) } });
  });

  it('leaves all else with the person', () => {
    const people = one();
    const { to } = splitIdentifier(people, number, decisionAt(10));
    const { profile, activity } = people.sourceProfile('c0');
    expect(profile).toMatchObject({
      ...{ identifiers: [ada], name: { full: 'Ada' }, neverAutoMerge: [to] },
    });
    expect([profile.closed, profile.reopened]).toEqual([{}, {}]);
    expect(profile.consent.sms?.status).toBe('denied');
    expect([activity.interactions, activity.lastInboundAt]).toEqual([4, { [ada]: at(1) }]);
    expect([...people.changedProfiles].sort()).toEqual(['c0', to].sort());
    expect([...people.changedActivities].sort()).toEqual(['c0', to].sort());
  });

  it('of an open address that never wrote moves nothing but the identifier', () => {
    const people = crowd();
    meet(people, 1, [ada, number], { direction: 'outbound' });
    const { to } = splitIdentifier(people, number, decisionAt(10));
    const { profile, activity } = people.sourceProfile(to);
    expect(profile.closed).toEqual({});
    expect(activity.lastInboundAt).toEqual({});
    expect([profile, people.sourceProfile('c0').profile].some((some) => 'reopened' in some)).toBe(false);
  });

  it('keeps the two apart: their identifiers together open a review', () => {
    const people = one();
    const { to } = splitIdentifier(people, number, decisionAt(10));
    expect(meet(people, 11, [ada, number]).merge).toBeUndefined();
    expect(people.reviews).toMatchObject([{ reason: 'unmerged' }]);
    expect(meet(people, 12, [number]).profileId).toBe(to);
  });

  it('is possible where the rest of the identifiers belong to merged profiles', () => {
    const people = four();
    merge(people, 'c0', 'c1', 10);
    const { from, to } = splitIdentifier(people, number, decisionAt(11));
    expect(from).toBe('c1');
    expect(people.customer('c0').identifiers).toEqual([ada]);
    expect(people.customer(to).identifiers).toEqual([number]);
  });

  it('of the only identifier is refused for good', () => {
    const people = four();
    expect(thrownBy(() => splitIdentifier(people, ada, decisionAt(10)))).toMatchObject({
      code: 'last-identifier',
      retry: 'never',
    });
    expect(people.owner(ada)).toBe('c0');
  });
});
