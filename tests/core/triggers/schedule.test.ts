import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dayAt,
  instantNamed,
  nextTimeOfDay,
  outsideQuietHours,
  zoneOf,
} from '../../../core/triggers/schedule.ts';

const at = (text: string): number => Date.parse(text);
const iso = (time: number): string => new Date(time).toISOString();
const ROME = 'Europe/Rome';
const night = { start: 21 * 60, end: 8 * 60 };

describe('the next such local time', () => {
  it('is today where it is still to come, else tomorrow, and never now', () => {
    const next = (now: string): string => iso(nextTimeOfDay(at(now), 9 * 60, ROME));
    expect(next('2026-03-02T07:59:00Z')).toBe('2026-03-02T08:00:00.000Z');
    expect(next('2026-03-02T08:00:00Z')).toBe('2026-03-03T08:00:00.000Z');
    expect(next('2026-03-02T23:30:00Z')).toBe('2026-03-03T08:00:00.000Z');
  });

  it('moves forward by the gap where the clock is set forward', () => {
    // Rome, 29 March 2026: 02:00 becomes 03:00, so 02:30 is 03:30 summer time.
    expect(iso(nextTimeOfDay(at('2026-03-28T22:00:00Z'), 150, ROME))).toBe('2026-03-29T01:30:00.000Z');
    // Lord Howe, 4 October 2026: 02:00 becomes 02:30.
    expect(iso(nextTimeOfDay(at('2026-10-03T12:00:00Z'), 135, 'Australia/Lord_Howe'))).toBe(
      '2026-10-03T15:45:00.000Z',
    );
  });

  it('is the first of a repeated hour, also for one who asks in between', () => {
    // Rome, 25 October 2026: 03:00 becomes 02:00.
    expect(iso(nextTimeOfDay(at('2026-10-24T22:00:00Z'), 150, ROME))).toBe('2026-10-25T00:30:00.000Z');
    expect(iso(nextTimeOfDay(at('2026-10-25T00:45:00Z'), 150, ROME))).toBe('2026-10-26T01:30:00.000Z');
  });

  it('lies within two days and shows that time of day, outside of gaps', () => {
    const zones = [
      'Europe/Rome',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'UTC',
    ];
    fc.assert(
      fc.property(
        fc.integer({ min: at('2025-01-01T00:00:00Z'), max: at('2028-01-01T00:00:00Z') }),
        fc.integer({ min: 4 * 60, max: 23 * 60 }),
        fc.constantFrom(...zones),
        (now, minutes, zone) => {
          const next = nextTimeOfDay(now, minutes, zone);
          expect(next).toBeGreaterThan(now);
          expect(next - now).toBeLessThanOrEqual(25 * 3_600_000);
          expect(clock(next, zone)).toBe(minutes);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the first instant outside quiet hours', () => {
  const free = (now: string, quiet = night, zone = ROME): string =>
    iso(outsideQuietHours(at(now), quiet, zone));

  it('is now where it is not quiet; the end is outside, the start inside', () => {
    expect(free('2026-03-02T11:00:00.500Z')).toBe('2026-03-02T11:00:00.500Z');
    expect(free('2026-03-02T07:00:00Z')).toBe('2026-03-02T07:00:00.000Z');
    expect(free('2026-03-02T20:00:00Z')).toBe('2026-03-03T07:00:00.000Z');
    expect(free('2026-03-02T19:59:59.999Z')).toBe('2026-03-02T19:59:59.999Z');
    expect(free('2026-03-02T06:59:59.999Z')).toBe('2026-03-02T07:00:00.000Z');
  });

  it('takes hours that do not cross midnight', () => {
    expect(free('2026-03-02T12:30:00Z', { start: 13 * 60, end: 15 * 60 })).toBe('2026-03-02T14:00:00.000Z');
    expect(free('2026-03-02T14:00:00Z', { start: 13 * 60, end: 15 * 60 })).toBe('2026-03-02T14:00:00.000Z');
  });

  it('is never where start and end are the same', () => {
    expect(free('2026-03-02T12:30:00Z', { start: 600, end: 600 })).toBe('2026-03-02T12:30:00.000Z');
  });

  it('is right when the clock is changed in the night', () => {
    expect(free('2026-03-28T22:00:00Z')).toBe('2026-03-29T06:00:00.000Z');
    expect(free('2026-10-24T22:00:00Z')).toBe('2026-10-25T07:00:00.000Z');
  });

  it('ends with the gap that swallows its end', () => {
    // Until 02:30, which does not exist: at 02:00 it is 03:00, and no longer quiet.
    expect(free('2026-03-28T22:00:00Z', { start: 1260, end: 150 })).toBe('2026-03-29T01:00:00.000Z');
  });

  it('ends at the first of two ends, and is quiet again when the clock is set back into it', () => {
    const quiet = { start: 1260, end: 150 };
    expect(free('2026-10-24T22:00:00Z', quiet)).toBe('2026-10-25T00:30:00.000Z');
    expect(free('2026-10-25T01:10:00Z', quiet)).toBe('2026-10-25T01:30:00.000Z');
  });

  it('is what a walk by the minute finds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: at('2026-03-28T00:00:00Z') / 60_000, max: at('2026-03-30T00:00:00Z') / 60_000 }),
        fc.constantFrom(0, 210 * 1440),
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 1439 }),
        fc.constantFrom(ROME, 'America/Santiago', 'Australia/Lord_Howe'),
        (minute, later, start, end, zone) => {
          const now = (minute + later) * 60_000;
          let walked = now;
          const quiet = (time: number): boolean =>
            start <= end
              ? clock(time, zone) >= start && clock(time, zone) < end
              : clock(time, zone) >= start || clock(time, zone) < end;
          while (quiet(walked)) walked += 60_000;
          expect(iso(outsideQuietHours(now, { start, end }, zone))).toBe(iso(walked));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a time that an interaction names', () => {
  it('is an instant, or a wall clock in the zone', () => {
    expect(iso(instantNamed('2026-03-02T18:00:00+02:00', ROME))).toBe('2026-03-02T16:00:00.000Z');
    expect(iso(instantNamed('2026-03-02T18:00:30', ROME))).toBe('2026-03-02T17:00:30.000Z');
    expect(iso(instantNamed('2026-07-02 18:00', 'America/New_York'))).toBe('2026-07-02T22:00:00.000Z');
    expect(iso(instantNamed('2026-07-02', ROME))).toBe('2026-07-01T22:00:00.000Z');
    expect(iso(instantNamed('2026-03-02T18:05:30.250', ROME))).toBe('2026-03-02T17:05:30.000Z');
    expect(iso(instantNamed('2026-03-02T18:05', ROME))).toBe('2026-03-02T17:05:00.000Z');
    for (const none of ['soon', '2026-13-02', '2026-03-02T25:00', 'x2026-03-02'])
      expect(instantNamed(none, ROME)).toBeNaN();
  });
});

it('a day is that of the zone', () => {
  expect(dayAt(at('2026-03-02T23:30:00Z'), ROME)).toBe('2026-03-03');
  expect(dayAt(at('2026-03-02T23:30:00Z'), 'America/New_York')).toBe('2026-03-02');
  expect(dayAt(at('2026-01-01T02:00:00Z'), 'America/New_York')).toBe('2025-12-31');
});

it('a zone that is none gives way to the hub’s', () => {
  expect(zoneOf('Mars/Olympus', ROME)).toBe(ROME);
  expect(zoneOf(undefined, ROME)).toBe(ROME);
  expect(zoneOf('Asia/Tokyo', ROME)).toBe('Asia/Tokyo');
});

const formats = new Map<string, Intl.DateTimeFormat>();
/** Minutes after midnight on a zone's wall clock, as Intl's own `timeStyle` writes it. */
const clock = (time: number, timeZone: string): number => {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'short', hourCycle: 'h23' });
  formats.set(timeZone, format);
  const [hours = 0, minutes = 0] = format.format(time).split(':').map(Number);
  return hours * 60 + minutes;
};
