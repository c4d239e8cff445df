import type { HubConfig } from '../config/hub-config.ts';
import {
  type AnsweringCustomer,
  addressTypesOf,
  type Category,
  type ConsentStatus,
  isMuted,
  type Mute,
} from '../consent/consent.ts';
import type { Customer } from '../identity/customer.ts';
import { type Identifier, identifierType } from '../identity/identifier.ts';
import { Channel } from '../interaction/interaction.ts';
import type { SendReservation } from './limits.ts';
import { consentAllows } from './trigger.ts';

/** The state of an address, independent of the customer of the decision: its owner's data, and claims about it. */
export interface AddressState {
  /** The owner; absent if the address has none or the customer owns it. */
  readonly owner?: AnsweringCustomer;
  /** Whether its owner has closed it to every category. */
  readonly isClosed: boolean;
  /** The owner's answers. */
  readonly consent: Customer['consent'];
  /** The last opt-out and the last opt-in by interactions that claimed the address. */
  readonly mute?: Mute;
  readonly optIn?: Mute;
  /** Sends to the address whose causes are not interactions of its owner. */
  readonly reservations: readonly SendReservation[];
}

export type AddressStates = ReadonlyMap<Identifier, AddressState>;

const addressTypes: ReadonlySet<string> = new Set(Channel.options.flatMap(addressTypesOf));
/** Whether messages can be sent to an identifier of this type. */
export const isAddress = (identifier: Identifier): boolean => addressTypes.has(identifierType(identifier));

const UNKNOWN: AddressState = { isClosed: false, consent: {}, reservations: [] };
export const addressState = (states: AddressStates, address: Identifier): AddressState =>
  states.get(address) ?? UNKNOWN;

/** An address for a message. `causeOnly`: the customer does not own it, so the message shows only the causing interaction. */
export interface Candidate {
  readonly address: Identifier;
  readonly causeOnly: boolean;
}

/**
 * The addresses of a channel in the order of FORMATS "Proof": first those of the causing interaction, then those that
 * the customer owns, latest inbound first. A guest owns none. `carried`: the usable identifiers of the cause.
 */
export const candidateAddresses = (
  { guest, identifiers, lastInboundAt }: Customer,
  carried: readonly Identifier[],
  channel: Channel,
): Candidate[] => {
  const types = addressTypesOf(channel);
  const ofBestType = (all: readonly Identifier[]): Identifier[] => {
    const type = types.find((one) => all.some((held) => identifierType(held) === one));
    return all.filter((held) => identifierType(held) === type);
  };
  const own = new Set(guest ? [] : identifiers);
  const newestFirst = (one: Identifier, other: Identifier): number =>
    (lastInboundAt[other] ?? '').localeCompare(lastInboundAt[one] ?? '');
  const fromCause = ofBestType(carried);
  // Of the cause's addresses the customer's own come first, latest inbound first.
  const ownCarried = fromCause.filter((one) => own.has(one)).sort(newestFirst);
  const foreign = fromCause.filter((one) => !own.has(one));
  const others = ofBestType([...own])
    .filter((one) => !ownCarried.includes(one))
    .sort(newestFirst);
  return [
    ...ownCarried.map((address) => ({ address, causeOnly: false })),
    ...foreign.map((address) => ({ address, causeOnly: true })),
    ...others.map((address) => ({ address, causeOnly: false })),
  ];
};

/** Whether the address is closed, for the customer or for its owner. */
export const isAddressClosed = (
  { closed }: Customer,
  { address }: Candidate,
  states: AddressStates,
): boolean => closed[address] !== undefined || addressState(states, address).isClosed;

/**
 * Whether consent allows a category for an address. A claimed opt-out blocks marketing until the owner answers. A claimed
 * opt-in counts if the hub has single opt-in and the owner, if any, has not answered; otherwise only the confirm page makes it
 * the owner's answer.
 */
export const addressAllows = (
  customer: Customer,
  { address, causeOnly }: Candidate,
  channel: Channel,
  category: Category,
  states: AddressStates,
  { optIn }: Pick<HubConfig, 'optIn'>,
): boolean => {
  const { mute, optIn: claimed, consent, owner } = addressState(states, address);
  const entry = causeOnly ? consent[channel] : customer.consent[channel];
  const status: ConsentStatus = entry?.status ?? 'unknown';
  if (category !== 'marketing') return consentAllows(category, status);
  if (isMuted(mute, causeOnly ? owner : customer, channel)) return false;
  const isOptedIn = optIn === 'single' && claimed?.channel === channel;
  return status === 'granted' || (isOptedIn && status === 'unknown');
};
