import { instant } from '../../interaction/interaction.ts';
import { type Check, checkRecorder } from '../checks.ts';
import {
  areConditionsMet,
  type Decision,
  decide,
  endOfEntry,
  fraction,
  type Situation,
  waitEnd,
} from '../decision.ts';
import { type HistoryFacts, historyFacts, type PastInteraction } from '../history-facts.ts';
import type { Notification } from '../notification.ts';
import { matches, parsePattern } from '../pattern/index.ts';
import { type Step, type Trigger, withoutNotifications } from '../trigger.ts';
import type { Place } from './place.ts';
import { sendingTrigger } from './sending-trigger.ts';
import { beginOf, type Series, type Stop, seriesOf } from './steps.ts';

/** All inputs of a move, save the history. */
export interface SeriesSituation extends Omit<Situation, 'trigger' | 'arrivedAt' | 'waited' | 'history'> {
  readonly trigger: Trigger;
  readonly place: Place;
  /** Whether the timer of the place has fired. */
  readonly hasFired: boolean;
  /** The interaction whose event arrived now, if one did. */
  readonly event?: PastInteraction | undefined;
  /** The message of the step before, as far as it was decided. */
  readonly before?: Pick<Notification, 'status' | 'at'> | undefined;
}

/** Whether a step is due. All times are epoch milliseconds. */
export type Due =
  /** Its timer is set already. */
  | { readonly due: 'later' }
  | { readonly due: 'wait'; readonly until: number }
  /** `since`: when it fell due. `matched`: the interaction for which it waited. */
  | { readonly due: 'now'; readonly since: number; readonly matched?: string }
  /** The time for which it waits is missing, invalid or past. */
  | { readonly due: 'never' };

/** What a due step does. */
export type Move =
  /** Goes on to another step, or to the end. `since`: epoch milliseconds. */
  | { readonly move: 'on'; readonly to: string | undefined; readonly since: number }
  /** Its message is deferred. */
  | { readonly move: 'wait'; readonly until: number }
  /** Its message was decided, or not to go on. `ends`: the series ends for the customer; otherwise it goes on. */
  | {
      readonly move: 'message';
      readonly decision: Exclude<Decision, { decision: 'wait' }>;
      readonly to: string | undefined;
      readonly ends: boolean;
    };

/** A message that its sender has not taken at the end of the next wait is looked at again after this time. */
const LOOK_AGAIN_MS = 900_000;

/**
 * The step at which a place stands. Throws where the trigger has no such step: it is then not the version with which the
 * customer has started.
 */
const stopOf = (series: Series, { step }: Pick<Place, 'step'>): Stop => {
  const found = series.get(step);
  if (found) return found;
  throw new Error(`The series has no step ${step}.`);
};

/**
 * Whether the step at which a place stands is due, and since when; undefined as long as older interactions than those in
 * `arrivals` (of `arrivalsFor`) can change it.
 */
export const dueOf = (situation: SeriesSituation, arrivals: HistoryFacts): Due | undefined => {
  const { place, now, hasFired, before } = situation;
  const { step } = stopOf(seriesOf(situation.trigger), place);
  const until = place.until === undefined ? undefined : Date.parse(place.until);
  const isOver = until !== undefined && (hasFired || until <= now);
  if (until !== undefined && !isOver) {
    const { event } = situation;
    return event && place.dueAt === undefined && isAwaited(situation, event)
      ? { due: 'now', since: now, matched: event.id }
      : { due: 'later' };
  }
  if (place.dueAt !== undefined) return { due: 'now', since: Date.parse(place.dueAt) };
  if (isOver && place.sinceMessage && before !== undefined) {
    if (before.status === 'reserved' || before.status === 'sending')
      return { due: 'wait', until: now + LOOK_AGAIN_MS };
  }
  const found = step.await === undefined ? undefined : arrivals.cancelling();
  if (step.await !== undefined && found === undefined) return undefined;
  if (found?.newest) return { due: 'now', since: now, matched: found.newest.id };
  const end = endOfWait(situation, step);
  if (end === undefined) return { due: 'now', since: waitStart(situation) };
  if (Number.isNaN(end)) return { due: 'never' };
  // A timer that fires early by the clock of this function is not set again.
  return end <= now || (hasFired && until !== undefined && end <= until)
    ? { due: 'now', since: end }
    : { due: 'wait', until: end };
};

/** When the wait of a step begins: when the step before was passed, or its message sent. */
const waitStart = ({ place, before }: Pick<SeriesSituation, 'place' | 'before'>): number => {
  const since = Date.parse(place.since);
  const isDecided = place.sinceMessage && before !== undefined && before.status !== 'waiting';
  return isDecided ? Math.max(since, Date.parse(before.at)) : since;
};

