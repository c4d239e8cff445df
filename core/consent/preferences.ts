import * as z from 'zod';
import type { Customer } from '../identity/customer.ts';
import { type Identifier, identifierType, identifierValue } from '../identity/identifier.ts';
import type { ClosedAddress, SourceProfile } from '../identity/profile.ts';
import { Channel, type DecodedInteraction, type Instant, instant } from '../interaction/interaction.ts';
import { addressesOf, type ConsentStatus } from './consent.ts';

/** What a person may choose on the page of their preferences, in the words of the form. */
export const PreferenceChoice = z.enum(['everything', 'service', 'nothing']);
export type PreferenceChoice = z.infer<typeof PreferenceChoice>;

const choiceStatus = { everything: 'granted', service: 'service-only', nothing: 'denied' } as const;
const statusChoice: Readonly<Record<ConsentStatus, PreferenceChoice | undefined>> = {
  granted: 'everything',
  'service-only': 'service',
  denied: 'nothing',
  unknown: undefined,
};

/** One channel on which a person can be reached, as their page shows it. No address stands there in full. */
export interface ChannelChoice {
  readonly channel: Channel;
  readonly addresses: readonly {
    readonly masked: string | undefined;
    readonly closed: ClosedAddress['reason'] | undefined;
  }[];
  /** Absent where nothing was ever answered. */
  readonly chosen: PreferenceChoice | undefined;
  /** Whether anything can arrive there: some address is open. */
  readonly open: boolean;
}

/** The channels that the hub sends through, and those about which the person has said something, where they have an address. */
export const channelChoices = (customer: Customer, sends: ReadonlySet<string>): ChannelChoice[] =>
  Channel.options.flatMap((channel): ChannelChoice[] => {
    const addresses = addressesOf(channel, customer.identifiers);
    const status = customer.consent[channel]?.status ?? 'unknown';
    if (addresses.length === 0 || !(sends.has(channel) || status !== 'unknown')) return [];
    const shown = addresses.map((address) => ({
      masked: maskAddress(address),
      closed: customer.closed[address]?.reason,
    }));
    return [
      {
        ...{ channel, addresses: shown, chosen: statusChoice[status] },
        open: shown.some(({ closed }) => closed === undefined),
      },
    ];
  });

/**
 * What a choice has to say so that it holds for the whole person: an act of each half whose own answer differs and which
 * either has an address there or is stricter than what was chosen. None where the choice is what holds already. The same
 * form sent twice is the same acts.
 */
export const interactionsOfChoice = (
  customer: Customer,
  channel: Channel,
  choice: PreferenceChoice,
  at: Instant,
): Omit<DecodedInteraction, 'provider' | 'account'>[] => {
  const wanted = choiceStatus[choice];
  if ((customer.consent[channel]?.status ?? 'unknown') === wanted) return [];
  return customer.sourceProfiles.flatMap((sourceProfile) => {
    const { id, identifiers, consent } = sourceProfile.profile;
    const present = consent[channel];
    const [address] = sortOpenFirst(sourceProfile, addressesOf(channel, identifiers));
    const speaker = address ?? (present === undefined ? undefined : identifiers[0]);
    if (present?.status === wanted || speaker === undefined) return [];
    return [
      {
        ...{ channel, direction: 'inbound', occurredAt: answerTime(present?.at, at), identifiers: [speaker] },
        key: `preferences:${id}:${channel}:${choice}:${present?.source ?? ''}`,
        kind:
          choice === 'nothing' || (choice === 'service' && present?.status !== 'denied')
            ? 'opt-out'
            : 'opt-in',
        properties: {
          page: 'preferences',
          ...(choice === 'service' && { scope: present?.status === 'denied' ? 'service' : 'marketing' }),
        },
      },
    ];
  });
};

/** Whoever answers has seen what stands, though the clock of a vendor that told it may be ahead of ours. */
export const answerTime = (standing: Instant | undefined, at: Instant): Instant =>
  standing === undefined || standing < at ? at : instant(Date.parse(standing) + 1);

const sortOpenFirst = ({ profile }: SourceProfile, addresses: readonly Identifier[]): Identifier[] =>
  addresses.toSorted(
    (one, other) => Number(profile.closed[one] !== undefined) - Number(profile.closed[other] !== undefined),
  );

/** The customer as they will be once their choices are recorded. */
export const applyChoices = (
  customer: Customer,
  choices: Readonly<Partial<Record<Channel, PreferenceChoice>>>,
): Customer => {
  const consent = { ...customer.consent };
  for (const channel of Channel.options) {
    const choice = choices[channel];
    const entry = { at: customer.lastSeenAt, source: '', ...consent[channel] };
    if (choice !== undefined) consent[channel] = { ...entry, status: choiceStatus[choice] };
  }
  return { ...customer, consent };
};

/**
 * An address as its owner knows it again and nobody else learns it: whoever holds a forwarded message sees this. What
 * means nothing to a person, such as the id of a chat, is left out.
 */
export const maskAddress = (address: Identifier): string | undefined => {
  const value = identifierValue(address);
  const type = identifierType(address);
  if (type === 'email') {
    const at = value.lastIndexOf('@');
    const [first = '', ...rest] = value.slice(0, at);
    return `${rest.length === 0 ? '' : first}•••${value.slice(at)}`;
  }
  return type === 'phone' || type === 'whatsapp' ? `number ending in ${value.slice(-2)}` : undefined;
};
