import * as z from 'zod';
import { Duration, TimeOfDay } from '../../config/duration.ts';
import { memberOf } from '../../formats/payload.ts';
import { dayAt, instantNamed, instantOfDay, nextTimeOfDay, shiftDay } from '../schedule.ts';

const DAY_MS = 86_400_000;

const WholeDays = Duration.refine((length) => length % DAY_MS === 0, {
  error: 'expected whole days such as 30d or 2w',
}).meta({ title: 'whole days such as `30d`' });

const Campaign = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?$/u)
  .refine((text) => !Number.isNaN(instantNamed(text, 'UTC')));

/** What sets a trigger off instead of an interaction: a time at which customers are looked at. Times are minutes after midnight. */
export const Each = z.union([
  z.strictObject({
    day: TimeOfDay.describe(
      "every customer daily at this time; enters who begins to meet `where`, at the customer's local time",
    ),
  }),
  z.strictObject({
    date: z
      .string()
      .regex(/^[A-Za-z]\w*(?:\.[\w-]+)*$/u, 'expected a path of the profile such as traits.birthday')
      .describe('a path of the profile that holds a date; enters whose date has come'),
    every: z.literal('year').optional().describe('on each anniversary; otherwise once per date'),
    at: TimeOfDay.describe('at which time of that day, local to the customer'),
    before: WholeDays.optional().describe('so many days before it'),
  }),
  z.strictObject({
    once: Campaign.describe(
      "one campaign at this time; without an offset it is each customer's local time",
    ).meta({ title: 'time such as `2026-12-24T09:00`' }),
  }),
]);
export type Each = z.output<typeof Each>;

/** When a customer is looked at. `at`: epoch milliseconds. */
export interface Look {
  readonly at: number;
  /** What the customer enters for: a message goes once per person and occasion. A date, or the time of a campaign. */
  readonly occasion: string;
}

/** Who is looked at. `profile`: the snapshot, in which `date` is a path. */
interface Looked {
  readonly timeZone: string;
  readonly profile: object;
}

/** The latest look at a customer in (from, to], in epoch milliseconds; undefined if there is none. */
export const lookIn = (each: Each, looked: Looked, from: number, to: number): Look | undefined =>
  looksUpTo(each, looked, from, to)
    .filter(({ at }) => at > from && at <= to)
    .sort((one, other) => other.at - one.at)[0];

const looksUpTo = (each: Each, { timeZone, profile }: Looked, from: number, to: number): Look[] => {
  if ('once' in each) return [{ at: instantNamed(each.once, timeZone), occasion: each.once }];
  if ('day' in each) {
    const today = dayAt(to, timeZone);
    return [today, shiftDay(today, -1)].map((date) => ({
      at: instantOfDay(date, each.day, timeZone),
      occasion: date,
    }));
  }
  const date = dateAt(each.date.split('.').reduce<unknown>(memberOf, profile), timeZone);
  if (date === undefined) return [];
  const before = (each.before ?? 0) / DAY_MS;
  const [first, last] = [yearOf(from, timeZone), yearOf(to, timeZone, before)];
  const dates = each.every === undefined ? [date] : anniversaries(date, first, last);
  return dates.map((day) => ({
    at: instantOfDay(shiftDay(day, -before), each.at, timeZone),
    occasion: day,
  }));
};

const yearOf = (instant: number, timeZone: string, daysLater = 0): number =>
  Number(shiftDay(dayAt(instant, timeZone), daysLater).slice(0, 4));

/** The date and its anniversaries in a range of years; 29 February is the 28th in other years. */
const anniversaries = (date: string, first: number, last: number): string[] => {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  const from = Math.max(first, year);
  return Array.from({ length: Math.max(0, last - from + 1) }, (_, years) => {
    const inYear = Math.min(day, daysInMonth(from + years, month));
    return [
      String(from + years).padStart(4, '0'),
      ...[month, inYear].map((part) => String(part).padStart(2, '0')),
    ].join('-');
  });
};

const daysInMonth = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** The date of a value: its first ten letters, or where it has an offset its day in the zone. Undefined if it is none. */
const dateAt = (value: unknown, timeZone: string): string | undefined => {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  const [, date = '', rest = ''] = /^(\d{4}-\d{2}-\d{2})(?:$|[T ](.+)$)/u.exec(text) ?? [];
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (!/(?:Z|[+-]\d{2}:?\d{2})$/iu.test(rest)) return date;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : dayAt(instant, timeZone);
};

/**
 * The instants at which customers of these zones are to be looked at: of those in (from, now] the latest, behind which
 * nothing is due, then those in (now, until], in order. Epoch milliseconds.
 */
export const dueLooks = (
  each: Each,
  timeZones: Iterable<string>,
  { from, now, until }: { readonly from: number; readonly now: number; readonly until: number },
): number[] => {
  const [past, future] = [new Set<number>(), new Set<number>()];
  for (const timeZone of timeZones) {
    const last = lastLook(each, timeZone, now);
    if (last > from && last <= now) past.add(last);
    const next = nextLook(each, timeZone, Math.max(from, now));
    if (next !== undefined && next <= until) future.add(next);
  }
  const latest = past.size === 0 ? [] : [Math.max(...past)];
  return [...latest, ...[...future].sort((one, other) => one - other)];
};

/** The next instant after `now` at which customers of a zone are looked at; undefined if there is none. */
export const nextLook = (each: Each, timeZone: string, now: number): number | undefined => {
  if ('once' in each) {
    const at = instantNamed(each.once, timeZone);
    return at > now ? at : undefined;
  }
  return nextTimeOfDay(now, 'day' in each ? each.day : each.at, timeZone);
};

/** The last one up to `now`; minus infinity if there is none. */
const lastLook = (each: Each, timeZone: string, now: number): number => {
  if ('once' in each) {
    const at = instantNamed(each.once, timeZone);
    return at <= now ? at : Number.NEGATIVE_INFINITY;
  }
  const minutes = 'day' in each ? each.day : each.at;
  const today = instantOfDay(dayAt(now, timeZone), minutes, timeZone);
  return today <= now ? today : instantOfDay(shiftDay(dayAt(now, timeZone), -1), minutes, timeZone);
};
