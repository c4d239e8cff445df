import { type Customer, resolveCustomer } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { Review } from '../../../core/identity/ledger.ts';
import { normaliseIdentifier } from '../../../core/identity/normalise.ts';
import type { SourceProfile } from '../../../core/identity/profile.ts';
import { type Interaction, instant, interactionId } from '../../../core/interaction/interaction.ts';
import { maskOf } from '../../../core/privacy/masking.ts';
import {
  activityKey,
  claimedPairsKey,
  identifierKey,
  listedKey,
  profileKey,
  profilePartition,
  reviewPartition,
  sortKeyPrefix,
} from '../../contracts/keys.ts';
import { type ErasedPerson, type ErasurePart, unknownPerson } from '../../contracts/rows/erasures.ts';
import { interactionOf } from '../../contracts/rows/interactions.ts';
import { claimedPairsOf, reviewOf, splitOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import { casesOf } from '../../contracts/rows/sync.ts';
import type { Table, Write } from '../clients/dynamo.ts';
import { updateOptimistically } from '../clients/optimistic.ts';
import { loadMergeTrees } from '../customers/history.ts';
import { unlist } from '../customers/lists/lists.ts';
import { removeMessages } from '../customers/message-status.ts';
import { eraseGuests, forgetAddress } from './erase-guests.ts';
import { eraseLinks } from './erase-links.ts';
import { busyTable, type ErasePorts } from './parts.ts';

/** Rows that one transaction removes; an interaction takes up to four of the 100 items that it may hold. */
const ROWS_PER_TRANSACTION = 24;
const WRITES_PER_TRANSACTION = 90;

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
      const sourceProfiles = await ownProfiles(ports.table, before?.profileIds ?? [profileId]);
      const started = withSourceProfiles(
        before ?? { ...unknownPerson, profileIds: [profileId] },
        sourceProfiles,
      );
      await ports.erasures.putPerson(erasure, started);
      // Somebody may own by now what nobody owned when it was asked for: nothing of theirs is touched.
      const isOwned = sourceProfiles.length === 0 && (await hasOwner(ports.table, started.identifiers));
      const swept = isOwned
        ? { person: started, finished: true }
        : await removeAllButProfiles(ports, erasure, started, sourceProfiles, timeLeft);
      if (!swept.finished) {
        await ports.erasures.putPerson(erasure, swept.person);
        return true;
      }
      if (!isOwned && !(await removeProfiles(ports, swept.person, sourceProfiles))) return false;
      const goneAt = instant(ports.runtime.now());
      const rows = swept.person.rows + 2 * sourceProfiles.length + (isOwned ? 0 : started.identifiers.length);
      await ports.erasures.putPerson(erasure, { ...swept.person, rows, goneAt });
      isFinished = true;
      return true;
    });
    return isFinished;
  },
  async removeAgain(erasure, timeLeft) {
    const person = await ports.erasures.person(erasure);
    if (person === undefined) return true;
    let { rows } = person;
    for (const profileId of [...person.profileIds, ...person.guests]) {
      const { finished, removed } = await removeRowsOf(ports, erasure, profileId, timeLeft);
      rows += removed;
      if (removed > 0) await ports.erasures.putPerson(erasure, { ...person, rows });
      if (!finished) return false;
    }
    rows += await removeFromOthers(ports, erasure, person, []);
    if (rows > person.rows) await ports.erasures.putPerson(erasure, { ...person, rows });
    return true;
  },
});

/** The source profiles of the person; a guest is none. */
const ownProfiles = async (table: Table, profileIds: readonly string[]): Promise<SourceProfile[]> => {
  const { sourceProfiles } = await loadMergeTrees(table, profileIds, []);
  return sourceProfiles.filter(({ profile }) => profile.guest !== true);
};

const hasOwner = async (table: Table, identifiers: readonly Identifier[]): Promise<boolean> =>
  (await table.get(identifiers.map(identifierKey))).length > 0;

const withSourceProfiles = (person: ErasedPerson, found: readonly SourceProfile[]): ErasedPerson => ({
  ...person,
  profileIds: [...new Set([...person.profileIds, ...found.map(({ profile }) => profile.id)])],
  identifiers: [...new Set([...person.identifiers, ...found.flatMap(({ profile }) => profile.identifiers)])],
});

