import type { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { instant } from '../../core/interaction/interaction.ts';
import { entryAsCause } from '../../core/triggers/audience/entry.ts';
import { isTriggeredBy, reachesGoal, type SuppressionReason } from '../../core/triggers/decision.ts';
import type { DecisionMessage, Notification, NotificationMessage } from '../../core/triggers/notification.ts';
import { wholeSecond } from '../../core/triggers/schedule.ts';
import { onceValue } from '../../core/triggers/trigger.ts';
import { type Pausing, updateOptimistically } from '../aws/clients/optimistic.ts';
import { type Decided, decideWithoutEffect } from '../aws/triggers/decide-without-effect.ts';
import type { Notifications } from '../aws/triggers/notifications.ts';
import type { Triggers, TriggerVersion } from '../aws/triggers/triggers.ts';
import type { ReadAddresses } from '../contracts/ports/addresses.ts';
import type { Guests } from '../contracts/ports/guests.ts';
import type { History, InteractionAddress } from '../contracts/ports/history.ts';
import type { CurrentTrigger } from '../contracts/rows/triggers.ts';
import { enterOnce, isLaterEntry } from './once.ts';

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
  readonly publishWaiting: (notification: Notification) => Promise<void>;
  readonly publishGoal: (notification: Notification) => Promise<void>;
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
  const [version, current, customer, interaction] = await Promise.all([
    versionOf(ports, message),
    ports.triggers.current(message.trigger),
    ports.history.customer(message.profileId),
    message.occasion === undefined ? ports.history.interaction(causeOf(message)) : undefined,
  ]);
  const cause =
    message.occasion === undefined ? interaction : customer && entryAsCause(causeOf(message), customer);
  const draft = present ?? newNotification(message, version);
  if (customer === undefined || cause === undefined) {
    // Erasure removes the row of a waiting notification too: only its timer shows that it existed.
    return message.timer === undefined ? true : suppress(ports, message, { ...draft, timers: 1 }, 'erased');
  }
  if (present === undefined && !isTriggeredBy(version.trigger, cause, Date.parse(message.arrivedAt)))
    return true;
  const value = present === undefined ? (message.occasion ?? onceValue(version.trigger, cause)) : undefined;
  if (value !== undefined) {
    const entry = await enterOnce(ports.notifications, message, customer, value);
    if (entry !== 'first') return entry === 'taken';
  }
  if (present !== undefined && message.occasion !== undefined)
    if (await isLaterEntry(ports.notifications, present, customer, message.occasion))
      return suppress(ports, message, draft, 'cancelled');
  if (isPaused(current, draft)) return suppress(ports, message, draft, 'paused');
  const decided = await decideWithoutEffect(
    { ...ports, reservations: ports.notifications.reservations },
    { version, customer, cause, arrivedAt: Date.parse(draft.arrivedAt), waited: present !== undefined },
  );
  return applyDecision(ports, message, { draft, version, ...decided });
};

const causeOf = ({ profileId, occurredAt, interaction }: DecisionMessage): InteractionAddress => ({
  ...{ profileId, occurredAt, id: interaction },
});

/** A waiting row is due when its own timer has fired; every other row is decided already. */
const isDue = (present: Notification, { timer }: DecisionMessage): boolean =>
  present.status === 'waiting' && timer === present.timers;

/** A notification that waited when the trigger was paused is not sent, also after the trigger was resumed. */
export const isPaused = (
  current: CurrentTrigger | undefined,
  { arrivedAt }: Pick<Notification, 'arrivedAt'>,
): boolean =>
  current === undefined ||
  current.paused ||
  (current.pausedAt !== undefined && arrivedAt <= current.pausedAt);

/** Repeats the follow-ups of a stored decision: the first delivery may have crashed before them. */
const resume = async (ports: DecidePorts, present: Notification, message: DecisionMessage): Promise<void> => {
  const { status, until, timers } = present;
  if (status === 'waiting' && until !== undefined && (message.timer ?? 0) !== timers)
    await ports.schedule({ ...message, timer: timers }, Date.parse(until));
  if (status === 'waiting' && message.timer === undefined) await ports.publishWaiting(present);
  if (status === 'reserved' || status === 'suppressed') await runFollowUps(ports, message, present);
};

