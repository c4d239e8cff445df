import { describe, expect, it } from 'vitest';
import { setConsent } from '../../../core/consent/customer-consent.ts';
import type { Review } from '../../../core/identity/ledger.ts';
import { mergeManually } from '../../../core/identity/merge.ts';
import type { People } from '../../../core/identity/people.ts';
import { confirmIdentifier } from '../../../core/identity/proof/confirm.ts';
import { assignInteraction } from '../../../core/identity/resolution.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { claim, crowd, customerWith, decisionAt, interactionAt, meet, reloaded, thrownBy } from './crowd.ts';
import { at } from './histories.ts';

const [ada, number, chat] = ['email:ada@example.com', 'phone:+14155550100', 'line:U1'];
const other = 'email:eve@example.com';

describe('a report about a message', () => {
  const two = (): People => {
    const people = crowd();
    meet(people, 1, [ada]);
    meet(people, 2, [number]);
    return people;
  };

  it.each(['delivery-status', 'read', 'open', 'click', 'bounce', 'complaint'] as const)(
    '(%s) goes to the customer of the message, else to the owner of its strongest owned address',
    (kind) => {
      const people = two();
      const about = [other, number, ada];
      expect(meet(people, 10, about, { kind }, 'c1')).toMatchObject({ profileId: 'c1', isNew: false });
      expect(meet(people, 11, about, { kind })).toMatchObject({ profileId: 'c0', isNew: false });
      expect(people.owner(other)).toBeUndefined();
      expect([people.merges.size, people.reviews.length]).toEqual([0, 0]);
    },
  );

  it('that nobody is known of is ignored', () => {
    const people = two();
    expect(meet(people, 10, [other], { kind: 'bounce', channel: 'email' })).toEqual({
      ...{ isNew: false, setAside: [], consent: [], ignored: true },
    });
    expect([people.reviews.length, people.owner(other)]).toEqual([0, undefined]);
  });

  it('without an address and a message waits for a decision, as does any interaction', () => {
    const people = two();
    expect(meet(people, 10, [], { kind: 'read' })).toEqual({ isNew: false, setAside: [], consent: [] });
    expect(people.reviews).toEqual([
      {
        ...{ type: 'interaction', reason: 'no-identifier', receivedAt: at(10) },
        interaction: interactionAt(10, [], { kind: 'read' }),
      },
    ]);
  });

  it('of the hub is ignored where the customer is not known, with or without an address', () => {
    const people = two();
    for (const identifiers of [[], [other]])
      expect(meet(people, 10, identifiers, { kind: 'notification' }).ignored).toBe(true);
    expect(meet(people, 10, [ada], { kind: 'notification' }, 'c1').profileId).toBe('c1');
  });

  it('is no time at which the address was last heard from', () => {
    const people = two();
    meet(people, 10, [ada], { kind: 'click', channel: 'email', claimed: [ada] });
    expect(customerWith(people, ada).lastInboundAt).toEqual({ [ada]: at(1) });
  });

  it('closes its address whoever owns it, and its owner alone', () => {
    const people = two();
    const bounce = { kind: 'bounce', channel: 'email', direction: 'outbound' } as const;
    meet(people, 10, [ada], { ...bounce, claimed: [ada] }, 'c1');
    expect(customerWith(people, ada).closed).toEqual({
      [ada]: { reason: 'bounce', at: at(10), source: 'i10' },
    });
    expect(customerWith(people, number).closed).toEqual({});
  });
});

