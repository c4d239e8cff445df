import type { QuietHours } from '../config/duration.ts';
import type { OfficeHours } from '../config/office-hours.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY_MINUTES = 1440;

interface Local {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** After midnight. */
  readonly minutes: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const formatOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = formats.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(timeZone, format);
  return format;
};

/** The date in a zone, as `2026-03-02`. `instant` in epoch milliseconds, like all instants of this file. */
export const dayAt = (instant: number, timeZone: string): string =>
  new Date(instant + offsetAt(instant, timeZone)).toISOString().slice(0, 10);

/** The offset of a zone's local time from UTC at an instant, in milliseconds. */
const offsetAt = (instant: number, timeZone: string): number => {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const wall = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return wall - Math.floor(instant / 1000) * 1000;
};

const localAt = (instant: number, timeZone: string): Local => {
  const wall = new Date(instant + offsetAt(instant, timeZone));
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth(),
    day: wall.getUTCDate(),
    minutes: wall.getUTCHours() * 60 + wall.getUTCMinutes(),
  };
};

/** The instant of a local time: the first one in a repeated hour; in a gap of the clock, moved forward by the gap. */
const instantAt = ({ year, month, day, minutes }: Local, timeZone: string): number => {
  const wall = Date.UTC(year, month, day) + minutes * MINUTE_MS;
  const [before, after] = [offsetAt(wall - DAY_MS, timeZone), offsetAt(wall + DAY_MS, timeZone)];
  const candidates = [wall - before, wall - after].filter(
    (instant) => instant + offsetAt(instant, timeZone) === wall,
  );
  return candidates.length > 0 ? Math.min(...candidates) : wall - before;
};

/** The instant of a local time on a date such as `2026-03-02`, by the rule of `instantAt`. */
export const instantOfDay = (date: string, minutes: number, timeZone: string): number => {
  const day = new Date(date);
  const local = { year: day.getUTCFullYear(), month: day.getUTCMonth(), day: day.getUTCDate(), minutes };
  return instantAt(local, timeZone);
};

/** The date so many days later; earlier where `days` is negative. */
export const shiftDay = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);

/** The next instant strictly after `now` with this local time of day, in minutes after midnight. */
export const nextTimeOfDay = (now: number, minutes: number, timeZone: string): number => {
  const today = localAt(now, timeZone);
  for (const days of [0, 1, 2]) {
    const instant = instantAt({ ...today, day: today.day + days, minutes }, timeZone);
    if (instant > now) return instant;
  }
  throw new RangeError(`No ${minutes} minutes after midnight within two days in ${timeZone}.`);
};

const isQuiet = ({ start, end }: QuietHours, minutes: number): boolean =>
  start <= end ? minutes >= start && minutes < end : minutes >= start || minutes < end;

/**
 * The first instant from `now` on that is outside the quiet hours of a zone; `now` itself if it is. A change of the clock
 * during the quiet hours may end or prolong them.
 */
export const outsideQuietHours = (now: number, quiet: QuietHours, timeZone: string): number => {
  for (let instant = now; ; ) {
    const { minutes } = localAt(instant, timeZone);
    if (!isQuiet(quiet, minutes)) return instant;
    const left = (quiet.end - minutes + DAY_MINUTES) % DAY_MINUTES;
    const end = instant - (instant % MINUTE_MS) + left * MINUTE_MS;
    if (offsetAt(end, timeZone) === offsetAt(instant, timeZone)) return end;
    instant = clockChange(instant, end, timeZone);
  }
};

/** The first instant of the new offset, given that the offsets of both ends differ. */
const clockChange = (after: number, upTo: number, timeZone: string): number => {
  const before = offsetAt(after, timeZone);
  let [old, changed] = [after, upTo];
  while (changed - old > 1) {
    const middle = Math.floor((old + changed) / 2);
    if (offsetAt(middle, timeZone) === before) old = middle;
    else changed = middle;
  }
  return changed;
};

/** The name if it is a time zone, else the fallback: providers also report names that are none. */
export const zoneOf = (name: string | undefined, fallback: string): string => {
  if (name === undefined) return fallback;
  try {
    formatOf(name);
    return name;
  } catch {
    return fallback;
  }
};

/**
 * The instant of an ISO 8601 text. Without an offset it is local time in the zone; a date alone is its midnight. NaN if the
 * text is no time.
 */
export const instantNamed = (text: string, timeZone: string): number => {
  const wallClock = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.\d+)?)?)?$/u.exec(text);
  if (wallClock === null) return Date.parse(text);
  const [, date, time = '00:00', seconds = '0'] = wallClock;
  const wall = new Date(`${date}T${time}:00Z`);
  if (Number.isNaN(wall.getTime())) return Number.NaN;
  const local = {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth(),
    day: wall.getUTCDate(),
    minutes: wall.getUTCHours() * 60 + wall.getUTCMinutes(),
  };
  return instantAt(local, timeZone) + Number(seconds) * 1000;
};

/** A team that is closed for longer is a mistake of its hours. */
const MOST_DAYS = 400;

/**
 * The first instant from `now` on at which a team works; `now` itself if it does, or has no hours. In epoch milliseconds; NaN
 * where the team is closed for more than a year. `timeZone`: of the hub.
 */
export const nextOfficeHour = (now: number, hours: OfficeHours | undefined, timeZone: string): number => {
  if (hours === undefined) return now;
  let day = dayAt(now, timeZone);
  for (let days = 0; days < MOST_DAYS; days++) {
    const [start, end] = [hours.from, hours.to].map((minutes) => instantOfDay(day, minutes, timeZone));
    if (start !== undefined && end !== undefined && now < end && isWorkday(day, hours))
      return Math.max(now, start);
    day = shiftDay(day, 1);
  }
  return Number.NaN;
};

const isWorkday = (day: string, { days, closed }: OfficeHours): boolean =>
  days.includes(new Date(day).getUTCDay()) && !closed.includes(day);

/** EventBridge Scheduler has whole seconds, and a timer must not fire early. `time`: epoch milliseconds. */
export const wholeSecond = (time: number): number => Math.ceil(time / 1000) * 1000;
