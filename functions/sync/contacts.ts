import { createHash } from 'node:crypto';
import type { CrmRecord, CrmSession } from '../../core/crm/connector.ts';
import { customerView } from '../../core/crm/customer-view.ts';
import type { CompiledMapping } from '../../core/crm/mapping.ts';
import type { HubError } from '../../core/errors.ts';
import type { Customer } from '../../core/identity/customer.ts';
import type { Identifier } from '../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../core/identity/identity-config.ts';
import type { History } from '../contracts/ports/history.ts';

/** What the CRM holds of a customer as far as the hub knows. */
export interface SyncState {
  readonly contact: string;
  /** Of the mapped fields: unchanged records cost no call. */
  readonly hash: string;
  /** Fields of `write: if-empty` that the hub has filled. */
  readonly written: readonly string[];
  /** Fields of `write: always` that the hub has filled: they are emptied when the customer has nothing for them any more. */
  readonly held: readonly string[];
}

export interface ContactPorts {
  readonly history: Pick<History, 'customers'>;
  readonly states: (customers: readonly string[]) => Promise<ReadonlyMap<string, SyncState>>;
  readonly remember: (customer: string, state: SyncState) => Promise<void>;
}

export interface Rules {
  readonly mapping: CompiledMapping;
  readonly identity: IdentityConfig;
}

export interface Contacts {
  /** The CRM's own id of each customer's contact. */
  readonly ids: ReadonlyMap<string, string>;
  /** By customer. */
  readonly refused: ReadonlyMap<string, HubError>;
}

/** What has to be written of a customer, and what is then known of it. */
interface Change {
  readonly customer: Customer;
  readonly record: CrmRecord;
  readonly state: Omit<SyncState, 'contact'>;
}

const none: ReadonlySet<Identifier> = new Set();

/** What differs from what the CRM holds; undefined where nothing does. Identifiers of `elsewhere` are left to the contacts that hold them. */
export const changeOf = (
  customer: Customer,
  state: SyncState | undefined,
  { mapping: { contact }, identity }: Rules,
  elsewhere = none,
): Change | undefined => {
  const whole = customerView(customer, identity);
  const written = state?.written ?? [];
  const wanted = contact.fields(whole, written);
  if (state?.hash === digest(wanted)) return undefined;
  const fields =
    elsewhere.size === 0 ? wanted : contact.fields(customerView(customer, identity, elsewhere), written);
  const emptied = (state?.held ?? []).filter((name) => contact.always.includes(name) && !(name in fields));
  const filled = contact.once.filter((name) => name in fields || written.includes(name));
  return {
    customer,
    record: {
      key: customer.id,
      fields: { ...fields, ...Object.fromEntries(emptied.map((name) => [name, null])) },
    },
    state: {
      // What is filled now is left out from now on, so the hash is that of the rest.
      hash: digest(contact.fields(whole, filled)),
      written: filled,
      held: contact.always.filter((name) => name in fields),
    },
  };
};

/** Writes what differs of these customers, and says under which contact each is known by then. */
export const writeContacts = async (
  ports: ContactPorts,
  session: CrmSession,
  rules: Rules,
  changes: readonly Change[],
  known: ReadonlyMap<string, SyncState>,
): Promise<Contacts> => {
  const ids = new Map([...known].map(([id, { contact }]) => [id, contact]));
  const refused = new Map<string, HubError>();
  const taken = new Set<string>();
  const write = async (some: readonly Change[]): Promise<void> => {
    if (some.length === 0) return;
    const { object, key } = rules.mapping.contact;
    const states = new Map(some.map(({ customer, state }) => [customer.id, state]));
    const records = some.map(({ record }) => record);
    for (const result of await session.upsert(object, key, records)) {
      const state = states.get(result.key);
      if ('error' in result) {
        refused.set(result.key, result.error);
        if (result.taken) taken.add(result.key);
      } else if (state !== undefined) {
        refused.delete(result.key);
        ids.set(result.key, result.id);
        await ports.remember(result.key, { contact: result.id, ...state });
      }
    }
  };
  await write(changes);
  if (taken.size > 0) {
    const customers = changes.map(({ customer }) => customer).filter(({ id }) => taken.has(id));
    await write(await releaseUniqueValues(ports, rules, customers));
  }
  return { ids, refused };
};

/**
 * For a value that only one contact may hold and another one holds. The contact of a customer that was separated from this
 * one gives the value up first. The contact of a customer that was merged into this one stays as it is, with the value.
 */
const releaseUniqueValues = async (
  ports: ContactPorts,
  rules: Rules,
  customers: readonly Customer[],
): Promise<Change[]> => {
  const profiles = customers.flatMap((customer) => customer.sourceProfiles.map(({ profile }) => profile));
  const distinct = await ports.history.customers([
    ...new Set(profiles.flatMap(({ neverAutoMerge }) => neverAutoMerge)),
  ]);
  const own = new Set(customers.map(({ id }) => id));
  const others = [...new Map([...distinct.values()].map((one) => [one.id, one])).values()].filter(
    ({ id }) => !own.has(id),
  );
  const known = await ports.states([...new Set([...profiles, ...others].map(({ id }) => id))]);
  return [
    ...others.flatMap((one) => (known.has(one.id) ? (changeOf(one, known.get(one.id), rules) ?? []) : [])),
    ...customers.flatMap((customer) => {
      const merged = customer.sourceProfiles.filter(
        ({ profile: { id } }) => id !== customer.id && known.has(id),
      );
      const elsewhere = new Set(merged.flatMap(({ profile }) => profile.identifiers));
      const alone =
        merged.length === 0 &&
        customer.sourceProfiles.every(({ profile }) => profile.neverAutoMerge.length === 0);
      return alone ? [] : (changeOf(customer, known.get(customer.id), rules, elsewhere) ?? []);
    }),
  ];
};

const digest = (fields: object): string =>
  createHash('sha256').update(JSON.stringify(fields)).digest('base64url');
