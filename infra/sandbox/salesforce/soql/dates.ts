import type { Literal } from './query.ts';

const DAY = 86_400_000;

type Range = Extract<Literal, { kind: 'time' }>;

const range = (from: number, to: number): Range => ({ kind: 'time', from, to });

/** The first instant of the day, week (Sunday), month or year that contains a time, in UTC, moved by so many units. */
const startOf = (unit: string, time: number, moved: number): number => {
  const date = new Date(time);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (unit === 'YEAR') return Date.UTC(year + moved, 0, 1);
  if (unit === 'QUARTER') return Date.UTC(year, month - (month % 3) + 3 * moved, 1);
  if (unit === 'MONTH') return Date.UTC(year, month + moved, 1);
  if (unit === 'WEEK') return Date.UTC(year, month, day - date.getUTCDay() + 7 * moved);
  return Date.UTC(year, month, day + moved);
};

const FIXED: Readonly<Record<string, readonly [unit: string, moved: number]>> = {
  TODAY: ['DAY', 0],
  YESTERDAY: ['DAY', -1],
  TOMORROW: ['DAY', 1],
};

/** What a date literal such as `LAST_WEEK` or `LAST_N_DAYS:3` stands for at this time (epoch milliseconds); undefined where it is none. */
export const dateLiteral = (word: string, count: number | undefined, now: number): Range | undefined => {
  const name = word.toUpperCase();
  const [, direction, unit = ''] = /^(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR)$/u.exec(name) ?? [];
  const steps = { LAST: -1, THIS: 0, NEXT: 1 }[direction ?? ''];
  const [fixedUnit, moved] = FIXED[name] ?? [unit, steps];
  if (fixedUnit !== '' && moved !== undefined)
    return range(startOf(fixedUnit, now, moved), startOf(fixedUnit, now, moved + 1));
  const today = startOf('DAY', now, 0);
  if (name === 'LAST_90_DAYS') return range(today - 89 * DAY, today + DAY);
  if (name === 'NEXT_90_DAYS') return range(today + DAY, today + 91 * DAY);
  const [, side, span = ''] = /^(LAST|NEXT)_N_(DAY|WEEK|MONTH|QUARTER|YEAR)S$/u.exec(name) ?? [];
  if (side === undefined || count === undefined) return undefined;
  if (span === 'DAY')
    return side === 'LAST'
      ? range(today - count * DAY, today + DAY)
      : range(today + DAY, today + (count + 1) * DAY);
  return side === 'LAST'
    ? range(startOf(span, now, -count), startOf(span, now, 0))
    : range(startOf(span, now, 1), startOf(span, now, count + 1));
};

/** A date or a point in time as it is written in a query. */
export const writtenDate = (text: string): Range => {
  const from = Date.parse(text.includes('T') ? text : `${text}T00:00:00Z`);
  return range(from, text.includes('T') ? from : from + DAY);
};
