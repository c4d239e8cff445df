import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markDistinct } from '../../../../core/identity/decisions/review-queue.ts';
import { unmergeCustomer } from '../../../../core/identity/decisions/unmerge.ts';
import { importCustomer } from '../../../../core/identity/import-customer.ts';
import type { People } from '../../../../core/identity/people.ts';
import { resolveInteraction } from '../../../../core/identity/resolution.ts';
import type { Interaction } from '../../../../core/interaction/interaction.ts';
import { crowd, customerWith, decisionAt, interactionAt, meet, reloaded } from '../crowd.ts';
import { at, pool, unlimited } from '../histories.ts';

const [ADA, BOB, RECORD] = ['email:ada@example.com', 'email:bob@example.com', 'salesforce:003A'];

/** What a CRM reports of one of its records. */
const report = {
  kind: 'contact-update',
  channel: 'crm',
  provider: 'salesforce',
  direction: 'system',
} as const;
const tell = (people: People, minute: number, identifiers: string[], more: Partial<Interaction> = {}) =>
  meet(people, minute, identifiers, { ...report, ...more });
/** As `tell`, of a record whose customer the hub names. */
const tellOf = (people: People, minute: number, identifiers: string[], profileId: string) =>
  meet(people, minute, identifiers, report, profileId);

/** Somebody whom an import has named, and who was never heard from. */
const imported = (people: People, minute: number, identifiers: string[], references: string[] = []) =>
  importCustomer(people, {
    ...{ id: `row-${minute}`, at: at(minute), by: 'ada', identifiers, references },
    ...{ profile: {}, consent: {}, preferences: {} },
  });

describe('the id of a record in a CRM', () => {
  it('links a customer, and is no identifier of theirs', () => {
    const people = crowd();
    const { profileId } = tell(people, 0, [RECORD, ADA]);
    expect(people.owner(RECORD)).toBe(profileId);
    expect(customerWith(people, RECORD).identifiers).toEqual([ADA]);
    expect([...people.newLinks]).toEqual([[RECORD, profileId]]);
  });

  it('alone makes nobody: what a CRM says of an unknown record is ignored', () => {
    const people = crowd();
    for (const claimed of [[], [RECORD]])
      expect(tell(people, 0, [RECORD], { claimed })).toMatchObject({ ignored: true, isNew: false });
    expect([people.changedProfiles.size, people.reviews, people.newGuests.size]).toEqual([0, [], 0]);
  });

  it('is ignored of a record that concerns nobody, such as a deal', () => {
    expect(tell(crowd(), 0, [], { kind: 'crm-record' })).toMatchObject({ ignored: true });
  });

  it('is an ordinary identifier where the CRM is switched off', () => {
    const people = crowd();
    const { profileId } = tell(people, 0, ['zendesk:1'], { provider: 'zendesk' });
    expect(people.customer(profileId ?? '').identifiers).toEqual(['zendesk:1']);
  });

  it('takes no part in the limits', () => {
    const people = crowd({ identifiers: { '*': { priority: 4, limit: 1 } } });
    for (const [minute, record] of ['003A', '003B', '003C'].entries())
      tell(people, minute, [`salesforce:${record}`, ADA]);
    expect(people.owner('salesforce:003C')).toBe(people.ownerOf(ADA));
    expect(people.reviews).toEqual([]);
  });

  it('finds its customer, who gains what else the record proves', () => {
    const people = crowd();
    tell(people, 0, [RECORD, ADA]);
    const { profileId, isNew } = tell(people, 1, [RECORD, 'phone:+14155550100']);
    expect([profileId, isNew]).toEqual([people.ownerOf(ADA), false]);
    expect(customerWith(people, ADA).identifiers).toEqual([ADA, 'phone:+14155550100']);
  });

  it('gives the customer nothing that is only claimed, but its fields', () => {
    const people = crowd();
    tell(people, 0, [RECORD, ADA]);
    const named = { profile: { name: { full: 'Ada' } } };
    tell(people, 1, [RECORD, BOB], { claimed: [BOB], ...named });
    expect(customerWith(people, ADA)).toMatchObject({ identifiers: [ADA], name: { full: 'Ada' } });
    expect(people.owner(BOB)).toBeUndefined();
  });

  it('changes no field of the customer where it is claimed itself', () => {
    const people = crowd();
    tell(people, 0, [RECORD, ADA]);
    const { profileId } = tell(people, 1, [RECORD], {
      ...{ kind: 'contact-update', claimed: [RECORD], profile: { name: { full: 'Mallory' } } },
    });
    expect(profileId).toBe(people.ownerOf(ADA));
    expect(customerWith(people, ADA).name).toBeUndefined();
  });

  it('that is claimed links nobody', () => {
    const people = crowd();
    tell(people, 0, [RECORD, ADA], { claimed: [RECORD] });
    expect(people.owner(RECORD)).toBeUndefined();
  });

  it('that a visitor of a chat claims leads to one guest, as before', () => {
    const people = crowd();
    const chat = { channel: 'chat', provider: 'hubspot', claimed: ['hubspot:51'] } as const;
    const [first, second] = [0, 1].map((minute) =>
      meet(people, minute, ['hubspot:51'], { ...chat, claimed: ['hubspot:51'] }),
    );
    expect(first?.profileId).toBe(second?.profileId);
    expect(people.owner('hubspot:51')).toBeUndefined();
  });

  it('of a gone record is not linked again', () => {
    const people = crowd();
    const { profileId = '' } = meet(people, 0, [ADA]);
    const gone = { ...interactionAt(1, [RECORD], report), properties: { act: 'deleted' } };
    expect(resolveInteraction(people, gone, profileId, at(1)).profileId).toBe(profileId);
    expect(people.owner(RECORD)).toBeUndefined();
  });
});

