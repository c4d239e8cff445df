import * as z from 'zod';
import { type Customer, resolveCustomer } from '../identity/customer.ts';
import { type Identifier, identifierType, identifierValue } from '../identity/identifier.ts';
import type { ClosedAddress, Profile } from '../identity/profile.ts';
import { Channel, type DecodedInteraction, type Instant, instant } from '../interaction/interaction.ts';
import {
  addressesOf,
  addressTypesOf,
  type ConsentEntry,
  type ConsentStatus,
  isMuted,
  type Mute,
  stricter,
} from './consent.ts';

/** What the owner of an address can choose for a channel on the preference page, in the words of the form. */
export const PreferenceChoice = z.enum(['everything', 'service', 'nothing']);
export type PreferenceChoice = z.infer<typeof PreferenceChoice>;

const choiceStatus = { everything: 'granted', service: 'service-only', nothing: 'denied' } as const;
const statusChoice: Readonly<Record<ConsentStatus, PreferenceChoice | undefined>> = {
  granted: 'everything',
  'service-only': 'service',
  denied: 'nothing',
  unknown: undefined,
};

/** An answer as a page writes it; who owns the address when it is recorded decides whose it is. */
export type PageInteraction = Omit<DecodedInteraction, 'provider' | 'account'>;

/** An address whose preference page is open, with the source profile that owns it. */
export interface OwnedAddress {
  readonly address: Identifier;
  readonly customer: Customer;
  readonly profile: Profile;
  /** The last opt-out by somebody who only claimed the address. */
  readonly mute?: Mute | undefined;
}

/** One channel of an address, as its preference page shows it. */
export interface ChannelChoice {
  readonly channel: Channel;
  readonly closed: ClosedAddress['reason'] | undefined;
  /** Undefined before the first answer. */
  readonly chosen: PreferenceChoice | undefined;
  /** Whether another address of the person has a stricter answer, which holds for both. */
  readonly overruled: boolean;
}

/**
 * The channels on which an address is written to: that of the link, and those that the hub sends through (`sends`) or its
 * owner has answered about.
 */
export const channelChoices = (
  { address, customer, profile, mute }: OwnedAddress,
  linked: Channel,
  sends: ReadonlySet<string>,
): ChannelChoice[] =>
  Channel.options
    .filter(
      (channel) =>
        channel === linked ||
        (addressesOf(channel, customer.identifiers).includes(address) &&
          (sends.has(channel) || profile.consent[channel] !== undefined)),
    )
    .map((channel) => {
      const inForce = customer.consent[channel]?.status ?? 'unknown';
      const own = profile.consent[channel]?.status ?? inForce;
      const isGranted = own === 'granted' || own === 'unknown';
      return {
        channel,
        closed: customer.closed[address]?.reason,
        chosen: isGranted && isMuted(mute, customer, channel) ? 'service' : statusChoice[own],
        overruled: own !== inForce && stricter(own, inForce) === inForce,
      };
    });

/** Another address of the person, as the preference page of the first one shows it. */
export interface OtherAddress {
  readonly address: Identifier;
  readonly channel: Channel;
}

/** The other addresses of the owner, each with the first channel that the hub sends to it through. */
export const otherAddresses = (
  { address, customer }: OwnedAddress,
  sends: ReadonlySet<string>,
): OtherAddress[] => {
  const found = new Map<Identifier, Channel>();
  for (const channel of Channel.options.filter((one) => sends.has(one)))
    for (const other of addressesOf(channel, customer.identifiers))
      if (other !== address && !found.has(other)) found.set(other, channel);
  return [...found].map(([other, channel]) => ({ address: other, channel }));
};

/** Whether messages through a channel go to this type of address. */
export const isAddressOn = (channel: Channel, address: Identifier): boolean =>
  addressTypesOf(channel).includes(identifierType(address));

/**
 * The interaction by which the owner of an address chooses; undefined if the choice is in force already. The same form
 * sent twice yields the same interaction. `at`: when it was sent.
 */
