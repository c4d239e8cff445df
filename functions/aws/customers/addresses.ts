import type { Customer } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { usableIdentifiers } from '../../../core/identity/normalise.ts';
import { type AddressState, type AddressStates, isAddress } from '../../../core/triggers/addresses.ts';
import { addressClaimKey, guestKey, identifierKey, isOwnerKey, keyText } from '../../contracts/keys.ts';
import type { AddressClaims, Addressees, ReadAddresses } from '../../contracts/ports/addresses.ts';
import { addressClaimOf, ownerOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Table } from '../clients/dynamo.ts';
import { history } from './history.ts';

/** Addresses in the table; none is read for a person whose cause carried none of another owner. */
export const addressReader =
  (table: Table, identity: () => Promise<IdentityConfig>): ReadAddresses =>
  async ({ category, limits }, customer, { identifiers }) => {
    const carried = usableIdentifiers(identifiers, await identity()).filter(isAddress);
    const own = customer.identifiers.filter(isAddress);
    const foreign = carried.filter((one) => !own.includes(one));
    const all = [...new Set([...carried, ...own])];
    return {
      carried,
      addresses: await addressStates(table, category === 'marketing' ? all : foreign, customer),
      limited: limits.perCustomer ? all : foreign,
    };
  };

/**
 * What is known of addresses besides the customer for whom is decided: their owners with closures and answers, and what
 * claims said about them. One read, and one more where somebody else owns one. `reservations` are empty: limits have rows of
 * their own.
 */
const addressStates = async (
  table: Table,
  addresses: readonly Identifier[],
  { identifiers }: Pick<Customer, 'identifiers'>,
): Promise<AddressStates> => {
  if (addresses.length === 0) return new Map();
  const rows = await table.get(
    addresses.flatMap((one) => [
      ...(identifiers.includes(one) ? [] : [identifierKey(one)]),
      addressClaimKey(one, 'mute'),
      addressClaimKey(one, 'opt-in'),
    ]),
  );
  const byKey = new Map(rows.map((row) => [keyText(row), row]));
  const owners = new Map(
    rows
      .filter(isOwnerKey)
      .map(ownerOf)
      .map(({ identifier, profileId }) => [identifier, profileId]),
  );
  const customers = await history(table).customers([...new Set(owners.values())]);
  return new Map(
    addresses.map((address): [Identifier, AddressState] => {
      const owner = customers.get(owners.get(address) ?? '');
      return [
        address,
        {
          ...(owner && { owner }),
          isClosed: owner?.closed[address] !== undefined,
          consent: owner?.consent ?? {},
          ...claimsIn(byKey, address),
          reservations: [],
        },
      ];
    }),
  );
};

/** What claims said about an address, among rows by their keys. */
const claimsIn = (rows: ReadonlyMap<string, Row>, address: Identifier): AddressClaims => {
  const [mute, optIn] = (['mute', 'opt-in'] as const).map((claim) => {
    const row = rows.get(keyText(addressClaimKey(address, claim)));
    return row && addressClaimOf(row);
  });
  return { ...(mute && { mute }), ...(optIn && { optIn }) };
};

/** Who owns an address now, and what claims said about it: one read, and one more of its owner. */
export const addressees = (table: Table): Addressees => {
  const read = async (addresses: readonly Identifier[], owners: readonly Identifier[]) => {
    const keys = addresses.flatMap((one) => [addressClaimKey(one, 'mute'), addressClaimKey(one, 'opt-in')]);
    const rows = await table.get([...keys, ...owners.flatMap((one) => [identifierKey(one), guestKey(one)])]);
    return new Map(rows.map((row) => [keyText(row), row]));
  };
  return {
    async of(address) {
      const rows = await read([address], [address]);
      if (rows.size === 0) return undefined;
      const row = rows.get(keyText(identifierKey(address)));
      const profileId = row && ownerOf(row).profileId;
      const customer = profileId === undefined ? undefined : await history(table).customer(profileId);
      const profile = customer?.sourceProfiles.find((one) => one.profile.id === profileId)?.profile;
      return { ...claimsIn(rows, address), ...(customer && profile && { owner: { customer, profile } }) };
    },
    async claims(addresses) {
      const rows = await read(addresses, []);
      const all = addresses.map((one) => [one, claimsIn(rows, one)] as const);
      return new Map(all.filter(([, { mute, optIn }]) => mute !== undefined || optIn !== undefined));
    },
  };
};
