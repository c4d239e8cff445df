import type { Customer } from '../../../../core/identity/customer.ts';
import type { SourceProfile } from '../../../../core/identity/profile.ts';
import { haveSameEntries, type ListEntry, listEntries } from '../../../../core/timeline/lists.ts';
import { listedKey, placeKey, profileIdOf, profileKey } from '../../../contracts/keys.ts';
import type { Projection, ReadPlaces } from '../../../contracts/ports/projections.ts';
import { type Listed, listedRowOf } from '../../../contracts/rows/projections.ts';
import type { Table, Write } from '../../clients/dynamo.ts';
import { type Pausing, updateOptimistically } from '../../clients/optimistic.ts';
import { history } from '../history.ts';

/** Customers that are written at the same time. */
const CONCURRENT_CUSTOMERS = 10;

/**
 * Keeps the lists of customers that people read (recent, by name, waiting for an answer) as the customers are now, in
 * whatever order the messages arrive. Nothing is written for a customer whose entries stay the same. A merged source
 * profile leaves the lists. Rejects with `HubError` `write-conflict` (later).
 */
export const lists =
  (table: Table, runtime: Pausing): Projection =>
  async ({ customers }) => {
    let pending = distinct(customers.values());
    await updateOptimistically(runtime, 'The lists of customers', async () => {
      const outdated = await enterAll(table, pending);
      pending = outdated.length === 0 ? [] : distinct((await history(table).customers(outdated)).values());
      return pending.length === 0;
    });
  };

const distinct = (customers: Iterable<Customer>): Customer[] => [
  ...new Map([...customers].map((one) => [one.id, one])).values(),
];

/** The ids of customers that changed in between and must be read again. */
const enterAll = async (table: Table, customers: readonly Customer[]): Promise<string[]> => {
  const listed = await listedOf(table, customers);
  const outdated: string[] = [];
  for (let start = 0; start < customers.length; start += CONCURRENT_CUSTOMERS) {
    const group = customers.slice(start, start + CONCURRENT_CUSTOMERS);
    const entered = await Promise.all(group.map((customer) => enter(table, customer, listed)));
    outdated.push(...group.filter((_, position) => entered[position] !== true).map(({ id }) => id));
  }
  return outdated;
};

/** The entries as stored, by source profile. */
const listedOf = async (
  table: Table,
  customers: readonly Customer[],
): Promise<ReadonlyMap<string, Listed>> => {
  const profileIds = customers.flatMap((one) => one.sourceProfiles.map(({ profile }) => profile.id));
  const found = await table.get(profileIds.map(listedKey));
  return new Map(found.map((row) => [profileIdOf(row), listedRowOf(row)]));
};

/** False where the customer or its entries changed since they were read. */
const enter = async (
  table: Table,
  customer: Customer,
  listed: ReadonlyMap<string, Listed>,
): Promise<boolean> => {
  const customerState = stateOf(customer.sourceProfiles);
  for (const sourceProfile of customer.sourceProfiles) {
    const { id } = sourceProfile.profile;
    const present = listed.get(id);
    const isCanonical = id === customer.id;
    const next = {
      state: isCanonical ? customerState : stateOf([sourceProfile]),
      places: isCanonical ? listEntries(customer) : [],
    };
    if (present !== undefined && isNewer(present.state, next.state)) return false;
    if (haveSameEntries(present?.places ?? [], next.places)) continue;
    if (!(await table.transact(entryWrites(id, present, next)))) return false;
  }
  return true;
};

const stateOf = (sourceProfiles: readonly SourceProfile[]): Listed['state'] =>
  Object.fromEntries(
    sourceProfiles.map(({ profile, activity }) => [profile.id, profile.version + activity.version]),
  );

/** Source profiles join and leave a customer, and the version of each only grows. */
const isNewer = (one: Listed['state'], other: Listed['state']): boolean =>
  Object.entries(one).some(([profileId, version]) => version > (other[profileId] ?? version));

const entryWrites = (
  profileId: string,
  present: Listed | undefined,
  { state, places }: Omit<Listed, 'version'>,
): Write[] => {
  const before = present?.places ?? [];
  const version = (present?.version ?? 0) + 1;
  const missing = (from: readonly ListEntry[], to: readonly ListEntry[]): ListEntry[] =>
    from.filter((one) => !to.some((other) => haveSameEntries([one], [other])));
  return [
    {
      put: { ...listedKey(profileId), version, state, places },
      if: present === undefined ? { absent: true } : { version: present.version },
    },
    // A source profile that is being erased is not entered again: its profile row is removed last.
    ...(present === undefined ? [{ check: profileKey(profileId), if: { exists: true } } as const] : []),
    ...missing(before, places).map((place) => ({ delete: placeKey(place) })),
    ...missing(places, before).map((place) => ({ put: { ...placeKey(place) } })),
  ];
};

/** Removes a source profile from all lists. It may be entered again for as long as its profile row exists. */
export const unlist = (table: Table, runtime: Pausing, profileId: string): Promise<void> =>
  updateOptimistically(runtime, 'The lists of customers', async () => {
    const [row] = await table.get([listedKey(profileId)]);
    if (row === undefined) return true;
    const { version, places } = listedRowOf(row);
    return table.transact([
      { delete: listedKey(profileId), if: { version } },
      ...places.map((place) => ({ delete: placeKey(place) })),
    ]);
  });

/** Before and behind every key of a list; DynamoDB accepts no empty key. */
const [FIRST, LAST] = [' ', '\u{10ffff}'];

/** Reads a part of a list. */
export const placesOfPart =
  (table: Table): ReadPlaces =>
  async (part, { limit, newestFirst = false, beginsWith = '', beyond }) => {
    const [first, last] = [beginsWith === '' ? FIRST : beginsWith, `${beginsWith}${LAST}`];
    const found: ListEntry[] = [];
    const range = {
      from: newestFirst ? first : (beyond ?? first),
      to: newestFirst ? (beyond ?? last) : last,
      backwards: newestFirst,
      pageSize: limit + 1,
    };
    for await (const { sk: key } of table.query(placeKey({ part, key: '' }).pk, range)) {
      if (key !== beyond) found.push({ part, key });
      if (found.length === limit) break;
    }
    return found;
  };