export const interactionOfChoice = (
  { address, customer, profile, mute }: OwnedAddress,
  channel: Channel,
  choice: PreferenceChoice,
  at: Instant,
): PageInteraction | undefined => {
  const wanted = choiceStatus[choice];
  const present = profile.consent[channel];
  const isInForce = (present?.status ?? customer.consent[channel]?.status ?? 'unknown') === wanted;
  if (isInForce && !(choice === 'everything' && isMuted(mute, customer, channel))) return undefined;
  const isDenied = present?.status === 'denied';
  return {
    ...pageAnswer(address, channel, present, at),
    key: `preferences:${profile.id}:${channel}:${choice}:${present?.source ?? ''}`,
    kind: choice === 'nothing' || (choice === 'service' && !isDenied) ? 'opt-out' : 'opt-in',
    properties: {
      page: 'preferences',
      ...(choice === 'service' && { scope: isDenied ? 'service' : 'marketing' }),
    },
  };
};

/** The parts that every answer on a page has. `present`: the answer that it replaces. */
export const pageAnswer = (
  address: Identifier,
  channel: Channel,
  present: Pick<ConsentEntry, 'at'> | undefined,
  at: Instant,
): Pick<PageInteraction, 'channel' | 'direction' | 'occurredAt' | 'identifiers'> => ({
  ...{ channel, direction: 'inbound', identifiers: [address] },
  occurredAt: answerTime(present?.at, at),
});

/**
 * The time of an answer that a person gives knowing the `present` one: later than it, even if the clock of the provider that
 * reported it is ahead of ours.
 */
const answerTime = (present: Instant | undefined, at: Instant): Instant =>
  present === undefined || present < at ? at : instant(Date.parse(present) + 1);

/** The address and its owner as they will be when the choices are recorded. `at`: when they were made. */
export const applyChoices = (
  owned: OwnedAddress,
  choices: Readonly<Partial<Record<Channel, PreferenceChoice>>>,
  at: Instant,
): OwnedAddress => {
  const { customer, profile } = owned;
  const consent = { ...profile.consent };
  for (const channel of Channel.options) {
    const choice = choices[channel];
    if (choice === undefined) continue;
    const present = consent[channel];
    consent[channel] = {
      source: '',
      ...present,
      ...{ status: choiceStatus[choice], at: answerTime(present?.at, at) },
    };
  }
  const chosen = { ...profile, consent };
  const sourceProfiles = new Map(
    customer.sourceProfiles.map((one) => [
      one.profile.id,
      one.profile.id === profile.id ? { ...one, profile: chosen } : one,
    ]),
  );
  return { ...owned, profile: chosen, customer: resolveCustomer(customer.id, sourceProfiles) };
};

/** How long the request for a link counts as the same one, in milliseconds. */
const SAME_REQUEST_MS = 600_000;

/** The request on a page to send the link of an address to that address. Triggers send it. */
export const linkRequest = (address: Identifier, channel: Channel, at: number): PageInteraction => ({
  ...{ channel, direction: 'system', kind: 'system', identifiers: [address] },
  occurredAt: instant(at),
  key: `preference-link:${address}:${channel}:${Math.floor(at / SAME_REQUEST_MS)}`,
  properties: { page: 'preference-link' },
});

/** Another address of the same person: also its domain is hidden, because a forwarded link shows it to anybody. */
export const maskOtherAddress = (
  address: Identifier,
  numberEnding: (digits: string) => string,
): string | undefined => {
  const masked = maskAddress(address, numberEnding);
  if (masked === undefined || identifierType(address) !== 'email') return masked;
  const at = masked.lastIndexOf('@');
  const domain = masked.slice(at + 1);
  return `${masked.slice(0, at)}@${domain.slice(0, 1)}•••${domain.slice(domain.lastIndexOf('.'))}`;
};

/**
 * An address in a form that its owner recognises and nobody else can use, since a forwarded link shows it too. Undefined for
 * an address that means nothing to a person, such as the id of a chat. `numberEnding`: the words for a number of which the last
 * digits are known.
 */
export const maskAddress = (
  address: Identifier,
  numberEnding: (digits: string) => string,
): string | undefined => {
  const value = identifierValue(address);
  const type = identifierType(address);
  if (type === 'email') {
    const at = value.lastIndexOf('@');
    const [first = '', ...rest] = value.slice(0, at);
    return `${rest.length === 0 ? '' : first}•••${value.slice(at)}`;
  }
  return type === 'phone' || type === 'whatsapp' ? numberEnding(value.slice(-2)) : undefined;
};
