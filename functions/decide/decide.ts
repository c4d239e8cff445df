import type { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import type { Customer } from '../../core/identity/customer.ts';
import { instant } from '../../core/interaction/interaction.ts';
import { type AddressStates, addressState } from '../../core/triggers/addresses.ts';
import {
  type Decision,
  decide as decideNow,
  isTriggeredBy,
  reachesGoal,
  type Situation,
  type SuppressionReason,
} from '../../core/triggers/decision.ts';
import { historyFacts } from '../../core/triggers/history-facts.ts';
import type { DecisionMessage, Notification, NotificationMessage } from '../../core/triggers/notification.ts';
import { templateChannels } from '../../core/triggers/template-files.ts';
import { onceValue } from '../../core/triggers/trigger.ts';
import { type Pausing, updateOptimistically } from '../aws/clients/optimistic.ts';
import type { Notifications, SendReservations } from '../aws/triggers/notifications.ts';
import type { Triggers, TriggerVersion } from '../aws/triggers/triggers.ts';
import type { ReadAddresses } from '../contracts/ports/addresses.ts';
import type { Guests } from '../contracts/ports/guests.ts';
import type { History } from '../contracts/ports/history.ts';
import type { CurrentTrigger } from '../contracts/rows/triggers.ts';
import { enterOnce } from './once.ts';

export interface DecidePorts {
  readonly triggers: Triggers;
  readonly notifications: Notifications;
  readonly history: History;
  readonly guests: Pick<Guests, 'ownerFor'>;
  readonly hub: () => Promise<HubConfig>;
  readonly addresses: ReadAddresses;
  /** Sets a timer that sends the message again. Idempotent. `at`: epoch milliseconds. */
  readonly schedule: (message: DecisionMessage, at: number) => Promise<void>;
  readonly enqueue: (message: NotificationMessage) => Promise<void>;
  readonly publishSuppressed: (notification: Notification) => Promise<void>;
  readonly now: () => number;
  readonly pausing: Pausing;
}

/**
 * Decides about one event of one trigger, or about a timer of a waiting notification. All inputs are read at this moment.
 * The decision is stored in the notification's row; a repeated message does not change it.
 */
export const decide =
  (ports: DecidePorts) =>
  async (message: DecisionMessage): Promise<void> => {
    const attempt = message.timer === 'goal' ? checkGoal : attemptDecision;
    await updateOptimistically(ports.pausing, 'The send limits of the customer', () =>
      attempt(ports, message),
    );
  };

/** False if a row changed concurrently: the caller reads everything again. */
const attemptDecision = async (ports: DecidePorts, message: DecisionMessage): Promise<boolean> => {
  const present = await ports.notifications.get(message);
  if (present && !isDue(present, message)) {
    await resume(ports, present, message);
    return true;
  }
  const [version, current, customer, cause] = await Promise.all([
    versionOf(ports, message),
    ports.triggers.current(message.trigger),
    ports.history.customer(message.profileId),
    ports.history.interaction({
      profileId: message.profileId,
      occurredAt: message.occurredAt,
      id: message.interaction,
    }),
  ]);
  const draft = present ?? newNotification(message, version);
  if (customer === undefined || cause === undefined) {
    // Erasure removes the row of a waiting notification too: only its timer shows that it existed.
    return message.timer === undefined ? true : suppress(ports, message, draft, 'erased');
  }
  if (present === undefined && !isTriggeredBy(version.trigger, cause, Date.parse(message.arrivedAt)))
    return true;
  const value = present === undefined ? onceValue(version.trigger, cause) : undefined;
  if (value !== undefined) {
    const entry = await enterOnce(ports.notifications, message, customer, value);
    if (entry !== 'first') return entry === 'taken';
  }
  if (isPaused(current, draft)) return suppress(ports, message, draft, 'paused');
  const { trigger } = version;
  const decider = trigger.anyone ? await ports.guests.ownerFor(customer, cause) : customer;
  const known = await ports.addresses(trigger, decider, cause);
  const hub = await ports.hub();
  const reservations = await ports.notifications.reservations(decider, known.limited);
  const decision = await decideOnHistory(ports, {
    trigger,
    hub,
    cause,
    carried: known.carried,
    addresses: withReservations(known.addresses, reservations),
    hubReservations: reservations.hub.reservations,
    arrivedAt: Date.parse(draft.arrivedAt),
    now: ports.now(),
    customer: decider,
    reservations: reservations.all,
    templates: Object.fromEntries(
      Object.entries(version.templates).map(([id, files]) => [
        id,
        templateChannels(files, { customer: decider.language, hub: hub.language }),
      ]),
    ),
    waited: present !== undefined,
  });
  return applyDecision(ports, message, { draft, version, customer: decider, reservations, decision });
};

const withReservations = (addresses: AddressStates, { byAddress }: SendReservations): AddressStates =>
  new Map(
    [...new Set([...addresses.keys(), ...byAddress.keys()])].map((one) => [
      one,
      { ...addressState(addresses, one), reservations: byAddress.get(one)?.reservations ?? [] },
    ]),
  );

/** A waiting row is due when its own timer has fired; every other row is decided already. */
const isDue = (present: Notification, { timer }: DecisionMessage): boolean =>
  present.status === 'waiting' && timer === present.timers;

/** A notification that waited when the trigger was paused is not sent, also after the trigger was resumed. */
const isPaused = (current: CurrentTrigger | undefined, { arrivedAt }: Notification): boolean =>
  current === undefined ||
  current.paused ||
  (current.pausedAt !== undefined && arrivedAt <= current.pausedAt);

/** Repeats the follow-ups of a stored decision: the first delivery may have crashed before them. */
const resume = async (ports: DecidePorts, present: Notification, message: DecisionMessage): Promise<void> => {
  const { status, until, timers } = present;
  if (status === 'waiting' && until !== undefined && (message.timer ?? 0) !== timers)
    await ports.schedule({ ...message, timer: timers }, Date.parse(until));
  if (status === 'reserved' || status === 'suppressed') await runFollowUps(ports, message, present);
};

interface DecisionContext {
  readonly draft: Notification;
  readonly version: TriggerVersion;
  readonly customer: Customer;
  readonly reservations: SendReservations;
  readonly decision: Decision;
}

const applyDecision = async (
  ports: DecidePorts,
  message: DecisionMessage,
  { draft, version, customer, reservations, decision }: DecisionContext,
): Promise<boolean> => {
  const at = instant(ports.now());
  const steps = [...decision.steps];
  const { goal } = version.trigger;
  const goalAt = goal && { goalAt: instant(wholeSecond(ports.now() + goal.within)) };
  if (decision.decision === 'suppress') {
    const { reason, channel } = decision;
    const withheld = { ...draft, steps, ...(channel && { channel }), ...(reason === 'holdout' && goalAt) };
    return suppress(ports, message, withheld, reason);
  }
  if (decision.decision === 'wait') {
    const until = wholeSecond(decision.until);
    const timers = draft.timers + 1;
    const waiting: Notification = { ...draft, status: 'waiting', at, timers, until: instant(until), steps };
    if (!(await ports.notifications.save(waiting))) return false;
    await ports.schedule({ ...message, timer: timers }, until);
    return true;
  }
  const { channel, addresses, template, approved, causeOnly } = decision;
  const { until: _, ...rest } = draft;
  const reserved: Notification = {
    ...rest,
    ...{ status: 'reserved', at, channel, addresses: [...addresses], template, steps },
    ...(approved && { approved }),
    ...(causeOnly && { causeOnly }),
    ...goalAt,
  };
  // A message to a team does not count against the customer's caps.
  const category = version.trigger.send.to ? undefined : draft.category;
  const reservation = { trigger: draft.trigger, category, at: ports.now() };
  if (!(await ports.notifications.reserve(reserved, customer, reservations, reservation))) return false;
  await runFollowUps(ports, message, reserved);
  return true;
};

/** EventBridge Scheduler has whole seconds, and a timer must not fire early. */
const wholeSecond = (time: number): number => Math.ceil(time / 1000) * 1000;

const suppress = async (
  ports: DecidePorts,
  message: DecisionMessage,
  draft: Notification,
  reason: SuppressionReason,
): Promise<boolean> => {
  const { until: _, ...rest } = draft;
  const suppressed: Notification = { ...rest, status: 'suppressed', at: instant(ports.now()), reason };
  if (!(await ports.notifications.save(suppressed))) return false;
  await runFollowUps(ports, message, suppressed);
  return true;
};

/**
 * Queues the send or publishes the suppression, then sets the goal's timer: a timer that is refused does not hold the
 * message back. Idempotent.
 */
const runFollowUps = async (
  ports: DecidePorts,
  message: DecisionMessage,
  decided: Notification,
): Promise<void> => {
  const { profileId, trigger, interaction, status, goalAt } = decided;
  if (status === 'reserved') await ports.enqueue({ profileId, trigger, interaction });
  else await ports.publishSuppressed(decided);
  if (goalAt !== undefined) await ports.schedule({ ...message, timer: 'goal' }, Date.parse(goalAt));
};

/** Stores at the end of a goal's window whether the customer has reached the goal since the reservation or the holdout. */
const checkGoal = async (ports: DecidePorts, message: DecisionMessage): Promise<boolean> => {
  const present = await ports.notifications.get(message);
  if (present?.goalAt === undefined || present.goal !== undefined) return true;
  const { goal } = (await versionOf(ports, message)).trigger;
  const customer = await ports.history.customer(message.profileId);
  if (goal === undefined || customer === undefined) return true;
  const upTo = Date.parse(present.goalAt);
  const from = upTo - goal.within;
  const window = { after: instant(from), upTo: instant(upTo) };
  let met: string | null = null;
  for await (const past of ports.history.timeline(customer, window)) {
    if (!reachesGoal(goal, past, from, upTo)) continue;
    met = past.id;
    break;
  }
  return ports.notifications.save({ ...present, goal: { interaction: met } });
};

const versionOf = async (
  ports: DecidePorts,
  { trigger, version }: DecisionMessage,
): Promise<TriggerVersion> => {
  const found = await ports.triggers.version(trigger, version);
  if (found) return found;
  throw new HubError(
    'unknown-trigger',
    `Version ${version} of the trigger ${trigger} is not stored. Publish the trigger again; the message is retried automatically.`,
    { retry: 'later' },
  );
};

const newNotification = (message: DecisionMessage, { trigger }: TriggerVersion): Notification => ({
  trigger: message.trigger,
  triggerVersion: message.version,
  category: trigger.category,
  profileId: message.profileId,
  interaction: message.interaction,
  occurredAt: message.occurredAt,
  arrivedAt: message.arrivedAt,
  version: 0,
  status: 'waiting',
  at: message.arrivedAt,
  timers: 0,
  steps: [],
});

/** Reads the history from the newest interaction on, no further than the decision needs. */
const decideOnHistory = async (
  { history }: DecidePorts,
  inputs: Omit<Situation, 'history'>,
): Promise<Decision> => {
  const facts = historyFacts(inputs.trigger, inputs.cause, inputs.now);
  const situation = { ...inputs, history: facts };
  const known = decideNow(situation);
  if (known) return known;
  const after = facts.start === undefined ? {} : { after: instant(facts.start) };
  for await (const past of history.timeline(inputs.customer, { ...after, order: 'newest' })) {
    const decision = facts.add(past) ? decideNow(situation) : undefined;
    if (decision) return decision;
  }
  facts.end();
  const decision = decideNow(situation);
  if (decision === undefined) throw new Error('A decision is open although the whole history was read.');
  return decision;
};
