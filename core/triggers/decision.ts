import { createHash } from 'node:crypto';
import type { Limit } from '../config/duration.ts';
import type { HubConfig } from '../config/hub-config.ts';
import type { Customer } from '../identity/customer.ts';
import type { Identifier } from '../identity/identifier.ts';
import { type CustomerSnapshot, snapshotCustomer } from '../interaction/customer-snapshot.ts';
import { type Channel, HISTORY, instant } from '../interaction/interaction.ts';
import { type AddressStates, addressState } from './addresses.ts';
import { type Chosen, chooseChannel, type SkipReason, type TemplateChannels } from './channel-choice.ts';
import { type Check, checkRecorder, type RecordCheck } from './checks.ts';
import type { Condition } from './condition.ts';
import type { CountCondition, HistoryFacts, PastInteraction } from './history-facts.ts';
import { countReservations, mergeReservations, type SendReservation } from './limits.ts';
import { cachedPattern, matches } from './pattern/index.ts';
import { instantNamed, nextOfficeHour, nextTimeOfDay, outsideQuietHours, zoneOf } from './schedule.ts';
import { namesNotifications, type SendingTrigger, type Trigger } from './trigger.ts';

/** Why a send is suppressed. */
export type SuppressionReason =
  | SkipReason
  | 'condition'
  | 'frequency-cap'
  | 'claim-cap'
  | 'holdout'
  | 'cancelled'
  | 'paused'
  | 'erased'
  | 'expired';

/** All inputs of a decision. */
export interface Situation {
  readonly trigger: SendingTrigger;
  readonly hub: HubConfig;
  /** The interaction that started the trigger. */
  readonly cause: PastInteraction;
  /** Epoch milliseconds at which its event arrived. */
  readonly arrivedAt: number;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly customer: Customer;
  /** The usable identifiers of the cause. */
  readonly carried: readonly Identifier[];
  /** The states of the cause's addresses and of the customer's own. */
  readonly addresses: AddressStates;
  /** The sends in the whole hub that claims have caused. */
  readonly hubReservations: readonly SendReservation[];
  /** The customer's history as far as it has been read. */
  readonly history: HistoryFacts;
  readonly reservations: readonly SendReservation[];
  readonly templates: Readonly<Record<string, TemplateChannels>>;
  /** True when a wait or a deferral has ended, false when the event has just arrived. */
  readonly waited: boolean;
}

/** `until`: epoch milliseconds. */
export type Decision =
  | { readonly decision: 'wait'; readonly until: number; readonly steps: readonly Check[] }
  | {
      readonly decision: 'suppress';
      readonly reason: SuppressionReason;
      readonly channel?: Channel;
      readonly steps: readonly Check[];
    }
  | ({ readonly decision: 'send'; readonly template: string; readonly steps: readonly Check[] } & Chosen);

type Outcome =
  | { readonly until: number }
  | { readonly reason: SuppressionReason; readonly channel?: Channel | undefined }
  | ({ readonly template: string } & Chosen);

const LATEST_ARRIVAL_MS = 86_400_000;

/**
 * Whether an interaction starts a trigger, matched on the customer as recorded with it. An interaction that is more than a
 * day old on arrival, or imported from a file, starts none; a notification does not start its own trigger.
 */
export const isTriggeredBy = (trigger: Trigger, cause: PastInteraction, arrivedAt: number): boolean =>
  arrivedAt - Date.parse(cause.occurredAt) <= LATEST_ARRIVAL_MS &&
  (trigger.on === undefined ||
    (cause.provider !== HISTORY &&
      (cause.kind !== 'notification' ||
        (namesNotifications(trigger.on) && cause.properties?.['trigger'] !== trigger.id)) &&
      matches(cachedPattern(trigger.on), cause)));

/**
 * Decides about one event of one trigger now: wait, send or suppress; undefined as long as older interactions than those in
 * `history` can change the decision. Pure: the same situation yields the same decision.
 */
export const decide = (situation: Situation): Decision | undefined => {
  const steps: Check[] = [];
  const outcome = evaluate(situation, checkRecorder(steps));
  if (outcome === undefined) return undefined;
  if ('until' in outcome) return { decision: 'wait', until: outcome.until, steps };
  if (!('reason' in outcome)) return { decision: 'send', ...outcome, steps };
  const { reason, channel } = outcome;
  return { decision: 'suppress', reason, ...(channel && { channel }), steps };
};

