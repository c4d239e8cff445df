import { asContact, customerView, profileWithContact } from '../../../core/crm/customer-view.ts';
import type { CompiledMapping } from '../../../core/crm/mapping/mapping.ts';
import { type OurValues, type SyncState, unknownState } from '../../../core/crm/state.ts';
import { HubError } from '../../../core/errors.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { type Identifier, identifierType } from '../../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import type { Guests } from '../../contracts/ports/guests.ts';
import type { History } from '../../contracts/ports/history.ts';
import type { Links } from '../ports.ts';

export interface Rules {
  readonly mapping: CompiledMapping;
  readonly identity: IdentityConfig;
}

/** A customer whose contact is to be written, and what is known of that contact. */
export interface Subject {
  readonly customer: Customer;
  /** The source profile that holds the state: of a merged customer one that has a contact, or had one, if any has. */
  readonly profileId: string;
  readonly state: SyncState;
  readonly view: object;
  /** When the earliest of the interactions occurred that are to be logged now. */
  readonly since?: Instant;
  /** Since when interactions of the customer are missing in the CRM. */
  readonly unwrittenSince?: Instant;
  readonly ours: OurValues;
}

/**
 * By source profile, the customer whose contact its interactions belong to: of a guest that is shown with a person that
 * person, who takes nothing else of it; of any other guest itself, with what it claims.
 */
export const customersOf = async (
  {
    history,
    guests,
  }: { readonly history: Pick<History, 'customers'>; readonly guests: Pick<Guests, 'personOf'> },
  profileIds: readonly string[],
): Promise<ReadonlyMap<string, Customer>> => {
  const customers = new Map(await history.customers(profileIds));
  for (const [profileId, customer] of customers)
    if (customer.guest) customers.set(profileId, (await guests.personOf(customer)) ?? asContact(customer));
  return customers;
};

/** Customers as the mapping sees them, and those of whom a value cannot be mapped, by their ids. */
export interface Subjects {
  readonly subjects: readonly Subject[];
  readonly refused: ReadonlyMap<string, HubError>;
}

/** Reads what is known of the contacts of customers. */
export const subjectsOf = async (
  links: Pick<Links, 'load'>,
  rules: Rules,
  customers: readonly Customer[],
): Promise<Subjects> => {
  const distinct = [...new Map(customers.map((one) => [one.id, one])).values()];
  const states = await links.load(distinct.flatMap(profileIdsOf));
  const subjects: Subject[] = [];
  const refused = new Map<string, HubError>();
  for (const customer of distinct) {
    try {
      subjects.push(subjectOf(customer, states, rules));
    } catch (error) {
      if (!(error instanceof HubError) || error.retry !== 'never') throw error;
      refused.set(customer.id, error);
    }
  }
  return { subjects, refused };
};

export const profileIdsOf = ({ sourceProfiles }: Customer): string[] =>
  sourceProfiles.map(({ profile }) => profile.id);

const subjectOf = (customer: Customer, states: ReadonlyMap<string, SyncState>, rules: Rules): Subject => {
  const profileId = profileWithContact(customer, states);
  const [unwritten] = profileIdsOf(customer)
    .flatMap((id) => states.get(id)?.unwrittenSince ?? [])
    .toSorted();
  return {
    ...{ customer, profileId, state: states.get(profileId) ?? unknownState },
    ...(unwritten !== undefined && { unwrittenSince: unwritten }),
    ...viewOf(customer, rules),
  };
};

/** A customer as the mapping sees it; identifiers of `without` are left out. */
export const viewOf = (
  customer: Customer,
  { mapping, identity }: Rules,
  without: ReadonlySet<Identifier> = new Set(),
): Pick<Subject, 'view' | 'ours'> => {
  const view = customerView(customer, identity, without);
  const { values, fallbacks } = mapping.contact.fields;
  return { view, ours: { values: values(view), fallbacks: fallbacks(view) } };
};

/** The versions of the source profiles that make up a customer. */
export const versionsOf = ({ sourceProfiles }: Customer): Record<string, number> =>
  Object.fromEntries(sourceProfiles.map(({ profile }) => [profile.id, profile.version]));

/** Whether there is a contact in the CRM. */
export const isLinked = ({ record, goneAt }: SyncState): boolean =>
  record !== undefined && goneAt === undefined;

/** Whether the contact was written from a newer state of the customer already. */
export const isStale = ({ customer, state }: Subject): boolean =>
  Object.entries(versionsOf(customer)).some(([id, version]) => version < (state.profiles[id] ?? 0));

/** The values of a customer's identifiers of a type. */
export const valuesOfType = ({ customer }: Subject, type: string): string[] =>
  customer.identifiers.filter((one) => identifierType(one) === type).map((one) => one.slice(type.length + 1));
