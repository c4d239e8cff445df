import type { HubConfig } from '../config/hub-config.ts';
import type { Customer } from '../identity/customer.ts';
import type { Identifier } from '../identity/identifier.ts';
import { Channel } from '../interaction/interaction.ts';
import { type AddressStates, addressAllows, candidateAddresses, isAddressClosed } from './addresses.ts';
import type { Trigger } from './trigger.ts';

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
  /** The usable identifiers of the causing interaction. */
  readonly carried: readonly Identifier[];
  readonly addresses: AddressStates;
  readonly templates: Readonly<Record<string, TemplateChannels>>;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface Chosen {
  readonly channel: Channel;
  readonly addresses: readonly Identifier[];
  /** Set where the customer does not own the address: the message may show nothing but the causing interaction. */
  readonly causeOnly?: true;
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
  { customer, carried, addresses, trigger, templates, now }: ChoiceContext,
  channel: Channel,
  template: string,
): ChosenOrReason => {
  const all = candidateAddresses(customer, carried, channel);
  if (all.length === 0) return { reason: 'no-address', channel };
  const open = all.filter((one) => !isAddressClosed(customer, one, addresses));
  if (open.length === 0) return { reason: 'address-closed', channel };
  const found = open.find((one) => addressAllows(customer, one, channel, trigger.category, addresses));
  if (found === undefined) return { reason: 'no-consent', channel };
  const { channels = [], approvedWhatsApp = false } = templates[template] ?? {};
  const chosen: Chosen = {
    channel,
    addresses: [found.address],
    ...(found.causeOnly && { causeOnly: true }),
  };
  if (channel === 'whatsapp') {
    const lastInboundAt = customer.lastInboundMessageAt.whatsapp;
    const isOpen = lastInboundAt !== undefined && Date.parse(lastInboundAt) > now - WHATSAPP_WINDOW_MS;
    if (!isOpen && !approvedWhatsApp) return { reason: 'channel-closed', channel };
    if (approvedWhatsApp && !(isOpen && channels.includes(channel))) return { ...chosen, approved: true };
  }
  return channels.includes(channel) ? chosen : { reason: 'no-template', channel };
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
