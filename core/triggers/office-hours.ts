import type { OfficeHours } from '../config/office-hours.ts';
import { dayAt, instantOfDay, shiftDay } from './schedule.ts';

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
