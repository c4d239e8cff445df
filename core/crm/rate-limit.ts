import * as z from 'zod';

/** The calls that all workers together may send to a CRM account per window. */
export interface Budget {
  readonly calls: number;
  readonly seconds: number;
}

/** The state that all workers of one CRM share: the calls of the current window, and the circuit breaker. */
export const RateLimit = z.strictObject({
  /** Counts every change of this row. */
  version: z.int().nonnegative(),
  /** The start of the current window, in epoch milliseconds. */
  window: z.number(),
  spent: z.int().nonnegative(),
  /** Consecutive failures. */
  failures: z.int().nonnegative(),
  /** The end of the pause, in epoch milliseconds; 0 if the CRM is not paused. */
  shutUntil: z.number(),
});
export type RateLimit = z.infer<typeof RateLimit>;

export const initialRateLimit: RateLimit = { version: 0, window: 0, spent: 0, failures: 0, shutUntil: 0 };

/** The circuit breaker opens after so many consecutive failures. */
const MAX_FAILURES = 3;
const FIRST_PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 900_000;
/** After a pause one worker probes the CRM; the others wait this long for the result. */
const PROBE_MS = 30_000;

export type Admission = { readonly state: RateLimit } | { readonly waitMs: number };

/** The rest of the pause, in milliseconds. */
export const pausedFor = ({ shutUntil }: RateLimit, now: number): number => Math.max(0, shutUntil - now);

/** Reserves `calls` of the budget, or returns the time to wait. After a pause the first caller probes the CRM. */
export const reserveCalls = (rateLimit: RateLimit, budget: Budget, calls: number, now: number): Admission => {
  if (pausedFor(rateLimit, now) > 0) return { waitMs: pausedFor(rateLimit, now) };
  const ends = rateLimit.window + budget.seconds * 1000;
  const isCurrent = now < ends;
  const spent = (isCurrent ? rateLimit.spent : 0) + calls;
  // A batch above the budget of a whole window is allowed in an empty window.
  if (spent > budget.calls && spent > calls) return { waitMs: ends - now };
  return {
    state: {
      ...rateLimit,
      spent,
      window: isCurrent ? rateLimit.window : now,
      shutUntil: rateLimit.failures >= MAX_FAILURES ? now + PROBE_MS : 0,
    },
  };
};

/** Records an answered call. */
export const recordAnswer = (rateLimit: RateLimit): RateLimit => ({
  ...rateLimit,
  failures: 0,
  shutUntil: 0,
});

/** Records a failed call. A `Retry-After` of the CRM (`afterSeconds`) applies from the first failure on. */
export const recordNoAnswer = (
  rateLimit: RateLimit,
  afterSeconds: number | undefined,
  now: number,
): RateLimit => {
  const failures = rateLimit.failures + 1;
  const pause =
    failures < MAX_FAILURES
      ? 0
      : Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - MAX_FAILURES, 10));
  const requested = Math.min(MAX_PAUSE_MS, (afterSeconds ?? 0) * 1000);
  return {
    ...rateLimit,
    failures,
    shutUntil: pause + requested === 0 ? 0 : now + Math.max(pause, requested),
  };
};
