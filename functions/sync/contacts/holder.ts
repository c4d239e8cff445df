import { released } from '../../../core/crm/reservation.ts';
import { unknownState } from '../../../core/crm/state.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { Holder, Links, SyncPorts } from '../ports.ts';
import type { Subject } from './subjects.ts';

/**
 * Which source profile holds a record that a merge in the CRM left for a customer: the one of the customer's that is linked to
 * it already, else the subject's own; undefined where another customer is linked to it.
 */
export const holderOf = async (
  links: Pick<Links, 'load' | 'owners'>,
  { customer, profileId, state }: Subject,
  record: string,
): Promise<Holder | undefined> => {
  const owner = (await links.owners([record])).get(record);
  if (owner === undefined || owner === profileId) return { profileId, state };
  if (!customer.sourceProfiles.some(({ profile }) => profile.id === owner)) return undefined;
  return { profileId: owner, state: (await links.load([owner])).get(owner) ?? unknownState };
};

/**
 * Makes a record the contact of a source profile; what the record holds is read before it is written. False where another
 * worker changes the state.
 */
export const moveTo = (
  links: Pick<Links, 'save'>,
  { profileId, state }: Holder,
  record: string,
): Promise<boolean> => {
  const { goneAt: _, ...kept } = released(state);
  return links.save(profileId, { ...kept, record, fields: {} }, record);
};

/** A guest who is linked to a record, and the person with whom it is shown. */
export interface ShownGuest {
  readonly person: string;
  readonly guest: Customer;
  readonly holder: Holder;
}

/**
 * Of the source profiles that are linked to records, the guests that are shown with a person, by their ids: what such a guest
 * was written to is the person's contact, as soon as the person proves the address.
 */
export const guestsWithPerson = async (
  { history, guests, links }: Pick<SyncPorts, 'history' | 'guests' | 'links'>,
  owners: readonly string[],
): Promise<ReadonlyMap<string, ShownGuest>> => {
  if (owners.length === 0) return new Map();
  const found = [...(await history.customers(owners))].filter(([, { guest }]) => guest);
  const states = await links.load(found.map(([id]) => id));
  const shown = await Promise.all(
    found.map(async ([profileId, guest]) => {
      const person = await guests.personOf(guest);
      const holder = { profileId, state: states.get(profileId) ?? unknownState };
      return person === undefined ? [] : [[profileId, { person: person.id, guest, holder }] as const];
    }),
  );
  return new Map(shown.flat());
};
