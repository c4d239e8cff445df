import { describe, expect, it } from 'vitest';
import { unmergeCustomer } from '../../../core/identity/decisions/unmerge.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { mergeManually } from '../../../core/identity/merge.ts';
import { normaliseIdentifier, otherSpelling, usableIdentifiers } from '../../../core/identity/normalise.ts';
import { People } from '../../../core/identity/people.ts';
import { resolveInteraction } from '../../../core/identity/resolution.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';

const config = IdentityConfig.parse({ shared: ['email:Info@acme.example'] });
let at = Date.parse('2026-03-01T09:00:00Z');

const crowd = (overrides: unknown = {}): People => {
  let next = 0;
  return new People({ sourceProfiles: [], owners: [] }, IdentityConfig.parse(overrides), () => `c${next++}`);
};

const act = (identifiers: string[], more: Partial<Interaction> = {}): Interaction => {
  at += 1000;
  return {
    id: `i${at}`,
    kind: 'message',
    channel: 'sms',
    provider: 'twilio',
    direction: 'inbound',
    occurredAt: new Date(at).toISOString(),
    identifiers,
    ...more,
  };
};

const decision = () => ({ at: new Date(at).toISOString(), by: 'ada', cause: 'cmd' });
/** Everything arrives as it happens. */
const give = (people: People, interaction: Interaction, referred?: string) =>
  resolveInteraction(people, interaction, referred, interaction.occurredAt);
const meet = (people: People, ...identifiers: string[]) => give(people, act(identifiers));
const idOf = (people: People, identifier: string): string =>
  people.customer(people.owner(identifier) ?? '').id;

describe('normal form', () => {
  it.each([
    ['email: Ada@Example.COM ', 'email:ada@example.com'],
    ['email:nobody', undefined],
    ['email:\u202aada@example.com\u202c\u200b', 'email:ada@example.com'],
    ['email:<ada@example.com>', 'email:ada@example.com'],
    ['email:mailto:Ada@Example.com.', 'email:ada@example.com'],
    ['email:ada@EXÄMPLE.com', 'email:ada@xn--exmple-cua.com'],
    ['email:Ada\u0308@example.com', 'email:adä@example.com'],
    ['email:a<victim@example.com>', undefined],
    ['email:ada@example.com,bob@example.com', undefined],
    ['email:ada@example.com/../victim', undefined],
    ['email:ada@example', undefined],
    ['email:.ada@example.com', undefined],
    [`email:${'a'.repeat(65)}@example.com`, undefined],
    [`user-id:${'ä'.repeat(1001)}`, undefined],
    ['phone:\u202a+١ ٤١٥ ٥٥٥ ٠١٠٠\u202c', 'phone:+14155550100'],
    ['phone:＋１４１５５５５０１００', 'phone:+14155550100'],
    ['phone:+1·415·555·0100', 'phone:+14155550100'],
    ['phone:+1 (415) 555-0100', 'phone:+14155550100'],
    ['phone:0044 20 7946 0958', 'phone:+442079460958'],
    ['phone:+44 (0)20 7946 0958', 'phone:+442079460958'],
    ['phone:555-0100', undefined],
    ['phone:+12', undefined],
    ['slack:T1:U1', 'slack:T1:U1'],
  ])('of %s is %s', (raw, normal) => {
    expect(normaliseIdentifier(raw)).toBe(normal);
  });

  it.each([
    ['+5215512345678', '+525512345678'],
    ['+5491123456789', '+541123456789'],
    ['+5531988887777', '+553188887777'],
  ])('of a number has the other spelling %s for %s, in both directions', (long, short) => {
    expect(otherSpelling(`phone:${long}`)).toBe(`phone:${short}`);
    expect(otherSpelling(`phone:${short}`)).toBe(`phone:${long}`);
  });

  it('of a number elsewhere, or of a landline, has no other spelling', () => {
    for (const one of ['phone:+14155550100', 'phone:+553133334444', 'user-id:+525512345678'])
      expect(otherSpelling(one)).toBeUndefined();
  });

  it('drops blocked and shared values, tested raw and normalised', () => {
    const raw = [
      'email:INFO@acme.example',
      'user-id:Unknown',
      'phone:+266696687',
      'user-id:000-0',
      'slack:T1:n/a',
      'email:ada@example.com',
    ];
    expect(usableIdentifiers(raw, config)).toEqual(['email:ada@example.com']);
  });

  it('takes a WhatsApp id for the phone number that it is', () => {
    expect(usableIdentifiers(['whatsapp:14155550100'], config)).toEqual([
      'whatsapp:14155550100',
      'phone:+14155550100',
    ]);
  });
});

