import type { HubConfig } from '../config/hub-config.ts';
import type { Customer } from '../identity/customer.ts';
import type { Identifier } from '../identity/identifier.ts';
import { Channel } from '../interaction/interaction.ts';
import { type AddressStates, addressAllows, candidateAddresses, isAddressClosed } from './addresses.ts';
import type { RecordCheck } from './checks.ts';
import type { SendingTrigger } from './trigger.ts';

/** Why a channel is skipped, in the order in which the reasons are checked. */
export type SkipReason = 'no-address' | 'address-closed' | 'no-consent' | 'channel-closed' | 'no-template';

/** The channels that a template has a text for, and whether it has an approved WhatsApp template. */
export interface TemplateChannels {
  readonly channels: readonly Channel[];
  readonly approvedWhatsApp: boolean;
}

/** The inputs of the choice of a channel. */
export interface ChoiceContext {
  readonly trigger: SendingTrigger;
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
  /** Set if the customer does not own the address: the message may show nothing but the causing interaction. */
  readonly causeOnly?: true;
  /** Set if WhatsApp accepts only the approved template. */
  readonly approved?: true;
}

export type ChosenOrReason = Chosen | { readonly reason: SkipReason; readonly channel: Channel | undefined };

const WHATSAPP_WINDOW_MS = 86_400_000;

/**
 * Chooses the channel and the addresses of a message: the first channel of the trigger's list that can be used, or those of
 * its team. If none can be used, the result is the reason of the first one. `refused`: channels whose sender has refused the
 * message already.
 */
export const chooseChannel = (
  choosing: ChoiceContext,
  template: string,
  recordStep: RecordCheck,
  refused: readonly Channel[] = [],
): ChosenOrReason => {
  const { to } = choosing.trigger.send;
  if (to) return chooseTeam(choosing, to.team, template, recordStep);
  let first: ChosenOrReason | undefined;
  for (const channel of candidateChannels(choosing).filter((one) => !refused.includes(one))) {
    const found = tryChannel(choosing, channel, template);
    recordStep(`channel ${channel}`, 'reason' in found ? found.reason : 'chosen', {
      consent: choosing.customer.consent[channel]?.status ?? 'unknown',
      ...('reason' in found ? { reason: found.reason } : { addresses: [...found.addresses] }),
    });
    if (!('reason' in found)) return found;
    first ??= found;
  }
  return first ?? { reason: 'no-address', channel: undefined };
};

/**
 * The channels in the order of the list. `preferred` is replaced, at its position, by the stated preference, else by the
 * channel of the last inbound message, whether that is listed too or not.
 */
const candidateChannels = ({ trigger, customer }: ChoiceContext): Channel[] => {
  const preferred = customer.preferences.channel ?? lastInboundChannel(customer);
  const named = (trigger.send.channels ?? []).map((one) => (one === 'preferred' ? preferred : one));
  return [...new Set(named.filter((one) => one !== undefined))];
};

/** Inbound-only channels: the business cannot send messages through them. */
const unreachableChannels: ReadonlySet<Channel> = new Set<Channel>([
  'voice',
  'form',
  'web',
  'in-person',
  'crm',
]);

/** The channel of the last inbound message, without inbound-only channels. */
const lastInboundChannel = (customer: Customer): Channel | undefined =>
  Channel.options
    .filter(
      (channel) => customer.lastInboundMessageAt[channel] !== undefined && !unreachableChannels.has(channel),
    )
    .sort((one, other) =>
      newestFirst(customer.lastInboundMessageAt[one], customer.lastInboundMessageAt[other]),
    )[0];

const tryChannel = (
  { customer, carried, addresses, trigger, hub, templates, now }: ChoiceContext,
  channel: Channel,
  template: string,
): ChosenOrReason => {
  const all = candidateAddresses(customer, carried, channel);
  if (all.length === 0) return { reason: 'no-address', channel };
  const open = all.filter((one) => !isAddressClosed(customer, one, addresses));
  if (open.length === 0) return { reason: 'address-closed', channel };
  const found = open.find((one) => addressAllows(customer, one, channel, trigger.category, addresses, hub));
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

/** For a team: its addresses in hub.yaml, through the first medium, of those of the trigger, that has any and a template. */
const chooseTeam = (
  { hub, templates, trigger }: ChoiceContext,
  team: string,
  template: string,
  recordStep: RecordCheck,
): ChosenOrReason => {
  const media = teamMedia(hub, team);
  const wanted = trigger.send.channels?.flatMap((one) => media.filter(({ channel }) => channel === one));
  const reachable = (wanted ?? media).filter(({ addresses }) => addresses.length > 0);
  const found = reachable.find(({ channel }) => templates[template]?.channels.includes(channel) === true);
  recordStep(`team ${team}`, found?.channel ?? (reachable.length > 0 ? 'no-template' : 'no-address'));
  if (found) return found;
  return { reason: reachable.length > 0 ? 'no-template' : 'no-address', channel: reachable[0]?.channel };
};

/** A team's channel in Slack counts where the hub has a sender for Slack. */
const teamMedia = ({ teams, senders }: HubConfig, team: string): readonly Chosen[] => {
  const { email = [], sms = [], slack } = teams[team] ?? {};
  return [
    { channel: 'email', addresses: email.map((value) => `email:${value}`) },
    { channel: 'sms', addresses: sms.map((value) => `phone:${value}`) },
    {
      channel: 'slack',
      addresses: slack === undefined || senders['slack'] === undefined ? [] : [`slack:${slack}`],
    },
  ];
};
