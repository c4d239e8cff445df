import * as z from 'zod';
import type { Limit } from '../../config/duration.ts';
import { Instant, instant } from '../../interaction/interaction.ts';

/** How much a sender may send. An absent limit is none. */
export interface SendingLimits {
  readonly rate?: Limit | undefined;
  /** The most messages in any 24 hours. */
  readonly daily?: number | undefined;
}

/** What a vendor says of the account. */
export interface AccountQuota {
  /** Messages per second. */
  readonly perSecond: number;
  /** Messages in any 24 hours. */
  readonly daily: number;
  /** How many of them all programs of the account have used. */
  readonly used: number;
}

/** Transactional messages do not wait for the others. */
export type Line = 'transactional' | 'others';

/** Why a sender does not send for now, as a failure shows it. */
const Stop = z.looseObject({
  since: Instant,
  /** When it is over, or is tried again; epoch milliseconds. */
  until: z.number(),
  reason: z.string(),
  /** Tries that the vendor refused. */
  tries: z.int().positive(),
});
export type Stop = z.infer<typeof Stop>;

/** The slots of one sender that are taken, which all workers share. Instants are epoch milliseconds. */
export const Pace = z.looseObject({
  /** Counts every change of this row. */
  version: z.int().nonnegative(),
  /** Of each line the last window in which slots are taken, and how many. */
  lines: z
    .partialRecord(
      z.enum(['transactional', 'others']),
      z.looseObject({ window: z.number(), booked: z.int().nonnegative() }),
    )
    .default({}),
  /** Slots by their hour since 1970, for the daily limit. */
  hours: z.record(z.string(), z.int()).default({}),
  /** What the vendor said last. `others`: what other programs of the account have sent in 24 hours. */
  account: z
    .looseObject({ perSecond: z.number(), daily: z.number(), others: z.number(), at: z.number() })
    .optional(),
  /** Consecutive messages that the vendor could not take. */
  failures: z.int().nonnegative().default(0),
  /** Nothing is sent before. */
  pausedUntil: z.number().default(0),
  stop: Stop.optional(),
});
export type Pace = z.infer<typeof Pace>;

export const initialPace: Pace = { version: 0, lines: {}, hours: {}, failures: 0, pausedUntil: 0 };

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
const SECOND: Limit = { count: Number.POSITIVE_INFINITY, windowMs: 1000 };

/** What a sender may send: what hub.yaml says, else what the account allows, else what the vendor gives to everybody. */
export const sendingLimitsOf = (
  configured: SendingLimits,
  { account }: Pace,
  usual: SendingLimits = {},
): SendingLimits => ({
  rate:
    configured.rate ??
    (account && { count: Math.max(1, Math.floor(account.perSecond)), windowMs: 1000 }) ??
    usual.rate,
  daily: configured.daily ?? account?.daily ?? usual.daily,
});

/** Whether messages of a sender need slots. */
export const isPaced = ({ rate, daily }: SendingLimits, { pausedUntil }: Pace, now: number): boolean =>
  rate !== undefined || daily !== undefined || pausedUntil > now;

export interface Booking {
  readonly pace: Pace;
  /** When each message may be sent, in order; not later than now: at once. */
  readonly slots: readonly number[];
  /** The first slot that the daily limit has moved. */
  readonly fullUntil?: number;
}

/**
 * Takes the next `count` slots of a line. A window of the rate has `rate.count` slots from its beginning on. Transactional
 * messages take no notice of the slots of the others, but push back those that are still to be taken.
 */
export const bookSlots = (
  pace: Pace,
  { rate = SECOND, daily = Number.POSITIVE_INFINITY }: SendingLimits,
  line: Line,
  count: number,
  now: number,
): Booking => {
  const begin = Math.max(now, pace.pausedUntil);
  const windowAt = (at: number): number => Math.floor(at / rate.windowMs) * rate.windowMs;
  const hours = new Map(
    Object.entries(pace.hours).filter(([hour]) => Number(hour) >= hourOf(now) - DAY_HOURS),
  );
  const others = line === 'others' ? [] : [pace.lines.others];
  let { window, booked } = pace.lines[line] ?? { window: 0, booked: 0 };
  if (window < windowAt(begin)) {
    window = windowAt(begin);
    booked = takenByTransactional(pace, line, window);
  }
  let isMoved = false;
  let fullUntil: number | undefined;
  const slots: number[] = [];
  while (slots.length < count) {
    if (booked >= rate.count) {
      window += rate.windowMs;
      booked = booked - rate.count + takenByTransactional(pace, line, window);
      continue;
    }
    const slot = Math.max(window, begin);
    if (usedAt(hours, slot) + othersAt(pace, slot) >= daily) {
      window = windowAt((hourOf(slot) + 1) * HOUR_MS + rate.windowMs - 1);
      booked = 0;
      isMoved = true;
      continue;
    }
    if (isMoved) fullUntil ??= slot;
    slots.push(slot);
    booked++;
    hours.set(String(hourOf(slot)), (hours.get(String(hourOf(slot))) ?? 0) + 1);
  }
  const pushed = others.flatMap((one) =>
    one && one.window > now ? [['others', { ...one, booked: one.booked + count }] as const] : [],
  );
  return {
    pace: {
      ...pace,
      lines: { ...pace.lines, ...Object.fromEntries(pushed), [line]: { window, booked } },
      hours: Object.fromEntries(hours),
    },
    slots,
    ...(fullUntil !== undefined && { fullUntil }),
  };
};