interface DecisionContext extends Decided {
  readonly draft: Notification;
  readonly version: TriggerVersion;
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
    const waiting: Notification = {
      ...draft,
      ...{ status: 'waiting', at, decidedAt: at, timers, until: instant(until), steps },
    };
    if (!(await ports.notifications.save(waiting))) return false;
    await ports.schedule({ ...message, timer: timers }, until);
    if (message.timer === undefined) await ports.publishWaiting(waiting);
    return true;
  }
  const { channel, addresses, template, approved, causeOnly } = decision;
  const { until: _, ...rest } = draft;
  const reserved: Notification = {
    ...rest,
    ...{ status: 'reserved', at, decidedAt: at, channel, addresses: [...addresses], template, steps },
    ...(approved && { approved }),
    ...(causeOnly && { causeOnly }),
    ...goalAt,
  };
  // A message to a team does not count against the customer's caps.
  const category = version.trigger.send?.to ? undefined : draft.category;
  const reservation = { trigger: draft.trigger, category, at: ports.now() };
  if (!(await ports.notifications.reserve(reserved, customer, reservations, reservation))) return false;
  await runFollowUps(ports, message, reserved);
  return true;
};

export const suppress = async (
  ports: DecidePorts,
  message: DecisionMessage,
  draft: Notification,
  reason: SuppressionReason,
): Promise<boolean> => {
  const { until: _, ...rest } = draft;
  const at = instant(ports.now());
  const suppressed: Notification = { ...rest, status: 'suppressed', at, decidedAt: at, reason };
  if (!(await ports.notifications.save(suppressed))) return false;
  await runFollowUps(ports, message, suppressed);
  return true;
};

/**
 * Queues the send or publishes the suppression, then sets the goal's timer: a timer that is refused does not hold the
 * message back. Idempotent.
 */
export const runFollowUps = async (
  ports: DecidePorts,
  message: DecisionMessage,
  decided: Notification,
): Promise<void> => {
  const { profileId, trigger, interaction, step, status, goalAt } = decided;
  if (status === 'reserved')
    await ports.enqueue({ profileId, trigger, interaction, ...(step !== undefined && { step }) });
  else await ports.publishSuppressed(decided);
  if (goalAt !== undefined) await ports.schedule({ ...message, timer: 'goal' }, Date.parse(goalAt));
};

/** Stores at the end of a goal's window whether the customer has reached the goal since the reservation or the holdout. */
const checkGoal = async (ports: DecidePorts, message: DecisionMessage): Promise<boolean> => {
  const present = await ports.notifications.get(message);
  if (present?.goalAt === undefined) return true;
  if (present.goal !== undefined) {
    await ports.publishGoal(present);
    return true;
  }
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
  const checked: Notification = { ...present, goal: { interaction: met } };
  if (!(await ports.notifications.save(checked))) return false;
  await ports.publishGoal(checked);
  return true;
};

/** Throws `HubError` `unknown-trigger` (later). */
export const versionOf = async (
  ports: Pick<DecidePorts, 'triggers'>,
  { trigger, version }: Pick<DecisionMessage, 'trigger' | 'version'>,
): Promise<TriggerVersion> => {
  const found = await ports.triggers.version(trigger, version);
  if (found) return found;
  throw new HubError(
    'unknown-trigger',
    `Version ${version} of the trigger ${trigger} is not stored. Publish the trigger again; the message is retried automatically.`,
    { retry: 'later' },
  );
};

export const newNotification = (
  message: DecisionMessage,
  { trigger }: Pick<TriggerVersion, 'trigger'>,
): Notification => ({
  trigger: message.trigger,
  triggerVersion: message.version,
  category: trigger.category,
  profileId: message.profileId,
  interaction: message.interaction,
  ...(message.occasion !== undefined && { occasion: message.occasion }),
  occurredAt: message.occurredAt,
  arrivedAt: message.arrivedAt,
  version: 0,
  status: 'waiting',
  at: message.arrivedAt,
  timers: 0,
  steps: [],
});
