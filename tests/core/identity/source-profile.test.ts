import { describe, expect, it } from 'vitest';
import type { Profile } from '../../../core/identity/profile.ts';
import {
  applyActivity,
  applyAddressEffect,
  applyHints,
  applyInteraction,
  applyPreference,
  closeConversation,
  newSourceProfile,
} from '../../../core/identity/source-profile.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { interactionAt } from './crowd.ts';
import { at } from './histories.ts';

const { profile: empty, activity: fresh } = newSourceProfile('a', at(30));
const number = 'phone:+14155550100';
const silence = 3_600_000;

describe('what an interaction reports of a person', () => {
  const known: Profile = { ...empty, language: 'it', tags: ['vip'], traits: { plan: 'pro' } };
  const hints = {
    ...{ language: 'de', timeZone: 'Europe/Rome', name: undefined },
    ...{ tags: ['vip', 'news'], traits: { plan: 'free', city: 'Rome' } },
  };

  it('fills what is unknown; tags add up, traits are the newest', () => {
    const next = applyHints(known, hints, false);
    expect(next).toEqual({
      ...known,
      ...{ language: 'it', timeZone: 'Europe/Rome' },
      ...{ tags: ['vip', 'news'], traits: { plan: 'free', city: 'Rome' } },
    });
    expect(next).not.toHaveProperty('name');
  });

  it('replaces what is known where it is a change of the contact, save by nothing', () => {
    const named: Profile = { ...known, name: { full: 'Ada' } };
    const change = interactionAt(40, [], { kind: 'contact-update', profile: hints });
    expect(applyInteraction(named, change)).toMatchObject({ language: 'de', name: { full: 'Ada' } });
    expect(applyInteraction(named, { ...change, kind: 'message' }).language).toBe('it');
  });

  it('is nothing without hints, or with empty ones', () => {
    expect(applyHints(known, undefined, true)).toBe(known);
    expect(applyHints(known, {}, true)).toEqual(known);
  });

  it('moves the first time seen to an earlier one alone', () => {
    for (const [minute, first] of [
      [20, 20],
      [30, 30],
      [40, 30],
    ] as const)
      expect(applyInteraction(empty, interactionAt(minute, [])).firstSeenAt).toBe(at(first));
  });
});

describe('an address', () => {
  const sent = (minute: number, text: string, more: Partial<Interaction> = {}): Interaction =>
    interactionAt(minute, [number], { text, ...more });
  const profileAfter = (...interactions: Interaction[]): Profile =>
    interactions.reduce((profile, one) => applyAddressEffect(profile, number, one), empty);
  const bounce = (minute: number): Interaction => sent(minute, '', { kind: 'bounce' });

  it('is closed by a STOP, with its time and interaction', () => {
    expect(profileAfter(sent(1, 'STOP')).closed).toEqual({
      [number]: { reason: 'opt-out', at: at(1), source: 'i1' },
    });
  });

  it('is left as it is by what says nothing about it', () => {
    expect(profileAfter(sent(1, 'Hello'))).toBe(empty);
    const closed = profileAfter(sent(1, 'STOP'));
    expect(applyAddressEffect(closed, number, sent(2, 'Hello'))).toBe(closed);
  });

  it('is closed since the latest STOP, and written only for a later one', () => {
    const closed = profileAfter(sent(2, 'STOP'), sent(1, 'STOP'));
    expect(closed.closed[number]).toMatchObject({ at: at(2), source: 'i2' });
    expect(applyAddressEffect(closed, number, sent(2, 'STOP', { id: 'other' }))).toBe(closed);
    expect(applyAddressEffect(closed, number, sent(3, 'STOP')).closed[number]?.at).toBe(at(3));
  });

  it('is open after a later START, and remembers it for an earlier STOP that arrives late', () => {
    const opened = profileAfter(sent(1, 'STOP'), sent(3, 'START'));
    expect([opened.closed, opened.reopened]).toEqual([{}, { [number]: at(3) }]);
    expect(applyAddressEffect(opened, number, sent(2, 'STOP'))).toBe(opened);
    expect(applyAddressEffect(opened, number, sent(3, 'STOP')).closed).toHaveProperty(number);
  });

  it('stays closed by a STOP of the instant of the START, or a later one', () => {
    for (const minute of [3, 4]) {
      const closed = profileAfter(sent(minute, 'STOP'), sent(3, 'START'));
      expect(closed.closed[number]?.at).toBe(at(minute));
      expect(closed.reopened).toEqual({ [number]: at(3) });
    }
  });

  it('remembers the latest START, and other addresses their own', () => {
    const opened = profileAfter(sent(5, 'START'));
    expect(applyAddressEffect(opened, number, sent(4, 'START'))).toBe(opened);
    expect(applyAddressEffect(opened, number, sent(5, 'START'))).toBe(opened);
    const both = applyAddressEffect(opened, 'phone:+14155550199', sent(6, 'START'));
    expect(both.reopened).toEqual({ [number]: at(5), 'phone:+14155550199': at(6) });
    expect(applyAddressEffect(both, number, sent(7, 'START')).reopened?.[number]).toBe(at(7));
  });

  it('that is reopened leaves others closed', () => {
    const two = applyAddressEffect(profileAfter(sent(1, 'STOP')), 'phone:+14155550199', sent(1, 'STOP'));
    const { closed } = applyAddressEffect(two, number, sent(2, 'START'));
    expect(Object.keys(closed)).toEqual(['phone:+14155550199']);
  });

  it.each(['bounce', 'complaint'] as const)('stays closed after a %s, by the first of them', (kind) => {
    const closed = profileAfter(sent(1, '', { kind }));
    expect(closed.closed[number]).toEqual({ reason: kind, at: at(1), source: 'i1' });
    for (const later of [sent(2, 'STOP'), bounce(2), bounce(0), sent(2, '', { kind: 'complaint' })])
      expect(applyAddressEffect(closed, number, later)).toBe(closed);
    expect(applyAddressEffect(closed, number, sent(2, 'START')).closed).toEqual(closed.closed);
  });

  it('is closed by a bounce even after a START, and by one instead of a STOP', () => {
    expect(profileAfter(sent(5, 'START'), bounce(1)).closed[number]?.reason).toBe('bounce');
    expect(profileAfter(sent(5, 'STOP'), bounce(1)).closed[number]?.reason).toBe('bounce');
  });
});

