import { resolveCustomer } from '../../../core/identity/customer.ts';
import { normaliseIdentifier } from '../../../core/identity/normalise.ts';
import type { SourceProfile } from '../../../core/identity/profile.ts';
import { type Interaction, instant, interactionId } from '../../../core/interaction/interaction.ts';
import { retainedRefusals } from '../../../core/privacy/erasure.ts';
import {
  activityKey,
  identifierKey,
  listedKey,
  profileKey,
  profilePartition,
  reviewPartition,
  sortKeyPrefix,
} from '../../contracts/keys.ts';
import type { ErasedPerson, ErasurePart } from '../../contracts/rows/erasures.ts';
import { interactionOf } from '../../contracts/rows/interactions.ts';
import { reviewOf, splitOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table, Write } from '../clients/dynamo.ts';
import { updateOptimistically } from '../clients/optimistic.ts';
import { loadMergeTrees } from '../customers/history.ts';
import { unlist } from '../customers/lists.ts';
import { removeMessages } from '../customers/message-status.ts';
import type { HashedKeys } from './hashed-keys.ts';
import { busyTable, type ErasureParts } from './parts.ts';

/** Rows that one transaction removes; an interaction takes up to four of the 100 items that it may hold. */
const ROWS_PER_TRANSACTION = 24;
const WRITES_PER_TRANSACTION = 90;
/**
 * One day longer than a queue or a dead-letter queue stores a message: what was queued for the person before the erasure is
 * dropped when it arrives.
 */
const QUEUED_SECONDS = 15 * 86_400;

export interface ErasePorts {
  readonly table: Table;
  readonly loadHashedKeys: () => Promise<HashedKeys>;
  readonly erasures: ErasureParts;
  readonly runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>;
}

export interface EraseRows {
  /**
   * Removes every row of the person to whom a source profile belongs. Resolves to false where the time was over first; call
   * it again then. Rejects with `HubError` `busy-table` or `write-conflict` (later).
   */
  remove(erasure: string, profileId: string, timeLeft: () => boolean): Promise<boolean>;
  /** Removes the rows that were written since by functions which had read the person before. False as for `remove`. */
  removeAgain(erasure: string, timeLeft: () => boolean): Promise<boolean>;
}

/**
 * Removes the rows of a person, of all source profiles. What the removed rows referred to is stored with the erasure, in the
 * same transactions, until files and CRM records are removed, too. Of each interaction a hashed key stays, so that a late
 * redelivery is dropped. What arrives in between changes the profile rows, which are removed last on the condition that
 * they are unchanged, so nothing is missed. Every step may be interrupted and repeated.
 */
export const eraseRows = (ports: ErasePorts): EraseRows => ({
  async remove(erasure, profileId, timeLeft) {
    let isFinished = false;
    await updateOptimistically(ports.runtime, 'A customer who is being erased', async () => {
      const before = await ports.erasures.person(erasure);
      isFinished = before?.goneAt !== undefined;
      if (isFinished) return true;
      const { sourceProfiles } = await loadMergeTrees(ports.table, before?.profileIds ?? [profileId], []);
      const person = withSourceProfiles(
        before ?? { profileIds: [profileId], identifiers: [], rows: 0 },
        sourceProfiles,
      );
      await ports.erasures.putPerson(erasure, person);
      const swept = await removeAllButProfiles(ports, erasure, person, sourceProfiles, timeLeft);
      if (!swept.finished) {
        await ports.erasures.putPerson(erasure, { ...person, rows: person.rows + swept.removed });
        return true;
      }
      if (!(await removeProfiles(ports, sourceProfiles))) return false;
      const goneAt = instant(ports.runtime.now());
      const removed = person.rows + swept.removed + 2 * sourceProfiles.length + person.identifiers.length;
      await ports.erasures.putPerson(erasure, { ...person, rows: removed, goneAt });
      isFinished = true;
      return true;
    });
    return isFinished;
  },
  async removeAgain(erasure, timeLeft) {
    const person = await ports.erasures.person(erasure);
    if (person === undefined) return true;
    const { finished, removed } = await removeAllButProfiles(ports, erasure, person, [], timeLeft);
    if (removed > 0) await ports.erasures.putPerson(erasure, { ...person, rows: person.rows + removed });
    return finished;
  },
});

