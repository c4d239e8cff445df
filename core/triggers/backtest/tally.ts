import * as z from 'zod';
import { Channel, Instant } from '../../interaction/interaction.ts';

const Count = z.int().nonnegative();

/** What a trigger would have decided about one interaction. */
export const BacktestOutcome = z.strictObject({
  /** The id of the customer, as it is now. */
  customer: z.string(),
  interaction: z.string(),
  /** When it would have been decided last; of one that waits, when its wait ends. */
  at: Instant,
  outcome: z.enum(['sent', 'suppressed', 'waiting']),
  channel: Channel.optional(),
  reason: z.string().optional(),
  /** Set where quiet hours have put it off. */
  deferred: z.literal(true).optional(),
});
export type BacktestOutcome = z.infer<typeof BacktestOutcome>;

/** What a trigger would have done, counted; its size does not grow with the history. */
export const BacktestTally = z.strictObject({
  /** Customers looked at, and the interactions that were read of them. */
  customers: Count,
  interactions: Count,
  /** How many interactions would have set the trigger off, and of how many customers. */
  matched: Count,
  matchedCustomers: Count,
  sent: Count,
  /** Customers who would have got a message. */
  people: Count,
  deferred: Count,
  /** Whose wait would not have ended yet. */
  waiting: Count,
  /** By reason. */
  suppressed: z.record(z.string(), Count),
  /** What would have been sent, by channel. */
  channels: z.record(z.string(), Count),
  /** By day, in the time zone of the hub. */
  days: z.record(z.string(), z.strictObject({ sent: Count, suppressed: Count })),
  /** The first, by the time of their decision. */
  first: z.array(BacktestOutcome),
});
export type BacktestTally = z.infer<typeof BacktestTally>;

export const emptyTally: BacktestTally = {
  ...{ customers: 0, interactions: 0, matched: 0, matchedCustomers: 0 },
  ...{ sent: 0, people: 0, deferred: 0, waiting: 0 },
  ...{ suppressed: {}, channels: {}, days: {}, first: [] },
};

/** Adds what was decided about one customer. `list`: how many of the first outcomes are kept; `dayOf`: the day of an instant. */
export const addToTally = (
  tally: BacktestTally,
  {
    outcomes,
    interactions,
  }: { readonly outcomes: readonly BacktestOutcome[]; readonly interactions: number },
  { list, dayOf }: { readonly list: number; readonly dayOf: (at: Instant) => string },
): BacktestTally => {
  const of = (outcome: BacktestOutcome['outcome']): BacktestOutcome[] =>
    outcomes.filter((one) => one.outcome === outcome);
  const [sent, suppressed] = [of('sent'), of('suppressed')];
  const days = { ...tally.days };
  for (const { at, outcome } of [...sent, ...suppressed]) {
    const day = dayOf(at);
    const counted = days[day] ?? { sent: 0, suppressed: 0 };
    days[day] =
      outcome === 'sent'
        ? { ...counted, sent: counted.sent + 1 }
        : { ...counted, suppressed: counted.suppressed + 1 };
  }
  return {
    customers: tally.customers + 1,
    interactions: tally.interactions + interactions,
    matched: tally.matched + outcomes.length,
    matchedCustomers: tally.matchedCustomers + (outcomes.length > 0 ? 1 : 0),
    sent: tally.sent + sent.length,
    people: tally.people + (sent.length > 0 ? 1 : 0),
    deferred: tally.deferred + outcomes.filter(({ deferred }) => deferred).length,
    waiting: tally.waiting + of('waiting').length,
    suppressed: addCounts(
      tally.suppressed,
      suppressed.map(({ reason = 'unknown' }) => reason),
    ),
    channels: addCounts(
      tally.channels,
      sent.map(({ channel = 'unknown' }) => channel),
    ),
    days,
    first: [...tally.first, ...outcomes].sort(byTime).slice(0, list),
  };
};

const addCounts = (
  counts: Readonly<Record<string, number>>,
  names: readonly string[],
): Record<string, number> => {
  const added = { ...counts };
  for (const name of names) added[name] = (added[name] ?? 0) + 1;
  return added;
};

const byTime = (one: BacktestOutcome, other: BacktestOutcome): number => (keyOf(one) < keyOf(other) ? -1 : 1);
const keyOf = ({ at, customer, interaction }: BacktestOutcome): string => `${at} ${customer} ${interaction}`;

/** The result of a backtest. */
export const BacktestResult = z.strictObject({
  trigger: z.string(),
  from: Instant,
  to: Instant,
  /** Where the days begin. */
  timeZone: z.string(),
  ...BacktestTally.omit({ first: true }).shape,
  /** The first outcomes with the names of the customers and the reason in a sentence. */
  first: z.array(BacktestOutcome.extend({ name: z.string().optional(), sentence: z.string() })),
  /** What the history cannot say, as sentences. */
  unknown: z.array(z.string()),
});
export type BacktestResult = z.infer<typeof BacktestResult>;