/** Undefined without a wait; NaN if its time is missing, invalid or past. */
const endOfWait = (situation: SeriesSituation, { wait, until, within }: Step): number | undefined => {
  const arrivedAt = waitStart(situation);
  return waitEnd({ ...situation, arrivedAt, trigger: { wait: wait ?? within, until } });
};

/** Providers give times in whole seconds: what occurred in the second in which a wait begins counts. */
const firstInstant = (situation: SeriesSituation): string => {
  const start = Date.parse(situation.place.since);
  return instant(start - (start % 1000));
};

/** Whether an interaction is the one for which the step waits. */
const isAwaited = (situation: SeriesSituation, past: PastInteraction): boolean => {
  const { step } = stopOf(seriesOf(situation.trigger), situation.place);
  const { interaction, matched } = situation.place;
  return (
    step.await !== undefined &&
    past.id !== interaction &&
    past.id !== matched &&
    past.occurredAt >= firstInstant(situation) &&
    matches(parsePattern(withoutNotifications(step.await)), past)
  );
};

/** The facts about what has arrived already of that for which a step waits. */
export const arrivalsFor = (situation: SeriesSituation): HistoryFacts => {
  const { place, now } = situation;
  const { step } = stopOf(seriesOf(situation.trigger), place);
  const from = { id: place.matched ?? place.interaction, occurredAt: firstInstant(situation) };
  const unless = step.await && withoutNotifications(step.await);
  return historyFacts({ where: [], unless }, from, now);
};

/** The facts that a due step asks for. */
export const factsFor = ({ trigger, place, cause, now }: SeriesSituation): HistoryFacts => {
  const { branch = [] } = stopOf(seriesOf(trigger), place).step;
  const where = [...trigger.where, ...branch.flatMap((way) => way.where)];
  return historyFacts({ where, unless: trigger.exit }, cause, now);
};

/**
 * What a due step does. `since`: when it fell due, in epoch milliseconds. Undefined as long as older interactions than those
 * in `history` can change it. Pure: the same situation yields the same move.
 */
export const moveOf = (
  situation: SeriesSituation,
  since: number,
  history: HistoryFacts,
): Move | undefined => {
  const { trigger, place, customer } = situation;
  const series = seriesOf(trigger);
  const stop = stopOf(series, place);
  const { step, next } = stop;
  if (step.send !== undefined) {
    const decision = decide({
      ...situation,
      ...{ trigger: sendingTrigger(trigger, place.step), arrivedAt: since, waited: true, history },
    });
    if (decision === undefined) return undefined;
    if (decision.decision === 'wait') return { move: 'wait', until: decision.until };
    const ends = decision.decision === 'suppress' && endsSeries(decision.reason);
    return { move: 'message', decision, to: next, ends };
  }
  const steps: Check[] = [];
  const recordStep = checkRecorder(steps);
  const conditions = { where: trigger.where, unless: trigger.exit };
  const ended = endOfEntry({ ...situation, trigger: conditions, history, waited: true }, recordStep);
  if (ended === undefined) return undefined;
  if (ended !== 'none') {
    const decision = { decision: 'suppress', reason: ended, steps } as const;
    return { move: 'message', decision, to: undefined, ends: true };
  }
  if (step.split !== undefined)
    return {
      move: 'on',
      to: beginOf(series, stop, shareOf(step.split, trigger.id, place.step, customer.id)),
      since,
    };
  if (step.branch === undefined) return { move: 'on', to: next, since };
  for (const way of step.branch) {
    const isMet = areConditionsMet(way.where, { ...situation, history }, recordStep);
    if (isMet === undefined) return undefined;
    if (isMet) return { move: 'on', to: beginOf(series, stop, way.steps), since };
  }
  return { move: 'on', to: next, since };
};

/** A step whose time is missing, invalid or past is passed. */
export const expiredAt = ({ trigger, place }: Pick<SeriesSituation, 'trigger' | 'place'>): Move => ({
  ...{ move: 'message', to: stopOf(seriesOf(trigger), place).next, ends: false },
  decision: {
    ...{ decision: 'suppress', reason: 'expired' },
    steps: [{ step: 'wait', result: 'the time is missing, invalid or past' }],
  },
});

/** Whether a suppression ends the series; any other passes its step. */
const endsSeries = (reason: string): boolean => /^(?:condition|cancelled|holdout)$/u.test(reason);

/** The way of a customer; undefined where the shares leave the customer none. */
const shareOf = (
  ways: NonNullable<Step['split']>,
  trigger: string,
  step: string,
  customer: string,
): readonly Step[] | undefined => {
  let left = fraction(trigger, `split ${step}`, customer);
  for (const { share, steps } of ways) {
    if (share === undefined) continue;
    if (left < share) return steps;
    left -= share;
  }
  return ways.find(({ share }) => share === undefined)?.steps;
};