describe('a customer whom the hub names for a record', () => {
  it('is linked to it, and its interactions are theirs', () => {
    const people = crowd();
    const { profileId = '' } = meet(people, 0, [ADA]);
    expect(tellOf(people, 1, [RECORD], profileId).profileId).toBe(profileId);
    expect(people.owner(RECORD)).toBe(profileId);
  });

  it('does not take a record from whom it is linked to: the link decides', () => {
    const people = crowd();
    tell(people, 0, [RECORD, ADA]);
    const { profileId = '' } = meet(people, 1, [BOB]);
    expect(tellOf(people, 2, [RECORD], profileId).profileId).toBe(people.ownerOf(ADA));
  });
});

describe('a changed field of a linked record', () => {
  it('with an identifier of another person opens a review where both were heard from', () => {
    const people = crowd();
    meet(people, 0, [ADA]);
    tell(people, 1, [RECORD, ADA]);
    const { profileId: bob = '' } = meet(people, 2, [BOB]);
    const { profileId, merge } = tell(people, 3, [RECORD, BOB]);
    expect([profileId, merge]).toEqual([people.ownerOf(ADA), undefined]);
    expect(people.reviews).toEqual([
      { type: 'pair', profileIds: [profileId, bob].sort(), reason: 'crm-change', cause: 'i3' },
    ]);
    tell(people, 4, [RECORD, BOB]);
    expect(people.reviews).toHaveLength(1);
  });

  it('is not asked about again after a person has decided', () => {
    const people = crowd();
    meet(people, 0, [ADA]);
    tell(people, 1, [RECORD, ADA]);
    const { profileId: bob = '' } = meet(people, 2, [BOB]);
    markDistinct(people, people.ownerOf(ADA), bob);
    tell(people, 3, [RECORD, BOB]);
    expect(people.reviews).toEqual([]);
  });

  it('merges somebody who was never heard from, by the usual rules', () => {
    const people = crowd();
    meet(people, 0, [ADA]);
    tell(people, 1, [RECORD, ADA]);
    imported(people, 2, [BOB]);
    expect(tell(people, 3, [RECORD, BOB]).merge).toMatchObject({ survivor: people.ownerOf(ADA) });
    expect(customerWith(people, BOB).id).toBe(people.ownerOf(ADA));
  });

  it('above a limit sets the identifier aside', () => {
    const people = crowd({ identifiers: { '*': { priority: 4, limit: 1 } } });
    tell(people, 0, [RECORD, ADA]);
    expect(tell(people, 1, [RECORD, BOB])).toMatchObject({ setAside: [BOB], profileId: people.ownerOf(ADA) });
    expect(people.owner(BOB)).toBeUndefined();
  });
});

describe('records that were merged in a CRM', () => {
  const merged = { properties: { act: 'merged' } };

  it('join their customers, and the new id is linked', () => {
    const people = crowd();
    meet(people, 0, [ADA]);
    meet(people, 1, [BOB]);
    tell(people, 2, ['hubspot:1', ADA]);
    tell(people, 3, ['hubspot:2', BOB]);
    const { merge } = tell(people, 4, ['hubspot:3', 'hubspot:1', 'hubspot:2'], merged);
    expect(merge).toMatchObject({ survivor: people.ownerOf(ADA), others: [people.ownerOf(BOB)] });
    expect(people.owner('hubspot:3')).toBe(people.ownerOf(ADA));
    unmergeCustomer(people, people.ownerOf(ADA), decisionAt(5));
    expect(people.owner('hubspot:2')).toBe(people.ownerOf(BOB));
    expect(customerWith(people, BOB).id).toBe(people.ownerOf(BOB));
  });

  it('do not join people whose strong identifiers differ: the pair goes to review', () => {
    const people = crowd();
    tell(people, 0, ['hubspot:1', 'user-id:1']);
    tell(people, 1, ['hubspot:2', 'user-id:2']);
    expect(tell(people, 2, ['hubspot:1', 'hubspot:2'], merged).merge).toBeUndefined();
    expect(people.reviews).toMatchObject([{ type: 'pair', reason: 'strong' }]);
  });

  it('do not join people who exceed a limit together', () => {
    const people = crowd({ identifiers: { '*': { priority: 4, limit: 1 } } });
    tell(people, 0, ['hubspot:1', ADA]);
    tell(people, 1, ['hubspot:2', BOB]);
    expect(tell(people, 2, ['hubspot:1', 'hubspot:2'], merged).merge).toBeUndefined();
    expect(people.reviews).toMatchObject([{ type: 'pair', reason: 'crm-change' }]);
  });
});