interface Swept {
  readonly person: ErasedPerson;
  readonly finished: boolean;
}

/** Removes everything but the profile and activity rows, by which the person is found again after an interruption. */
const removeAllButProfiles = async (
  ports: ErasePorts,
  erasure: string,
  started: ErasedPerson,
  sourceProfiles: readonly SourceProfile[],
  timeLeft: () => boolean,
): Promise<Swept> => {
  let removed = 0;
  const remove = async (profileId: string): Promise<boolean> => {
    const swept = await removeRowsOf(ports, erasure, profileId, timeLeft);
    removed += swept.removed;
    return swept.finished;
  };
  const owner = canonicalOf(sourceProfiles);
  const guests = await eraseGuests({
    ...{ ports, erasure, owner, person: started, removeRowsOf: remove, timeLeft },
  });
  const counted = (): ErasedPerson => ({ ...guests.person, rows: started.rows + removed });
  if (!guests.finished) return { person: counted(), finished: false };
  for (const profileId of started.profileIds) {
    if (!(await remove(profileId))) return { person: counted(), finished: false };
    await unlist(ports.table, ports.runtime, profileId);
  }
  removed += await removeFromOthers(ports, erasure, guests.person, sourceProfiles);
  return { person: counted(), finished: true };
};

/** Removes all rows of a source profile but those by which it is found. */
const removeRowsOf = async (
  ports: ErasePorts,
  erasure: string,
  profileId: string,
  timeLeft: () => boolean,
): Promise<{ readonly removed: number; readonly finished: boolean }> => {
  const later = [profileKey, activityKey, listedKey].map((keyFor) => keyFor(profileId).sk);
  let removed = 0;
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
  return { removed, finished: true };
};

const canonicalOf = (sourceProfiles: readonly SourceProfile[]): Customer | undefined => {
  const canonical = sourceProfiles.find(({ activity }) => activity.survivor === undefined);
  const byId = new Map(sourceProfiles.map((one) => [one.profile.id, one]));
  return canonical && resolveCustomer(canonical.profile.id, byId);
};

/** The decision about a notification that was waiting: it says that the person was erased, and nothing about them. */
const isSuppressedByErasure = (row: Row): boolean =>
  row.sk.startsWith(sortKeyPrefix.notification) && row['reason'] === 'erased';

const removeRows = async (
  ports: ErasePorts,
  erasure: string,
  profileId: string,
  batch: readonly Row[],
): Promise<void> => {
  const { table, runtime, erasures } = ports;
  const { seenKey } = await ports.loadHashedKeys();
  const records = await eraseLinks(ports, profileId, batch);
  const rows = batch.filter(({ sk }) => sk.startsWith(sortKeyPrefix.interaction));
  const interactions = rows.map(interactionOf);
  const part: ErasurePart = {
    // A case bears the id of the interaction that began it, whose own row may have expired.
    interactions: [...new Set([...interactions.map(({ id }) => id), ...batch.flatMap(conversationsOf)])],
    externalIds: [...interactions.flatMap(({ externalId }) => externalId ?? []), ...records],
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
    ...(part.interactions.length + records.length > 0
      ? [erasures.partWrite(erasure, `${profileId}#${first}`, part)]
      : []),
  ]);
  if (!written) throw busyTable();
  await removeMessages(table, runtime, interactions);
};

