import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { HubError } from '../../../core/errors.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import {
  erasureListPartition,
  isGuestKey,
  isOwnerKey,
  isSeenKey,
  profileIdOf,
  sortKeyPrefix,
} from '../../contracts/keys.ts';
import { unknownPerson } from '../../contracts/rows/erasures.ts';
import { interactionOf, seenOf } from '../../contracts/rows/interactions.ts';
import { erasedOf, guestOf, ownerOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';
import { eraseRows } from './erase-rows.ts';
import { erasures } from './erasures.ts';
import type { HashedKeys } from './hashed-keys.ts';

interface Tables {
  /** The table that the hub uses. */
  readonly current: Table;
  /** A copy of it as it was at `restoredTo`. */
  readonly restored: Table;
  readonly restoredTo: Instant;
}

interface ErasePorts {
  readonly loadHashedKeys: () => Promise<HashedKeys>;
  readonly runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>;
}

/** What is known of the people who were erased since: hashes under the secret of the hub, as keys of rows. */
interface Erased {
  readonly identifiers: ReadonlySet<string>;
  readonly interactions: ReadonlySet<string>;
  /** As the erasures name the persons. */
  readonly persons: ReadonlySet<string>;
  /** The rows that keep all this. */
  readonly rows: readonly Row[];
}

/**
 * Removes from a restored table the rows of everybody who was erased after the second that it shows, and copies the erasures,
 * their receipts and the hashed keys into it. A person is recognised by an identifier, a CRM record or an interaction whose
 * hashed key an erasure has left, or by the erasure itself. It may be interrupted and repeated. Resolves to the number of
 * source profiles that were erased again. Rejects with `HubError` `erased-people-left` (never), `busy-table` or
 * `write-conflict` (later).
 */
export const eraseAgain = async (tables: Tables, ports: ErasePorts): Promise<number> => {
  const erased = await erasedSince(tables);
  let count = 0;
  for (const [profileId, guestOfIdentifiers] of await foundAgain(tables, erased, ports)) {
    await eraseOne(tables.restored, ports, profileId, guestOfIdentifiers);
    count++;
  }
  for (const row of erased.rows) await tables.restored.put(row);
  const left = await foundAgain(tables, erased, ports);
  if (left.size > 0)
    throw new HubError(
      'erased-people-left',
      `The table ${tables.restored.name} still has ${left.size} source profiles of erased people: ${[...left.keys()].join(', ')}. Do not use it; run the command again.`,
      { retry: 'never' },
    );
  return count;
};

const erasedSince = async ({ current, restored, restoredTo }: Tables): Promise<Erased> => {
  const identifiers = new Set<string>();
  const interactions = new Set<string>();
  const rows: Row[] = [];
  for await (const row of scan(current)) {
    if (row.pk.startsWith('erased#')) {
      rows.push(row);
      if (erasedOf(row).at > restoredTo) identifiers.add(row.pk);
    } else if (isSeenKey(row) && seenOf(row).erased === true) {
      rows.push(row);
      interactions.add(row.pk);
    } else if (row.pk.startsWith('erasure#') || row.pk === erasureListPartition) rows.push(row);
  }
  const before = erasures(restored);
  const persons = new Set<string>();
  for (const { id, person, askedAt } of await erasures(current).list())
    if (askedAt > restoredTo || (await before.get(id))?.receipt === undefined) persons.add(person);
  return { identifiers, interactions, persons, rows };
};

/** The source profiles of erased people, and of a guest the identifiers by which it was found. */
const foundAgain = async (
  { restored }: Tables,
  { identifiers, interactions, persons }: Erased,
  { loadHashedKeys }: ErasePorts,
): Promise<Map<string, Identifier[]>> => {
  const { erasedKey, seenKey, personOf } = await loadHashedKeys();
  const isErased = (identifier: Identifier): boolean =>
    identifiers.has(erasedKey(identifier).pk) || persons.has(personOf(identifier));
  const found = new Map<string, Identifier[]>();
  for await (const row of scan(restored)) {
    if (isOwnerKey(row)) {
      const { identifier, profileId } = ownerOf(row);
      if (isErased(identifier)) found.set(profileId, found.get(profileId) ?? []);
    } else if (isGuestKey(row)) {
      const { identifier, profileId } = guestOf(row);
      if (isErased(identifier)) found.set(profileId, [...(found.get(profileId) ?? []), identifier]);
    } else if (
      row.sk.startsWith(sortKeyPrefix.interaction) &&
      interactions.has(seenKey(interactionOf(row).id).pk)
    ) {
      const profileId = profileIdOf(row);
      found.set(profileId, found.get(profileId) ?? []);
    }
  }
  return found;
};

/** The files and the CRM records of the person were removed by the first erasure: here only rows are left. */
const eraseOne = async (
  restored: Table,
  { loadHashedKeys, runtime }: ErasePorts,
  profileId: string,
  identifiers: readonly Identifier[],
): Promise<void> => {
  const work = `restore-${profileId}`;
  const own = erasures(restored);
  const rows = eraseRows({ table: restored, loadHashedKeys, erasures: own, runtime });
  if (identifiers.length > 0) await own.putPerson(work, { ...unknownPerson, identifiers: [...identifiers] });
  const always = (): boolean => true;
  while (!(await rows.remove(work, profileId, always)));
  while (!(await rows.removeAgain(work, always)));
  await own.removePerson(work);
};

/** Every row of a table. */
async function* scan({ client, name }: Table): AsyncGenerator<Row> {
  let start: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({ TableName: name, ConsistentRead: true, ...(start && { ExclusiveStartKey: start }) }),
    );
    for (const item of page.Items ?? []) {
      const row = unmarshall(item);
      yield { ...row, pk: String(row['pk']), sk: String(row['sk']) };
    }
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
}
