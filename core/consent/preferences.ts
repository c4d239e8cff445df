import * as z from 'zod';
import type { Customer } from '../identity/customer.ts';
import { type Identifier, identifierType, identifierValue } from '../identity/identifier.ts';
import type { ClosedAddress, SourceProfile } from '../identity/profile.ts';
import { Channel, type DecodedInteraction, type Instant, instant } from '../interaction/interaction.ts';
import { addressesOf, type ConsentStatus } from './consent.ts';

/** What a person can choose for a channel on the preferences page, in the words of the form. */
export const PreferenceChoice = z.enum(['everything', 'service', 'nothing']);
export type PreferenceChoice = z.infer<typeof PreferenceChoice>;

const choiceStatus = { everything: 'granted', service: 'service-only', nothing: 'denied' } as const;
const statusChoice: Readonly<Record<ConsentStatus, PreferenceChoice | undefined>> = {
  granted: 'everything',
  'service-only': 'service',
  denied: 'nothing',
  unknown: undefined,
};

/** One channel of a person, as the preferences page shows it. No address is shown in full. */
export interface ChannelChoice {
  readonly channel: Channel;
  readonly addresses: readonly {
    readonly masked: string | undefined;
    readonly closed: ClosedAddress['reason'] | undefined;
  }[];
  /** Undefined before the first answer. */
  readonly chosen: PreferenceChoice | undefined;
  /** Whether at least one address is not closed. */
  readonly open: boolean;
}

/**
 * The channels on which a person has an address and which the hub sends through (`sends`) or the person has answered about.
 */
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
 * The interactions that make a choice valid for the whole person: one per source profile whose own answer differs and which
 * has an address on the channel or a stricter answer. Empty if the choice is in force already. The same form sent twice
 * yields the same interactions. `at`: when the person chose.
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
    const identifier = address ?? (present === undefined ? undefined : identifiers[0]);
    if (present?.status === wanted || identifier === undefined) return [];
    return [
      {
        ...{
          channel,
          direction: 'inbound',
          occurredAt: answerTime(present?.at, at),
          identifiers: [identifier],
        },
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

/**
 * The time of an answer that a person gives knowing the `present` one: later than it, even if the clock of the provider that
 * reported it is ahead of ours.
 */
export const answerTime = (present: Instant | undefined, at: Instant): Instant =>
  present === undefined || present < at ? at : instant(Date.parse(present) + 1);

const sortOpenFirst = ({ profile }: SourceProfile, addresses: readonly Identifier[]): Identifier[] =>
  addresses.toSorted(
    (one, other) => Number(profile.closed[one] !== undefined) - Number(profile.closed[other] !== undefined),
  );

/** The customer as it will be when its choices are recorded. */
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
 * An address in a form that its owner recognises and nobody else can use, since a forwarded link shows it too. Undefined for
 * an address that means nothing to a person, such as the id of a chat.
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
