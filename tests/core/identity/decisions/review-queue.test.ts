import { describe, expect, it } from 'vitest';
import { closeReviews, markDistinct } from '../../../../core/identity/decisions/review-queue.ts';
import { unmergeCustomer } from '../../../../core/identity/decisions/unmerge.ts';
import { reviewId } from '../../../../core/identity/ledger.ts';
import { mergeManually } from '../../../../core/identity/merge.ts';
import type { People } from '../../../../core/identity/people.ts';
import { closeClaimedPairs } from '../../../../core/identity/proof/claimed-pairs.ts';
import { claim, crowd, decisionAt, interactionAt, meet, reloaded, thrownBy } from '../crowd.ts';
import { at } from '../histories.ts';

const address = (name: string): string => `email:${name}@example.com`;
/** Each has an account of the business, so that no two are merged by a rule. */
const accounts = (...names: string[]): People => {
  const people = crowd();
  for (const [minute, name] of names.entries()) meet(people, minute, [`user-id:${name}`, address(name)]);
  return reloaded(people);
};
const pending = (people: People, ...ids: string[]): string[][] =>
  ids.map((id) => people.sourceProfile(id).profile.pendingReview);
const distinct = (people: People, ...ids: string[]): string[][] =>
  ids.map((id) => people.sourceProfile(id).profile.confirmedDistinct);

describe('a review of a pair', () => {
  it('is opened once, whichever of the two is named first', () => {
    const people = accounts('ada', 'eve');
    meet(people, 10, [address('eve'), address('ada')]);
    meet(people, 11, [address('ada'), address('eve')]);
    expect(people.reviews).toEqual([
      { type: 'pair', profileIds: ['c0', 'c1'], reason: 'strong', cause: 'i10' },
    ]);
    expect(pending(people, 'c0', 'c1')).toEqual([['c1'], ['c0']]);
    expect(people.customer('c0').identifiers).toEqual(['user-id:ada', address('ada')]);
  });

  it('is opened for each two of several', () => {
    const people = accounts('ada', 'eve', 'bob');
    meet(people, 10, ['ada', 'eve', 'bob'].map(address));
    expect(people.reviews.map(reviewId)).toEqual(['pair#c0#c1', 'pair#c0#c2', 'pair#c1#c2']);
  });

  it('is not opened again where it is open for a source profile that was merged since', () => {
    const people = accounts('ada', 'eve');
    meet(people, 10, ['line:U1']);
    meet(people, 11, [address('ada'), address('eve')]);
    const [bob] = [people.ownerOf('line:U1')];
    mergeManually(people, bob, 'c1', decisionAt(12));
    meet(people, 13, [address('ada'), address('eve')]);
    meet(people, 14, [address('ada'), 'line:U1']);
    meet(people, 15, [address('eve'), address('ada')]);
    expect(people.reviews).toHaveLength(1);
  });

  it('is closed by the merge of the two, and others stay open', () => {
    const people = accounts('ada', 'eve', 'bob');
    meet(people, 10, ['ada', 'eve', 'bob'].map(address));
    mergeManually(people, 'c1', 'c0', decisionAt(11));
    expect([...people.resolvedReviews]).toEqual(['pair#c0#c1']);
    expect(pending(people, 'c0', 'c1', 'c2')).toEqual([['c2'], ['c2'], ['c0', 'c1']]);
  });
});

describe('two customers whom a person declares to be distinct', () => {
  it('lose their review, and are neither merged nor reviewed again', () => {
    const people = accounts('ada', 'eve');
    meet(people, 10, [address('ada'), address('eve')]);
    markDistinct(people, 'c1', 'c0');
    expect([...people.resolvedReviews]).toEqual(['pair#c0#c1']);
    expect(pending(people, 'c0', 'c1')).toEqual([[], []]);
    expect(distinct(people, 'c0', 'c1')).toEqual([['c1'], ['c0']]);
    meet(people, 11, [address('ada'), address('eve')]);
    expect(people.reviews).toHaveLength(1);
  });

  it('are not merged by an identifier of any type either', () => {
    const people = crowd();
    meet(people, 1, ['line:A']);
    meet(people, 2, ['line:B']);
    markDistinct(people, 'c0', 'c1');
    expect(meet(people, 3, ['line:A', 'line:B']).merge).toBeUndefined();
    expect(people.reviews).toEqual([]);
  });

  it('are remembered once however often it is said', () => {
    const people = accounts('ada', 'eve');
    markDistinct(people, 'c0', 'c1');
    markDistinct(people, 'c1', 'c0');
    expect(distinct(people, 'c0', 'c1')).toEqual([['c1'], ['c0']]);
  });

  it('are distinct as whole customers, named by any source profile', () => {
    const people = accounts('ada', 'eve');
    meet(people, 10, ['line:U1']);
    const bob = people.ownerOf('line:U1');
    meet(people, 11, [address('ada'), address('eve')]);
    mergeManually(people, bob, 'c1', decisionAt(12));
    markDistinct(people, 'c1', 'c0');
    expect(distinct(people, 'c0', 'c1', bob)).toEqual([[bob], [], ['c0']]);
    expect([...people.resolvedReviews]).toEqual(['pair#c0#c1']);
    expect(pending(people, 'c0', 'c1', bob)).toEqual([[], [], []]);
  });

  it('is refused for good of source profiles of one customer', () => {
    const people = accounts('ada', 'eve');
    mergeManually(people, 'c0', 'c1', decisionAt(10));
    expect(thrownBy(() => markDistinct(people, 'c1', 'c0'))).toMatchObject({
      code: 'existing-merge',
      retry: 'never',
    });
    expect(distinct(people, 'c0', 'c1')).toEqual([[], []]);
  });
});

