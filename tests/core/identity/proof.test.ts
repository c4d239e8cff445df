import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unmergeCustomer } from '../../../core/identity/decisions/unmerge.ts';
import { mergeManually } from '../../../core/identity/merge.ts';
import type { People } from '../../../core/identity/people.ts';
import { confirmIdentifier, splitClaim } from '../../../core/identity/proof/confirm.ts';
import { claimedName, shownWith } from '../../../core/identity/proof/guests.ts';
import { vouchedIdentifiers } from '../../../core/identity/proof/vouched.ts';
import { at, numbered, play, pool, type Step, shipped, stepOf, unlimited } from './histories.ts';

const History = fc
  .array(stepOf(pool), { minLength: 1, maxLength: 25 })
  .map((steps) => steps.filter(({ proven, claimed }) => proven.length + claimed.length > 0));

/** Every person as it is stored: profiles and activities of those who are no guests. */
const personsOf = (people: People): unknown[] =>
  [...people.changedProfiles]
    .map((id) => people.sourceProfile(id))
    .filter(({ profile }) => profile.guest !== true)
    .map(({ profile, activity }) => ({ profile, activity }))
    .sort((one, other) => (one.profile.id < other.profile.id ? -1 : 1));

describe('what is only claimed', () => {
  it('changes no person: without the interactions that prove nothing everybody is the same', () => {
    fc.assert(
      fc.property(History, (history) => {
        const all = numbered(history);
        const proven = all.filter((step) => step.proven.length > 0);
        expect(personsOf(play(all, shipped).people)).toEqual(personsOf(play(proven, shipped).people));
      }),
      { numRuns: 2000 },
    );
  });

  it('merges no customers: claims beside proven identifiers change neither the persons nor their identifiers', () => {
    fc.assert(
      fc.property(History, (history) => {
        const proven = numbered(history).filter((step) => step.proven.length > 0);
        const bare = proven.map((step) => ({ ...step, claimed: [] }));
        const owned = (steps: typeof proven) =>
          pool.map((one) => {
            const { people } = play(steps, shipped);
            const owner = people.owner(one);
            return owner === undefined ? undefined : people.canonicalId(owner);
          });
        expect(owned(proven)).toEqual(owned(bare));
      }),
      { numRuns: 300 },
    );
  });

  it('makes guests who own nothing, and each claimed identifier finds its guest', () => {
    fc.assert(
      fc.property(History, (history) => {
        const { people, placed } = play(numbered(history), shipped);
        for (const id of people.changedProfiles) {
          const { profile } = people.sourceProfile(id);
          if (profile.guest === true) expect(profile.identifiers).toEqual([]);
          else expect(profile.claimed).toEqual([]);
        }
        for (const [n, step] of history.entries()) {
          const profileId = placed.get(`i${n}`) ?? '';
          if (step.proven.length === 0) expect(people.sourceProfile(profileId).profile.guest).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('leaves who is one person alone in whatever order it arrives, where no limit or strong id bites', () => {
    fc.assert(
      fc.property(
        History.chain((history) =>
          fc.tuple(
            fc.constant(history),
            fc.shuffledSubarray([...history.keys()], { minLength: history.length }),
          ),
        ),
        ([history, order]) => {
          const all = numbered(history);
          const groups = (steps: typeof all): string[][] => {
            const { people } = play(steps, unlimited);
            const owned = pool.filter((one) => people.owner(one) !== undefined);
            const byRoot = Map.groupBy(owned, (one) => people.canonicalId(people.ownerOf(one)));
            return [...byRoot.values()].map((group) => group.sort()).sort();
          };
          expect(groups(order.flatMap((n) => all[n] ?? []))).toEqual(groups(all));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('opens at most five reviews of claimed pairs for one person', () => {
    const others = Array.from({ length: 9 }, (_, n) => `phone:+1415555020${n}`);
    const steps: Step[] = [
      ...['email:a@example.com', ...others].map((one) => only({ proven: [one] })),
      ...others.map((one) => only({ claimed: ['email:a@example.com', one] })),
    ];
    const { people } = play(numbered(steps), shipped);
    expect(people.reviews).toHaveLength(5);
    expect(people.reviews.every((one) => one.type === 'pair' && one.reason === 'claimed')).toBe(true);
    expect(people.claimedPairs(people.ownerOf('email:a@example.com')).more).toBe(4);
  });
});

const only = (step: Partial<Step>): Step => ({
  ...{ proven: [], claimed: [], minute: 0, kind: 'message', text: 'Hi', name: undefined },
  ...step,
});
const decision = { at: at(99), by: 'agent', cause: 'c1' };

describe('a decision', () => {
  it('to confirm and then to split leaves the person as before', () => {
    fc.assert(
      fc.property(History, fc.constantFrom(...pool), fc.constantFrom(...pool), (history, whose, which) => {
        const { people } = play(numbered(history), unlimited);
        const person = people.owner(whose);
        if (person === undefined || people.owner(which) !== undefined) return;
        const before = personsOf(people);
        confirmIdentifier(people, person, which, decision);
        expect(people.owner(which)).toBe(people.canonicalId(person));
        splitClaim(people, person, which, decision);
        expect(people.owner(which)).toBeUndefined();
        expect(withoutVersions(personsOf(people))).toEqual(withoutVersions(before));
      }),
      { numRuns: 500 },
    );
  });

  it('to merge manually and to unmerge restores both, and closes their claimed pair', () => {
    const steps = [
      only({ proven: ['email:a@example.com'] }),
      only({ proven: ['phone:+14155550101'] }),
      only({ claimed: ['email:a@example.com', 'phone:+14155550101'] }),
    ];
    const { people } = play(numbered(steps), shipped);
    const [one, other] = [people.ownerOf('email:a@example.com'), people.ownerOf('phone:+14155550101')];
    mergeManually(people, one, other, decision);
    expect(people.resolvedReviews.size).toBe(1);
    expect(people.claimedPairs(one).open).toEqual([]);
    unmergeCustomer(people, one, decision);
    expect(people.customer(one).identifiers).toEqual(['email:a@example.com']);
    expect(people.customer(other).identifiers).toEqual(['phone:+14155550101']);
  });

  it('to confirm needs a person and an identifier without an owner', () => {
    const steps = [
      only({ proven: ['email:a@example.com'] }),
      only({ proven: ['email:b@example.com'] }),
      only({ claimed: ['email:c@example.com'] }),
    ];
    const { people, placed } = play(numbered(steps), shipped);
    const [ada, , guest] = [placed.get('i0') ?? '', '', placed.get('i2') ?? ''];
    const code = (use: () => unknown): unknown => {
      try {
        return use();
      } catch (error) {
        return error;
      }
    };
    expect(code(() => confirmIdentifier(people, ada, 'email:b@example.com', decision))).toMatchObject({
      code: 'owned-by-another',
    });
    expect(code(() => confirmIdentifier(people, ada, 'email:a@example.com', decision))).toMatchObject({
      code: 'already-owned',
    });
    expect(code(() => confirmIdentifier(people, guest, 'email:c@example.com', decision))).toMatchObject({
      code: 'guest-owns-nothing',
    });
    expect(code(() => splitClaim(people, ada, 'email:d@example.com', decision))).toMatchObject({
      code: 'not-claimed',
    });
  });
});

const withoutVersions = (persons: unknown[]): unknown => JSON.parse(JSON.stringify(persons));

describe('a guest', () => {
  it('is shown with the owner of its strongest owned identifier, unless it was split off', () => {
    const steps = [
      only({ proven: ['phone:+14155550101'] }),
      only({ claimed: ['email:x@example.com', 'phone:+14155550101'] }),
    ];
    const { people, placed } = play(numbered(steps), shipped);
    const { profile } = people.sourceProfile(placed.get('i1') ?? '');
    const shown = (): string | undefined =>
      shownWith(
        people.sourceProfile(profile.id).profile,
        shipped,
        (one) => people.owner(one),
        (id) => people.customer(id),
      );
    expect(shown()).toBe(placed.get('i0'));
    splitClaim(people, placed.get('i0') ?? '', 'email:x@example.com', decision);
    expect(shown()).toBeUndefined();
  });

  it('has a name that can stand in for a person without one, unless it carries a link, an address or a digit', () => {
    expect(claimedName({ full: 'Ada Ännchen O’Neil-Smith' })).toBeDefined();
    for (const full of ['Win at evil.example/now', 'https://x', 'a@b', 'Call 0900', 'x'.repeat(61), '<b>Ada'])
      expect(claimedName({ full })).toBeUndefined();
  });
});

it('an identifier that implies another proves or claims both', () => {
  const one = { identifiers: ['whatsapp:14155550100', 'email:a@example.com'] };
  expect(vouchedIdentifiers({ ...one, claimed: ['email:a@example.com'] }, shipped)).toEqual({
    proven: ['whatsapp:14155550100', 'phone:+14155550100'],
    claimed: ['email:a@example.com'],
  });
  expect(vouchedIdentifiers({ ...one, claimed: ['whatsapp:14155550100'] }, shipped)).toEqual({
    proven: ['email:a@example.com'],
    claimed: ['whatsapp:14155550100', 'phone:+14155550100'],
  });
});