const withSourceProfiles = (person: ErasedPerson, found: readonly SourceProfile[]): ErasedPerson => ({
  ...person,
  profileIds: [...new Set([...person.profileIds, ...found.map(({ profile }) => profile.id)])],
  identifiers: [...new Set([...person.identifiers, ...found.flatMap(({ profile }) => profile.identifiers)])],
});

interface Swept {
  readonly removed: number;
  readonly finished: boolean;
}

/** Removes everything but the profile and activity rows, by which the person is found again after an interruption. */
const removeAllButProfiles = async (
  ports: ErasePorts,
  erasure: string,
  person: ErasedPerson,
  sourceProfiles: readonly SourceProfile[],
  timeLeft: () => boolean,
): Promise<Swept> => {
  let removed = 0;
  for (const profileId of person.profileIds) {
    const later = [profileKey, activityKey, listedKey].map((keyFor) => keyFor(profileId).sk);
    let batch: Row[] = [];
    const flush = async (): Promise<void> => {
      await removeRows(ports, erasure, profileId, batch);
      removed += batch.length;
      batch = [];
    };
    for await (const row of ports.table.query(profilePartition(profileId))) {
      if (later.includes(row.sk) || isSuppressedByErasure(row)) continue;
      batch.push(row);
      if (batch.length < ROWS_PER_TRANSACTION) continue;
      await flush();
      if (!timeLeft()) return { removed, finished: false };
    }
    if (batch.length > 0) await flush();
    await unlist(ports.table, ports.runtime, profileId);
  }
  removed += await removeFromOthers(ports, erasure, person, sourceProfiles);
  return { removed, finished: true };
};

/** The decision about a notification that was waiting: it says that the person was erased, and nothing about them. */
const isSuppressedByErasure = (row: Row): boolean =>
  row.sk.startsWith(sortKeyPrefix.notification) && row['reason'] === 'erased';

const removeRows = async (
  { table, runtime, loadHashedKeys, erasures }: ErasePorts,
  erasure: string,
  profileId: string,
  batch: readonly Row[],
): Promise<void> => {
  const { seenKey } = await loadHashedKeys();
  const rows = batch.filter(({ sk }) => sk.startsWith(sortKeyPrefix.interaction));
  const interactions = rows.map(interactionOf);
  const part: ErasurePart = {
    interactions: interactions.map(({ id }) => id),
    externalIds: interactions.flatMap(({ externalId }) => externalId ?? []),
    files: interactions.flatMap(filesOf),
  };
  // By key: an edit may refer to a message of the same batch, and a transaction takes each row once.
  const seen = new Map<string, Write>();
  for (const [position, { expiresAt }] of rows.entries())
    for (const key of idsOf(interactions[position]).map(seenKey))
      seen.set(key.pk, { put: { ...key, erased: true, expiresAt } });
  // Before the interactions, which an interrupted erasure must find again; and after, for what was reported in between.
  await removeMessages(table, runtime, interactions);
  const first = batch[0]?.sk ?? '';
  const written = await table.transact([
    ...batch.map(({ pk, sk }) => ({ delete: { pk, sk } })),
    ...seen.values(),
    ...(rows.length > 0 ? [erasures.partWrite(erasure, `${profileId}#${first}`, part)] : []),
  ]);
  if (!written) throw busyTable();
  await removeMessages(table, runtime, interactions);
};

const filesOf = ({ attachments = [] }: Interaction): string[] => attachments.flatMap(({ key }) => key ?? []);

/** The id of an interaction, and the id that it would have under the provider's own id, which later reports look for. */
const idsOf = (interaction: Interaction | undefined): string[] => {
  if (interaction === undefined) return [];
  const { id, provider, account, externalId } = interaction;
  return externalId === undefined ? [id] : [id, interactionId(provider, account, externalId)];
};

