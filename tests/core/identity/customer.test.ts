import { describe, expect, it } from 'vitest';
import { nameParts, resolveCustomer } from '../../../core/identity/customer.ts';
import type { Profile, SourceProfile } from '../../../core/identity/profile.ts';
import { newSourceProfile } from '../../../core/identity/source-profile.ts';
import { at } from './histories.ts';

type Activity = SourceProfile['activity'];

const part = (
  id: string,
  minute: number,
  profile: Partial<Profile> = {},
  activity: Partial<Activity> = {},
): SourceProfile => {
  const fresh = newSourceProfile(id, at(minute));
  return { profile: { ...fresh.profile, ...profile }, activity: { ...fresh.activity, ...activity } };
};
const customerOf = (root: string, ...parts: SourceProfile[]) =>
  resolveCustomer(root, new Map(parts.map((one) => [one.profile.id, one])));
/** A survivor and one that was merged into it at minute 50. */
const merged = (
  survivor: Partial<Profile>,
  other: Partial<Profile>,
  activities: { survivor?: Partial<Activity>; other?: Partial<Activity> } = {},
) =>
  customerOf(
    'a',
    part('a', 10, { ...survivor, merged: ['b'] }, activities.survivor),
    part('b', 20, other, { ...activities.other, survivor: { id: 'a', at: at(50), merge: 'm' } }),
  );
const entry = (status: 'granted' | 'service-only' | 'denied' | 'unknown', source: string) => ({
  ...{ status, source, at: at(1) },
});

describe('a customer of one source profile', () => {
  it('is that profile', () => {
    const guest = part('a', 1, { guest: true, claimed: ['email:a@example.com'], tags: ['x'] });
    expect(customerOf('a', guest)).toMatchObject({
      ...{ id: 'a', sourceProfiles: [guest], guest: true, claimed: ['email:a@example.com'], tags: ['x'] },
      ...{ firstSeenAt: at(1), lastSeenAt: at(1), identifiers: [] },
    });
    expect(customerOf('a', part('a', 1)).guest).toBe(false);
  });

  it('is refused where it was not loaded, or one merged into it', () => {
    expect(() => customerOf('a', part('b', 1))).toThrow('a of a customer was not loaded');
    expect(() => customerOf('a', part('a', 1, { merged: ['b'] }))).toThrow('b of a customer');
  });
});