describe('an interaction of a person', () => {
  it('reports whether the customer is new, what was set aside, and whether the lists change', () => {
    const people = crowd();
    expect(meet(people, 1, [ada], { kind: 'form' })).toEqual({
      ...{ profileId: 'c0', isNew: true, setAside: [], consent: [], moved: true },
    });
    expect(meet(people, 1, [ada], { kind: 'open' })).toEqual({
      ...{ profileId: 'c0', isNew: false, setAside: [], consent: [] },
    });
    const named = { kind: 'contact-update', profile: { name: { full: 'Ada' } } } as const;
    expect(meet(people, 2, [ada], named).moved).toBe(true);
    expect(meet(people, 3, [ada], named)).not.toHaveProperty('moved');
  });

  it('is stored with the limits of its types: what is above them is set aside', () => {
    const people = crowd();
    meet(people, 1, ['user-id:1']);
    const { profileId, setAside } = meet(people, 2, ['user-id:1', 'user-id:2']);
    expect([profileId, setAside]).toEqual(['c0', ['user-id:2']]);
    expect(customerWith(people, 'user-id:1').identifiers).toEqual(['user-id:1']);
  });

  it('sets the weakest aside first', () => {
    const people = crowd({ identifiers: { email: { priority: 1, limit: 1 } } });
    const { setAside } = meet(people, 1, [ada, other, 'email:x@example.com']);
    expect(setAside).toEqual(['email:x@example.com', other]);
    expect(customerWith(people, ada).identifiers).toEqual([ada]);
  });

  it('writes the profile only where it changes', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    const later = reloaded(people);
    meet(later, 2, [ada]);
    expect([later.changedProfiles.size, later.changedActivities.size]).toEqual([0, 1]);
  });

  it('of types that nobody may own waits for a decision', () => {
    const people = crowd({ identifiers: { line: { priority: 1, limit: 0 } } });
    expect(meet(people, 1, [chat])).toEqual({ isNew: false, setAside: [chat], consent: [] });
    expect(people.reviews).toMatchObject([{ type: 'interaction', reason: 'over-limit' }]);
  });

  it('that merges reports the merge, with the time at which it arrived', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    meet(people, 2, [number]);
    const { merge } = meet(people, 3, [ada, number]);
    expect(merge).toEqual({
      ...{ id: 'c2', survivor: 'c0', others: ['c1'], at: at(3), by: 'identifiers', cause: 'i3' },
      overrode: [],
    });
    expect([...people.merges]).toEqual([['c2', merge]]);
    expect(meet(people, 4, [ada])).not.toHaveProperty('merge');
  });

  it('that answers a question reports how long it was open', () => {
    const people = crowd();
    meet(people, 1, [number]);
    const reply = meet(people, 3, [number], { direction: 'outbound' });
    expect(reply).toMatchObject({ reply: { seconds: 120, first: true }, moved: true });
    expect(meet(people, 4, [number])).not.toHaveProperty('reply');
  });

  it('proves what an agent had confirmed, which is then confirmed no more', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    confirmIdentifier(people, 'c0', number, decisionAt(2));
    const confirmed = (): string[] => people.sourceProfile('c0').profile.confirmed;
    confirmIdentifier(people, 'c0', chat, decisionAt(3));
    meet(people, 4, [ada, number], { claimed: [number] });
    expect(confirmed()).toEqual([number, chat]);
    meet(people, 5, [ada, number]);
    expect(confirmed()).toEqual([chat]);
  });
});

describe('an interaction that names nobody', () => {
  it('belongs to the customer of the message that it refers to, else waits', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    expect(meet(people, 2, ['user-id:unknown'], {}, 'c0')).toMatchObject({ profileId: 'c0', isNew: false });
    expect(meet(people, 3, ['user-id:unknown']).profileId).toBeUndefined();
    expect(people.reviews).toHaveLength(1);
  });

  it('answers for that customer: no address speaks against it', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    meet(people, 2, [], { kind: 'opt-out', channel: 'email' }, 'c0');
    expect(customerWith(people, ada).consent.email?.status).toBe('denied');
    expect(people.answers).toMatchObject([{ profileId: 'c0', answer: { channel: 'email' } }]);
  });
});

