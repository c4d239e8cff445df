import type { Customer } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import { type IdentityConfig, sortByStrength } from '../../../core/identity/identity-config.ts';
import { usableIdentifiers } from '../../../core/identity/normalise.ts';
import { shownWith } from '../../../core/identity/proof/guests.ts';
import { claimPartition, claimPrefix, guestKey, identifierKey } from '../../contracts/keys.ts';
import type { Guests } from '../../contracts/ports/guests.ts';
import { claimOf, guestOf, ownerOf } from '../../contracts/rows/people.ts';
import type { Table } from '../clients/dynamo.ts';
import { history } from './history.ts';

/** More guests of one person are not read: a flood of claims must not slow its timeline. */
const MOST_GUESTS = 50;

/** Guests in the table: one read of owners, one of their profiles; for a person a query per identifier before. */
export const guests = (table: Table, identity: () => Promise<IdentityConfig>): Guests => {
  const people = history(table);
  const ownersOf = async (identifiers: readonly Identifier[]): Promise<Map<Identifier, string>> => {
    const rows = await table.get([...new Set(identifiers)].map(identifierKey));
    return new Map(rows.map(ownerOf).map(({ identifier, profileId }) => [identifier, profileId]));
  };
  /** By guest, the person with whom it is shown. */
  const personsOf = async (all: readonly Customer[]): Promise<Map<string, Customer>> => {
    const config = await identity();
    const owners = await ownersOf(all.flatMap(({ claimed }) => claimed));
    const persons = await people.customers([...new Set(owners.values())]);
    return new Map(
      all.flatMap(({ id, sourceProfiles: [guest] }) => {
        const owner =
          guest &&
          shownWith(
            guest.profile,
            config,
            (one) => owners.get(one),
            (profileId) => persons.get(profileId),
          );
        const person = owner === undefined ? undefined : persons.get(owner);
        return person ? [[id, person] as const] : [];
      }),
    );
  };
  return {
    async ownerFor(customer, { identifiers }) {
      const ranked = sortByStrength(usableIdentifiers(identifiers, await identity()), await identity());
      const owners = await ownersOf(ranked);
      const owner = ranked.map((one) => owners.get(one)).find((one) => one !== undefined);
      return (owner === undefined ? undefined : (await people.customers([owner])).get(owner)) ?? customer;
    },
    personOf: async (guest) => (guest.guest ? (await personsOf([guest])).get(guest.id) : undefined),
    async guestsOf(person) {
      if (person.guest || person.identifiers.length === 0) return [];
      const ids = new Set(
        (await table.get(person.identifiers.map(guestKey))).map((row) => guestOf(row).profileId),
      );
      for (const identifier of person.identifiers)
        for await (const row of table.query(claimPartition(identifier), {
          beginsWith: claimPrefix,
          backwards: true,
        })) {
          ids.add(claimOf(row).profileId);
          if (ids.size >= MOST_GUESTS) break;
        }
      const found = [...(await people.customers([...ids])).values()];
      const persons = await personsOf(found);
      return found
        .filter(({ id }) => persons.get(id)?.id === person.id)
        .sort((one, other) => (one.lastSeenAt < other.lastSeenAt ? 1 : -1))
        .slice(0, MOST_GUESTS);
    },
  };
};