describe('how an interaction finds its customer', () => {
  it('makes a customer, then knows it again and learns', () => {
    const people = crowd();
    expect(meet(people, 'phone:+14155550100').isNew).toBe(true);
    const again = meet(people, 'phone:+14155550100', 'email:ada@example.com');
    expect(again.isNew).toBe(false);
    expect(people.customer(again.profileId ?? '').identifiers).toEqual([
      'phone:+14155550100',
      'email:ada@example.com',
    ]);
  });

  it('merges several owners at once into the one first seen', () => {
    const people = crowd();
    meet(people, 'phone:+14155550100');
    meet(people, 'email:ada@example.com');
    meet(people, 'line:U1');
    const placed = meet(people, 'line:U1', 'email:ada@example.com', 'phone:+14155550100');
    expect(placed.merge).toMatchObject({ survivor: 'c0', by: 'identifiers' });
    expect(new Set(placed.merge?.others)).toEqual(new Set(['c1', 'c2']));
    // It lies with the owner of its strongest identifier, the e-mail address.
    expect(placed.profileId).toBe('c1');
    expect(people.customer('c2').id).toBe('c0');
  });

  it('never merges customers with different strong identifiers, and leaves unowned identifiers on the interaction', () => {
    const people = crowd();
    meet(people, 'user-id:1', 'email:ada@example.com');
    meet(people, 'user-id:2', 'phone:+14155550100');
    const placed = meet(people, 'phone:+14155550100', 'email:ada@example.com', 'line:U9');
    expect(placed).toMatchObject({ profileId: 'c0', isNew: false, setAside: ['line:U9'] });
    expect(people.owner('line:U9')).toBeUndefined();
    expect(people.reviews).toEqual([
      { type: 'pair', profileIds: ['c0', 'c1'], reason: 'strong', cause: expect.any(String) },
    ]);
  });

  it('sets the weakest identifier aside where a limit would break, then searches again without it', () => {
    const people = crowd();
    meet(people, 'user-id:1', 'email:ada@example.com');
    // user-id is limited to one: the weaker e-mail gives way, and user-id:2 is somebody new.
    const placed = meet(people, 'user-id:2', 'email:ada@example.com');
    expect(placed).toMatchObject({ isNew: true, setAside: ['email:ada@example.com'] });
    expect(idOf(people, 'email:ada@example.com')).toBe('c0');
  });

  it('takes the later listed of equals for the weaker', () => {
    const people = crowd();
    expect(meet(people, 'user-id:1', 'user-id:2')).toMatchObject({ isNew: true, setAside: ['user-id:2'] });
  });

  it('attaches an interaction without identifiers to the customer of its message, else opens a review', () => {
    const people = crowd();
    const { profileId } = meet(people, 'phone:+14155550100');
    expect(give(people, act([], { kind: 'read' }), profileId).profileId).toBe(profileId);
    expect(give(people, act(['phone:+266696687'])).profileId).toBeUndefined();
    expect(people.reviews).toMatchObject([{ type: 'interaction', reason: 'no-identifier' }]);
  });
});