describe('an answer', () => {
  const merged = (): People => {
    const people = crowd();
    meet(people, 1, [ada, number]);
    meet(people, 2, [other]);
    mergeManually(people, 'c0', 'c1', decisionAt(3));
    return people;
  };
  const optOut = (address: string): Partial<Interaction> => ({
    ...{ kind: 'opt-out', channel: 'email', identifiers: [number, address] },
  });

  it('changes the source profile whose address carried it, and keeps the address as evidence', () => {
    const people = merged();
    meet(people, 10, [], optOut(other));
    expect(people.sourceProfile('c1').profile.consent.email?.status).toBe('denied');
    expect(people.sourceProfile('c0').profile.consent).toEqual({});
    expect(people.answers[0]?.answer.evidence).toMatchObject({ type: 'interaction', address: other });
  });

  it('by an address that is only claimed is none of the person: it mutes that address', () => {
    const people = merged();
    meet(people, 10, [], { ...optOut(other), claimed: [other] });
    expect(customerWith(people, other).consent).toEqual({});
    expect(people.addressClaims).toEqual([
      { address: other, claim: 'mute', channel: 'email', at: at(10), source: 'i10' },
    ]);
  });

  it.each([
    [{ kind: 'opt-in' }, 'opt-in'],
    [{ kind: 'opt-out', properties: { scope: 'marketing' } }, 'mute'],
    [{ kind: 'opt-in', properties: { scope: 'service' } }, 'mute'],
  ] as const)('claimed (%o) counts for the address as %s', (what, expected) => {
    const people = crowd();
    claim(people, 1, [ada], { ...what, channel: 'email' });
    expect(people.addressClaims.map((one) => one.claim)).toEqual([expected]);
  });

  it.each([
    ['STOP', ['mute']],
    ['START', ['opt-in']],
    // A YES lifts a denial and says nothing else.
    ['YES', []],
  ] as const)('claimed by the word %s counts for the number as %s, and closes nothing', (text, expected) => {
    const people = crowd();
    meet(people, 1, [number]);
    claim(people, 2, [number], { text });
    expect(people.addressClaims.map((one) => one.claim)).toEqual(expected);
    const { closed, consent } = customerWith(people, number);
    expect([closed, consent]).toEqual([{}, {}]);
    expect(people.answers).toEqual([]);
  });

  it('is none in a message that says nothing about messages, claimed or not', () => {
    const people = crowd();
    meet(people, 1, [number], { text: 'Hello' });
    claim(people, 2, [number], { text: 'Hello' });
    claim(people, 3, [ada], { kind: 'form', channel: 'email' });
    expect([people.addressClaims, people.answers]).toEqual([[], []]);
  });

  it('of a guest without an address for its channel is nobody’s', () => {
    const people = crowd();
    const { profileId = '' } = claim(people, 1, [chat], { kind: 'opt-out', channel: 'email' });
    expect(people.customer(profileId).consent).toEqual({});
    expect([people.answers, people.addressClaims]).toEqual([[], []]);
  });

  it('reports the change of the whole customer, and none where the stricter holds already', () => {
    const people = merged();
    expect(meet(people, 10, [], optOut(other)).consent).toEqual([
      { channel: 'email', from: 'unknown', to: 'denied' },
    ]);
    expect(meet(people, 11, [], optOut(ada)).consent).toEqual([]);
    setConsent(people, 'c0', 'email', { answer: 'granted', at: at(12), source: 'command' }, 'ada');
    expect(customerWith(people, ada).consent.email?.status).toBe('denied');
  });
});

describe('an answer on a page behind a link', () => {
  const onPage = (page: string): Partial<Interaction> => ({
    ...{ kind: 'opt-out', channel: 'email', provider: 'tributary', identifiers: [ada, chat] },
    properties: { page },
  });

  it('is the owner’s, and proves nothing', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    meet(people, 2, [chat]);
    expect(meet(people, 10, [], onPage('unsubscribe'))).toMatchObject({ profileId: 'c0', isNew: false });
    expect(customerWith(people, ada)).toMatchObject({
      ...{ consent: { email: { status: 'denied' } }, lastInboundAt: { [ada]: at(1) } },
    });
    expect([people.merges.size, people.addressClaims, people.reviews]).toEqual([0, [], []]);
  });

  it('is a claim where nobody owns the address', () => {
    const people = crowd();
    const { profileId = '' } = meet(people, 10, [], onPage('preferences'));
    const { guest, consent } = people.customer(profileId);
    expect([guest, consent]).toEqual([true, {}]);
    expect(people.addressClaims).toMatchObject([{ address: ada, claim: 'mute' }]);
  });

  it('proves its address where it is the confirm page', () => {
    const people = crowd();
    meet(people, 10, [], { ...onPage('confirm'), kind: 'opt-in', identifiers: [ada] });
    expect(customerWith(people, ada)).toMatchObject({
      guest: false,
      consent: { email: { status: 'granted' } },
    });
  });
});

