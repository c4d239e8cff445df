import { describe, expect, it } from 'vitest';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { reviewId } from '../../../core/identity/ledger.ts';
import { People } from '../../../core/identity/people.ts';
import type { RetainedRefusal } from '../../../core/privacy/erasure.ts';
import { claim, crowd, meet } from '../identity/crowd.ts';
import { at } from '../identity/histories.ts';

const [ada, number, chat] = ['email:ada@example.com', 'phone:+14155550100', 'line:U1'];
const request = { kind: 'privacy-erasure', channel: 'web' } as const;

describe('a request for data or its deletion', () => {
  /** c0 owns the address, c1 the number. */
  const two = (): People => {
    const people = crowd();
    meet(people, 1, [ada]);
    meet(people, 2, [number]);
    return people;
  };

  it('is on the timeline of the owner of its strongest proven identifier, and changes nobody', () => {
    const people = two();
    expect(meet(people, 10, [chat, number, ada], request, 'c1')).toMatchObject({
      ...{ profileId: 'c0', isNew: false },
    });
    expect([people.owner(chat), people.merges.size]).toEqual([undefined, 0]);
    expect(people.reviews).toMatchObject([
      { type: 'request', reason: 'erasure-request', profileId: 'c0', interaction: { id: 'i10' } },
    ]);
    expect(people.reviews).toMatchObject([{ receivedAt: at(10), dueAt: at(10 + 30 * 1440) }]);
    expect(people.reviews.map(reviewId)).toEqual(['request#i10']);
  });

  it('that only claims to be about a person goes to a guest', () => {
    const people = two();
    const { profileId = '' } = claim(people, 10, [ada, number], request);
    expect(people.customer(profileId)).toMatchObject({ guest: true });
    expect(people.reviews.map(({ type }) => type)).toEqual(['request']);
    const other = meet(people, 11, [ada, chat], { ...request, claimed: [ada] });
    expect(people.customer(other.profileId ?? '')).toMatchObject({ guest: true });
  });

  it('about nobody known makes a customer, as any interaction does', () => {
    const people = two();
    expect(meet(people, 10, [chat], request)).toMatchObject({ profileId: 'c2', isNew: true });
    expect(claim(people, 11, ['telegram:1'], request)).toMatchObject({ isNew: true });
    expect(people.reviews.map(({ type }) => type)).toEqual(['request', 'request']);
  });

  it('that names nobody is reviewed on no timeline, else on that of the message it refers to', () => {
    const people = two();
    expect(meet(people, 10, [], request)).toEqual({ isNew: false, setAside: [], consent: [] });
    expect(people.reviews).toMatchObject([{ type: 'request' }]);
    expect(people.reviews[0]).not.toHaveProperty('profileId');
    expect(meet(people, 11, [], request, 'c1').profileId).toBe('c1');
  });
});

describe('what an erasure retained of an address', () => {
  const heirs = (refusal: RetainedRefusal): People => {
    let next = 0;
    const retainedRefusals = new Map([[number, refusal]]);
    return new People(
      { sourceProfiles: [], owners: [], retainedRefusals },
      IdentityConfig.parse({}),
      () => `c${next++}`,
    );
  };
  const denied = { declined: { sms: { status: 'denied' as const, at: at(1) } } };

  it('holds for whoever owns it next', () => {
    const people = heirs(denied);
    meet(people, 10, [number, ada]);
    expect(people.customer('c0').consent.sms).toMatchObject({ status: 'denied', at: at(1) });
    const closed = heirs({ closed: { reason: 'bounce', at: at(1) } });
    meet(closed, 10, [number, ada]);
    expect(closed.customer('c0').closed).toEqual({
      [number]: { reason: 'bounce', at: at(1), source: 'erasure' },
    });
  });

  it('holds for its guest: what was closed, declined or muted', () => {
    const people = heirs(denied);
    claim(people, 10, [number]);
    expect(people.customer('c0').closed).toEqual({
      [number]: { reason: 'opt-out', at: at(1), source: 'erasure' },
    });
    const muted = heirs({ muted: { channel: 'sms', at: at(1) } });
    claim(muted, 10, [number]);
    expect(muted.customer('c0').closed).toEqual({});
    expect(muted.addressClaims).toEqual([
      { address: number, claim: 'mute', channel: 'sms', at: at(1), source: 'erasure' },
    ]);
  });

  it('is nothing for other addresses', () => {
    const people = heirs(denied);
    claim(people, 10, [ada, chat]);
    expect(people.customer('c0').closed).toEqual({});
    expect(people.addressClaims).toEqual([]);
  });
});