/** In the order of FORMATS: expiry and cancellation, `where`, the wait, then the checks of the send. */
const evaluate = (situation: Situation, recordStep: RecordCheck): Outcome | undefined => {
  const { now, waited } = situation;
  if (now > sendDeadline(situation)) return { reason: 'expired' };
  const ended = endOfEntry(situation, recordStep);
  if (ended !== 'none') return ended && { reason: ended };
  const until = waited ? undefined : waitEnd(situation);
  if (until === undefined) return evaluateSend(situation, recordStep);
  recordStep(
    'wait',
    Number.isNaN(until) ? 'the time is missing, invalid or past' : `until ${instant(until)}`,
    Number.isNaN(until) ? undefined : { until: instant(until) },
  );
  if (Number.isNaN(until) || until > sendDeadline(situation)) return { reason: 'expired' };
  if (until > now) return { until };
  const cancelled = isCancelled(situation, recordStep);
  if (cancelled !== false) return cancelled && { reason: 'cancelled' };
  return evaluateSend(situation, recordStep);
};

/** Why an entry ends whatever it sends: `unless` after a wait, or `where`. Undefined if older interactions decide. */
export const endOfEntry = (
  situation: ConditionContext & {
    readonly trigger: Pick<Trigger, 'where' | 'unless'>;
    readonly waited: boolean;
  },
  recordStep: RecordCheck,
): 'cancelled' | 'condition' | 'none' | undefined => {
  const isCancelledAfterWait = situation.waited && isCancelled(situation, recordStep);
  if (isCancelledAfterWait !== false) return isCancelledAfterWait && 'cancelled';
  const isMet = areConditionsMet(situation.trigger.where, situation, recordStep);
  return isMet === undefined ? undefined : isMet ? 'none' : 'condition';
};

/** What conditions are evaluated on. */
type ConditionContext = Pick<Situation, 'cause' | 'customer' | 'history'>;

/** Whether all conditions hold now; undefined if older interactions decide. */
export const areConditionsMet = (
  conditions: readonly Condition[],
  situation: ConditionContext,
  recordStep: RecordCheck,
): boolean | undefined => {
  const { profileId, isNew } = situation.cause.customer;
  const customerNow = snapshotCustomer(situation.customer, profileId, isNew);
  return isConditionMet({ all: conditions }, situation, customerNow, recordStep);
};

const evaluateSend = (situation: Situation, recordStep: RecordCheck): Outcome => {
  const { trigger, hub, now, customer } = situation;
  const template = templateFor(trigger, customer.id);
  const choice = chooseChannel(situation, template, recordStep);
  if ('reason' in choice) return choice;
  const toCustomer = trigger.send.to === undefined;
  if (toCustomer && exceedsClaims(situation, choice, recordStep))
    return { reason: 'claim-cap', channel: choice.channel };
  const { perCustomer } = trigger.limits;
  const isOfTrigger = (one: SendReservation): boolean => isEntry(one, trigger);
  if (
    perCustomer &&
    isLimitReached(situation, 'perCustomer', perCustomer, isOfTrigger, recordStep, choice.addresses)
  )
    return { reason: 'frequency-cap' };
  const cap = trigger.category === 'transactional' ? undefined : hub.caps[trigger.category];
  if (
    cap &&
    toCustomer &&
    isLimitReached(situation, 'cap', cap, (one) => one.category === trigger.category, recordStep)
  )
    return { reason: 'frequency-cap' };
  const free = quietUntil(situation);
  if (free > now) {
    recordStep('quiet hours', `until ${instant(free)}`, {
      until: instant(free),
      zone: zoneOf(customer.timeZone, hub.timeZone),
    });
    return free > sendDeadline(situation) ? { reason: 'expired' } : { until: free };
  }
  return isHeldOut(trigger, customer.id) ? { reason: 'holdout' } : { ...choice, template };
};

/** The last instant at which the message may still be sent. `arrivedAt`: of the event; of a step, when it fell due. */
export const sendDeadline = ({
  trigger,
  arrivedAt,
}: {
  readonly trigger: Pick<Trigger, 'limits'>;
  readonly arrivedAt: number;
}): number => arrivedAt + (trigger.limits.expires ?? Number.POSITIVE_INFINITY);

