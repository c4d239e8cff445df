import { describe, expect, it } from 'vitest';
import {
  bookSlots,
  dailyLimitReached,
  endsStop,
  initialPace,
  observeAccount,
  type Pace,
  type SendingLimits,
  senderRefused,
  senderWorked,
  sendingLimitsOf,
} from '../../../../core/triggers/sending/pace.ts';

const NOON = Date.parse('2026-03-02T12:00:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const perSecond = (count: number): SendingLimits => ({ rate: { count, windowMs: 1000 } });
const seconds = (slots: readonly number[]): number[] => slots.map((slot) => (slot - NOON) / 1000);

describe('slots', () => {
  it('are as many in a second as the sender may send, and the first are now', () => {
    const { slots } = bookSlots(initialPace, perSecond(3), 'others', 7, NOON + 400);
    expect(seconds(slots)).toEqual([0.4, 0.4, 0.4, 1, 1, 1, 2]);
  });

  it('go on where the last booking ended, whoever made it, and begin anew after a pause', () => {
    const { pace } = bookSlots(initialPace, perSecond(3), 'others', 7, NOON);
    expect(seconds(bookSlots(pace, perSecond(3), 'others', 3, NOON + 10).slots)).toEqual([2, 2, 3]);
    expect(seconds(bookSlots(pace, perSecond(3), 'others', 1, NOON + 60_000).slots)).toEqual([60]);
  });

  it('of a rate by the minute are together at its beginning', () => {
    const rate = { count: 2, windowMs: 60_000 };
    expect(seconds(bookSlots(initialPace, { rate }, 'others', 5, NOON).slots)).toEqual([0, 0, 60, 60, 120]);
  });

  it('of transactional messages do not wait for the others, who make room for them', () => {
    const { pace } = bookSlots(initialPace, perSecond(2), 'others', 100, NOON);
    const urgent = bookSlots(pace, perSecond(2), 'transactional', 1, NOON);
    expect(seconds(urgent.slots)).toEqual([0]);
    expect(seconds(bookSlots(urgent.pace, perSecond(2), 'others', 2, NOON).slots)).toEqual([50, 51]);
  });

  it('of a day are as many as the daily limit, in any 24 hours', () => {
    const allowance = { ...perSecond(1000), daily: 10 };
    let pace: Pace = initialPace;
    const slots: number[] = [];
    for (let batch = 0; batch < 7; batch++) {
      const booking = bookSlots(pace, allowance, 'others', 5, NOON + batch * 7 * HOUR);
      pace = booking.pace;
      slots.push(...booking.slots);
    }
    expect(slots).toEqual(slots.toSorted((one, other) => one - other));
    for (const start of slots) {
      const inDay = slots.filter((slot) => slot >= start && slot < start + DAY).length;
      expect(inDay).toBeLessThanOrEqual(10);
    }
    expect((slots.at(-1) ?? 0) - NOON).toBeLessThan(4 * DAY);
  });

  it('say from when on a message is sent that is one too many of the day', () => {
    const { slots, fullUntil } = bookSlots(initialPace, { ...perSecond(5), daily: 10 }, 'others', 11, NOON);
    expect(fullUntil).toBe(slots.at(-1));
    expect(fullUntil).toBe(NOON + DAY + HOUR);
  });

  it('leave what other programs of the account have sent to them', () => {
    const { pace } = bookSlots(initialPace, perSecond(5), 'others', 3, NOON);
    const known = observeAccount(pace, { perSecond: 5, daily: 10, used: 9 }, NOON);
    const { slots } = bookSlots(known, sendingLimitsOf({}, known), 'others', 2, NOON);
    expect(slots[0]).toBe(NOON);
    expect(slots[1]).toBeGreaterThanOrEqual(NOON + DAY);
  });

  it('hold what hub.yaml says before what the account allows, and that before what is usual', () => {
    const known = observeAccount(initialPace, { perSecond: 14, daily: -1, used: 0 }, NOON);
    const configured = { count: 2, windowMs: 1000 };
    expect(sendingLimitsOf({ rate: configured }, known, perSecond(80)).rate).toEqual(configured);
    expect(sendingLimitsOf({}, known, perSecond(80)).rate?.count).toBe(14);
    expect(sendingLimitsOf({}, initialPace, perSecond(80)).rate?.count).toBe(80);
    expect(bookSlots(known, sendingLimitsOf({}, known), 'others', 100_000, NOON).fullUntil).toBeUndefined();
  });
});

describe('a sender that is refused', () => {
  const refuse = (pace: Pace, why: 'account' | 'down', now: number) => senderRefused(pace, why, 'No.', now);

  it('because of its account pauses at once, twice as long each time, up to 15 minutes', () => {
    let [pace, now]: [Pace, number] = [initialPace, NOON];
    const pauses: number[] = [];
    for (let tries = 0; tries < 7; tries++) {
      pace = refuse(pace, 'account', now);
      pauses.push((pace.pausedUntil - now) / 1000);
      now = pace.pausedUntil;
    }
    expect(pauses).toEqual([30, 60, 120, 240, 480, 900, 900]);
    expect(pace.stop).toMatchObject({ since: '2026-03-02T12:00:00.000Z', reason: 'No.', tries: 7 });
    expect(bookSlots(pace, {}, 'others', 1, NOON).slots).toEqual([pace.pausedUntil]);
  });

  it('because its vendor is down pauses after three in a row; a message that is sent in between begins anew', () => {
    let pace = refuse(refuse(initialPace, 'down', NOON), 'down', NOON);
    expect([pace.pausedUntil, endsStop(pace, NOON)]).toEqual([0, true]);
    pace = senderWorked(pace, NOON);
    pace = refuse(refuse(pace, 'down', NOON), 'down', NOON);
    expect(pace.stop).toBeUndefined();
    expect(refuse(pace, 'down', NOON).pausedUntil).toBe(NOON + 30_000);
  });

  it('counts what several workers learn at the same time once', () => {
    const pace = refuse(initialPace, 'account', NOON);
    expect(refuse(pace, 'account', NOON + 1)).toBe(pace);
  });

  it('works again with the first message that is sent after its pause', () => {
    const pace = refuse(initialPace, 'account', NOON);
    expect(endsStop(pace, NOON + 29_999)).toBe(false);
    expect(endsStop(pace, NOON + 30_000)).toBe(true);
    expect(senderWorked(pace, NOON + 30_000).stop).toBeUndefined();
  });
});

it('a day whose limit is used up does not hold what is due before its end', () => {
  const pace = dailyLimitReached(initialPace, { reason: 'Full.', until: NOON + DAY }, NOON);
  expect(bookSlots(pace, perSecond(1), 'others', 1, NOON).slots).toEqual([NOON]);
  expect(senderWorked(pace, NOON).stop).toBeDefined();
  expect(senderWorked(pace, NOON + DAY).stop).toBeUndefined();
});
