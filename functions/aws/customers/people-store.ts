import { interactionReviewId, type Review } from '../../../core/identity/ledger.ts';
import type { IdentityConfig } from '../../../core/identity/rules.ts';
import { type Interaction, interactionId } from '../../../core/interaction/interaction.ts';
import { isReference, targetOf } from '../../../core/interaction/relation.ts';
import { interactionEvents } from '../../contracts/events/build.ts';
import type { BusEvent } from '../../contracts/events/catalogue.ts';
import {
  commandKey,
  identifierKey,
  interactionKey,
  isOwnerKey,
  isSeenKey,
  type Key,
  keyText,
  messageKey,
  reviewKey,
  reviewPartition,
  sortKeyPrefix,
} from '../../contracts/keys.ts';
import type { Changes, Loaded, SeenBefore } from '../../contracts/ports/record.ts';
import {
  commandOf,
  interactionOf,
  messagePointerOf,
  type Seen,
  seenOf,
} from '../../contracts/rows/interactions.ts';
import { type Owner, ownerOf, reviewOf as storedReviewOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import { identifiersOf, idOf, reviewedProfileIds, reviewOf, type Work } from '../../contracts/work.ts';
import type { Table } from '../clients/dynamo.ts';
import { erasedGuard } from '../erasure/erased-guard.ts';
import type { HashedKeys } from '../erasure/hashed-keys.ts';
import { loadTrees } from './history.ts';
import { writesOf } from './people-writes.ts';

export interface PeopleStore {
  load(works: readonly Work[], config: IdentityConfig): Promise<Loaded>;
  commit(
    changes: Changes,
    loaded: Pick<Loaded, 'ownerHints'>,
    config: IdentityConfig,
    retentionSeconds: number,
  ): Promise<boolean | 'too-large'>;
}

/** What one transaction of DynamoDB takes. */
const TRANSACTION_ITEMS = 100;

/** Customers in the table, as `record` reads and writes them: two batched reads, one transaction per group of people. */
export const peopleStore = (table: Table, loadHashedKeys: () => Promise<HashedKeys>): PeopleStore => {
  return {
    async load(works, config) {
      const hashedKeys = await loadHashedKeys();
      const first = await readNames(table, works, config, hashedKeys);
      const profileIds = new Set([
        ...first.owners.flatMap(({ profileId, customerProfileIds }) => [profileId, ...customerProfileIds]),
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
        ownerHints: new Map(
          first.owners.map(({ identifier, customerProfileIds }) => [identifier, customerProfileIds]),
        ),
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
    async commit(changes, { ownerHints }, config, retentionSeconds) {
      const hashedKeys = await loadHashedKeys();
      const writes = writesOf(changes, { config, retentionSeconds, ownerHints, hashedKeys });
      return writes.length > TRANSACTION_ITEMS ? 'too-large' : table.transact(writes);
    },
  };
};

/** The rows that what a piece of work has told lies in. */
const toldBefore = ([id, { address, profileIds = [] }]: readonly [string, Seen]): Key[] =>
  address ? [interactionKey(address)] : profileIds.map((profileId) => commandKey(profileId, id));

interface Names {
  readonly owners: readonly Owner[];
  readonly seen: ReadonlyMap<string, Seen>;
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
    ...works.flatMap((work) => identifiersOf(work, config).map(identifierKey)),
    ...works.map((work) => hashedKeys.seenKey(idOf(work))),
    ...nameless.flatMap(({ keys }) => keys),
    ...works.flatMap((work) => reviewOf(work) ?? []).map(reviewKey),
    ...works.flatMap((work) =>
      work.type === 'interaction' && work.completes ? [reviewKey(interactionReviewId(idOf(work)))] : [],
    ),
  ]);
  const byPartition = new Map(found.map((row) => [row.pk, row]));
  const seen = new Map<string, Seen>();
  for (const work of works) {
    const row = byPartition.get(hashedKeys.seenKey(idOf(work)).pk);
    if (row) seen.set(idOf(work), seenOf(row));
  }
  const referred = new Map<string, string>();
  const receivedBeforeErasure: string[] = [];
  for (const { id, of, keys } of nameless) {
    if (targetOf(of) !== undefined && keys.some(({ pk }) => isErased(byPartition.get(pk))))
      receivedBeforeErasure.push(id);
    const profileId = keys.map(({ pk }) => halfNamed(byPartition.get(pk))).find((one) => one !== undefined);
    if (profileId !== undefined) referred.set(id, profileId);
  }
  const owners = found.filter(isOwnerKey).map(ownerOf);
  const reviews = new Map(
    found.filter(({ pk }) => pk === reviewPartition).map((row) => [row.sk, storedReviewOf(row)]),
  );
  return { owners, seen, referred, reviews, receivedBeforeErasure };
};

/** A message is found by the id it would have itself, or, when we sent it, by the provider's id for it. */
const referredKeys = ({ provider, account, refersTo = '' }: Interaction, { seenKey }: HashedKeys): Key[] => [
  seenKey(interactionId(provider, account, refersTo)),
  messageKey(provider, refersTo),
];

const isErased = (row: Row | undefined): boolean =>
  row !== undefined && isSeenKey(row) && seenOf(row).erased === true;

const halfNamed = (row: Row | undefined): string | undefined => {
  if (row === undefined) return undefined;
  return isSeenKey(row) ? seenOf(row).address?.profileId : messagePointerOf(row).address.profileId;
};

/** What was recorded before is published again exactly as it was. */
const seenBefore = (seen: Names['seen'], found: readonly Row[]): Map<string, SeenBefore> => {
  const stored = new Map(found.map((row) => [keyText(row), row]));
  const before = new Map<string, SeenBefore>();
  for (const [id, row] of seen) {
    const told = toldBefore([id, row]).flatMap((key) => stored.get(keyText(key)) ?? []);
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
  if (row.sk.startsWith(sortKeyPrefix.command)) return undefined;
  const whole = interactionOf(row);
  return whole.incomplete ? { incomplete: whole } : undefined;
};

const eventsOf = (row: Row): readonly BusEvent[] => {
  if (row.sk.startsWith(sortKeyPrefix.command)) return commandOf(row).events;
  const { caused, ...stored } = interactionOf(row);
  return interactionEvents(stored, caused ?? {});
};
