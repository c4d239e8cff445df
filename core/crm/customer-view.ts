import { type Customer, nameParts } from '../identity/customer.ts';
import { type Identifier, identifierType, identifierValue } from '../identity/identifier.ts';
import { type IdentityConfig, sortByStrength } from '../identity/identity-config.ts';
import { claimedName } from '../identity/proof/guests.ts';
import type { SyncState } from './state.ts';

/**
 * A customer as mappings name it: `name.first`, `identifiers.email.primary`, `identifiers.phone.all`,
 * `preferences.channel`, `consent.email`, `traits.*`, `stage`, `tags`, `language`, `timeZone`, `primaryIdentifier`, `displayName`. Of
 * `identifiers` those of `without` are left out.
 */
export const customerView = (
  customer: Customer,
  identity: IdentityConfig,
  without: ReadonlySet<string> = new Set(),
): object => {
  const identifiers: Record<string, { primary: string; all: string[] }> = {};
  for (const identifier of customer.identifiers.filter((one) => !without.has(one))) {
    const [type, value] = [identifierType(identifier), identifierValue(identifier)];
    const held = identifiers[type];
    if (held) held.all.push(value);
    else identifiers[type] = { primary: value, all: [value] };
  }
  const [strongest] = sortByStrength(customer.identifiers, identity);
  const name = nameParts(customer.name);
  return {
    id: customer.id,
    name,
    displayName: name.full ?? displayAddress(customer.identifiers),
    identifiers,
    primaryIdentifier: strongest === undefined ? customer.id : identifierValue(strongest),
    preferences: customer.preferences,
    traits: customer.traits,
    tags: customer.tags,
    consent: Object.fromEntries(
      Object.entries(customer.consent).flatMap(([channel, { status }]) =>
        status === 'unknown' ? [] : [[channel, status]],
      ),
    ),
    stage: customer.stage,
    language: customer.language,
    timeZone: customer.timeZone,
  };
};

/** Identifiers whose values a person can read; all others are numbers of a platform. */
const readable = ['email', 'phone', 'whatsapp'] as const;

/** What a person would want to read where no name is known: an address, else by what the customer writes to us. */
const displayAddress = (identifiers: readonly Identifier[]): string => {
  for (const type of readable) {
    const found = identifiers.find((one) => identifierType(one) === type);
    if (found !== undefined) return identifierValue(found);
  }
  const [first] = identifiers;
  const type = first === undefined ? 'unknown' : (identifierType(first).split('-')[0] ?? 'unknown');
  return `${type.charAt(0).toUpperCase()}${type.slice(1)} visitor`;
};

/** A guest that is shown with nobody, as a contact: with what it claims. */
export const asContact = (guest: Customer): Customer => ({
  ...guest,
  identifiers: guest.claimed,
  name: claimedName(guest.name),
});

/** Whether a person could be reached through what the contact would hold. */
export const isReachable = ({ identifiers }: Pick<Customer, 'identifiers'>): boolean =>
  identifiers.some((one) => ['email', 'phone'].includes(identifierType(one)));

/** The source profile that holds the state of a customer's contact: of a merged customer one that has a contact, if any has. */
export const profileWithContact = (
  { id, sourceProfiles }: Pick<Customer, 'id' | 'sourceProfiles'>,
  states: ReadonlyMap<string, SyncState>,
): string => {
  const ids = sourceProfiles.map(({ profile }) => profile.id);
  const hasContact = (one: string): boolean => {
    const state = states.get(one);
    return state?.record !== undefined && state.goneAt === undefined;
  };
  const isClosed = (one: string): boolean => {
    const state = states.get(one);
    return state?.goneAt !== undefined || state?.undecidedSince !== undefined;
  };
  return ids.find(hasContact) ?? ids.find(isClosed) ?? id;
};