describe('an interaction of the review queue that a person assigns', () => {
  const waiting = (...identifiers: string[]): Extract<Review, { type: 'interaction' }> => ({
    type: 'interaction',
    reason: 'over-limit',
    receivedAt: at(50),
    interaction: interactionAt(50, identifiers),
  });

  it('goes to the customer named, who gains its free identifiers within the limits', () => {
    const people = crowd({
      identifiers: { email: { priority: 1, limit: 2 }, '*': { priority: 2, limit: 9 } },
    });
    meet(people, 1, [ada]);
    meet(people, 2, [number]);
    const review = waiting(other, 'email:x@example.com', number, chat);
    expect(assignInteraction(people, review, 'c0')).toMatchObject({ profileId: 'c0', isNew: false });
    expect(customerWith(people, ada).identifiers).toEqual([ada, other, chat]);
    expect(people.owner(number)).toBe('c1');
  });

  it('goes to a source profile, within the limits of its whole customer', () => {
    const people = crowd({ identifiers: { '*': { priority: 2, limit: 1 } } });
    meet(people, 1, [ada]);
    meet(people, 2, [number]);
    mergeManually(people, 'c0', 'c1', decisionAt(3));
    assignInteraction(people, waiting(other, chat), 'c1');
    expect(people.sourceProfile('c1').profile.identifiers).toEqual([number, chat]);
  });

  it('makes a new customer of its free identifiers where none is named', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    expect(assignInteraction(people, waiting(ada, number), undefined)).toMatchObject({
      ...{ profileId: 'c1', isNew: true, setAside: [], moved: true },
    });
    expect(customerWith(people, number)).toMatchObject({ identifiers: [number], firstSeenAt: at(50) });
  });

  it('is refused for good as a new customer without a free identifier', () => {
    const people = crowd();
    meet(people, 1, [ada]);
    expect(thrownBy(() => assignInteraction(people, waiting(ada), undefined))).toMatchObject({
      code: 'missing-identifier',
      retry: 'never',
    });
    expect(assignInteraction(people, waiting(ada), 'c0').profileId).toBe('c0');
  });
});

describe('a number that a platform reports with another user', () => {
  const [user, stranger, whatsapp] = ['whatsapp-user:B1', 'whatsapp-user:B2', 'whatsapp:14155550100'];
  const known = (): People => {
    const people = crowd();
    meet(people, 10, [user, whatsapp], { channel: 'whatsapp' });
    return reloaded(people);
  };

  it('goes to the newer person, with a review of the two', () => {
    const people = known();
    const { profileId, isNew } = meet(people, 20, [stranger, whatsapp], { channel: 'whatsapp' });
    expect([isNew, people.owner(whatsapp), people.owner(number)]).toEqual([true, profileId, profileId]);
    expect(people.sourceProfile('c0').profile.identifiers).toEqual([user]);
    expect(people.reviews).toEqual([
      { type: 'pair', profileIds: ['c0', profileId], reason: 'handed-over', cause: 'i20' },
    ]);
    expect(people.merges.size).toBe(0);
  });

  it('stays with its owner, who was heard from later, and the new person is found by the user alone', () => {
    const people = known();
    const { profileId } = meet(people, 5, [stranger, whatsapp], { channel: 'whatsapp' });
    expect([people.owner(whatsapp), people.owner(stranger)]).toEqual(['c0', profileId]);
    expect(customerWith(people, stranger).identifiers).toEqual([stranger]);
    expect(people.reviews).toMatchObject([{ reason: 'handed-over' }]);
  });

  it('goes to the person reported at the same instant', () => {
    const people = known();
    const { profileId } = meet(people, 10, [stranger, whatsapp], { channel: 'whatsapp' });
    expect(people.owner(whatsapp)).toBe(profileId);
  });

  it('stays where its owner has no user of the platform, who is then the same person', () => {
    const people = crowd();
    meet(people, 1, [number, ada]);
    expect(meet(people, 2, [stranger, whatsapp], { channel: 'whatsapp' })).toMatchObject({ profileId: 'c0' });
    expect(customerWith(people, number).identifiers).toEqual([ada, number, stranger, whatsapp]);
    expect(people.reviews).toEqual([]);
  });

  it('stays where one of the users is known of its owner', () => {
    const people = known();
    expect(meet(people, 20, [user, stranger, whatsapp], { channel: 'whatsapp' }).profileId).toBe('c0');
    expect(people.reviews).toEqual([]);
  });

  it('stays where its owner has two users of the platform, one of which is named', () => {
    const people = crowd();
    meet(people, 1, [user, 'whatsapp-user:B9', whatsapp], { channel: 'whatsapp' });
    expect(meet(people, 2, [user, whatsapp], { channel: 'whatsapp' }).profileId).toBe('c0');
    expect([people.owner(whatsapp), people.reviews]).toEqual(['c0', []]);
  });

  it('moves alone: other identifiers of the interaction that belong to its owner merge the two', () => {
    const people = crowd();
    meet(people, 1, [user, whatsapp, ada], { channel: 'whatsapp' });
    meet(people, 2, [stranger, whatsapp, ada], { channel: 'whatsapp' });
    expect(customerWith(people, ada).identifiers).toContain(stranger);
    expect(people.owner(whatsapp)).toBe('c0');
    expect(people.reviews).toEqual([]);
  });

  it('is left alone by an interaction that names no user of the platform', () => {
    const people = known();
    expect(meet(people, 20, [number, chat]).profileId).toBe('c0');
    expect([people.reviews, people.disowned.size]).toEqual([[], 0]);
  });
});