/** When the wait ends, in epoch milliseconds; undefined without a wait; NaN if its time is missing, invalid or past. */
export const waitEnd = ({
  trigger: { wait, until },
  arrivedAt,
  cause,
  customer,
  hub,
}: Pick<Situation, 'arrivedAt' | 'cause' | 'customer' | 'hub'> & {
  readonly trigger: Pick<Trigger, 'wait' | 'until'>;
}): number | undefined => {
  if (wait !== undefined) return arrivedAt + wait;
  if (until === undefined) return undefined;
  const zone = zoneOf(customer.timeZone, hub.timeZone);
  if (typeof until === 'number') return nextTimeOfDay(arrivedAt, until, zone);
  if ('open' in until) return nextOfficeHour(arrivedAt, hub.hours[until.open], hub.timeZone);
  const value: unknown = until.property
    .split('.')
    .reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), cause.properties);
  const at = typeof value === 'string' ? instantNamed(value, zone) : Number.NaN;
  const end = at - (until.minus ?? 0) + (until.plus ?? 0);
  return end >= arrivedAt ? end : Number.NaN;
};

/** When the quiet hours of the customer are over, if the trigger respects them; `now` outside of them. */
export const quietUntil = ({
  trigger,
  hub,
  now,
  customer,
}: Pick<Situation, 'trigger' | 'hub' | 'now' | 'customer'>): number =>
  trigger.category === 'transactional'
    ? now
    : outsideQuietHours(
        now,
        trigger.limits.quietHours ?? hub.quietHours,
        zoneOf(customer.timeZone, hub.timeZone),
      );

/** `to`: addresses whose reservations count as well, also those for causes of other customers. */
const isLimitReached = (
  { reservations, addresses, now }: Situation,
  step: string,
  limit: Limit,
  which: (reservation: SendReservation) => boolean,
  recordStep: RecordCheck,
  to: readonly Identifier[] = [],
): boolean => {
  const atAddresses = to.flatMap((one) => addressState(addresses, one).reservations);
  const count = countReservations(mergeReservations(reservations, atAddresses), limit, now, which);
  recordStep(step, `${count} of ${limit.count} in the window`, {
    ...{ count, most: limit.count, window: limit.windowMs },
  });
  return count >= limit.count;
};

/** Whether a reservation is an entry of a trigger, of which a series makes one, whatever its steps send. */
const isEntry = (reservation: SendReservation, { id }: Pick<Trigger, 'id'>): boolean =>
  reservation.trigger === id && reservation.step === undefined;

/** Whether a customer may not enter a series again yet. */
export const isEntryLimitReached = (
  { trigger, reservations, now }: Pick<Situation, 'reservations' | 'now'> & { readonly trigger: Trigger },
  recordStep: RecordCheck,
): boolean => {
  const { perCustomer } = trigger.limits;
  if (perCustomer === undefined) return false;
  const count = countReservations(reservations, perCustomer, now, (one) => isEntry(one, trigger));
  recordStep('perCustomer', `${count} of ${perCustomer.count} in the window`);
  return count >= perCustomer.count;
};

/** FORMATS, `claims`: the limits for messages to guests, per address and for the whole hub. */
const exceedsClaims = (
  { hub, customer, addresses, hubReservations, now }: Situation,
  { channel, addresses: chosen }: Chosen,
  recordStep: RecordCheck,
): boolean => {
  if (!customer.guest) return false;
  const { sms, perAddress, hub: hubLimit } = hub.claims;
  if (channel === 'sms' && !sms) {
    recordStep('claims', 'no SMS to a claimed number');
    return true;
  }
  const [address = ''] = chosen;
  const all = (): boolean => true;
  const toAddress = countReservations(addressState(addresses, address).reservations, perAddress, now, all);
  const inHub = countReservations(hubReservations, hubLimit, now, all);
  recordStep(
    'claims',
    `${toAddress} of ${perAddress.count} to the address, ${inHub} of ${hubLimit.count} in the hub`,
  );
  return toAddress >= perAddress.count || inHub >= hubLimit.count;
};

/** Whether `unless` matches an interaction that has arrived and did not occur before the cause; undefined if not known yet. */
const isCancelled = (
  { trigger, history }: { readonly trigger: Pick<Trigger, 'unless'>; readonly history: HistoryFacts },
  recordStep: RecordCheck,
): boolean | undefined => {
  if (trigger.unless === undefined) return false;
  const found = history.cancelling();
  if (found === undefined) return undefined;
  const { newest } = found;
  recordStep(
    'unless',
    newest ? `interaction ${newest.id}` : 'nothing',
    newest && { interaction: newest.id, kind: newest.kind, occurredAt: newest.occurredAt },
  );
  return found.newest !== undefined;
};

