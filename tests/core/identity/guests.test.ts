import { describe, expect, it } from 'vitest';
import type { Customer } from '../../../core/identity/customer.ts';
import { mergeManually } from '../../../core/identity/merge.ts';
import type { People } from '../../../core/identity/people.ts';
import { confirmIdentifier, isConfirmed, splitClaim } from '../../../core/identity/proof/confirm.ts';
import { claimedName, fillFromGuests, shownWith } from '../../../core/identity/proof/guests.ts';
import { isReport } from '../../../core/identity/proof/vouched.ts';
import { claim, crowd, customerWith, decisionAt, meet, reloaded, thrownBy } from './crowd.ts';
import { at } from './histories.ts';

const [ada, number, chat] = ['email:ada@example.com', 'phone:+14155550100', 'line:U1'];
const placed = (people: People, minute: number, identifiers: string[], more = {}): string =>
  claim(people, minute, identifiers, more).profileId ?? '';

describe('a guest', () => {
  it('is made of what nobody vouches for, and owns nothing', () => {
    const people = crowd();
    expect(claim(people, 1, [chat, ada], { kind: 'form' })).toMatchObject({ profileId: 'c0', isNew: true });
    const { profile } = people.sourceProfile('c0');
    expect(profile).toMatchObject({
      ...{ guest: true, identifiers: [], claimed: [ada, chat], firstSeenAt: at(1) },
    });
    expect([people.owner(ada), people.guestOf(ada), people.guestOf(chat)]).toEqual([undefined, 'c0', 'c0']);
    expect([...people.newGuests.keys()].sort()).toEqual([ada, chat].sort());
    expect(people.claims).toEqual([]);
  });

  it('is found again by its strongest claimed identifier that nobody owns', () => {
    const people = crowd();
    placed(people, 1, [ada]);
    placed(people, 2, [chat]);
    const later = reloaded(people);
    expect(claim(later, 3, [chat, ada])).toMatchObject({ profileId: 'c0', isNew: false });
    // The chat is the other guest's: that this one claims it too is kept as a claim.
    expect(later.claims).toEqual([{ identifier: chat, profileId: 'c0', at: at(3) }]);
    expect(later.newGuests.size).toBe(0);
    expect(later.sourceProfile('c0').profile.claimed).toEqual([ada, chat]);
    expect(placed(later, 4, [chat])).toBe('c1');
    expect(placed(later, 5, [chat, ada])).toBe('c0');
    expect(later.claims).toHaveLength(1);
  });

  it('is a new one for each interaction whose identifiers persons own, without being called new', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    const [one, other] = [claim(people, 2, [ada]), claim(people, 3, [ada])];
    expect(one.profileId).not.toBe(other.profileId);
    expect([one.isNew, other.isNew]).toEqual([false, false]);
    expect(claim(people, 4, [ada, 'telegram:4']).isNew).toBe(false);
    expect(people.claims.filter(({ identifier }) => identifier === ada)).toHaveLength(3);
    expect(people.guestOf(ada)).toBeUndefined();
  });

  it('is not looked for by an owned identifier, however strong', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    const guest = placed(people, 2, [chat]);
    expect(placed(people, 3, [ada, chat])).toBe(guest);
    expect(people.sourceProfile(guest).profile.claimed).toEqual([chat, ada]);
  });

  it('is stored where it may list nothing', () => {
    const people = crowd({ identifiers: { '*': { priority: 1, limit: 0 } } });
    const guest = placed(people, 1, [chat]);
    expect(people.changedProfiles.has(guest)).toBe(true);
    expect(people.sourceProfile(guest).profile.claimed).toEqual([]);
  });

  it('lists of a type no more than its limit', () => {
    const people = crowd({
      identifiers: { line: { priority: 1, limit: 2 }, '*': { priority: 2, limit: 1 } },
    });
    const guest = placed(people, 1, ['line:U1', 'line:U2', 'line:U3', ada, number]);
    expect(people.sourceProfile(guest).profile.claimed).toEqual(['line:U1', 'line:U2', ada, number]);
    expect(people.guestOf('line:U3')).toBeUndefined();
    placed(people, 2, ['line:U1', 'telegram:1', 'email:other@example.com']);
    expect(people.sourceProfile(guest).profile.claimed).toHaveLength(5);
  });
});

