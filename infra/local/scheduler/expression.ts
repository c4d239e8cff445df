import { ServiceError } from '../protocol/json.ts';

/** Recurring instants, in epoch milliseconds. */
export interface Recurrence {
  /** The first one strictly after an instant; undefined where there is none. */
  next(after: number): number | undefined;
}

const RATE = /^rate\((\d+) (minute|minutes|hour|hours|day|days)\)$/u;
const AT = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/u;
const CRON = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/u;
const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const DAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');
const DAY_MS = 86_400_000;
const LAST_YEAR = 2199;

/** Whether the expression is one instant. */
export const isOnce = (expression: string): boolean => expression.startsWith('at(');

/**
 * Parses `rate(…)`, `cron(…)` or `at(…)`. A rate counts from `start`; `cron` and `at` are wall-clock times of `zone`.
 *
 * @throws ServiceError `ValidationException`.
 */
export const recurrence = (expression: string, zone: string, start: number): Recurrence => {
  const wall = wallClock(zone);
  const [, count, unit = ''] = RATE.exec(expression) ?? [];
  if (count !== undefined) {
    const plural = unit.endsWith('s');
    if (Number(count) < 1 || (Number(count) === 1) === plural) throw refused(expression);
    const period = Number(count) * (UNITS[plural ? unit.slice(0, -1) : unit] ?? 0);
    return { next: (after) => start + Math.max(0, Math.floor((after - start) / period) + 1) * period };
  }
  const at = AT.exec(expression)?.[1];
  if (at !== undefined) {
    const local = Date.parse(`${at}Z`);
    if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 19) !== at) throw refused(expression);
    const instant = wall.instant(local);
    return { next: (after) => (instant > after ? instant : undefined) };
  }
  const fields = CRON.exec(expression)?.slice(1);
  if (fields === undefined) throw refused(expression);
  return cron(fields, wall, () => refused(expression));
};

const refused = (expression: string): ServiceError =>
  new ServiceError('ValidationException', `Invalid Schedule Expression ${expression}.`);

interface WallClock {
  /** The local time at an instant, as if it were UTC. */
  local(instant: number): number;
  /** The first instant with this local time; for a skipped local time, the instant after the gap. */
  instant(local: number): number;
}

/** The wall clock of a time zone. @throws ServiceError `ValidationException` for an unknown zone. */
const wallClock = (zone: string): WallClock => {
  if (zone === 'UTC') return { local: (instant) => instant, instant: (local) => local };
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new ServiceError('ValidationException', `Provided schedule timezone ${zone} is invalid.`);
  }
  const local = (instant: number): number => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, +value]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
  return {
    local,
    instant(wanted) {
      const offsets = [wanted - DAY_MS, wanted + DAY_MS].map((near) => local(near) - near);
      const candidates = offsets.map((offset) => wanted - offset).sort((one, other) => one - other);
      // A skipped local time matches no candidate; the offset before the gap leads to the instant after it.
      return candidates.find((one) => local(one) === wanted) ?? wanted - (offsets[0] ?? 0);
    },
  };
};

/** The values of one cron field: lists, ranges and steps of numbers, or of names where the field has them. */
const valuesOf = (
  text: string,
  [least, most]: readonly [number, number],
  names: readonly string[] = [],
): ReadonlySet<number> | undefined => {
  const number = (one: string): number => {
    const named = names.indexOf(one.toUpperCase());
    return named < 0 ? (/^\d+$/u.test(one) ? Number(one) : Number.NaN) : named + least;
  };
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step = '1', ...rest] = part.split('/');
    const [from = '', to] = range.split('-');
    const first = range === '*' ? least : number(from);
    const last = to !== undefined ? number(to) : range === '*' || part.includes('/') ? most : first;
    const by = /^\d+$/u.test(step) ? Number(step) : 0;
    if (rest.length > 0 || by < 1 || !(first >= least && last <= most && first <= last)) return undefined;
    for (let value = first; value <= last; value += by) found.add(value);
  }
  return found;
};

