import { describe, expect, it } from 'vitest';
import { setConsent } from '../../../core/consent/customer-consent.ts';
import { type CustomerImport, importCustomer } from '../../../core/identity/import-customer.ts';
import type { People } from '../../../core/identity/people.ts';
import { crowd, customerWith, decisionAt, meet, reloaded, thrownBy } from './crowd.ts';
import { at } from './histories.ts';

const ada = 'email:ada@example.com';
const number = 'phone:+14155550100';
const line = (minute: number, more: Partial<CustomerImport> = {}): CustomerImport => ({
  id: `import:j:${minute}`,
  at: at(minute),
  by: 'eve',
  identifiers: [ada],
  profile: {},
  consent: {},
  preferences: {},
  ...more,
});
const full = line(1, {
  identifiers: [ada, number],
  profile: {
    name: { full: 'Ada Lovelace' },
    language: 'it',
    tags: ['vip'],
    traits: { plan: 'pro' },
    stage: 'lead',
  },
  consent: { email: 'granted' },
  preferences: { channel: 'sms' },
});
const imported = (...rows: CustomerImport[]): People => {
  const people = crowd();
  for (const row of rows) importCustomer(people, row);
  return reloaded(people);
};

describe('a row of a list', () => {
  it('makes a customer with all that it says', () => {
    const people = crowd();
    expect(importCustomer(people, full)).toEqual({
      profileId: 'c0',
      isNew: true,
      consent: [{ channel: 'email', from: 'unknown', to: 'granted' }],
    });
    const { profile, activity } = people.sourceProfile('c0');
    expect(profile).toMatchObject({
      identifiers: [ada, number],
      name: { full: 'Ada Lovelace' },
      language: 'it',
      tags: ['vip'],
      traits: { plan: 'pro' },
      stage: 'lead',
      preferences: { channel: 'sms', at: at(1) },
      firstSeenAt: at(1),
    });
    expect(activity).toMatchObject({ id: 'c0', lastSeenAt: at(1), interactions: 0 });
    expect([...people.changedProfiles, ...people.changedActivities]).toEqual(['c0', 'c0']);
    expect([...people.newOwners]).toEqual([
      [ada, 'c0'],
      [number, 'c0'],
    ]);
  });

  it('makes a customer of whom it knows an identifier alone, who is stored too', () => {
    const people = crowd();
    expect(importCustomer(people, line(1))).toEqual({ profileId: 'c0', isNew: true, consent: [] });
    expect(people.changedActivities.has('c0')).toBe(true);
    const { profile } = people.sourceProfile('c0');
    expect(profile.preferences).toEqual({});
    expect(profile).not.toHaveProperty('stage');
  });

  it('fills what is unknown of a known customer and replaces nothing', () => {
    const people = imported(full);
    importCustomer(
      people,
      line(2, {
        profile: {
          name: { full: 'Somebody Else' },
          language: 'de',
          timeZone: 'Europe/Rome',
          tags: ['news', 'vip'],
          traits: { plan: 'free', city: 'Rome' },
          stage: 'customer',
        },
        preferences: { channel: 'email' },
      }),
    );
    expect(customerWith(people, ada)).toMatchObject({
      name: { full: 'Ada Lovelace' },
      language: 'it',
      timeZone: 'Europe/Rome',
      tags: ['vip', 'news'],
      traits: { plan: 'pro', city: 'Rome' },
      stage: 'lead',
      preferences: { channel: 'sms', at: at(1) },
    });
  });

  it('writes nothing of a customer of whom it says nothing new, and never their activity', () => {
    const people = imported(full);
    expect(importCustomer(people, { ...full, id: 'import:j:9', consent: {} })).toEqual({
      profileId: 'c0',
      isNew: false,
      consent: [],
    });
    expect([people.changedProfiles.size, people.changedActivities.size]).toEqual([0, 0]);
    importCustomer(people, line(2, { profile: { timeZone: 'Europe/Rome' } }));
    expect([people.changedProfiles.size, people.changedActivities.size]).toEqual([1, 0]);
  });

  it('merges the customers that it names together, at its own time and by its own id', () => {
    const people = imported(line(1), line(2, { identifiers: [number] }));
    const result = importCustomer(people, line(3, { identifiers: [ada, number, 'line:U1'] }));
    expect(result).toMatchObject({
      profileId: 'c0',
      isNew: false,
      merge: { survivor: 'c0', others: ['c1'], at: at(3), by: 'identifiers', cause: 'import:j:3' },
    });
    expect(customerWith(people, number).id).toBe('c0');
    expect(people.owner('line:U1')).toBe('c0');
  });

  it('gives new identifiers to the source profile that owns the strongest, not to the survivor', () => {
    const people = imported(line(1, { identifiers: [number] }), line(2));
    const result = importCustomer(people, line(3, { identifiers: [number, ada, 'line:U1'] }));
    expect(result).toMatchObject({ profileId: 'c1', merge: { survivor: 'c0' } });
    expect(people.owner('line:U1')).toBe('c1');
  });

  it.each([[['email:nobody']], [['user-id:unknown', 'phone:+266696687']], [[]]])(
    'without a usable identifier is refused for good: %s',
    (identifiers) => {
      const people = crowd();
      expect(thrownBy(() => importCustomer(people, line(1, { identifiers })))).toMatchObject({
        code: 'missing-identifier',
        retry: 'never',
      });
      expect(people.changedProfiles.size).toBe(0);
    },
  );
});

