import { createHash } from 'node:crypto';
import { addressTypesOf, type Category } from './consent.ts';
import type { Customer, CustomerSnapshot } from './customer.ts';
import { snapshot } from './customer.ts';
import type { HubConfig } from './hub-config.ts';
import { type Identifier, identifierType } from './identifier.ts';
import { type Channel, Channel as ChannelName, type Interaction } from './interaction.ts';
import { matches, type Pattern, parsePattern } from './pattern/index.ts';
import { nextTimeOfDay, outsideQuietHours } from './schedule.ts';
import { type Condition, consentAllows, namesNotifications, type Trigger } from './trigger.ts';

export type Reason =
  | 'condition'
  | 'no-address'
  | 'address-closed'
  | 'no-consent'
  | 'channel-closed'
  | 'no-template'
  | 'frequency-cap'
  | 'holdout'
  | 'cancelled'
  | 'paused'
  | 'erased'
  | 'expired';

/** An interaction of the past, as the decision reads it. */
export interface Past extends Interaction {
  readonly receivedAt: string;
  readonly customer: CustomerSnapshot;
}

/** A claim that counts against limits. */
export interface Claimed {
  readonly trigger: string;
  readonly category: Category;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Which media a template can be sent through; for WhatsApp also whether it is an approved one. */
export interface Available {
  readonly channels: readonly Channel[];
  readonly approvedWhatsApp: boolean;
}

/** Everything a decision may look at. Nothing else decides. */
export interface Situation {
  readonly trigger: Trigger;
  readonly hub: HubConfig;
  /** The interaction that set the trigger off, as recorded. */
  readonly cause: Past;
  /** Epoch milliseconds at which its event arrived. */
  readonly arrivedAt: number;
  readonly now: number;
  readonly customer: Customer;
  /** The customer's interactions, as far back as `historyWindow` asks for. */
  readonly history: readonly Past[];
  readonly claims: readonly Claimed[];
  readonly templates: Readonly<Record<string, Available>>;
  /** Whether a wait or a deferral has ended; false when the event has just arrived. */
  readonly waited: boolean;
}

/** One thing that was looked at, for whoever asks why. */
export interface Step {
  readonly step: string;
  readonly result: string;
}

export type Decision =
  | { readonly decision: 'wait'; readonly until: number; readonly steps: readonly Step[] }
  | {
      readonly decision: 'suppress';
      readonly reason: Reason;
      readonly channel?: Channel;
      readonly steps: readonly Step[];
    }
  | {
      readonly decision: 'send';
      readonly channel: Channel;
      readonly addresses: readonly string[];
      readonly template: string;
      readonly steps: readonly Step[];
    };

const LATEST_ARRIVAL_MS = 86_400_000;
const WHATSAPP_WINDOW_MS = 86_400_000;

/** How far back a trigger's conditions look, in milliseconds before now. */
export const historyWindow = (trigger: Trigger): number => Math.max(0, ...trigger.where.map(windowOf));

const windowOf = (condition: Condition): number => {
  if ('count' in condition) return condition.within;
  if ('not' in condition) return windowOf(condition.not);
  if ('any' in condition) return Math.max(...condition.any.map(windowOf));
  return 'all' in condition ? Math.max(...condition.all.map(windowOf)) : 0;
};

/** Whether an event concerns a trigger at all, on the customer as recorded with it. What arrived a day late or later concerns none. */
export const concerns = (trigger: Trigger, cause: Past): boolean =>
  Date.parse(cause.receivedAt) - Date.parse(cause.occurredAt) <= LATEST_ARRIVAL_MS &&
  (cause.kind !== 'notification' || namesNotifications(trigger.on)) &&
  matchesPast(pattern(trigger.on), cause);

const patterns = new WeakMap<object, Pattern>();
const pattern = (input: object): Pattern => {
  const known = patterns.get(input) ?? parsePattern(input);
  patterns.set(input, known);
  return known;
};
const matchesPast = (one: Pattern, past: Past): boolean => matches(one, past);

/** What to do about one event of one trigger now. Pure: the same situation always gives the same decision. */
export const decide = (situation: Situation): Decision => {
  const { trigger, now, arrivedAt, cause, waited } = situation;
  const steps: Step[] = [];
  const suppress = (reason: Reason, channel?: Channel): Decision => ({
    decision: 'suppress',
    reason,
    ...(channel && { channel }),
    steps,
  });
  const expires = trigger.limits.expires;
  if (expires !== undefined && now > arrivedAt + expires) return suppress('expired');
  if (waited && trigger.unless !== undefined && cancelled(trigger.unless, situation))
    return suppress('cancelled');
  const snapshotNow = snapshot(situation.customer, cause.customer.half, cause.customer.isNew);
  for (const condition of trigger.where) {
    const held = holds(condition, situation, snapshotNow);
    steps.push({ step: `where ${JSON.stringify(condition)}`, result: held ? 'holds' : 'does not hold' });
    if (!held) return suppress('condition');
  }
  if (!waited) {
    const until = waitEnd(situation);
    if (until === 'past') return suppress('expired');
    if (until !== undefined && until > now) {
      if (expires !== undefined && until > arrivedAt + expires)
        steps.push({ step: 'wait', result: 'ends after the trigger expires' });
      return { decision: 'wait', until, steps };
    }
  }
  const template = templateFor(trigger, situation.customer.id);
  const choice = trigger.send.to
    ? chooseTeam(situation, trigger.send.to.team, template, steps)
    : chooseChannel(situation, template, steps);
  return decideSend(situation, choice, template, steps);
};

/** The last part of a decision: where to, how often, when; the same for customers and colleagues but for what does not apply to these. */
const decideSend = (situation: Situation, choice: Choice, template: string, steps: Step[]): Decision => {
  const { trigger, hub, now, arrivedAt, customer } = situation;
  const suppress = (reason: Reason, channel?: Channel): Decision => ({
    decision: 'suppress',
    reason,
    ...(channel && { channel }),
    steps,
  });
  if ('reason' in choice) return suppress(choice.reason, choice.channel);
  const limit = trigger.limits.perCustomer;
  if (limit && countClaims(situation, limit.windowMs, (one) => one.trigger === trigger.id) >= limit.count) {
    steps.push({ step: 'perCustomer', result: `${limit.count} claims within the window already` });
    return suppress('frequency-cap');
  }
  const cap =
    trigger.category === 'transactional' || trigger.send.to ? undefined : hub.caps[trigger.category];
  if (cap && countClaims(situation, cap.windowMs, (one) => one.category === trigger.category) >= cap.count) {
    steps.push({ step: 'cap', result: `${cap.count} ${trigger.category} claims within the window already` });
    return suppress('frequency-cap');
  }
  const quiet = trigger.limits.quietHours ?? hub.quietHours;
  const free =
    trigger.category === 'transactional'
      ? now
      : outsideQuietHours(now, quiet, customer.timeZone ?? hub.timeZone);
  if (free > now) {
    steps.push({ step: 'quiet hours', result: `until ${new Date(free).toISOString()}` });
    if (trigger.limits.expires !== undefined && free > arrivedAt + trigger.limits.expires)
      return suppress('expired');
    return { decision: 'wait', until: free, steps };
  }
  if (
    trigger.send.holdout !== undefined &&
    fraction(trigger.id, 'holdout', customer.id) < trigger.send.holdout
  ) {
    return suppress('holdout');
  }
  return { decision: 'send', channel: choice.channel, addresses: choice.addresses, template, steps };
};

/** Colleagues instead of the customer: the addresses of hub.yaml, the first medium that has any and a template. */
const chooseTeam = (
  { hub, templates, trigger }: Situation,
  team: string,
  template: string,
  steps: Step[],
): Choice => {
  const media: readonly (readonly [Channel, readonly string[]])[] = [
    ['email', (hub.teams[team]?.email ?? []).map((value) => `email:${value}`)],
    ['sms', (hub.teams[team]?.sms ?? []).map((value) => `phone:${value}`)],
  ];
  const wanted = trigger.send.channels?.filter((channel) => channel !== 'preferred');
  const reachable = media.filter(
    ([channel, addresses]) => addresses.length > 0 && (wanted === undefined || wanted.includes(channel)),
  );
  const [found] = reachable.filter(([channel]) => templates[template]?.channels.includes(channel) === true);
  steps.push({
    step: `team ${team}`,
    result: reachable.map(([channel]) => channel).join(', ') || 'no address in hub.yaml',
  });
  if (found === undefined)
    return { reason: reachable.length > 0 ? 'no-template' : 'no-address', channel: reachable[0]?.[0] };
  return { channel: found[0], addresses: found[1] };
};

type Choice =
  | { readonly channel: Channel; readonly addresses: readonly Identifier[] }
  | { readonly reason: Reason; readonly channel: Channel | undefined };

/** Walks the list; the reason of the first channel stands for all when none is left. */
const chooseChannel = (situation: Situation, template: string, steps: Step[]): Choice => {
  let first: { reason: Reason; channel: Channel | undefined } | undefined;
  for (const channel of candidates(situation)) {
    const found = tryChannel(situation, channel, template);
    steps.push({ step: `channel ${channel}`, result: 'reason' in found ? found.reason : 'chosen' });
    if ('address' in found) return { channel, addresses: [found.address] };
    first ??= { reason: found.reason, channel };
  }
  return first ?? { reason: 'no-address', channel: undefined };
};

/**
 * The channels in the order of the list. `preferred` stands, at its own place in it, for the stated preference, else for
 * the channel last heard from, whether that is listed too or not.
 */
const candidates = ({ trigger, customer }: Situation): Channel[] => {
  const preferred = customer.preferences.channel ?? lastHeard(customer);
  const named = (trigger.send.channels ?? []).map((one) => (one === 'preferred' ? preferred : one));
  return [...new Set(named.filter((one) => one !== undefined))];
};

const silent: ReadonlySet<Channel> = new Set<Channel>(['voice', 'form', 'web', 'in-person', 'crm']);

/** The channel of the last inbound message, among those that can carry a message. */
const lastHeard = (customer: Customer): Channel | undefined => {
  const heard = Object.entries(customer.inbound).flatMap(([name, at]) => {
    const channel = ChannelName.parse(name);
    return at === undefined || silent.has(channel) ? [] : [{ channel, at }];
  });
  return heard.sort((one, other) => (one.at < other.at ? 1 : -1))[0]?.channel;
};

const tryChannel = (
  situation: Situation,
  channel: Channel,
  template: string,
): { readonly address: Identifier } | { readonly reason: Reason } => {
  const { customer, trigger, templates, now } = situation;
  const addresses = addressesFor(customer, channel);
  if (addresses.length === 0) return { reason: 'no-address' };
  const open = addresses.filter((address) => customer.closed[address] === undefined);
  const [address] = open;
  if (address === undefined) return { reason: 'address-closed' };
  if (!consentAllows(trigger.category, customer.consent[channel]?.status ?? 'unknown'))
    return { reason: 'no-consent' };
  const available = templates[template];
  const heard = customer.inbound.whatsapp;
  const open24 = heard !== undefined && now - Date.parse(heard) < WHATSAPP_WINDOW_MS;
  if (channel === 'whatsapp' && !open24 && available?.approvedWhatsApp !== true)
    return { reason: 'channel-closed' };
  return available?.channels.includes(channel) === true ? { address } : { reason: 'no-template' };
};

/** A channel's addresses of a customer, the best type first, of several the one last heard from. */
const addressesFor = (customer: Customer, channel: Channel): Identifier[] => {
  for (const type of addressTypesOf(channel)) {
    const held = customer.identifiers.filter((identifier) => identifierType(identifier) === type);
    if (held.length > 0)
      return held.toSorted((one, other) =>
        (customer.heard[one] ?? '') < (customer.heard[other] ?? '')
          ? 1
          : (customer.heard[one] ?? '') > (customer.heard[other] ?? '')
            ? -1
            : 0,
      );
  }
  return [];
};

const countClaims = (
  { claims, now }: Situation,
  windowMs: number,
  which: (claim: Claimed) => boolean,
): number => claims.filter((claim) => claim.at > now - windowMs && claim.at <= now && which(claim)).length;

/** Fixed for a customer and a trigger: the same number whenever it is asked for. */
const fraction = (trigger: string, purpose: string, customer: string): number =>
  createHash('sha256')
    .update(JSON.stringify([trigger, purpose, customer]))
    .digest()
    .readUInt32BE(0) /
  2 ** 32;

/** The template of a customer's variant. */
export const templateFor = (trigger: Trigger, customer: string): string => {
  let left = fraction(trigger.id, 'variant', customer);
  for (const { template, share } of trigger.send.variants) {
    if (left < share) return template;
    left -= share;
  }
  return trigger.send.template;
};

const waitEnd = ({ trigger, now, cause, customer, hub }: Situation): number | 'past' | undefined => {
  if (trigger.wait !== undefined) return now + trigger.wait;
  if (trigger.until === undefined) return undefined;
  if (typeof trigger.until === 'number')
    return nextTimeOfDay(now, trigger.until, customer.timeZone ?? hub.timeZone);
  const { property, minus = 0, plus = 0 } = trigger.until;
  const value = cause.properties?.[property];
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  const until = at - minus + plus;
  return Number.isFinite(until) && until >= now ? until : 'past';
};

/** Arrived before the claim, and did not occur before what it would cancel. */
const cancelled = (unless: object, { history, cause, now }: Situation): boolean =>
  history.some(
    (past) =>
      past.id !== cause.id &&
      Date.parse(past.receivedAt) <= now &&
      past.occurredAt >= cause.occurredAt &&
      matchesPast(pattern(unless), past),
  );

const holds = (condition: Condition, situation: Situation, customer: CustomerSnapshot): boolean => {
  if ('not' in condition) return !holds(condition.not, situation, customer);
  if ('any' in condition) return condition.any.some((one) => holds(one, situation, customer));
  if ('all' in condition) return condition.all.every((one) => holds(one, situation, customer));
  if ('customer' in condition) return matches(pattern(condition.customer), customer);
  const count = countHistory(situation, condition.count, condition.within);
  return (
    (condition.atLeast === undefined || count >= condition.atLeast) &&
    (condition.atMost === undefined || count <= condition.atMost) &&
    (condition.exactly === undefined || count === condition.exactly)
  );
};

/** This customer's matching interactions in (now - window, now]. */
const countHistory = ({ history, now }: Situation, counted: object, windowMs: number): number => {
  const [after, upTo] = [new Date(now - windowMs).toISOString(), new Date(now).toISOString()];
  return history.filter(
    (past) => past.occurredAt > after && past.occurredAt <= upTo && matchesPast(pattern(counted), past),
  ).length;
};