type DayTest = (year: number, month: number, day: number) => boolean;

const weekdayOf = (year: number, month: number, day: number): number =>
  new Date(Date.UTC(year, month - 1, day)).getUTCDay();
const lastOf = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** Day of the month: values, `L` (the last), `nW` (the weekday nearest to the n-th). */
const dayOfMonth = (text: string): DayTest | undefined => {
  if (text === 'L') return (year, month, day) => day === lastOf(year, month);
  const nearest = /^(\d{1,2})W$/u.exec(text)?.[1];
  if (nearest !== undefined) {
    return (year, month, day) => {
      const last = lastOf(year, month);
      const wanted = Math.min(Number(nearest), last);
      const weekday = weekdayOf(year, month, wanted);
      const shift = weekday === 6 ? (wanted === 1 ? 2 : -1) : weekday === 0 ? (wanted === last ? -2 : 1) : 0;
      return day === wanted + shift;
    };
  }
  const values = valuesOf(text, [1, 31]);
  return values && ((_, __, day) => values.has(day));
};

/** Day of the week, 1 is Sunday: values, `L` (Saturday), `nL` (the last of the month), `n#k` (the k-th of the month). */
const dayOfWeek = (text: string): DayTest | undefined => {
  const [, which, kind, nth] = /^(\w+?)(L|#([1-5]))$/u.exec(text) ?? [];
  if (which !== undefined) {
    const [wanted = Number.NaN] = valuesOf(which, [1, 7], DAYS) ?? [];
    if (Number.isNaN(wanted)) return undefined;
    return (year, month, day) =>
      weekdayOf(year, month, day) === wanted - 1 &&
      (kind === 'L' ? day + 7 > lastOf(year, month) : Math.ceil(day / 7) === Number(nth));
  }
  const values = valuesOf(text === 'L' ? '7' : text, [1, 7], DAYS);
  return values && ((year, month, day) => values.has(weekdayOf(year, month, day) + 1));
};

/** `cron(minutes hours day-of-month month day-of-week year)`, one of the two days being `?`. */
const cron = (fields: readonly string[], wall: WallClock, refuse: () => ServiceError): Recurrence => {
  const [minuteText = '', hourText = '', dayText = '', monthText = '', weekdayText = '', yearText = ''] =
    fields;
  const minutes = valuesOf(minuteText, [0, 59]);
  const hours = valuesOf(hourText, [0, 23]);
  const months = valuesOf(monthText, [1, 12], MONTHS);
  const years = valuesOf(yearText, [1970, LAST_YEAR]);
  const day = dayText === '?' ? dayOfWeek(weekdayText) : dayOfMonth(dayText);
  const oneDay = (dayText === '?') !== (weekdayText === '?');
  if (!minutes || !hours || !months || !years || !day || !oneDay) throw refuse();
  const times = [...hours].flatMap((hour) => [...minutes].map((minute) => (hour * 60 + minute) * 60_000));
  times.sort((one, other) => one - other);
  const matches = (date: Date): boolean => {
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
    return years.has(year) && months.has(month) && day(year, month, date.getUTCDate());
  };
  return {
    next(after) {
      // A local time that occurs twice must not be missed, so the search starts one day early.
      const from = Math.floor(wall.local(after) / DAY_MS) * DAY_MS - DAY_MS;
      for (let midnight = from; ; midnight += DAY_MS) {
        const date = new Date(midnight);
        if (date.getUTCFullYear() > LAST_YEAR) return undefined;
        if (!years.has(date.getUTCFullYear())) {
          midnight = Date.UTC(date.getUTCFullYear() + 1, 0, 1) - DAY_MS;
          continue;
        }
        if (!matches(date)) continue;
        const found = times.map((time) => wall.instant(midnight + time)).find((instant) => instant > after);
        if (found !== undefined) return found;
      }
    },
  };
};
