import type { CrmRecord, CrmResult, CrmSession } from '../../core/crm/connector.ts';
import type { CompiledMapping, MappedInteraction } from '../../core/crm/mapping.ts';
import { HubError } from '../../core/errors.ts';
import type { Customer } from '../../core/identity/customer.ts';
import type { IdentityConfig } from '../../core/identity/identity-config.ts';
import { claimedName } from '../../core/identity/proof/guests.ts';
import type { SyncMessage } from '../contracts/messages/sync.ts';
import type { Guests } from '../contracts/ports/guests.ts';
import type { History, StoredInteraction } from '../contracts/ports/history.ts';
import { type ContactPorts, changeOf, writeContacts } from './contacts.ts';

export interface SyncPorts extends ContactPorts {
  readonly crm: string;
  readonly open: () => Promise<CrmSession>;
  readonly mapping: () => Promise<CompiledMapping>;
  readonly identity: () => Promise<IdentityConfig>;
  readonly history: History;
  readonly guests: Pick<Guests, 'personOf'>;
  /** Stores a message that no retry can help as a failure; `queued`: its id in the queue. */
  readonly saveFailure: (queued: string, error: HubError) => Promise<void>;
  readonly publishFailed: (customer: string, error: HubError) => Promise<void>;
}

export interface Queued {
  readonly id: string;
  readonly message: SyncMessage;
}

/** The messages to queue again, each with the reason; the others are done or stored as failures. */
export type Unsynced = ReadonlyMap<string, HubError>;

/**
 * Writes the customers of a batch and their interactions into the CRM by the hub's own ids. It writes the newest state, so
 * that the CRM converges whatever the order of events. One refused record is a failure of its own. Returns the messages to
 * queue again, each with the reason.
 */
export const sync =
  (ports: SyncPorts) =>
  async (batch: readonly Queued[]): Promise<Unsynced> => {
    const unsynced = new Map<string, HubError>();
    const mapping = await ports.mapping();
    const rules = { mapping, identity: await ports.identity() };
    const customers = await contactsOf(ports, [...new Set(batch.map(({ message }) => message.profileId))]);
    const people = new Map([...customers.values()].map((one) => [one.id, one]));
    const states = await ports.states([...people.keys()]);
    const changes = [...people.values()].flatMap((one) => changeOf(one, states.get(one.id), rules) ?? []);
    try {
      const session = await ports.open();
      const { ids, refused } = await writeContacts(ports, session, rules, changes, states);
      const logged = await logInteractions(ports, session, mapping, batch, customers, ids, refused);
      for (const { id, message } of batch) {
        const customer = customers.get(message.profileId);
        const error =
          (customer && refused.get(customer.id)) ??
          (message.interaction === undefined ? undefined : logged.get(message.interaction));
        if (error === undefined || customer === undefined) continue;
        if (error.retry !== 'never') unsynced.set(id, error);
        else {
          await ports.saveFailure(id, error);
          await ports.publishFailed(customer.id, error);
        }
      }
    } catch (error) {
      const known =
        error instanceof HubError
          ? error
          : new HubError(
              'sync-failure',
              `The sync with ${ports.crm} failed; the queue retries the records.`,
              { retry: 'later', cause: error },
            );
      for (const { id } of batch) unsynced.set(id, known);
    }
    return unsynced;
  };

/**
 * By source profile, the customer whose contact its interactions belong to: of a guest that is shown with a person that
 * person, who takes nothing else of it; of any other guest itself, with what it claims.
 */
const contactsOf = async (
  { history, guests }: SyncPorts,
  profileIds: readonly string[],
): Promise<ReadonlyMap<string, Customer>> => {
  const contacts = new Map(await history.customers(profileIds));
  for (const [profileId, customer] of contacts)
    if (customer.guest) contacts.set(profileId, (await guests.personOf(customer)) ?? asContact(customer));
  return contacts;
};

const asContact = (guest: Customer): Customer => ({
  ...guest,
  identifiers: guest.claimed,
  name: claimedName(guest.name),
});

const logInteractions = async (
  ports: SyncPorts,
  session: CrmSession,
  mapping: CompiledMapping,
  batch: readonly Queued[],
  customers: ReadonlyMap<string, Customer>,
  contacts: ReadonlyMap<string, string>,
  refused: ReadonlyMap<string, HubError>,
): Promise<Map<string, HubError>> => {
  const addresses = batch.flatMap(({ message: { profileId, interaction: id, occurredAt } }) =>
    id === undefined || occurredAt === undefined ? [] : [{ profileId, id, occurredAt }],
  );
  const interactions = await ports.history.interactions(addresses);
  const groups = new Map<string, { object: string; key: string; records: CrmRecord[] }>();
  for (const interaction of interactions) {
    const customer = customers.get(interaction.profileId);
    const mapped = mappedInteraction(interaction);
    const rule = mapping.forInteraction(mapped);
    const contact = customer && contacts.get(customer.id);
    if (customer === undefined || rule === undefined || contact === undefined || refused.has(customer.id))
      continue;
    const group = groups.get(rule.object) ?? { object: rule.object, key: rule.key, records: [] };
    group.records.push({ key: interaction.id, fields: rule.fields(mapped), contact });
    groups.set(rule.object, group);
  }
  const failed = new Map<string, HubError>();
  for (const { object, key, records } of groups.values()) {
    const results: CrmResult[] = await session.upsert(object, key, records);
    for (const result of results) if ('error' in result) failed.set(result.key, result.error);
  }
  return failed;
};

/** Of the customer, a mapping sees only whether anybody vouches for who acted. */
const mappedInteraction = ({
  customer,
  profileId: _profileId,
  ...interaction
}: StoredInteraction): MappedInteraction => ({
  ...interaction,
  proof: customer.guest ? 'claimed' : 'proven',
});