describe('who a guest is shown with', () => {
  const shown = (people: People, guest: string): string | undefined =>
    shownWith(
      people.sourceProfile(guest).profile,
      people.config,
      (one) => people.owner(one),
      (id) => people.customer(id),
    );
  /** c0 owns the address, c1 the number. */
  const persons = (): People => {
    const people = crowd();
    meet(people, 1, [ada]);
    meet(people, 2, [number]);
    return people;
  };

  it('is the owner of its strongest owned identifier, else nobody', () => {
    const people = persons();
    expect(shown(people, placed(people, 3, [chat, number, ada]))).toBe('c0');
    expect(shown(people, placed(people, 4, [number, 'telegram:1']))).toBe('c1');
    expect(shown(people, placed(people, 5, ['telegram:2']))).toBeUndefined();
  });

  it('is nobody once it was split off, also from a person with whom that one was merged', () => {
    const people = persons();
    const guest = placed(people, 3, [chat, number]);
    splitClaim(people, 'c1', chat, decisionAt(4));
    expect(shown(people, guest)).toBeUndefined();
    const other = placed(people, 5, [ada, number, 'telegram:1']);
    mergeManually(people, 'c0', 'c1', decisionAt(6));
    expect([shown(people, guest), shown(people, other)]).toEqual([undefined, 'c0']);
  });

  it('is the owner where the person cannot be read', () => {
    const guest = { claimed: [ada], shownApart: ['c0'] };
    const { config } = crowd();
    expect(
      shownWith(
        guest,
        config,
        () => 'c0',
        () => undefined,
      ),
    ).toBe('c0');
  });
});

describe('a claimed identifier', () => {
  /** Ada owns her address; guests claim the chat, one of them with her address. */
  const claimed = () => {
    const people = crowd();
    meet(people, 1, [ada]);
    const guests = [placed(people, 2, [chat, ada]), placed(people, 3, [chat, 'user-id:7'])];
    return { people: reloaded(people), guests };
  };

  it('that an agent confirms is the person’s, and only until it is taken back', () => {
    const { people, guests } = claimed();
    const confirmation = confirmIdentifier(people, 'c0', chat, decisionAt(10));
    expect(confirmation).toEqual({
      ...{ id: expect.any(String), identifier: chat, profileId: 'c0' },
      ...{ at: at(10), by: 'ada', cause: 'command-10' },
    });
    expect(people.confirmations).toEqual([confirmation]);
    expect(customerWith(people, chat).id).toBe('c0');
    expect([isConfirmed(people, chat), isConfirmed(people, ada)]).toEqual([true, false]);
    const splits = splitClaim(people, 'c0', chat, decisionAt(11));
    expect(splits.map(({ to }) => to)).toEqual(guests);
    expect([people.owner(chat), people.sourceProfile('c0').profile.confirmed]).toEqual([undefined, []]);
    for (const one of ['telegram:1', 'telegram:2']) confirmIdentifier(people, 'c0', one, decisionAt(12));
    splitClaim(people, 'c0', 'telegram:1', decisionAt(13));
    expect(people.sourceProfile('c0').profile.confirmed).toEqual(['telegram:2']);
  });

  it('that is split off shows its guests apart, each in the ledger', () => {
    const { people, guests } = claimed();
    const splits = splitClaim(people, 'c0', chat, decisionAt(10));
    expect(splits).toEqual(
      guests.map((to) => ({
        ...{ id: expect.any(String), identifier: chat, from: 'c0', to, claimed: true },
        ...{ at: at(10), by: 'ada', cause: 'command-10' },
      })),
    );
    expect(people.splits).toEqual(splits);
    for (const guest of guests) expect(people.sourceProfile(guest).profile.shownApart).toEqual(['c0']);
    expect(people.disowned.size).toBe(0);
    splitClaim(people, 'c0', chat, decisionAt(11));
    for (const guest of guests) expect(people.sourceProfile(guest).profile.shownApart).toEqual(['c0']);
  });

  it('that nobody else claims is taken back without a guest', () => {
    const { people } = claimed();
    confirmIdentifier(people, 'c0', 'telegram:9', decisionAt(10));
    expect(splitClaim(people, 'c0', 'telegram:9', decisionAt(11))).toEqual([]);
    expect(people.owner('telegram:9')).toBeUndefined();
    // It was given and taken back before it was stored.
    expect([people.newOwners.size, people.disowned.size]).toEqual([0, 0]);
  });

  it('that was stored with its owner is taken from it', () => {
    const { people } = claimed();
    confirmIdentifier(people, 'c0', chat, decisionAt(10));
    const later = reloaded(people);
    splitClaim(later, 'c0', chat, decisionAt(11));
    expect([...later.disowned]).toEqual([chat]);
    expect(later.sourceProfile('c0').profile.identifiers).toEqual([ada]);
  });

  it('is confirmed for a whole customer, within its limits', () => {
    const people = crowd({ identifiers: { '*': { priority: 1, limit: 1 } } });
    meet(people, 1, [ada]);
    meet(people, 2, [chat]);
    mergeManually(people, 'c0', 'c1', decisionAt(3));
    expect(confirmIdentifier(people, 'c1', number, decisionAt(4)).profileId).toBe('c0');
    expect(thrownBy(() => confirmIdentifier(people, 'c0', 'line:U2', decisionAt(5)))).toMatchObject({
      ...{ code: 'identifier-limit', retry: 'never' },
    });
    expect(thrownBy(() => confirmIdentifier(people, 'c0', chat, decisionAt(5)))).toMatchObject({
      ...{ code: 'already-owned', retry: 'never' },
    });
    expect(people.confirmations).toHaveLength(1);
  });

  it('of another person, or for a guest, is refused for good, as is a split where nobody claims it', () => {
    const { people, guests } = claimed();
    meet(people, 9, [number]);
    expect(thrownBy(() => confirmIdentifier(people, 'c0', number, decisionAt(10)))).toMatchObject({
      ...{ code: 'owned-by-another', retry: 'never' },
    });
    expect(thrownBy(() => confirmIdentifier(people, guests[0] ?? '', chat, decisionAt(10)))).toMatchObject({
      ...{ code: 'guest-owns-nothing', retry: 'never' },
    });
    expect(thrownBy(() => splitClaim(people, 'c0', 'telegram:9', decisionAt(10)))).toMatchObject({
      ...{ code: 'not-claimed', retry: 'never' },
    });
  });
});