describe('the consent of a row', () => {
  const sms = (people: People) => customerWith(people, ada).consent.sms;
  const known = (answer: 'granted' | 'denied' | 'service-only'): People => {
    const people = imported(line(1));
    const given = { answer, at: at(2), source: 'command' };
    setConsent(people, 'c0', 'sms', given, decisionAt(2).by);
    return reloaded(people);
  };

  it('is stored with who imported it and what the list proves', () => {
    const people = crowd();
    importCustomer(people, line(1, { consent: { sms: 'granted' }, evidence: 'fair 2026' }));
    expect(sms(people)).toEqual({
      status: 'granted',
      at: at(1),
      source: 'import:j:1',
      evidence: 'fair 2026',
    });
    expect(people.answers).toEqual([
      {
        profileId: 'c0',
        answer: {
          channel: 'sms',
          answer: 'granted',
          at: at(1),
          source: 'import:j:1',
          from: 'unknown',
          to: 'granted',
          evidence: { type: 'list', by: 'eve', text: 'fair 2026' },
        },
      },
    ]);
  });

  it('of a list that proves nothing carries no proof', () => {
    const people = crowd();
    importCustomer(people, line(1, { consent: { sms: 'granted' } }));
    expect(sms(people)).toEqual({ status: 'granted', at: at(1), source: 'import:j:1' });
    expect(people.answers[0]?.answer.evidence).toEqual({ type: 'list', by: 'eve' });
  });

  it('counts from the time of the answer: an older one gives way to what is known', () => {
    const people = known('denied');
    const early = line(5, { consent: { sms: 'granted' }, answeredAt: { sms: at(1), email: at(9) } });
    expect(importCustomer(people, early).consent).toEqual([]);
    expect(sms(people)).toMatchObject({ status: 'denied', at: at(2) });
    const late = line(6, { consent: { sms: 'granted' }, answeredAt: { sms: at(3) } });
    expect(importCustomer(people, late).consent).toEqual([{ channel: 'sms', from: 'denied', to: 'granted' }]);
    expect(sms(people)).toMatchObject({ status: 'granted', at: at(3) });
  });

  it.each([
    ['granted', 'denied', 'denied'],
    ['granted', 'service-only', 'service-only'],
    ['denied', 'granted', 'denied'],
    ['service-only', 'granted', 'service-only'],
  ] as const)('without a date makes of %s and %s: %s', (present, answer, expected) => {
    const people = known(present);
    importCustomer(people, line(5, { consent: { sms: answer }, undated: ['sms'] }));
    expect(sms(people)?.status).toBe(expected);
  });

  it('without a date is not recorded where the present answer is as strict', () => {
    const people = known('granted');
    importCustomer(people, line(5, { consent: { sms: 'granted' }, undated: ['email', 'sms'] }));
    expect(people.answers).toEqual([]);
    expect(sms(people)).toMatchObject({ source: 'command' });
  });

  it('without a date counts where nothing is known, and a dated one of another channel by its date', () => {
    const people = known('denied');
    importCustomer(people, line(5, { consent: { sms: 'granted', email: 'granted' }, undated: ['email'] }));
    const { consent } = customerWith(people, ada);
    expect([consent.sms?.status, consent.email?.status]).toEqual(['granted', 'granted']);
  });

  it('unknown takes no known answer away', () => {
    const people = known('granted');
    importCustomer(people, line(5, { consent: { sms: 'unknown', email: 'unknown' } }));
    expect(sms(people)).toMatchObject({ status: 'granted', at: at(2) });
    expect(customerWith(people, ada).consent.email?.status).toBe('unknown');
  });

  it('of one who was merged is an answer of the source profile that owns the identifier', () => {
    const people = imported(line(1, { identifiers: [number] }), line(2));
    meet(people, 3, [ada, number]);
    importCustomer(people, line(4, { consent: { email: 'denied' } }));
    expect(people.sourceProfile('c1').profile.consent.email?.status).toBe('denied');
    expect(people.sourceProfile('c0').profile.consent).toEqual({});
  });
});
