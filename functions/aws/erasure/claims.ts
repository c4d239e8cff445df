import type { Customer } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import { claimPartition, claimPrefix, guestKey, identifierKey } from '../../contracts/keys.ts';
import { claimOf, guestOf, ownerOf } from '../../contracts/rows/people.ts';
import type { Table } from '../clients/dynamo.ts';
import { history } from '../customers/history.ts';

/** Who claims an identifier, and who owns what they claim. */
export interface Claims {
  /** The guest that the identifier has itself. */
  guestOf(identifier: Identifier): Promise<string | undefined>;
  /** The ids of all guests that claim an identifier, each once, the identifier's own first. */
  claimants(identifier: Identifier): AsyncGenerator<string>;
  /** The ids of the persons who own what a guest claims; none where nobody owns any of it. */
  ownersOf(guest: Customer): Promise<ReadonlySet<string>>;
  /**
   * Whether a guest goes with a person when that person is exported or erased (FORMATS, "Erasing"): the guest is shown with
   * the person, and everything that it claims and somebody owns is the person's.
   */
  goesWith(guest: Customer, person: Customer): Promise<boolean>;
}

export const claims = (table: Table): Claims => {
  const people = history(table);
  const guestId = async (identifier: Identifier): Promise<string | undefined> => {
    const [row] = await table.get([guestKey(identifier)]);
    return row && guestOf(row).profileId;
  };
  const ownersOf = async ({ claimed }: Customer): Promise<ReadonlySet<string>> => {
    const owners = (await table.get(claimed.map(identifierKey))).map((row) => ownerOf(row).profileId);
    const persons = await people.customers([...new Set(owners)]);
    // An owner who is erased at this moment stays another person.
    return new Set(owners.map((profileId) => persons.get(profileId)?.id ?? profileId));
  };
  return {
    guestOf: guestId,
    async *claimants(identifier) {
      const own = await guestId(identifier);
      if (own !== undefined) yield own;
      const found = new Set([own]);
      for await (const row of table.query(claimPartition(identifier), { beginsWith: claimPrefix })) {
        const { profileId } = claimOf(row);
        if (!found.has(profileId)) yield profileId;
        found.add(profileId);
      }
    },
    ownersOf,
    async goesWith(guest, person) {
      const owners = await ownersOf(guest);
      const apart = guest.sourceProfiles.flatMap(({ profile }) => profile.shownApart);
      return (
        owners.size === 1 &&
        owners.has(person.id) &&
        !person.sourceProfiles.some(({ profile }) => apart.includes(profile.id))
      );
    },
  };
};