/**
 * Whether a customer meets all of some conditions now; undefined as long as older interactions than those in `history` can
 * change the answer. `profile`: the customer's snapshot.
 */
export const meetsConditions = (
  conditions: readonly Condition[],
  situation: Pick<Situation, 'customer' | 'history'>,
  profile: CustomerSnapshot,
): boolean | undefined => isConditionMet({ all: conditions }, situation, profile, () => undefined);

/** Undefined if older interactions decide. Conditions behind the first that decides are not looked at. */
const isConditionMet = (
  condition: Condition,
  situation: Pick<ConditionContext, 'customer' | 'history'>,
  customer: CustomerSnapshot,
  recordStep: RecordCheck,
): boolean | undefined => {
  const firstOther = (conditions: readonly Condition[], expected: boolean): boolean | undefined => {
    for (const one of conditions) {
      const isMet = isConditionMet(one, situation, customer, recordStep);
      if (isMet !== expected) return isMet;
    }
    return expected;
  };
  if ('not' in condition) {
    const isMet = isConditionMet(condition.not, situation, customer, recordStep);
    return isMet === undefined ? undefined : !isMet;
  }
  if ('any' in condition) return firstOther(condition.any, false);
  if ('all' in condition) return firstOther(condition.all, true);
  if ('customer' in condition) {
    const isMatch = matches(cachedPattern(condition.customer), customer);
    recordStep(`customer ${JSON.stringify(condition.customer)}`, isMatch ? 'holds' : 'does not hold', {
      found: comparedValues(condition.customer, customer),
    });
    return isMatch;
  }
  if ('conversation' in condition) {
    const [since] = situation.customer.conversation?.open ?? [];
    recordStep('conversation', since === undefined ? 'nobody waits' : `waits since ${since}`);
    return since === undefined;
  }
  return isCountMet(condition, situation, recordStep);
};

const isCountMet = (
  condition: CountCondition,
  { history }: Pick<ConditionContext, 'history'>,
  recordStep: RecordCheck,
): boolean | undefined => {
  const counted = history.counted(condition);
  if (counted === undefined) return undefined;
  const { count, isAll } = counted;
  const { within, atLeast, atMost, exactly } = condition;
  recordStep(`count ${JSON.stringify(condition.count)}`, isAll ? String(count) : `${count} or more`, {
    ...{ count, isAll, within },
    ...(atLeast !== undefined && { atLeast }),
    ...(atMost !== undefined && { atMost }),
    ...(exactly !== undefined && { exactly }),
  });
  return (
    count >= (condition.atLeast ?? 0) &&
    count <= (condition.atMost ?? count) &&
    count === (condition.exactly ?? count)
  );
};

/** What the profile has at the keys of a pattern; absent where it has nothing. */
const comparedValues = (
  pattern: Readonly<Record<string, unknown>>,
  customer: CustomerSnapshot,
): NonNullable<Check['values']> =>
  Object.fromEntries(
    Object.entries(customer).flatMap(([key, value]) => (Object.hasOwn(pattern, key) ? [[key, value]] : [])),
  );

/** Whether an interaction in (from, upTo], in epoch milliseconds, reaches a goal. */
export const reachesGoal = (
  goal: NonNullable<Trigger['goal']>,
  past: PastInteraction,
  from: number,
  upTo: number,
): boolean =>
  past.occurredAt > instant(from) &&
  past.occurredAt <= instant(upTo) &&
  // What a machine wrote is not what the customer did.
  past.properties?.['automated'] !== true &&
  matches(cachedPattern(goal.on), past);

/** A number in [0, 1) that is constant for a customer, a trigger and a purpose. */
export const fraction = (trigger: string, purpose: string, customer: Customer['id']): number =>
  createHash('sha256')
    .update(JSON.stringify([trigger, purpose, customer]))
    .digest()
    .readUInt32BE(0) /
  2 ** 32;

const isHeldOut = ({ id, send }: SendingTrigger, customer: string): boolean =>
  fraction(id, 'holdout', customer) < (send.holdout ?? 0);

/** The template of a customer's variant. */
const templateFor = ({ id, send }: SendingTrigger, customer: string): string => {
  let left = fraction(id, 'variant', customer);
  for (const { template, share } of send.variants) {
    if (left < share) return template;
    left -= share;
  }
  return send.template;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