describe('a review of a claimed pair', () => {
  const three = (): People => {
    const people = crowd();
    for (const [minute, name] of ['ada', 'eve', 'bob'].entries()) meet(people, minute, [address(name)]);
    return reloaded(people);
  };
  const open = (people: People, ...ids: string[]) => ids.map((id) => people.claimedPairs(id).open);

  it('is opened once for two persons whom one interaction names without proof', () => {
    const people = three();
    claim(people, 10, [address('eve'), address('ada')]);
    claim(people, 11, [address('ada'), address('eve')]);
    expect(people.reviews).toEqual([
      { type: 'pair', profileIds: ['c0', 'c1'], reason: 'claimed', cause: 'i10' },
    ]);
    expect(open(people, 'c0', 'c1', 'c2')).toEqual([['c1'], ['c0'], []]);
    expect(people.claimedPairs('c0').more).toBe(0);
    expect([...people.changedPairs].sort()).toEqual(['c0', 'c1']);
  });

  it('is opened for a person who proves one identifier and claims that of another', () => {
    const people = three();
    meet(people, 10, [address('ada'), address('bob')], { claimed: [address('bob')] });
    expect(open(people, 'c0', 'c1', 'c2')).toEqual([['c2'], [], ['c0']]);
  });

  it('is not opened for a pair that is reviewed, distinct or unmerged', () => {
    const people = crowd();
    meet(people, 1, ['user-id:1', address('ada')]);
    meet(people, 2, ['user-id:2', address('eve')]);
    meet(people, 3, [address('bob')]);
    meet(people, 4, [address('ada'), address('eve')]);
    markDistinct(people, 'c0', 'c2');
    mergeManually(people, 'c1', 'c2', decisionAt(5));
    unmergeCustomer(people, 'c1', decisionAt(6));
    claim(people, 10, ['ada', 'eve', 'bob'].map(address));
    expect(people.reviews.map((one) => one.reason)).toEqual(['strong']);
    expect(open(people, 'c0', 'c1', 'c2')).toEqual([[], [], []]);
  });

  it('counts for all source profiles of the two', () => {
    const people = three();
    claim(people, 10, [address('ada'), address('eve')]);
    mergeManually(people, 'c2', 'c1', decisionAt(11));
    claim(people, 12, [address('ada'), address('bob')]);
    claim(people, 13, [address('bob'), address('ada')]);
    expect(people.reviews).toHaveLength(1);
  });

  it('is counted alone above five, for both', () => {
    const people = three();
    const names = Array.from({ length: 6 }, (_, n) => `p${n}`);
    for (const [n, name] of names.entries()) meet(people, 20 + n, [address(name)]);
    for (const [n, name] of names.entries()) claim(people, 30 + n, [address('ada'), address(name)]);
    expect(people.claimedPairs('c0')).toMatchObject({ more: 1 });
    expect(people.claimedPairs('c0').open).toHaveLength(5);
    expect(people.claimedPairs(people.ownerOf(address('p5')))).toMatchObject({ more: 1, open: [] });
    expect(people.claimedPairs(people.ownerOf(address('p4')))).toMatchObject({ more: 0, open: ['c0'] });
  });

  it('is closed by the merge of the two or by the decision that they are distinct, others stay', () => {
    for (const decide of [
      (people: People) => void mergeManually(people, 'c1', 'c0', decisionAt(20)),
      (people: People) => markDistinct(people, 'c1', 'c0'),
    ]) {
      const people = three();
      claim(people, 10, ['ada', 'eve', 'bob'].map(address));
      decide(people);
      expect([...people.resolvedReviews]).toEqual(['pair#c0#c1']);
      expect(open(people, 'c0', 'c1', 'c2')).toEqual([['c2'], ['c2'], ['c0', 'c1']]);
    }
  });

  it('is written only where one is open', () => {
    const people = three();
    claim(people, 10, [address('ada'), address('eve')]);
    const later = reloaded(people);
    closeClaimedPairs(later, 'c0', 'c2');
    closeReviews(later, 'c1', 'c2');
    expect([later.changedPairs.size, later.resolvedReviews.size, later.changedProfiles.size]).toEqual([
      0, 0, 0,
    ]);
  });
});

it('a review of an interaction has the id of the interaction', () => {
  const interaction = interactionAt(1, []);
  const receivedAt = at(1);
  expect(reviewId({ type: 'interaction', reason: 'no-identifier', interaction, receivedAt })).toBe(
    'interaction#i1',
  );
});
