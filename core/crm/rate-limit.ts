import * as z from 'zod';

/** The calls that all workers together may send to a CRM account per window. */
export interface Budget {
  readonly calls: number;
  readonly seconds: number;
}

/** What a call is for: live traffic goes before a backfill; a probe finds out whether the quota is there again. */
export type Priority = 'live' | 'backfill' | 'probe';

/** What the CRM itself says of its quota. Instants are epoch milliseconds. */
const Quota = z.object({ used: z.number(), limit: z.number(), at: z.number() });

/** The calls of the current window, which all workers of one CRM share. */
export const RateLimit = z.object({
  /** Counts every change of this row. */
  version: z.int().nonnegative(),
  /** The start of the current window, in epoch milliseconds. */
  window: z.number(),
  spent: z.int().nonnegative(),
  /** The CRM's own figures, by the length of their window in seconds. */
  quotas: z.record(z.string(), Quota).default({}),
});
export type RateLimit = z.infer<typeof RateLimit>;

export const initialRateLimit: RateLimit = { version: 0, window: 0, spent: 0, quotas: {} };

/** `ofCrm`: the CRM's own quota is used up as far as the hub may use it. */
export type Admission =
  | { readonly state: RateLimit }
  | { readonly waitMs: number; readonly ofCrm?: { readonly perSeconds: number } };

/** The part of the hub's own budget that a call may use: half of it stays free for live traffic. */
const SHARE_OF_BUDGET: Readonly<Record<Priority, number>> = { live: 1, backfill: 0.5, probe: 1 };
/** The part of the CRM's quota that may be used: the rest is left to the other users of the account. */
const SHARE_OF_QUOTA: Readonly<Record<Priority, number>> = {
  live: 0.95,
  backfill: 0.7,
  probe: Number.POSITIVE_INFINITY,
};
/** After this time a figure of the CRM is outdated, and the next call brings a new one. */
const OUTDATED_MS = 900_000;

/** Reserves one call of the budget, or returns the time to wait. */
export const reserveCall = (
  rateLimit: RateLimit,
  budget: Budget,
  priority: Priority,
  now: number,
): Admission => {
  for (const [seconds, { used, limit, at }] of Object.entries(rateLimit.quotas)) {
    const endsAt = at + Math.min(OUTDATED_MS, Number(seconds) * 1000);
    if (now < endsAt && used >= limit * SHARE_OF_QUOTA[priority])
      return { waitMs: endsAt - now, ofCrm: { perSeconds: Number(seconds) } };
  }
  const endsAt = rateLimit.window + budget.seconds * 1000;
  const isCurrent = now < endsAt;
  const spent = (isCurrent ? rateLimit.spent : 0) + 1;
  if (spent > 1 && spent > budget.calls * SHARE_OF_BUDGET[priority]) return { waitMs: endsAt - now };
  return { state: { ...rateLimit, spent, window: isCurrent ? rateLimit.window : now } };
};

/** Records what the CRM says of its quota. */
export const observeQuota = (
  rateLimit: RateLimit,
  { used, limit, perSeconds }: { readonly used: number; readonly limit: number; readonly perSeconds: number },
  now: number,
): RateLimit => ({
  ...rateLimit,
  quotas: { ...rateLimit.quotas, [String(perSeconds)]: { used, limit, at: now } },
});
