import type { HubConfig } from '../config/hub-config.ts';
import { addressTypesOf } from '../consent/consent.ts';
import type { Customer } from '../identity/customer.ts';
import { type Identifier, identifierType } from '../identity/identifier.ts';
import { Channel } from '../interaction/interaction.ts';
import { consentAllows, type Trigger } from './trigger.ts';

/** Why a channel is passed over, in the order in which it is asked. */
export type SkipReason = 'no-address' | 'address-closed' | 'no-consent' | 'channel-closed' | 'no-template';

/** What a template can be sent through: the channels it has text for, and whether it is also an approved WhatsApp one. */
export interface TemplateChannels {
  readonly channels: readonly Channel[];
  readonly approvedWhatsApp: boolean;
}

/** What a choice of channel depends on. */
export interface ChoiceContext {
  readonly trigger: Trigger;
  readonly hub: HubConfig;
  readonly customer: Customer;
  readonly templates: Readonly<Record<string, TemplateChannels>>;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface Chosen {
  readonly channel: Channel;
  readonly addresses: readonly Identifier[];
  /** Set where WhatsApp takes nothing but the approved template. */
  readonly approved?: true;
}

export type ChosenOrReason = Chosen | { readonly reason: SkipReason; readonly channel: Channel | undefined };

type RecordStep = (step: string, result: string) => void;

const WHATSAPP_WINDOW_MS = 86_400_000;

/**
 * Where a message goes: to the customer through the first channel of the list that nothing speaks against, or to a team.
 * When none is left the reason of the first one stands for all. `refused` are channels whose sender has refused already.
 */
export const chooseChannel = (
  choosing: ChoiceContext,
  template: string,
  tell: RecordStep,
  refused: readonly Channel[] = [],
): ChosenOrReason => {
  const { to } = choosing.trigger.send;
  if (to) return chooseTeam(choosing, to.team, template, tell);
  let first: ChosenOrReason | undefined;
  for (const channel of candidateChannels(choosing).filter((one) => !refused.includes(one))) {
    const found = tryChannel(choosing, channel, template);
    tell(`channel ${channel}`, 'reason' in found ? found.reason : 'chosen');
    if (!('reason' in found)) return found;
    first ??= found;
  }
  return first ?? { reason: 'no-address', channel: undefined };
};

/**
 * The channels in the order of the list. `preferred` stands, at its own place in it, for the stated preference, else for
 * the channel of the last inbound message, whether that is listed too or not.
 */
const candidateChannels = ({ trigger, customer }: ChoiceContext): Channel[] => {
  const preferred = customer.preferences.channel ?? lastInboundChannel(customer);
  const named = (trigger.send.channels ?? []).map((one) => (one === 'preferred' ? preferred : one));
  return [...new Set(named.filter((one) => one !== undefined))];
};

/** Channels on which people reach us and a message cannot reach them. */
const unreachableChannels: ReadonlySet<Channel> = new Set<Channel>([
  'voice',
  'form',
  'web',
  'in-person',
  'crm',
]);

/** The channel of the last inbound message, among those that can carry a message. */
const lastInboundChannel = (customer: Customer): Channel | undefined =>
  Channel.options
    .filter(
      (channel) => customer.lastInboundMessageAt[channel] !== undefined && !unreachableChannels.has(channel),
    )
    .sort((one, other) =>
      newestFirst(customer.lastInboundMessageAt[one], customer.lastInboundMessageAt[other]),
    )[0];

const tryChannel = (
  { customer, trigger, templates, now }: ChoiceContext,
  channel: Channel,
  template: string,
): ChosenOrReason => {
  const addresses = addressesFor(customer, channel);
  if (addresses.length === 0) return { reason: 'no-address', channel };
  const address = addresses.find((one) => customer.closed[one] === undefined);
  if (address === undefined) return { reason: 'address-closed', channel };
  if (!consentAllows(trigger.category, customer.consent[channel]?.status ?? 'unknown'))
    return { reason: 'no-consent', channel };
  const { channels = [], approvedWhatsApp = false } = templates[template] ?? {};
  const chosen: Chosen = { channel, addresses: [address] };
  if (channel === 'whatsapp') {
    const lastInbound = customer.lastInboundMessageAt.whatsapp;
    const open = lastInbound !== undefined && Date.parse(lastInbound) > now - WHATSAPP_WINDOW_MS;
    if (!open && !approvedWhatsApp) return { reason: 'channel-closed', channel };
    if (approvedWhatsApp && !(open && channels.includes(channel))) return { ...chosen, approved: true };
  }
  return channels.includes(channel) ? chosen : { reason: 'no-template', channel };
};

/** A channel's addresses of a customer: those of the best type that they have, the one last heard from first. */
const addressesFor = ({ identifiers, lastInboundAt }: Customer, channel: Channel): Identifier[] => {
  const type = addressTypesOf(channel).find((one) =>
    identifiers.some((held) => identifierType(held) === one),
  );
  return identifiers
    .filter((held) => identifierType(held) === type)
    .sort((one, other) => newestFirst(lastInboundAt[one], lastInboundAt[other]));
};

const newestFirst = (one = '', other = ''): number => (one === other ? 0 : one < other ? 1 : -1);

/** Colleagues instead of the customer: the addresses of hub.yaml, through the first medium that has any and a template. */
const chooseTeam = (
  { hub, templates, trigger }: ChoiceContext,
  team: string,
  template: string,
  tell: RecordStep,
): ChosenOrReason => {
  const media: readonly Chosen[] = [
    { channel: 'email', addresses: (hub.teams[team]?.email ?? []).map((value) => `email:${value}`) },
    { channel: 'sms', addresses: (hub.teams[team]?.sms ?? []).map((value) => `phone:${value}`) },
  ];
  const wanted = trigger.send.channels;
  const reachable = media.filter(
    ({ channel, addresses }) => addresses.length > 0 && (wanted === undefined || wanted.includes(channel)),
  );
  const found = reachable.find(({ channel }) => templates[template]?.channels.includes(channel) === true);
  tell(`team ${team}`, found?.channel ?? (reachable.length > 0 ? 'no-template' : 'no-address'));
  if (found) return found;
  return { reason: reachable.length > 0 ? 'no-template' : 'no-address', channel: reachable[0]?.channel };
};