const conversationsOf = (row: Row): string[] =>
  row.sk.startsWith(sortKeyPrefix.cases) ? casesOf(row).cases.map(({ conversation }) => conversation) : [];

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
  { profileIds, identifiers, guests }: ErasedPerson,
  sourceProfiles: readonly SourceProfile[],
): Promise<number> => {
  const { seenKey } = await loadHashedKeys();
  const own = { profileIds: new Set(profileIds), identifiers: new Set(identifiers) };
  let removed = 0;
  const write = async (writes: readonly Write[]): Promise<void> => {
    if (!(await table.transact(writes))) throw busyTable();
    removed++;
  };
  const removedParts = new Set([...profileIds, ...guests]);
  const isOwn = (identifier: string): boolean =>
    own.identifiers.has(normaliseIdentifier(identifier) ?? identifier);
  for await (const row of table.query(reviewPartition)) {
    const review = reviewOf(row);
    const removal = { delete: { pk: row.pk, sk: row.sk } };
    if (review.type === 'pair') {
      if (!review.profileIds.some((profileId) => own.profileIds.has(profileId))) continue;
      await write([removal, ...(await closedPair(table, review.profileIds))]);
      continue;
    }
    if (review.type === 'record') {
      if (removedParts.has(review.profileId)) await write([removal]);
      continue;
    }
    const { interaction } = review;
    const isAbout = review.type === 'request' && removedParts.has(review.profileId ?? '');
    if (!isAbout && !interaction.identifiers.some(isOwn)) continue;
    if (review.type === 'request' && !isAbout && review.profileId !== undefined) {
      // Another customer's request that names the person beside them.
      await write([{ put: { pk: row.pk, sk: row.sk, ...withoutIdentifiers(review, identifiers, isOwn) } }]);
      continue;
    }
    const { id, externalId } = interaction;
    const externalIds = externalId === undefined ? [] : [externalId];
    const part = { interactions: [id], externalIds, files: filesOf(interaction) };
    await write([
      removal,
      ...(isAbout ? [] : [{ put: { ...seenKey(id), erased: true } }]),
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

const withoutIdentifiers = (
  { interaction, ...review }: Extract<Review, { type: 'request' }>,
  identifiers: readonly Identifier[],
  isOwn: (identifier: string) => boolean,
): Review => {
  const { claimed, ...rest } = interaction;
  const masked = maskOf(identifiers)(rest);
  return {
    ...review,
    interaction: {
      ...masked,
      ...{ id: rest.id, identifiers: rest.identifiers.filter((one) => !isOwn(one)) },
      ...(claimed && { claimed: claimed.filter((one) => !isOwn(one)) }),
    },
  };
};

/** Two persons may have five open pairs each: one that is closed makes room. */
const closedPair = async (table: Table, profileIds: readonly string[]): Promise<Write[]> => {
  const rows = await table.get(profileIds.map(claimedPairsKey));
  return rows.map((row): Write => {
    const { pk, sk } = row;
    const { version, open, more } = claimedPairsOf(row);
    const left = open.filter((one) => !profileIds.includes(one));
    return { put: { pk, sk, version: version + 1, open: left, more }, if: { version } };
  });
};

/** The last step: removes profiles and identifiers, on the condition that they are unchanged. False where they are not. */
const removeProfiles = async (
  ports: ErasePorts,
  { identifiers }: ErasedPerson,
  sourceProfiles: readonly SourceProfile[],
): Promise<boolean> => {
  const { table } = ports;
  const canonical = sourceProfiles.find(({ activity }) => activity.survivor === undefined);
  await forgetIdentifiers(ports, identifiers, canonicalOf(sourceProfiles));
  const ordered = canonical
    ? [canonical, ...sourceProfiles.filter((one) => one !== canonical)]
    : sourceProfiles;
  const writes = ordered.flatMap(({ profile, activity }): Write[] => [
    { delete: profileKey(profile.id), if: { version: profile.version } },
    { delete: activityKey(profile.id), if: { version: activity.version } },
    { check: listedKey(profile.id), if: { absent: true } },
    { delete: claimedPairsKey(profile.id) },
    ...profile.identifiers.map((identifier) => ({ delete: identifierKey(identifier) })),
  ]);
  // Where several transactions are needed, the surviving source profile goes first: nobody finds the others after it.
  for (let start = 0; start < writes.length; start += WRITES_PER_TRANSACTION)
    if (!(await table.transact(writes.slice(start, start + WRITES_PER_TRANSACTION)))) return false;
  return true;
};

/** Stores of each identifier, under a hash, that it was erased, and refusals that must outlive the person. */
const forgetIdentifiers = async (
  ports: ErasePorts,
  identifiers: readonly Identifier[],
  customer: Customer | undefined,
): Promise<void> => {
  // These rows are not read as long as the identifier has an owner.
  for (const identifier of identifiers)
    if (!(await ports.table.transact(await forgetAddress(ports, identifier, customer)))) throw busyTable();
};
