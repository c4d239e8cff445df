import type { CaseState, CasesState, Talk } from '../../../core/crm/cases.ts';
import { noCases } from '../../../core/crm/cases.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { SyncMessage } from '../../contracts/messages/sync.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import { profileIdsOf } from '../contacts/subjects.ts';
import type { SyncPorts } from '../ports.ts';

/** Who is in conversation, and at whose contact its cases are: a guest has a conversation of its own. */
export interface Party {
  readonly customer: Customer;
  /** The customer whose contact it is. */
  readonly contactOf: string;
  /** The CRM's id of that contact. */
  readonly contact: string;
  readonly talk: Talk;
  /** The rows of its source profiles. */
  readonly rows: ReadonlyMap<string, CasesState>;
  readonly interactions: readonly StoredInteraction[];
}

/** What is written of a batch: its interactions, and by source profile the customers, by customer the CRM's id of the contact. */
export interface CaseBatch {
  readonly messages: readonly SyncMessage[];
  readonly interactions: readonly StoredInteraction[];
  readonly customers: ReadonlyMap<string, Customer>;
  readonly contacts: ReadonlyMap<string, string>;
}

/** Everybody in conversation of whom a batch has a message, and who has a contact. */
export const partiesOf = async (
  ports: Pick<SyncPorts, 'history' | 'cases' | 'silence' | 'now'>,
  { messages, interactions, customers, contacts }: CaseBatch,
): Promise<Party[]> => {
  const profileIds = [...new Set(messages.map(({ profileId }) => profileId))].filter((id) =>
    contacts.has(customers.get(id)?.id ?? ''),
  );
  const guests = profileIds.filter((id) => isShownGuest(id, customers.get(id)));
  const own = guests.length === 0 ? new Map<string, Customer>() : await ports.history.customers(guests);
  const speakers = new Map(profileIds.map((id) => [id, own.get(id) ?? customers.get(id)]));
  const states = await ports.cases.load([
    ...new Set([...speakers.values()].flatMap((one) => (one ? profileIdsOf(one) : []))),
  ]);
  const openers = await openersOf(ports, states, interactions);
  const silence = await ports.silence();
  const now = ports.now();
  const bySpeaker = Map.groupBy(profileIds, (id) => speakers.get(id)?.id ?? id);
  return [...bySpeaker.values()].flatMap((ids): Party[] => {
    const [first = ''] = ids;
    const [customer, shown] = [speakers.get(first), customers.get(first)];
    const contact = contacts.get(shown?.id ?? '');
    if (customer === undefined || shown === undefined || contact === undefined) return [];
    return [
      {
        ...{ customer, contactOf: shown.id, contact },
        talk: { conversation: customer.conversation, silence, now },
        rows: new Map(profileIdsOf(customer).map((id) => [id, states.get(id) ?? noCases])),
        interactions: [...interactions, ...openers]
          .filter(({ profileId }) => ids.includes(profileId) || profileIdsOf(customer).includes(profileId))
          .toSorted((one, other) => (one.occurredAt < other.occurredAt ? -1 : 1)),
      },
    ];
  });
};

/**
 * The interactions that began cases of which it is not known whether they were written: the next worker writes them, also
 * if the message of the interaction never comes again.
 */
const openersOf = async (
  { history }: Pick<SyncPorts, 'history'>,
  states: ReadonlyMap<string, CasesState>,
  interactions: readonly StoredInteraction[],
): Promise<StoredInteraction[]> => {
  const present = new Set(interactions.map(({ id }) => id));
  const missing = [...states.values()]
    .flatMap(({ cases }) => cases)
    .filter(({ record, conversation }) => record === undefined && !present.has(conversation));
  const addresses = missing.flatMap(({ conversation: id, openedAt: occurredAt }) =>
    [...states.keys()].map((profileId) => ({ profileId, id, occurredAt })),
  );
  return addresses.length === 0 ? [] : history.interactions(addresses);
};

/** A guest that is shown with a person, who does not have its source profile. */
const isShownGuest = (profileId: string, customer: Customer | undefined): boolean =>
  customer !== undefined && !profileIdsOf(customer).includes(profileId);

/** The cases of a party, oldest first, with the source profile in whose row each is. */
export const casesOfParty = ({ rows }: Pick<Party, 'rows'>): { profileId: string; state: CaseState }[] =>
  [...rows]
    .flatMap(([profileId, { cases }]) => cases.map((state) => ({ profileId, state })))
    .toSorted((one, other) => (one.state.openedAt < other.state.openedAt ? -1 : 1));