const takenByTransactional = ({ lines }: Pace, line: Line, window: number): number =>
  line === 'others' && lines.transactional?.window === window ? lines.transactional.booked : 0;

const hourOf = (at: number): number => Math.floor(at / HOUR_MS);

/** The slots in the 24 hours before the end of the slot's hour, and a part of the hour before them. */
const usedAt = (hours: ReadonlyMap<string, number>, slot: number): number => {
  let sum = 0;
  for (const [hour, count] of hours)
    if (Number(hour) >= hourOf(slot) - DAY_HOURS && Number(hour) <= hourOf(slot)) sum += count;
  return sum;
};

/** What other programs of the account have sent counts for a day after the vendor has said it. */
const othersAt = ({ account }: Pace, slot: number): number =>
  account !== undefined && slot < account.at + DAY_HOURS * HOUR_MS ? account.others : 0;

/** Records what the vendor says of the account. A daily limit below 0 is none. */
export const observeAccount = (pace: Pace, { perSecond, daily, used }: AccountQuota, now: number): Pace => {
  const own = Object.entries(pace.hours)
    .filter(([hour]) => Number(hour) > hourOf(now) - DAY_HOURS && Number(hour) <= hourOf(now))
    .reduce((sum, [, count]) => sum + count, 0);
  return {
    ...pace,
    account: {
      perSecond,
      daily: daily < 0 ? Number.MAX_SAFE_INTEGER : daily,
      others: Math.max(0, used - own),
      at: now,
    },
  };
};

/** So many messages in a row that a vendor could not take stop its sender. */
const MAX_FAILURES = 3;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 900_000;

/**
 * The pace after the vendor refused a message for now. `account`: nothing of the account can be sent, so that the sender
 * pauses at once; `down`: after three in a row. Each pause is twice as long as the one before, 15 minutes at most.
 */
export const senderRefused = (pace: Pace, why: 'account' | 'down', reason: string, now: number): Pace => {
  // Another worker has learned it at the same time.
  if (pace.pausedUntil > now) return pace;
  const failures = pace.failures + 1;
  if (why === 'down' && failures < MAX_FAILURES && pace.stop === undefined) return { ...pace, failures };
  const tries = (pace.stop?.tries ?? 0) + 1;
  const until = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 10));
  return { ...stopped(pace, { reason, until }, now), failures: 0, pausedUntil: until };
};

/** The pace after slots had to be moved because the daily limit is used up: what is due before is still sent. */
export const dailyLimitReached = (pace: Pace, about: Pick<Stop, 'reason' | 'until'>, now: number): Pace =>
  pace.stop === undefined ? stopped(pace, about, now) : pace;

const stopped = (pace: Pace, about: Pick<Stop, 'reason' | 'until'>, now: number): Pace => ({
  ...pace,
  stop: {
    since: instant(now),
    ...pace.stop,
    ...about,
    tries: (pace.stop?.tries ?? 0) + 1,
  },
});

export type SenderStatus = 'working' | 'limited' | 'paused';

/** Whether a sender sends nothing (`paused`), no more than its daily limit allows (`limited`), or whatever comes. */
export const senderStatus = ({ stop, pausedUntil }: Pace): SenderStatus => {
  if (stop === undefined) return 'working';
  // A pause sets both times at once; the daily limit leaves what is due before its end to be sent.
  return pausedUntil >= stop.until ? 'paused' : 'limited';
};

/** Whether a message that was sent changes the pace: a stop is over, or the failures before it do not count. */
export const endsStop = ({ stop, failures }: Pace, now: number): boolean =>
  failures > 0 || (stop !== undefined && stop.until <= now);

/** The pace after a message was sent. */
export const senderWorked = ({ stop, ...pace }: Pace, now: number): Pace => ({
  ...pace,
  failures: 0,
  ...(stop !== undefined && stop.until > now && { stop }),
});
