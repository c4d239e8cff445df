import type { Identifier } from '../../../core/identity/identifier.ts';
import { interactionReviewId, type Review } from '../../../core/identity/ledger.ts';
import type { IdentityConfig } from '../../../core/identity/rules.ts';
import { type Interaction, interactionId } from '../../../core/interaction/interaction.ts';
import { isReference, targetOf } from '../../../core/interaction/relation.ts';
import { type BusEvent, interactionEvents } from '../../contracts/events/build.ts';
import type { Changes, Loaded, SeenBefore } from '../../contracts/ports/record.ts';
import * as rows from '../../contracts/rows.ts';
import { identifiersOf, idOf, reviewedProfileIds, reviewOf, type Work } from '../../contracts/work.ts';
import type { Key, Row, Table } from '../clients/dynamo.ts';
import { erasedGuard } from '../erasure/erased-guard.ts';
import type { HashedKeys } from '../erasure/hashed-keys.ts';
import { loadTrees } from './history.ts';
import { writesOf } from './people-writes.ts';

export interface PeopleStore {
  load(works: readonly Work[], config: IdentityConfig): Promise<Loaded>;
  commit(changes: Changes, config: IdentityConfig, retentionSeconds: number): Promise<boolean | 'too-large'>;
}

/** What one transaction of DynamoDB takes. */
const TRANSACTION_ITEMS = 100;

/** Customers in the table, as `record` reads and writes them: two batched reads, one transaction per group of people. */
export const peopleStore = (table: Table, loadHashedKeys: () => Promise<HashedKeys>): PeopleStore => {
  /** The trees that the owner rows remember; a transaction that finds one out of date mends it on its way. */
  const remembered = new Map<Identifier, readonly string[]>();
  return {
    async load(works, config) {
      const hashedKeys = await loadHashedKeys();
      const first = await readNames(table, works, config, hashedKeys);
      remembered.clear();
      for (const { identifier, group } of first.owners) remembered.set(identifier, group);
      const profileIds = new Set([
        ...first.owners.flatMap(({ profileId, group }) => [profileId, ...group]),
        ...first.referred.values(),
        ...[...first.reviews.values()].flatMap(reviewedProfileIds),
      ]);
      const owners = new Map(first.owners.map(({ identifier, profileId }) => [identifier, profileId]));
      const graves = erasedGuard(works, { owners, config, hashedKeys });
      const { trees, others } = await loadTrees(
        table,
        [...profileIds],
        [...[...first.seen].flatMap(toldBefore), ...graves.keys],
      );
      return {
        sourceProfiles: trees,
        owners,
        seen: seenBefore(first.seen, others),
        referred: first.referred,
        reviews: first.reviews,
        receivedBeforeErasure: new Set([
          ...first.receivedBeforeErasure,
          ...graves.receivedBeforeErasure(others),
        ]),
        retainedRefusals: graves.retainedRefusals(others),
      };
    },
    async commit(changes, config, retentionSeconds) {
      const hashedKeys = await loadHashedKeys();
      const writes = writesOf(changes, { config, retentionSeconds, remembered, hashedKeys });
      return writes.length > TRANSACTION_ITEMS ? 'too-large' : table.transact(writes);
    },
  };
};

/** The rows that what a piece of work has told lies in. */
const toldBefore = ([id, { address, told = [] }]: readonly [string, rows.Seen]): Key[] =>
  address ? [rows.interactionKey(address)] : told.map((profileId) => rows.commandKey(profileId, id));

interface Names {
  readonly owners: readonly rows.Owner[];
  readonly seen: ReadonlyMap<string, rows.Seen>;
  readonly referred: ReadonlyMap<string, string>;
  readonly reviews: ReadonlyMap<string, Review>;
  /** Interactions that name nobody and refer to a message that was erased. */
  readonly receivedBeforeErasure: readonly string[];
}

