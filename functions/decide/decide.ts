import type { Customer } from '../../core/customer.ts';
import {
  type Claimed,
  concerns,
  type Decision,
  decide as decideNow,
  historyWindow,
  type Past,
  type Reason,
} from '../../core/decision.ts';
import { HubError } from '../../core/errors.ts';
import type { HubConfig } from '../../core/hub-config.ts';
import { instant } from '../../core/interaction.ts';
import { available } from '../../core/media.ts';
import type { DecisionMessage, Notification, NotificationMessage } from '../../core/notification.ts';
import type { Notifications } from '../aws/notifications.ts';
import type { Triggers, TriggerVersion } from '../aws/triggers.ts';
import type { History } from '../ports.ts';

export interface DecidePorts {
  readonly triggers: Triggers;
  readonly notifications: Notifications;
  readonly history: History;
  readonly hub: () => Promise<HubConfig>;
  /** Sets a timer that sends the message again; setting the same one twice is one. `at`: epoch milliseconds. */
  readonly schedule: (message: DecisionMessage, at: number) => Promise<void>;
  readonly enqueue: (message: NotificationMessage) => Promise<void>;
  readonly tellSuppressed: (notification: Notification) => Promise<void>;
  readonly now: () => number;
}

const ATTEMPTS = 8;

/**
 * Decides about one event of one trigger, or about a timer of one that waited. Everything is read from history at this
 * moment. What was decided stands in the notification's row; doing the same again changes nothing.
 */
export const decide =
  (ports: DecidePorts) =>
  async (message: DecisionMessage): Promise<void> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) if (await attemptDecision(ports, message)) return;
    throw new HubError(
      'crowded',
      `The customer's limits changed ${ATTEMPTS} times in between; the queue delivers the message again.`,
      { retry: 'later' },
    );
  };

/** False when a row changed in between and all has to be read again. */
const attemptDecision = async (ports: DecidePorts, message: DecisionMessage): Promise<boolean> => {
  const present = await ports.notifications.get(message);
  if (present && !isDue(present, message)) {
    await resume(ports, present, message);
    return true;
  }
  const version = await ports.triggers.version(message.trigger, message.version);
  if (version === undefined)
    throw new HubError(
      'unknown-trigger',
      `Version ${message.version} of the trigger ${message.trigger} is not stored; publish it again.`,
      { retry: 'later' },
    );
  const draft = present ?? drafted(message, version);
  const customer = await ports.history.customer(message.half);
  const cause = await ports.history.interaction({
    half: message.half,
    occurredAt: message.occurredAt,
    id: message.interaction,
  });
  if (customer === undefined || cause === undefined) return suppress(ports, draft, 'erased', []);
  if (present === undefined && !concerns(version.trigger, cause)) return true;
  const current = await ports.triggers.current(message.trigger);
  if (current === undefined || current.paused) return suppress(ports, draft, 'paused', []);
  const claims = await ports.notifications.claims(customer);
  const decision = decideNow({
    trigger: version.trigger,
    hub: await ports.hub(),
    cause,
    arrivedAt: Date.parse(draft.arrivedAt),
    now: ports.now(),
    customer,
    history: await historyFor(ports, version, cause, customer),
    claims: claims.list,
    templates: Object.fromEntries(
      Object.entries(version.templates).map(([id, files]) => [id, available(files)]),
    ),
    waited: present !== undefined,
  });
  return carryOut(ports, message, draft, customer, claims, decision);
};

/** A row that waits is due when its own timer has fired; every other row has been decided. */
const isDue = (present: Notification, { timer }: DecisionMessage): boolean =>
  present.status === 'waiting' && timer === present.timers;

/** A message that comes again after its decision was stored: what should have followed is done, or done again. */
const resume = async (ports: DecidePorts, present: Notification, message: DecisionMessage): Promise<void> => {
  if (present.status === 'waiting' && present.until !== undefined && (message.timer ?? 0) < present.timers) {
    await ports.schedule({ ...message, timer: present.timers }, Date.parse(present.until));
  }
  if (present.status === 'claimed') await ports.enqueue(addressOf(present));
};

const carryOut = async (
  ports: DecidePorts,
  message: DecisionMessage,
  draft: Notification,
  customer: Customer,
  claims: Awaited<ReturnType<Notifications['claims']>>,
  decision: Decision,
): Promise<boolean> => {
  const at = instant(ports.now());
  const steps = [...decision.steps];
  if (decision.decision === 'suppress')
    return suppress(
      ports,
      { ...draft, ...(decision.channel && { channel: decision.channel }) },
      decision.reason,
      steps,
    );
  if (decision.decision === 'wait') {
    // Scheduler counts whole seconds.
    const until = Math.ceil(decision.until / 1000) * 1000;
    const waiting: Notification = {
      ...draft,
      status: 'waiting',
      at,
      timers: draft.timers + 1,
      until: instant(until),
      steps,
    };
    if (!(await ports.notifications.save(waiting))) return false;
    await ports.schedule({ ...message, timer: waiting.timers }, until);
    return true;
  }
  const { channel, addresses, template } = decision;
  const claimed: Notification = {
    ...draft,
    status: 'claimed',
    at,
    channel,
    addresses: [...addresses],
    template,
    steps,
  };
  const claim: Claimed = { trigger: draft.trigger, category: draft.category, at: ports.now() };
  if (!(await ports.notifications.claim(claimed, customer, claims, claim))) return false;
  await ports.enqueue(addressOf(claimed));
  return true;
};

const suppress = async (
  ports: DecidePorts,
  draft: Notification,
  reason: Reason,
  steps: Notification['steps'],
): Promise<boolean> => {
  const suppressed: Notification = {
    ...draft,
    status: 'suppressed',
    at: instant(ports.now()),
    reason,
    steps,
  };
  if (!(await ports.notifications.save(suppressed))) return false;
  await ports.tellSuppressed(suppressed);
  return true;
};

const drafted = (message: DecisionMessage, { trigger }: TriggerVersion): Notification => ({
  trigger: message.trigger,
  triggerVersion: message.version,
  category: trigger.category,
  half: message.half,
  interaction: message.interaction,
  occurredAt: message.occurredAt,
  arrivedAt: message.arrivedAt,
  version: 0,
  status: 'waiting',
  at: message.arrivedAt,
  timers: 0,
  steps: [],
});

const historyFor = async (
  ports: DecidePorts,
  { trigger }: TriggerVersion,
  cause: Past,
  customer: Customer,
): Promise<Past[]> => {
  const windowStart = ports.now() - historyWindow(trigger);
  const start =
    trigger.unless === undefined ? windowStart : Math.min(windowStart, Date.parse(cause.occurredAt) - 1);
  if (historyWindow(trigger) === 0 && trigger.unless === undefined) return [];
  const history: Past[] = [];
  for await (const past of ports.history.timeline(customer, { after: instant(start) })) history.push(past);
  return history;
};

const addressOf = ({ half, trigger, interaction }: Notification): NotificationMessage => ({
  half,
  trigger,
  interaction,
});