describe('an imported row with the id of a record', () => {
  it('links the customer, and a later row finds them by it', () => {
    const people = crowd();
    const { profileId } = imported(people, 0, [ADA], [RECORD]);
    expect(people.owner(RECORD)).toBe(profileId);
    expect(imported(people, 1, ['phone:+14155550100'], [RECORD])).toMatchObject({ profileId, isNew: false });
    expect(customerWith(people, ADA).identifiers).toEqual([ADA, 'phone:+14155550100']);
  });

  it('finds nobody by an id that nobody is linked to', () => {
    expect(() => imported(crowd(), 0, ['email:none'], [RECORD])).toThrow('None of the identifiers');
  });
});

it('a request about a linked record is its customer’s; of an unknown one it opens a review without one', () => {
  const people = crowd();
  tell(people, 0, [RECORD, ADA]);
  const request = { kind: 'privacy-erasure', claimed: [RECORD] } as const;
  expect(tell(people, 1, [RECORD], { ...request, claimed: [RECORD] }).profileId).toBe(people.ownerOf(ADA));
  tell(people, 2, ['salesforce:003X'], { kind: 'privacy-erasure' });
  expect(people.reviews).toMatchObject([
    { reason: 'erasure-request', profileId: people.ownerOf(ADA) },
    { reason: 'erasure-request', interaction: { id: 'i2' } },
  ]);
  expect(people.changedProfiles.size).toBe(1);
});

describe('laws', () => {
  const records = ['salesforce:003A', 'salesforce:003B', 'hubspot:1'];
  const Step = fc.record({
    named: fc.subarray(pool, { maxLength: 2 }),
    references: fc.subarray(records, { maxLength: 2 }),
    isCrm: fc.boolean(),
    areClaimed: fc.boolean(),
  });
  type Step = typeof Step extends fc.Arbitrary<infer One> ? One : never;
  const play = (steps: readonly Step[], config: unknown = {}) => {
    const people = crowd(config);
    const placed = steps.map(({ named, references, isCrm, areClaimed }, minute) => {
      const claimed = areClaimed ? references : [];
      return isCrm
        ? tell(people, minute, [...named, ...references], { claimed })
        : meet(people, minute, named.length > 0 ? named : [ADA]);
    });
    return { people, placed };
  };
  const roomy = { identifiers: unlimited.identifiers };

  it('ids of records alone make nobody and merge nobody', () => {
    fc.assert(
      fc.property(
        fc.array(Step, { maxLength: 12 }),
        fc.array(fc.subarray(records), { maxLength: 4 }),
        (steps, more) => {
          const { people } = play(steps, roomy);
          const later = reloaded(people);
          for (const [position, [first]] of more.entries())
            if (first !== undefined) tell(later, 20 + position, [first]);
          expect([later.merges.size, later.reviews, later.newOwners.size, later.newGuests.size]).toEqual([
            0,
            [],
            0,
            0,
          ]);
          expect([...later.changedProfiles].filter((id) => !people.changedProfiles.has(id))).toEqual([]);
        },
      ),
      { numRuns: 300, seed: 20261201 },
    );
  });

  it('no customer lists one, everybody linked owns an identifier, and a link never passes to somebody else', () => {
    fc.assert(
      fc.property(fc.array(Step, { minLength: 1, maxLength: 12 }), (steps) => {
        const before = play(steps.slice(0, -1), roomy).people;
        const { people } = play(steps, roomy);
        for (const record of records) {
          const owner = people.owner(record);
          if (before.owner(record) !== undefined) expect(owner).toBe(before.owner(record));
          if (owner !== undefined) expect(customerWith(people, record).identifiers).not.toEqual([]);
        }
        for (const id of people.changedProfiles)
          for (const one of people.sourceProfile(id).profile.identifiers) expect(records).not.toContain(one);
      }),
      { numRuns: 300, seed: 20261202 },
    );
  });

  it('whom records make of people who were all heard from does not depend on when the records came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.subarray(pool, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.nat(),
        (acts, which, when) => {
          const run = (position: number) => {
            const people = crowd(roomy);
            const order: (readonly string[] | 'record')[] = [...acts];
            order.splice(position, 0, 'record');
            for (const [minute, one] of order.entries())
              if (one === 'record') tell(people, minute, [RECORD]);
              else meet(people, minute, [...one]);
            return [
              ...new Set(acts.flat().map((one) => [...customerWith(people, one).identifiers].sort().join())),
            ].sort();
          };
          expect(run(which % (acts.length + 1))).toEqual(run(when % (acts.length + 1)));
        },
      ),
      { numRuns: 200, seed: 20261203 },
    );
  });
});