describe('a merged customer', () => {
  it('has the survivor’s single values, else those of the other', () => {
    const [ada, eve] = [
      { name: { full: 'Ada' }, language: 'it', timeZone: 'Europe/Rome', stage: 'lead' },
      { name: { full: 'Eve' }, language: 'de', timeZone: 'Europe/Berlin', stage: 'customer' },
    ];
    expect(merged(ada, eve)).toMatchObject(ada);
    expect(merged({}, eve)).toMatchObject(eve);
    expect(merged(ada, {})).toMatchObject(ada);
  });

  it('has those of the one merged first, where the survivor knows none, at any depth', () => {
    const survivor = { id: 'a', at: at(50), merge: 'm' };
    const customer = customerOf(
      'a',
      part('a', 1, { merged: ['b', 'd'] }),
      part('b', 2, { merged: ['c'] }, { survivor }),
      part('c', 3, { language: 'fr', identifiers: ['line:C'] }, { survivor: { ...survivor, id: 'b' } }),
      part('d', 4, { language: 'de', stage: 'lead', identifiers: ['line:D'] }, { survivor }),
    );
    expect(customer).toMatchObject({
      ...{ id: 'a', language: 'fr', stage: 'lead', identifiers: ['line:C', 'line:D'], guest: false },
      sourceProfiles: ['a', 'b', 'c', 'd'].map((id) => ({ profile: { id } })),
    });
  });

  it('has the tags and traits of both, the survivor’s first', () => {
    const customer = merged(
      { tags: ['vip', 'news'], traits: { plan: 'pro', city: 'Rome' } },
      { tags: ['news', 'old'], traits: { plan: 'free', size: 3 } },
    );
    expect(customer.tags).toEqual(['vip', 'news', 'old']);
    expect(customer.traits).toEqual({ plan: 'pro', city: 'Rome', size: 3 });
  });

  it.each([
    ['granted', 'denied', 'denied', 'b'],
    ['denied', 'granted', 'denied', 'a'],
    ['service-only', 'denied', 'denied', 'b'],
    ['service-only', 'granted', 'service-only', 'a'],
    ['unknown', 'granted', 'granted', 'b'],
    ['granted', 'granted', 'granted', 'a'],
    ['granted', undefined, 'granted', 'a'],
    [undefined, 'granted', 'granted', 'b'],
  ] as const)('of the consents %s and %s has %s, with its source', (one, other, status, source) => {
    const { consent } = merged(
      { consent: one ? { sms: entry(one, 'a') } : {} },
      { consent: other ? { sms: entry(other, 'b') } : {} },
    );
    expect(consent).toEqual({ sms: entry(status, source) });
  });

  it('has the consents of channels that one of them knows', () => {
    const [sms, email] = [entry('granted', 'a'), entry('denied', 'b')];
    expect(merged({ consent: { sms } }, { consent: { email } }).consent).toEqual({ sms, email });
  });

  it('has what is closed for either', () => {
    const closed = (reason: 'bounce' | 'opt-out') => ({ reason, at: at(1), source: 'i' });
    expect(
      merged(
        { closed: { 'phone:1': closed('bounce') } },
        { closed: { 'phone:1': closed('opt-out'), 'phone:2': closed('opt-out') } },
      ).closed,
    ).toEqual({ 'phone:1': closed('bounce'), 'phone:2': closed('opt-out') });
  });

  it.each([
    ['the survivor’s', { channel: 'sms' }, { channel: 'email' }, 'sms'],
    ['the survivor’s where the other has none', { channel: 'sms', at: at(1) }, {}, 'sms'],
    ['the other’s where the survivor has none', {}, { channel: 'email' }, 'email'],
    [
      'the survivor’s over a later one from before the merge',
      { channel: 'sms', at: at(1) },
      { channel: 'email', at: at(40) },
      'sms',
    ],
    [
      'the other’s where it was stated since',
      { channel: 'sms', at: at(1) },
      { channel: 'email', at: at(60) },
      'email',
    ],
    [
      'the other’s where it was stated since and the survivor’s has no time',
      { channel: 'sms' },
      { channel: 'email', at: at(60) },
      'email',
    ],
    [
      'the survivor’s where it was stated later still',
      { channel: 'sms', at: at(70) },
      { channel: 'email', at: at(60) },
      'sms',
    ],
    [
      'the survivor’s where both were stated at once',
      { channel: 'sms', at: at(60) },
      { channel: 'email', at: at(60) },
      'sms',
    ],
    [
      'the other’s where it was stated in the moment of the merge',
      { channel: 'sms', at: at(1) },
      { channel: 'email', at: at(50) },
      'sms',
    ],
    ['none where that was stated since', { channel: 'sms', at: at(1) }, { at: at(60) }, undefined],
    ['none where the survivor took it back', { at: at(60) }, { channel: 'email', at: at(10) }, undefined],
  ] as const)('prefers %s', (_, survivor, other, channel) => {
    expect(merged({ preferences: survivor }, { preferences: other }).preferences.channel).toBe(channel);
  });

  it('was seen first and last when either was', () => {
    expect(merged({}, {})).toMatchObject({ firstSeenAt: at(10), lastSeenAt: at(20) });
    expect(merged({ firstSeenAt: at(30) }, {}, { survivor: { lastSeenAt: at(40) } })).toMatchObject({
      firstSeenAt: at(20),
      lastSeenAt: at(40),
    });
  });

  it('was heard from by each address and channel when either last was', () => {
    const { lastInboundAt, lastInboundMessageAt } = merged(
      {},
      {},
      {
        survivor: {
          lastInboundAt: { 'phone:1': at(5), 'phone:2': at(5) },
          lastInboundMessageAt: { sms: at(5), email: at(5) },
        },
        other: {
          lastInboundAt: { 'phone:2': at(6), 'phone:1': at(4), 'phone:3': at(1) },
          lastInboundMessageAt: { email: at(6), sms: at(4), line: at(1) },
        },
      },
    );
    expect(lastInboundAt).toEqual({ 'phone:1': at(5), 'phone:2': at(6), 'phone:3': at(1) });
    expect(lastInboundMessageAt).toEqual({ sms: at(5), email: at(6), line: at(1) });
  });

  it('waits where either waits, until an answer to either', () => {
    const asked = { threads: [], open: [at(5)], lastAsked: at(5) };
    expect(merged({}, {}, { other: { conversation: asked } }).conversation?.open).toEqual([at(5)]);
    expect(
      merged(
        {},
        {},
        {
          survivor: { conversation: { threads: [], open: [], answeredAt: at(6) } },
          other: { conversation: asked },
        },
      ).conversation?.open,
    ).toEqual([]);
  });
});

describe('a name', () => {
  it.each([
    [undefined, {}],
    [{}, {}],
    [{ full: '' }, {}],
    [{ full: 'Ada' }, { full: 'Ada', last: 'Ada' }],
    [{ full: 'Ada  King\tLovelace ' }, { full: 'Ada  King\tLovelace ', first: 'Ada King', last: 'Lovelace' }],
    [{ first: 'Ada' }, { full: 'Ada', first: 'Ada', last: 'Ada' }],
    [{ last: 'Lovelace' }, { full: 'Lovelace', last: 'Lovelace' }],
    [
      { first: 'Ada', last: 'Lovelace' },
      { full: 'Ada Lovelace', first: 'Ada', last: 'Lovelace' },
    ],
    [
      { full: 'Countess of Lovelace', first: 'Ada', last: 'King' },
      { full: 'Countess of Lovelace', first: 'Ada', last: 'King' },
    ],
  ])('of %o has the parts %o', (name, parts) => {
    expect(nameParts(name)).toEqual(parts);
  });
});
