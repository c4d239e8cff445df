import type { CrmRecord, CrmSession } from '../../core/crm/connector.ts';
import type { MappedInteraction } from '../../core/crm/mapping/mapping.ts';
import { HubError } from '../../core/errors.ts';
import type { Customer } from '../../core/identity/customer.ts';
import type { SyncMessage } from '../contracts/messages/sync.ts';
import type { StoredInteraction } from '../contracts/ports/history.ts';
import type { CaseBatch } from './cases/parties.ts';
import type { Rules } from './contacts/subjects.ts';
import { isParked } from './contacts/write.ts';
import type { SyncPorts, Waiting } from './ports.ts';

/** What became of the interactions of a batch, by their ids; those in neither are logged, or the CRM does not want them. */
export interface Logged {
  readonly waiting: ReadonlyMap<string, Waiting>;
  readonly refused: ReadonlyMap<string, HubError>;
}

export interface Group {
  readonly object: string;
  readonly key: string;
  readonly records: CrmRecord[];
}

/** The interactions of messages whose customers have a contact. `contacts`: the CRM's ids by customer; others are left out. */
export const interactionsOf = async (
  { history }: Pick<SyncPorts, 'history'>,
  messages: readonly SyncMessage[],
  customers: ReadonlyMap<string, Customer>,
  contacts: ReadonlyMap<string, string>,
): Promise<StoredInteraction[]> => {
  const addresses = messages.flatMap(({ profileId, interaction: id, occurredAt }) => {
    const customer = customers.get(profileId);
    const isWanted = customer !== undefined && contacts.has(customer.id);
    return id === undefined || occurredAt === undefined || !isWanted ? [] : [{ profileId, id, occurredAt }];
  });
  return addresses.length === 0 ? [] : history.interactions(addresses);
};

/** Logs interactions at the contacts of their customers. */
export const logInteractions = async (
  ports: Pick<SyncPorts, 'call' | 'parked' | 'title'>,
  session: CrmSession,
  rules: Rules,
  { interactions, customers, contacts }: Omit<CaseBatch, 'messages'>,
): Promise<Logged> => {
  const waiting = new Map<string, Waiting>();
  const refused = new Map<string, HubError>();
  const groups = groupsOf(
    rules,
    interactions,
    ({ profileId }) => contacts.get(customers.get(profileId)?.id ?? ''),
    refused,
  );
  for (const { object, key, records } of groups) {
    if (ports.parked.has(object)) {
      for (const one of records) waiting.set(one.key, { error: isParked(ports, object), object });
      continue;
    }
    for (const result of await session.upsert(object, key, records, ports.call)) {
      if (!('fault' in result)) continue;
      const { fault } = result;
      if (fault.scope === 'record' && fault.retry === 'never') refused.set(result.key, fault);
      else waiting.set(result.key, { error: fault, ...(fault.scope === 'object' && { object }) });
    }
  }
  return { waiting, refused };
};

/** The records of interactions, by object. A value that cannot be mapped refuses its own interaction. */
export const groupsOf = (
  { mapping }: Rules,
  interactions: readonly StoredInteraction[],
  contactOf: (interaction: StoredInteraction) => string | undefined,
  refused: Map<string, HubError>,
): Group[] => {
  const groups = new Map<string, Group>();
  for (const interaction of interactions) {
    const contact = contactOf(interaction);
    const mapped = mappedInteraction(interaction);
    for (const { object, key, fields, links } of mapping.forInteraction(mapped)) {
      const group = groups.get(object) ?? { object, key, records: [] };
      groups.set(object, group);
      try {
        group.records.push({
          ...{ key: interaction.id, fields: fields(mapped) },
          ...(contact !== undefined && { links: Object.fromEntries(links.map((link) => [link, contact])) }),
        });
      } catch (error) {
        if (!(error instanceof HubError) || error.retry !== 'never') throw error;
        refused.set(interaction.id, error);
      }
    }
  }
  return [...groups.values()].filter(({ records }) => records.length > 0);
};

/** Of the customer, a mapping sees only whether anybody vouches for who acted. */
export const mappedInteraction = ({
  customer,
  profileId: _profileId,
  ...interaction
}: StoredInteraction): MappedInteraction => ({
  ...interaction,
  proof: customer.guest ? 'claimed' : 'proven',
});
