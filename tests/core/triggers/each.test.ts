import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { dueLooks, Each, type Look, lookIn, nextLook } from '../../../core/triggers/audience/each.ts';
import { Trigger } from '../../../core/triggers/trigger.ts';

const HOUR = 3_600_000;
const at = (text: string): number => Date.parse(text);
const looks = (
  each: z.input<typeof Each>,
  timeZone: string,
  [from, to]: readonly [string, string],
  profile: object = {},
): Look[] => {
  const found: Look[] = [];
  for (let start = at(from); start < at(to); start += HOUR) {
    const look = lookIn(Each.parse(each), { timeZone, profile }, start, start + HOUR);
    if (look) found.push(look);
  }
  return found;
};
const read = (some: readonly Look[]): string[] =>
  some.map((one) => `${new Date(one.at).toISOString().slice(0, 16)} ${one.occasion}`);

describe('a look', () => {
  it('is daily at the local time, moved in a gap of the clock, and once in a repeated hour', () => {
    expect(read(looks({ day: '02:30' }, 'Europe/Rome', ['2026-03-28T00:00Z', '2026-03-31T00:00Z']))).toEqual([
      '2026-03-28T01:30 2026-03-28',
      '2026-03-29T01:30 2026-03-29',
      '2026-03-30T00:30 2026-03-30',
    ]);
    expect(read(looks({ day: '02:30' }, 'Europe/Rome', ['2026-10-24T12:00Z', '2026-10-26T12:00Z']))).toEqual([
      '2026-10-25T00:30 2026-10-25',
      '2026-10-26T01:30 2026-10-26',
    ]);
  });

  const birthday = { date: 'traits.birthday', every: 'year', at: '09:00' } as const;
  it.each([
    ['2026-02-20T00:00Z', '2026-03-10T00:00Z', '1992-02-29', ['2026-02-28T08:00 2026-02-28']],
    ['2028-02-20T00:00Z', '2028-03-10T00:00Z', '1992-02-29', ['2028-02-29T08:00 2028-02-29']],
    ['2026-02-20T00:00Z', '2026-03-10T00:00Z', '2027-03-01', []],
    ['2026-02-20T00:00Z', '2026-03-10T00:00Z', '1992-02-30', []],
    ['2026-02-20T00:00Z', '2026-03-10T00:00Z', 'in March', []],
    ['2026-02-20T00:00Z', '2026-03-10T00:00Z', 19920301, []],
  ])('at an anniversary from %s to %s of %s', (from, to, value, expected) => {
    expect(read(looks(birthday, 'Europe/Rome', [from, to], { traits: { birthday: value } }))).toEqual(
      expected,
    );
  });

  it('at a date is so many days before it at the local time, also over a new year', () => {
    const each = { ...birthday, before: '30d' };
    expect(
      read(
        looks(each, 'Europe/Rome', ['2026-12-01T00:00Z', '2027-01-10T00:00Z'], {
          traits: { birthday: '1990-01-15' },
        }),
      ),
    ).toEqual(['2026-12-16T08:00 2027-01-15']);
    // The clocks go forward between the look and the date.
    expect(
      read(
        looks(each, 'Europe/Rome', ['2026-03-01T00:00Z', '2026-04-01T00:00Z'], {
          traits: { birthday: '1990-04-10' },
        }),
      ),
    ).toEqual(['2026-03-11T08:00 2026-04-10']);
  });

  it('falls into one window, however the time is divided, and is planned within it', () => {
    const zones = ['Europe/Rome', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe'];
    const start = at('2026-03-01T00:00Z');
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 1439 }),
        fc.array(fc.integer({ min: 1, max: 40 * 24 * 60 }), { minLength: 1, maxLength: 8 }),
        (timeZone, minutes, cuts) => {
          const day = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
          const each = Each.parse({ day });
          const seen = new Set<number>();
          let from = start;
          for (const minute of [...new Set(cuts)].sort((one, other) => one - other)) {
            const to = start + minute * 60_000;
            const look = lookIn(each, { timeZone, profile: {} }, from, to);
            const next = nextLook(each, timeZone, from);
            // There is a look exactly where the next one is not behind the window.
            expect(look !== undefined).toBe(next !== undefined && next <= to);
            const [due] = dueLooks(each, [timeZone], { from, now: to, until: to });
            expect(due).toBe(look?.at);
            if (look) {
              expect(seen.has(look.at)).toBe(false);
              seen.add(look.at);
            }
            from = to;
          }
        },
      ),
    );
  });
});

const file = { id: 'x', category: 'service', send: { channels: ['email'], template: 't' } };

it.each([
  ['neither on nor each', {}, 'expected on, or each'],
  ['both', { on: {}, each: { day: '10:00' } }, 'not both'],
  ['once beside each', { each: { day: '10:00' }, once: 'properties.order' }, 'no interaction sets it off'],
  ['anyone beside each', { each: { day: '10:00' }, anyone: true }, 'no interaction sets it off'],
  [
    'a property beside each',
    { each: { day: '10:00' }, until: { property: 'x' } },
    'no interaction sets it off',
  ],
  ['a part of a day', { each: { date: 'traits.x', at: '09:00', before: '12h' } }, 'whole days'],
  ['another period', { each: { date: 'traits.x', every: 'week', at: '09:00' } }, 'year'],
  ['a campaign without a time', { each: { once: '2026-12-24' } }, ''],
])('a trigger with %s is refused', (_, fields, message) => {
  const { success, error } = Trigger.safeParse({ ...file, ...fields });
  expect(success).toBe(false);
  expect(JSON.stringify(error?.issues)).toContain(message);
});
