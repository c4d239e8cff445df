import * as z from 'zod';

const units: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** Milliseconds of `30s 15m 4h 7d 2w 3y`. Exact: a day is 24 hours, a year 365 days. */
export const durationMs = (text: string): number => {
  const [, count, unit = ''] = /^(\d{1,6})([smhdwy])$/u.exec(text.trim()) ?? [];
  const length = units[unit];
  if (count === undefined || length === undefined)
    throw new RangeError(`${JSON.stringify(text)} is not a duration such as 30s, 15m, 4h, 7d or 2w`);
  return Number(count) * length;
};

/** A duration such as `15m`; parsed to milliseconds. */
export const Duration = z
  .string()
  .transform((text, context) => {
    try {
      return durationMs(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected a duration such as 30s, 15m, 4h, 7d or 2w' });
      return z.NEVER;
    }
  })
  .meta({ title: 'duration such as `15m`' });

/** How long send reservations are stored, and so the longest window of a limit. */
export const LONGEST_WINDOW_MS = 366 * 86_400_000;

/** `3 per 7d`: at most so many in a sliding window of at most 366 days. */
export const Limit = z
  .string()
  .transform((text, context) => {
    const [, count, window] = /^(\d{1,4}) per (\S+)$/u.exec(text.trim()) ?? [];
    try {
      const windowMs = window === undefined ? Number.NaN : durationMs(window);
      if (count !== undefined && windowMs <= LONGEST_WINDOW_MS) return { count: Number(count), windowMs };
    } catch {
      // The issue below reports it with the expected form.
    }
    context.addIssue({ code: 'custom', message: 'expected a limit such as 1 per 7d, over at most 366d' });
    return z.NEVER;
  })
  .meta({ title: 'limit such as `3 per 7d`' });
export type Limit = z.output<typeof Limit>;

/** `21:00-08:00`, in minutes after midnight; the end is exclusive. */
export const QuietHours = z
  .string()
  .transform((text, context) => {
    const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/u.exec(text.trim());
    if (match) {
      const [, h1, m1, h2, m2] = match.map(Number);
      return { start: (h1 ?? 0) * 60 + (m1 ?? 0), end: (h2 ?? 0) * 60 + (m2 ?? 0) };
    }
    context.addIssue({ code: 'custom', message: 'expected quiet hours such as "21:00-08:00"' });
    return z.NEVER;
  })
  .meta({ title: 'hours such as `"21:00-08:00"`' });
export type QuietHours = z.output<typeof QuietHours>;

/** A time of day such as `09:00`; parsed to minutes after midnight. */
export const TimeOfDay = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/u, 'expected a time of day such as "09:00"')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)))
  .meta({ title: 'time of day such as `"09:00"`' });

/** An IANA time zone that this runtime supports. */
export const TimeZone = z
  .string()
  .refine(
    (name) => {
      try {
        new Intl.DateTimeFormat('en', { timeZone: name });
        return true;
      } catch {
        return false;
      }
    },
    { error: 'expected an IANA time zone such as Europe/Rome' },
  )
  .meta({ title: 'time zone such as `Europe/Rome`' });