/** The first read: who owns the identifiers, what was seen before, and where the messages referred to lie. */
const readNames = async (
  table: Table,
  works: readonly Work[],
  config: IdentityConfig,
  hashedKeys: HashedKeys,
): Promise<Names> => {
  const nameless = works.flatMap((work) =>
    work.type === 'interaction' &&
    isReference(work.interaction.refersTo) &&
    identifiersOf(work, config).length === 0
      ? [{ id: idOf(work), of: work.interaction, keys: referredKeys(work.interaction, hashedKeys) }]
      : [],
  );
  const found = await table.get([
    ...works.flatMap((work) => identifiersOf(work, config).map(rows.identifierKey)),
    ...works.map((work) => hashedKeys.seenKey(idOf(work))),
    ...nameless.flatMap(({ keys }) => keys),
    ...works.flatMap((work) => reviewOf(work) ?? []).map(rows.reviewKey),
    ...works.flatMap((work) =>
      work.type === 'interaction' && work.completes ? [rows.reviewKey(interactionReviewId(idOf(work)))] : [],
    ),
  ]);
  const byPartition = new Map(found.map((row) => [row.pk, row]));
  const seen = new Map<string, rows.Seen>();
  for (const work of works) {
    const row = byPartition.get(hashedKeys.seenKey(idOf(work)).pk);
    if (row) seen.set(idOf(work), rows.seenOf(row));
  }
  const referred = new Map<string, string>();
  const receivedBeforeErasure: string[] = [];
  for (const { id, of, keys } of nameless) {
    if (targetOf(of) !== undefined && keys.some(({ pk }) => isErased(byPartition.get(pk))))
      receivedBeforeErasure.push(id);
    const profileId = keys.map(({ pk }) => halfNamed(byPartition.get(pk))).find((one) => one !== undefined);
    if (profileId !== undefined) referred.set(id, profileId);
  }
  const owners = found.filter(({ pk }) => pk.startsWith('identifier#')).map(rows.ownerOf);
  const reviews = new Map(
    found.filter(({ pk }) => pk === rows.reviewPartition).map((row) => [row.sk, rows.reviewOf(row)]),
  );
  return { owners, seen, referred, reviews, receivedBeforeErasure };
};

/** A message is found by the id it would have itself, or, when we sent it, by the provider's id for it. */
const referredKeys = ({ provider, account, refersTo = '' }: Interaction, { seenKey }: HashedKeys): Key[] => [
  seenKey(interactionId(provider, account, refersTo)),
  rows.messageKey(provider, refersTo),
];

const isErased = (row: Row | undefined): boolean => row?.sk === 'seen' && rows.seenOf(row).erased === true;

const halfNamed = (row: Row | undefined): string | undefined => {
  if (row === undefined) return undefined;
  return row.pk.startsWith('seen#')
    ? rows.seenOf(row).address?.profileId
    : rows.messagePointerOf(row).address.profileId;
};

/** What was recorded before is published again exactly as it was. */
const seenBefore = (seen: Names['seen'], found: readonly Row[]): Map<string, SeenBefore> => {
  const stored = new Map(found.map((row) => [`${row.pk}\n${row.sk}`, row]));
  const before = new Map<string, SeenBefore>();
  for (const [id, row] of seen) {
    const told = toldBefore([id, row]).flatMap(({ pk, sk }) => stored.get(`${pk}\n${sk}`) ?? []);
    before.set(id, {
      events: told.flatMap(eventsOf),
      ...told.map(incompleteOf).find((one) => one !== undefined),
      ...(row.imported && { imported: row.imported }),
      ...(row.erased && { erased: true }),
    });
  }
  return before;
};

/** A row that was stored without its content. */
const incompleteOf = (row: Row): Pick<SeenBefore, 'incomplete'> | undefined => {
  if (row.sk.startsWith('command#')) return undefined;
  const whole = rows.interactionOf(row);
  return whole.incomplete ? { incomplete: whole } : undefined;
};

const eventsOf = (row: Row): readonly BusEvent[] => {
  if (row.sk.startsWith('command#')) return rows.commandOf(row).events;
  const { caused, ...stored } = rows.interactionOf(row);
  return interactionEvents(stored, caused ?? {});
};
