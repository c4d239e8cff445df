import * as z from 'zod';
import { TimeOfDay } from './duration.ts';

const weekdays: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** `mon-fri`, `sat`, or several of them: `mon-wed, fri`. Parsed to the numbers of the days, Sunday being 0. */
const Days = z
  .string()
  .transform((text, context) => {
    const days = text.split(',').flatMap((part) => {
      const [first = -1, last = first, ...more] = part
        .trim()
        .split('-')
        .map((day) => weekdays.indexOf(day.trim().toLowerCase()));
      if (first < 0 || last < 0 || more.length > 0) return [-1];
      return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, day) => (first + day) % 7);
    });
    if (!days.includes(-1)) return days;
    context.addIssue({ code: 'custom', message: 'expected days such as mon-fri, or mon-wed, sat' });
    return z.NEVER;
  })
  .meta({ title: 'days such as `mon-fri`' });

/** When a team works. Times are minutes after midnight, days their numbers from Sunday on, dates `2026-12-25`. */
export const OfficeHours = z
  .strictObject({
    days: Days.describe('the days on which it works, such as `mon-fri` or `mon-wed, sat`'),
    from: TimeOfDay.describe('when a day begins'),
    to: TimeOfDay.describe('when it ends, later than `from`'),
    closed: z
      .array(z.iso.date().meta({ title: 'date such as `2026-12-25`' }))
      .default([])
      .describe('dates on which it does not work'),
  })
  .refine(({ from, to }) => from < to, { error: 'expected a time later than from', path: ['to'] });
export type OfficeHours = z.output<typeof OfficeHours>;
