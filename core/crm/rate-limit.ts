import * as z from 'zod';

/** How many calls a CRM account may be sent in a window, by all workers together. */
export interface Budget {
  readonly calls: number;
  readonly seconds: number;
}

/** What all workers of one CRM know of it together: what was spent in the running window, and whether it can be used. */
export const RateLimit = z.strictObject({
  /** Counts every change of this row. */
  version: z.int().nonnegative(),
  /** When the running window began, in epoch milliseconds. */
  window: z.number(),
  spent: z.int().nonnegative(),
  /** How often in a row the CRM could not be used. */
  failures: z.int().nonnegative(),
  /** The CRM is left alone until then, in epoch milliseconds; 0 where it is not. */
  shutUntil: z.number(),
});
export type RateLimit = z.infer<typeof RateLimit>;

export const initialRateLimit: RateLimit = { version: 0, window: 0, spent: 0, failures: 0, shutUntil: 0 };

/** So many failures in a row shut the breaker. */
const MOST_FAILURES = 3;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 900_000;
/** While one worker probes a CRM that was shut, the others wait this long for what it finds. */
const PROBE_MS = 30_000;

export type Admission = { readonly state: RateLimit } | { readonly waitMs: number };

/** How long the CRM is still left alone, in milliseconds. */
export const pausedFor = ({ shutUntil }: RateLimit, now: number): number => Math.max(0, shutUntil - now);

/**
 * Takes `calls` from the budget, or says how long to wait. Once a pause is over, whoever comes first probes the CRM, and
 * the others go on waiting.
 */
export const reserveCalls = (rateLimit: RateLimit, budget: Budget, calls: number, now: number): Admission => {
  if (pausedFor(rateLimit, now) > 0) return { waitMs: pausedFor(rateLimit, now) };
  const ends = rateLimit.window + budget.seconds * 1000;
  const running = now < ends;
  const spent = (running ? rateLimit.spent : 0) + calls;
  // What needs more than a whole window goes when nothing else has gone.
  if (spent > budget.calls && spent > calls) return { waitMs: ends - now };
  return {
    state: {
      ...rateLimit,
      spent,
      window: running ? rateLimit.window : now,
      shutUntil: rateLimit.failures >= MOST_FAILURES ? now + PROBE_MS : 0,
    },
  };
};

/** After a call that was answered. */
export const recordAnswer = (rateLimit: RateLimit): RateLimit => ({
  ...rateLimit,
  failures: 0,
  shutUntil: 0,
});

/** After a call that could not be made. A CRM that says how long to leave it alone is believed at once. */
export const recordNoAnswer = (
  rateLimit: RateLimit,
  afterSeconds: number | undefined,
  now: number,
): RateLimit => {
  const failures = rateLimit.failures + 1;
  const pause =
    failures < MOST_FAILURES
      ? 0
      : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - MOST_FAILURES, 10));
  const asked = Math.min(LONGEST_PAUSE_MS, (afterSeconds ?? 0) * 1000);
  return { ...rateLimit, failures, shutUntil: pause + asked === 0 ? 0 : now + Math.max(pause, asked) };
};