describe('merge and unmerge', () => {
  const pair = (): People => {
    const people = crowd();
    give(people, act(['phone:+14155550100'], { profile: { name: { full: 'Ada' } } }));
    give(people, act(['email:ada@example.com'], { channel: 'email', profile: { language: 'it' } }));
    return people;
  };

  it('gives both people back as they were', () => {
    const people = pair();
    const [before0, before1] = [people.sourceProfile('c0').profile, people.sourceProfile('c1').profile];
    mergeManually(people, 'c1', 'c0', decision());
    expect(people.customer('c0')).toMatchObject({ id: 'c1', name: { full: 'Ada' }, language: 'it' });
    unmergeCustomer(people, 'c0', decision());
    expect(people.sourceProfile('c0').profile).toEqual({ ...before0, neverAutoMerge: ['c1'] });
    expect(people.sourceProfile('c1').profile).toEqual({ ...before1, neverAutoMerge: ['c0'] });
    expect(people.customer('c0').id).toBe('c0');
  });

  it('moves later interactions to the source profile of their identifier, with their profile data', () => {
    const people = pair();
    meet(people, 'phone:+14155550100', 'email:ada@example.com');
    const since = meet(people, 'phone:+14155550100', 'line:U1');
    unmergeCustomer(people, 'c1', decision());
    expect(since.profileId).toBe('c0');
    expect(idOf(people, 'line:U1')).toBe('c0');
    expect(idOf(people, 'email:ada@example.com')).toBe('c1');
  });

  it('never merges the same pair by a rule again', () => {
    const people = pair();
    meet(people, 'phone:+14155550100', 'email:ada@example.com');
    unmergeCustomer(people, 'c0', decision());
    const placed = meet(people, 'phone:+14155550100', 'email:ada@example.com');
    expect(placed.merge).toBeUndefined();
    expect(people.reviews).toMatchObject([{ type: 'pair', reason: 'unmerged', profileIds: ['c0', 'c1'] }]);
  });

  it('lists the rules that a manual merge overrode', () => {
    const people = crowd();
    meet(people, 'user-id:1');
    meet(people, 'user-id:2');
    expect(mergeManually(people, 'c0', 'c1', decision())?.overrode).toEqual(['strong', 'limit']);
  });

  it('refuses to undo a merge that does not exist', () => {
    const people = pair();
    expect(() => unmergeCustomer(people, 'c0', decision())).toThrow(/has no merge to undo/);
  });
});

describe('consent', () => {
  const said = (people: People, text: string, more: Partial<Interaction> = {}) =>
    give(people, act(['phone:+14155550100'], { text, ...more }));
  const sms = (people: People) => people.customer('c0').consent.sms?.status ?? 'unknown';
  const closed = (people: People) => Object.keys(people.customer('c0').closed);

  it('is denied by a stop word as a whole message, and the address closed; reopened by START', () => {
    const people = crowd();
    said(people, 'please stop');
    expect(sms(people)).toBe('unknown');
    expect(said(people, ' Stop ').consent).toEqual([{ channel: 'sms', from: 'unknown', to: 'denied' }]);
    expect(closed(people)).toEqual(['phone:+14155550100']);
    said(people, 'START');
    expect([sms(people), closed(people)]).toEqual(['granted', []]);
  });

  it('is granted by YES only after a denial', () => {
    const people = crowd();
    said(people, 'YES');
    expect(sms(people)).toBe('unknown');
    said(people, 'STOP');
    said(people, 'yes');
    expect(sms(people)).toBe('granted');
  });

  it('is service-only after an opt-out from marketing or a list', () => {
    const people = crowd();
    said(people, '', { kind: 'opt-out', properties: { scope: 'marketing' } });
    expect([sms(people), closed(people)]).toEqual(['service-only', []]);
  });

  it('follows the latest occurrence in whatever order it arrives', () => {
    const people = crowd();
    said(people, 'Hi');
    const early = new Date(at + 1).toISOString();
    said(people, 'START');
    said(people, 'STOP', { occurredAt: early });
    expect([sms(people), closed(people)]).toEqual(['granted', []]);
  });

  it('is the stricter of two merged people', () => {
    const people = crowd();
    give(people, act(['phone:+14155550100'], { text: 'START' }));
    give(people, act(['phone:+14155550199'], { text: 'STOP' }));
    mergeManually(people, 'c0', 'c1', decision());
    expect(sms(people)).toBe('denied');
    unmergeCustomer(people, 'c0', decision());
    expect(sms(people)).toBe('granted');
  });
});