describe('the activity', () => {
  const apply = (from: typeof fresh, minute: number, more: Partial<Interaction> = {}) =>
    applyActivity(from, interactionAt(minute, [number], more), [number], silence);

  it('counts interactions and keeps the latest times, in whatever order they arrive', () => {
    const after = apply(apply(fresh, 40), 20);
    expect(after).toMatchObject({
      ...{ interactions: 2, lastSeenAt: at(40) },
      ...{ lastInboundAt: { [number]: at(40) }, lastInboundMessageAt: { sms: at(40) } },
    });
    expect(apply(fresh, 20).lastSeenAt).toBe(at(30));
    expect(apply(after, 50)).toMatchObject({
      ...{ lastSeenAt: at(50), lastInboundAt: { [number]: at(50) } },
      lastInboundMessageAt: { sms: at(50) },
    });
  });

  it('hears from a person by inbound interactions alone, on a channel by messages alone', () => {
    const outbound = apply(fresh, 40, { direction: 'outbound' });
    expect(outbound).toMatchObject({ interactions: 1, lastSeenAt: at(40) });
    expect([outbound.lastInboundAt, outbound.lastInboundMessageAt]).toEqual([{}, {}]);
    const form = apply(fresh, 40, { kind: 'form' });
    expect([form.lastInboundAt, form.lastInboundMessageAt]).toEqual([{ [number]: at(40) }, {}]);
  });

  it('keeps the times of other addresses and channels', () => {
    const after = applyActivity(
      apply(fresh, 40),
      interactionAt(50, [], { channel: 'line' }),
      ['line:U1'],
      silence,
    );
    expect(after.lastInboundAt).toEqual({ [number]: at(40), 'line:U1': at(50) });
    expect(after.lastInboundMessageAt).toEqual({ sms: at(40), line: at(50) });
  });

  it('has a conversation since the first message, which staff can close', () => {
    expect(apply(fresh, 40, { kind: 'open' })).not.toHaveProperty('conversation');
    const asked = apply(fresh, 40);
    expect(asked.conversation?.open).toEqual([at(40)]);
    expect(closeConversation(asked, at(41), silence)).toMatchObject({
      ...{ id: 'a', interactions: 1 },
      conversation: { open: [], closedAt: at(41) },
    });
  });

  it('has a new thread after a silence', () => {
    expect(apply(apply(fresh, 10), 70).conversation?.threads).toHaveLength(1);
    expect(apply(apply(fresh, 9), 70).conversation?.threads).toHaveLength(2);
  });
});

describe('a preferred channel', () => {
  it('is set with its time, and removed', () => {
    const set = applyPreference(empty, 'sms', at(1));
    expect(set.preferences).toEqual({ channel: 'sms', at: at(1) });
    expect(applyPreference(set, undefined, at(2)).preferences).toEqual({ at: at(2) });
  });

  it('gives way to one of the same time or later, not to an earlier one', () => {
    const set = applyPreference(empty, 'sms', at(5));
    expect(applyPreference(set, 'email', at(5)).preferences.channel).toBe('email');
    expect(applyPreference(set, 'email', at(4))).toBe(set);
  });
});