/** Removes open reviews about the person, and splits in the ledgers of the customers that they were split from. */
const removeFromOthers = async (
  { table, loadHashedKeys, erasures }: ErasePorts,
  erasure: string,
  { profileIds, identifiers }: ErasedPerson,
  sourceProfiles: readonly SourceProfile[],
): Promise<number> => {
  const { seenKey } = await loadHashedKeys();
  const own = { profileIds: new Set(profileIds), identifiers: new Set(identifiers) };
  let removed = 0;
  const write = async (writes: readonly Write[]): Promise<void> => {
    if (!(await table.transact(writes))) throw busyTable();
    removed++;
  };
  for await (const row of table.query(reviewPartition)) {
    const review = reviewOf(row);
    const removal = { delete: { pk: row.pk, sk: row.sk } };
    if (review.type === 'pair') {
      if (review.profileIds.some((profileId) => own.profileIds.has(profileId))) await write([removal]);
      continue;
    }
    const { interaction } = review;
    if (!interaction.identifiers.some((one) => own.identifiers.has(normaliseIdentifier(one) ?? one)))
      continue;
    const { id, externalId } = interaction;
    const externalIds = externalId === undefined ? [] : [externalId];
    const part = { interactions: [id], externalIds, files: filesOf(interaction) };
    await write([
      removal,
      { put: { ...seenKey(id), erased: true } },
      erasures.partWrite(erasure, `review#${id}`, part),
    ]);
  }
  const others = new Set(
    sourceProfiles.flatMap(({ profile }) => profile.neverAutoMerge).filter((id) => !own.profileIds.has(id)),
  );
  for (const other of others)
    for await (const row of table.query(profilePartition(other), { beginsWith: sortKeyPrefix.split }))
      if (own.identifiers.has(splitOf(row).identifier)) await write([{ delete: { pk: row.pk, sk: row.sk } }]);
  return removed;
};

/** The last step: removes profiles and identifiers, on the condition that they are unchanged. False where they are not. */
const removeProfiles = async (
  ports: ErasePorts,
  sourceProfiles: readonly SourceProfile[],
): Promise<boolean> => {
  const { table } = ports;
  const canonical = sourceProfiles.find(({ activity }) => activity.survivor === undefined);
  await writeErasedIdentifiers(ports, sourceProfiles, canonical);
  const ordered = canonical
    ? [canonical, ...sourceProfiles.filter((one) => one !== canonical)]
    : sourceProfiles;
  const writes = ordered.flatMap(({ profile, activity }): Write[] => [
    { delete: profileKey(profile.id), if: { version: profile.version } },
    { delete: activityKey(profile.id), if: { version: activity.version } },
    { check: listedKey(profile.id), if: { absent: true } },
    ...profile.identifiers.map((identifier) => ({ delete: identifierKey(identifier) })),
  ]);
  // Where several transactions are needed, the surviving source profile goes first: nobody finds the others after it.
  for (let start = 0; start < writes.length; start += WRITES_PER_TRANSACTION)
    if (!(await table.transact(writes.slice(start, start + WRITES_PER_TRANSACTION)))) return false;
  return true;
};

/** Stores of each identifier, under a hash, that it was erased, and refusals that must outlive the person. */
const writeErasedIdentifiers = async (
  { table, loadHashedKeys, runtime: { now } }: ErasePorts,
  sourceProfiles: readonly SourceProfile[],
  canonical: SourceProfile | undefined,
): Promise<void> => {
  const { erasedKey } = await loadHashedKeys();
  const byId = new Map(sourceProfiles.map((one) => [one.profile.id, one]));
  const refusals = canonical ? retainedRefusals(resolveCustomer(canonical.profile.id, byId)) : new Map();
  const identifiers = sourceProfiles.flatMap(({ profile }) => profile.identifiers);
  // These rows are not read as long as the identifier has an owner.
  for (let start = 0; start < identifiers.length; start += WRITES_PER_TRANSACTION) {
    const writes = identifiers.slice(start, start + WRITES_PER_TRANSACTION).map((identifier): Write => {
      const retainedRefusal = refusals.get(identifier);
      const until = retainedRefusal
        ? { retainedRefusal }
        : { expiresAt: Math.floor(now() / 1000) + QUEUED_SECONDS };
      return { put: { ...erasedKey(identifier), at: instant(now()), ...until } };
    });
    if (!(await table.transact(writes))) throw busyTable();
  }
};
