import { HubError } from '../../../core/errors.ts';
import { resolveCustomer, type SourceProfile } from '../../../core/identity/customer.ts';
import { normaliseIdentifier } from '../../../core/identity/rules.ts';
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
import type { Table, Write } from '../clients/dynamo.ts';
import { loadTrees } from '../customers/history.ts';
import { unlist } from '../customers/lists.ts';
import { forgetMessages } from '../customers/message-status.ts';
import type { HashedKeys } from './hashed-keys.ts';
import type { ErasureParts } from './parts.ts';

/** Rows that one transaction removes; an interaction's takes up to four of the hundred items that it may hold. */
const ROWS_AT_ONCE = 24;
const WRITES_AT_ONCE = 90;
/** How often it begins anew at once when the person is changed meanwhile. */
const ATTEMPTS = 12;
/**
 * As long as a queue or a dead-letter queue may keep a message, and a day: what was on its way to the person by then is
 * dropped when it arrives.
 */
const ON_THE_WAY_SECONDS = 15 * 86_400;

export interface ErasePorts {
  readonly table: Table;
  readonly loadHashedKeys: () => Promise<HashedKeys>;
  readonly erasures: ErasureParts;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface EraseRows {
  /** Removes every row of the person that a half belongs to. False when it ran out of time and has to go on. */
  remove(erasure: string, profileId: string, timeLeft: () => boolean): Promise<boolean>;
  /** Removes what whoever had read the person before has written since. */
  removeAgain(erasure: string, timeLeft: () => boolean): Promise<boolean>;
}

/**
 * The rows of a person, all halves. What the removed rows named is kept with the erasure, in the same transactions, until
 * files and CRMs have been cleared too; of each interaction is left that it was seen, so that a late redelivery brings
 * nothing back. What arrives meanwhile changes the person's rows and so makes the last step begin again: nothing slips
 * between. May break off anywhere and be repeated.
 */
export const eraseRows = (ports: ErasePorts): EraseRows => ({
  async remove(erasure, profileId, timeLeft) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await ports.erasures.person(erasure);
      if (before?.goneAt !== undefined) return true;
      const { trees } = await loadTrees(ports.table, before?.profileIds ?? [profileId], []);
      const person = withHalves(before ?? { profileIds: [profileId], identifiers: [], rows: 0 }, trees);
      await ports.erasures.putPerson(erasure, person);
      const swept = await sweep(ports, erasure, person, trees, timeLeft);
      if (!swept.finished) {
        await ports.erasures.putPerson(erasure, { ...person, rows: person.rows + swept.removed });
        return false;
      }
      if (!(await close(ports, trees))) continue;
      const goneAt = instant(ports.now());
      const removed = person.rows + swept.removed + 2 * trees.length + person.identifiers.length;
      await ports.erasures.putPerson(erasure, { ...person, rows: removed, goneAt });
      return true;
    }
    throw busy();
  },
  async removeAgain(erasure, timeLeft) {
    const person = await ports.erasures.person(erasure);
    if (person === undefined) return true;
    const { finished, removed } = await sweep(ports, erasure, person, [], timeLeft);
    if (removed > 0) await ports.erasures.putPerson(erasure, { ...person, rows: person.rows + removed });
    return finished;
  },
});

const busy = (): HubError =>
  new HubError('busy-table', 'Other transactions were in the way of an erasure; it is taken up again.', {
    retry: 'later',
  });

const withHalves = (person: ErasedPerson, trees: readonly SourceProfile[]): ErasedPerson => ({
  ...person,
  profileIds: [...new Set([...person.profileIds, ...trees.map(({ profile }) => profile.id)])],
  identifiers: [...new Set([...person.identifiers, ...trees.flatMap(({ profile }) => profile.identifiers)])],
});

interface Swept {
  readonly removed: number;
  readonly finished: boolean;
}

/** Everything but the profiles, by which the person is found again. */
const sweep = async (
  ports: ErasePorts,
  erasure: string,
  person: ErasedPerson,
  trees: readonly SourceProfile[],
  timeLeft: () => boolean,
): Promise<Swept> => {
  let removed = 0;
  for (const profileId of person.profileIds) {
    const remaining = [profileKey, activityKey, listedKey].map((keyFor) => keyFor(profileId).sk);
    let batch: Row[] = [];
    const flush = async (): Promise<void> => {
      await removeRows(ports, erasure, profileId, batch);
      removed += batch.length;
      batch = [];
    };
    for await (const row of ports.table.query(profilePartition(profileId))) {
      if (remaining.includes(row.sk) || isFarewell(row)) continue;
      batch.push(row);
      if (batch.length < ROWS_AT_ONCE) continue;
      await flush();
      if (!timeLeft()) return { removed, finished: false };
    }
    if (batch.length > 0) await flush();
    await unlist(ports.table, profileId);
  }
  removed += await removeElsewhere(ports, erasure, person, trees);
  return { removed, finished: true };
};

/** What was waiting for the person is decided when its time comes: suppressed, because they were erased. */
const isFarewell = (row: Row): boolean =>
  row.sk.startsWith(sortKeyPrefix.notification) && row['reason'] === 'erased';

