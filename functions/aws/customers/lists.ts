import { HubError } from '../../../core/errors.ts';
import type { Customer, SourceProfile } from '../../../core/identity/customer.ts';
import { type Place, placesOf, samePlaces } from '../../../core/timeline/lists.ts';
import { listedKey, placeKey, profileIdOf, profileKey } from '../../contracts/keys.ts';
import type { Projection, ReadPlaces } from '../../contracts/ports/projections.ts';
import { Listed } from '../../contracts/rows/projections.ts';
import type { Table, Write } from '../clients/dynamo.ts';
import { history } from './history.ts';

const ATTEMPTS = 12;
/** Customers whose places are written at the same time. */
const AT_ONCE = 10;

/**
 * Keeps the lists that people read as the customers are now, whatever the order of messages: nothing is written where
 * nobody has moved, and whoever was merged into another leaves.
 */
export const lists =
  (table: Table): Projection =>
  async ({ customers }) => {
    let waiting = [...new Map([...customers.values()].map((one) => [one.id, one])).values()];
    for (let attempt = 0; waiting.length > 0 && attempt < ATTEMPTS; attempt++) {
      const listed = await listedOf(table, waiting);
      const again: string[] = [];
      for (let start = 0; start < waiting.length; start += AT_ONCE) {
        const group = waiting.slice(start, start + AT_ONCE);
        const done = await Promise.all(group.map((customer) => placed(table, customer, listed)));
        again.push(...group.filter((_, place) => done[place] !== true).map(({ id }) => id));
      }
      const found = again.length === 0 ? [] : [...(await history(table).customers(again)).values()];
      waiting = [...new Map(found.map((one) => [one.id, one])).values()];
    }
    if (waiting.length > 0) throw writeConflict();
  };

const writeConflict = (): HubError =>
  new HubError('write-conflict', `The same customers were listed by others ${ATTEMPTS} times.`, {
    retry: 'later',
  });

const listedOf = async (
  table: Table,
  customers: readonly Customer[],
): Promise<ReadonlyMap<string, Listed>> => {
  const profileIds = customers.flatMap((one) => one.sourceProfiles.map(({ profile }) => profile.id));
  const found = await table.get(profileIds.map(listedKey));
  return new Map(found.map((row) => [profileIdOf(row), Listed.parse(row)]));
};

/** False where the customer was changed meanwhile, so that it has to be read again. */
const placed = async (
  table: Table,
  customer: Customer,
  listed: ReadonlyMap<string, Listed>,
): Promise<boolean> => {
  const wholeState = stateOf(customer.sourceProfiles);
  for (const sourceProfile of customer.sourceProfiles) {
    const { id } = sourceProfile.profile;
    const present = listed.get(id);
    const isRoot = id === customer.id;
    const next = {
      state: isRoot ? wholeState : stateOf([sourceProfile]),
      places: isRoot ? placesOf(customer) : [],
    };
    if (present !== undefined && laterThan(present.state, next.state)) return false;
    if (samePlaces(present?.places ?? [], next.places)) continue;
    if (!(await table.transact(moves(id, present, next)))) return false;
  }
  return true;
};

const stateOf = (sourceProfiles: readonly SourceProfile[]): Listed['state'] =>
  Object.fromEntries(
    sourceProfiles.map(({ profile, activity }) => [profile.id, profile.version + activity.version]),
  );

/** Halves come and go, and each of them only ever goes on. */
const laterThan = (one: Listed['state'], other: Listed['state']): boolean =>
  Object.entries(one).some(([profileId, version]) => version > (other[profileId] ?? version));

const moves = (
  profileId: string,
  present: Listed | undefined,
  { state, places }: Omit<Listed, 'version'>,
): Write[] => {
  const before = present?.places ?? [];
  const version = (present?.version ?? 0) + 1;
  const missing = (from: readonly Place[], to: readonly Place[]): Place[] =>
    from.filter((one) => !to.some((other) => samePlaces([one], [other])));
  return [
    {
      put: { ...listedKey(profileId), version, state, places },
      if: present === undefined ? { absent: true } : { version: present.version },
    },
    // Whoever is erased at this moment is not listed: from then on the row above is gone, and says so.
    ...(present === undefined ? [{ check: profileKey(profileId), if: { exists: true } } as const] : []),
    ...missing(before, places).map((place) => ({ delete: placeKey(place) })),
    ...missing(places, before).map((place) => ({ put: { ...placeKey(place) } })),
  ];
};

/** Takes a half out of all lists. It may be listed again for as long as its profile stands. */
export const unlist = async (table: Table, profileId: string): Promise<void> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [row] = await table.get([listedKey(profileId)]);
    if (row === undefined) return;
    const { version, places } = Listed.parse(row);
    const gone = await table.transact([
      { delete: listedKey(profileId), if: { version } },
      ...places.map((place) => ({ delete: placeKey(place) })),
    ]);
    if (gone) return;
  }
  throw writeConflict();
};

/** Before and behind every key of a list; DynamoDB takes no empty one. */
const [FIRST, LAST] = [' ', '\u{10ffff}'];

/** Reads a part of a list. */
export const placesOfPart =
  (table: Table): ReadPlaces =>
  async (part, { limit, newestFirst = false, beginsWith = '', beyond }) => {
    const [first, last] = [beginsWith === '' ? FIRST : beginsWith, `${beginsWith}${LAST}`];
    const found: Place[] = [];
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
