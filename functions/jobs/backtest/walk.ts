import type { Customer } from '../../../core/identity/customer.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { BacktestOutcome } from '../../../core/triggers/backtest/tally.ts';
import { asksFor, CONVERSATION_LEAD_MS } from '../../../core/triggers/backtest/words.ts';
import { isTriggeredBy } from '../../../core/triggers/decision.ts';
import { wholeSecond } from '../../../core/triggers/schedule.ts';
import { onceValue } from '../../../core/triggers/trigger.ts';
import { decideWithoutEffect } from '../../aws/triggers/decide-without-effect.ts';
import type { TriggerVersion } from '../../aws/triggers/triggers.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import { portsThen, type StoredPorts, simulated } from './ports-then.ts';
import { followCustomer } from './then.ts';

/** What is played: a trigger over the time (from, to], in epoch milliseconds. */
export interface Play {
  readonly version: TriggerVersion;
  readonly from: number;
  readonly to: number;
}

/** An interaction that set the trigger off, and what became of it. */
interface Entry {
  outcome?: BacktestOutcome;
  isDeferred: boolean;
}

/** What is decided about, kept no longer than it waits. */
interface Asked {
  readonly entry: Entry;
  readonly cause: StoredInteraction;
  readonly arrivedAt: number;
}

/** What happens at a time: an interaction arrives, or a wait ends. */
type Happening = { readonly at: number } & (
  | { readonly arrived: StoredInteraction }
  | { readonly waited: Asked }
);

const DAY_MS = 86_400_000;

/**
 * Plays a trigger over the stored history of one customer: interactions arrive when they arrived, waits end at their time,
 * and each decision is made by the code that decides live, on what was known then. It has no effect. Only what is due within
 * a day, or waits, is held in memory.
 */
export const walkHistory = async (
  ports: StoredPorts,
  { version, from, to }: Play,
  customer: Customer,
): Promise<{ readonly outcomes: BacktestOutcome[]; readonly interactions: number }> => {
  const { trigger } = version;
  const start = from - DAY_MS - (asksFor(trigger, 'conversation') ? CONVERSATION_LEAD_MS : 0);
  // Nothing is newer than the customer was last seen.
  if (customer.lastSeenAt <= instant(start)) return { outcomes: [], interactions: 0 };
  const { conversation } = await ports.hub();
  const then = followCustomer(customer, await ports.history.answers(customer), conversation.silence);
  const own = simulated();
  const used = new Map<string, Entry>();
  const entries: Entry[] = [];
  const due = inOrder();

  const decideAt = async (asked: Asked, now: number, waited: boolean): Promise<void> => {
    const { entry, cause, arrivedAt } = asked;
    const present = then.at(instant(now));
    const { decision, customer: about } = await decideWithoutEffect(
      portsThen(ports, { trigger: trigger.id, from, own }, present, now),
      { version, customer: present, cause, arrivedAt, waited },
    );
    const outcomeAt = (at: number, outcome: BacktestOutcome['outcome']): BacktestOutcome => ({
      ...{ customer: about.id, interaction: cause.id, at: instant(at), outcome },
      ...(entry.isDeferred && { deferred: true }),
    });
    if (decision.decision === 'wait') {
      const until = wholeSecond(decision.until);
      if (decision.steps.at(-1)?.step === 'quiet hours') entry.isDeferred = true;
      entry.outcome = outcomeAt(until, 'waiting');
      due.add({ at: until, waited: asked });
      return;
    }
    if (decision.decision === 'suppress') {
      const { reason, channel } = decision;
      entry.outcome = { ...outcomeAt(now, 'suppressed'), reason, ...(channel && { channel }) };
      return;
    }
    const { channel, addresses, causeOnly } = decision;
    entry.outcome = { ...outcomeAt(now, 'sent'), channel };
    // A message to a team does not count against the customer's caps.
    const category = trigger.send?.to ? undefined : trigger.category;
    own.reserve(about, causeOnly ? addresses : [], { trigger: trigger.id, category, at: now });
  };

  const take = async (happening: Happening): Promise<void> => {
    if ('waited' in happening) return decideAt(happening.waited, happening.at, true);
    const { arrived: cause, at: arrivedAt } = happening;
    then.arrive(cause);
    if (arrivedAt <= from || !isTriggeredBy(trigger, cause, arrivedAt)) return;
    const once = onceValue(trigger, cause);
    const before = once === undefined ? undefined : used.get(once);
    if (before !== undefined && !isVoid(before)) return;
    const entry: Entry = { isDeferred: false };
    if (once !== undefined) used.set(once, entry);
    entries.push(entry);
    await decideAt({ entry, cause, arrivedAt }, arrivedAt, false);
  };

  let interactions = 0;
  const range = { after: instant(start), upTo: instant(to) };
  for await (const past of ports.history.timeline(customer, range)) {
    interactions++;
    const occurredAt = Date.parse(past.occurredAt);
    for (const happening of due.takeBefore(occurredAt)) await take(happening);
    const at = Date.parse(past.receivedAt);
    // What arrived later sets nothing off, and the history of a decision tells what had arrived.
    if (at - occurredAt <= DAY_MS && at <= to) due.add({ at, arrived: past });
  }
  for (const happening of due.takeBefore(to + 1)) await take(happening);
  return { outcomes: entries.flatMap(({ outcome }) => outcome ?? []), interactions };
};

/** One that was cancelled or had no address does not use up its value of `once`. */
const isVoid = ({ outcome }: Entry): boolean =>
  outcome?.reason === 'cancelled' || outcome?.reason === 'no-address';

/** What is still to happen, in the order of time; what was added first comes first among equals. */
const inOrder = () => {
  const all: Happening[] = [];
  return {
    add(happening: Happening): void {
      const later = all.findLastIndex(({ at }) => at <= happening.at);
      all.splice(later + 1, 0, happening);
    },
    /** Everything before a time; also what is added while it is taken. */
    *takeBefore(time: number): Generator<Happening> {
      for (let next = all[0]; next !== undefined && next.at < time; next = all[0]) {
        all.shift();
        yield next;
      }
    },
  };
};