describe('what a guest stands in with', () => {
  const customer = (more: Partial<Customer>): Customer => {
    const people = crowd();
    meet(people, 1, [ada]);
    return { ...people.customer('c0'), ...more };
  };

  it('is a name, a language and a time zone, each where the person has none, of the first guest with one', () => {
    const [name, language, timeZone] = [{ full: 'Ada' }, 'it', 'Europe/Rome'];
    const guests = [
      customer({ name: { full: 'call 0900 123' }, language }),
      customer({ name, language: 'de', timeZone }),
      customer({ name: { full: 'Eve' }, timeZone: 'Europe/Berlin' }),
    ];
    expect(fillFromGuests(customer({}), guests)).toMatchObject({ name, language, timeZone });
    const known = { name: { full: 'Ada King' }, language: 'en', timeZone: 'Europe/London' };
    expect(fillFromGuests(customer(known), guests)).toMatchObject(known);
    expect(fillFromGuests(customer({}), [])).toMatchObject({ name: undefined, language: undefined });
  });

  it.each([
    [{ full: 'x'.repeat(60) }, true],
    [{ full: 'x'.repeat(61) }, false],
    [{ first: 'Ada', last: 'http:Lovelace' }, false],
    [{ first: 'Ada', last: 'Lovelace' }, true],
    [{ full: 'J. R. Smith' }, true],
    [{ full: 'evil.example' }, false],
    [{ full: 'a\\b' }, false],
    [{ full: 'a<b' }, false],
    [{ full: 'a>b' }, false],
    [{ full: 'Ada 2' }, false],
    [{}, false],
    [undefined, false],
  ])('is no name that is long, or holds a link, an address or a digit: %o', (name, isName) => {
    expect(claimedName(name)).toBe(isName ? name : undefined);
  });
});

it('a report is what becomes of a message, and nothing that a customer says', () => {
  for (const kind of ['delivery-status', 'read', 'open', 'click', 'bounce', 'complaint'] as const)
    expect(isReport({ kind })).toBe(true);
  for (const kind of ['message', 'opt-out', 'form', 'reaction'] as const)
    expect(isReport({ kind })).toBe(false);
});