const removeRows = async (
  { table, loadHashedKeys, erasures }: ErasePorts,
  erasure: string,
  profileId: string,
  batch: readonly Row[],
): Promise<void> => {
  const { seenKey } = await loadHashedKeys();
  const acts = batch.filter(({ sk }) => sk.startsWith(sortKeyPrefix.interaction));
  const interactions = acts.map(interactionOf);
  const part: ErasurePart = {
    interactions: interactions.map(({ id }) => id),
    externalIds: interactions.flatMap(({ externalId }) => externalId ?? []),
    files: interactions.flatMap(filesOf),
  };
  // By key, because an edit may refer to a message of the same batch, and a transaction takes each row once.
  const graves = new Map<string, Write>();
  for (const [at, { expiresAt }] of acts.entries())
    for (const key of idsOf(interactions[at]).map(seenKey))
      graves.set(key.pk, { put: { ...key, erased: true, expiresAt } });
  // Before the interactions, so that a broken erasure finds them again; and after, for what was told meanwhile.
  await forgetMessages(table, interactions);
  const first = batch[0]?.sk ?? '';
  const written = await table.transact([
    ...batch.map(({ pk, sk }) => ({ delete: { pk, sk } })),
    ...graves.values(),
    ...(acts.length > 0 ? [erasures.partWrite(erasure, `${profileId}#${first}`, part)] : []),
  ]);
  if (!written) throw busy();
  await forgetMessages(table, interactions);
};

const filesOf = ({ attachments = [] }: Interaction): string[] => attachments.flatMap(({ key }) => key ?? []);

/** An interaction's id, and the one that what refers to it by the provider's own id would look for. */
const idsOf = (interaction: Interaction | undefined): string[] => {
  if (interaction === undefined) return [];
  const { id, provider, account, externalId } = interaction;
  return externalId === undefined ? [id] : [id, interactionId(provider, account, externalId)];
};

/** What others hold of the person: questions of the review list, and splits in the ledger of whoever they were parted from. */
const removeElsewhere = async (
  { table, loadHashedKeys, erasures }: ErasePorts,
  erasure: string,
  { profileIds, identifiers }: ErasedPerson,
  trees: readonly SourceProfile[],
): Promise<number> => {
  const { seenKey } = await loadHashedKeys();
  const own = { profileIds: new Set(profileIds), identifiers: new Set(identifiers) };
  let removed = 0;
  const write = async (writes: readonly Write[]): Promise<void> => {
    if (!(await table.transact(writes))) throw busy();
    removed++;
  };
  for await (const row of table.query(reviewPartition)) {
    const review = reviewOf(row);
    const gone = { delete: { pk: row.pk, sk: row.sk } };
    if (review.type === 'pair') {
      if (review.profileIds.some((profileId) => own.profileIds.has(profileId))) await write([gone]);
      continue;
    }
    const { interaction } = review;
    if (!interaction.identifiers.some((one) => own.identifiers.has(normaliseIdentifier(one) ?? one)))
      continue;
    const { id, externalId } = interaction;
    const externalIds = externalId === undefined ? [] : [externalId];
    const part = { interactions: [id], externalIds, files: filesOf(interaction) };
    await write([
      gone,
      { put: { ...seenKey(id), erased: true } },
      erasures.partWrite(erasure, `review#${id}`, part),
    ]);
  }
  const strangers = new Set(
    trees.flatMap(({ profile }) => profile.neverAutoMerge).filter((id) => !own.profileIds.has(id)),
  );
  for (const stranger of strangers)
    for await (const row of table.query(profilePartition(stranger), { beginsWith: sortKeyPrefix.split }))
      if (own.identifiers.has(splitOf(row).identifier)) await write([{ delete: { pk: row.pk, sk: row.sk } }]);
  return removed;
};

/** The last step: profiles and identifiers at once, if nobody has changed them since they were read. */
const close = async (
  { table, loadHashedKeys, now }: ErasePorts,
  trees: readonly SourceProfile[],
): Promise<boolean> => {
  const hashedKeys = await loadHashedKeys();
  const sourceProfiles = new Map(trees.map((sourceProfile) => [sourceProfile.profile.id, sourceProfile]));
  const root = trees.find(({ activity }) => activity.survivor === undefined);
  const remembered = root ? retainedRefusals(resolveCustomer(root.profile.id, sourceProfiles)) : new Map();
  const identifiers = trees.flatMap(({ profile }) => profile.identifiers);
  // Nothing is asked of these rows as long as somebody owns the identifier.
  for (let at = 0; at < identifiers.length; at += WRITES_AT_ONCE) {
    const graves = identifiers.slice(at, at + WRITES_AT_ONCE).map((identifier): Write => {
      const kept = remembered.get(identifier);
      const until = kept
        ? { retainedRefusal: kept }
        : { expiresAt: Math.floor(now() / 1000) + ON_THE_WAY_SECONDS };
      return { put: { ...hashedKeys.erasedKey(identifier), at: instant(now()), ...until } };
    });
    if (!(await table.transact(graves))) throw busy();
  }
  const writes = (root ? [root, ...trees.filter((sourceProfile) => sourceProfile !== root)] : trees).flatMap(
    ({ profile, activity }): Write[] => [
      { delete: profileKey(profile.id), if: { version: profile.version } },
      { delete: activityKey(profile.id), if: { version: activity.version } },
      { check: listedKey(profile.id), if: { absent: true } },
      ...profile.identifiers.map((identifier) => ({ delete: identifierKey(identifier) })),
    ],
  );
  // Of somebody with very many halves the root goes first: from then on nobody finds any of them.
  for (let at = 0; at < writes.length; at += WRITES_AT_ONCE)
    if (!(await table.transact(writes.slice(at, at + WRITES_AT_ONCE)))) return false;
  return true;
};
