import type { Identifier } from '../../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { interactionReviewId, type Review } from '../../../core/identity/ledger.ts';
import { isReport } from '../../../core/identity/proof/vouched.ts';
import { type Interaction, interactionId } from '../../../core/interaction/interaction.ts';
import { isReference, targetOf } from '../../../core/interaction/relation.ts';
import { interactionEvents } from '../../contracts/events/build.ts';
import type { BusEvent } from '../../contracts/events/catalogue.ts';
import {
  addressClaimKey,
  claimedPairsKey,
  claimedPairsProfileIdOf,
  claimPartition,
  claimPrefix,
  commandKey,
  guestKey,
  identifierKey,
  interactionKey,
  isAddressClaimKey,
  isClaimedPairsKey,
  isGuestKey,
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
  type SentMessage,
  seenOf,
} from '../../contracts/rows/interactions.ts';
import {
  addressClaimOf,
  claimedPairsOf,
  claimOf,
  guestOf,
  type Owner,
  ownerOf,
  reviewOf as storedReviewOf,
} from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import {
  answeredClaimsOf,
  claimsOf,
  identifiersOf,
  idOf,
  referencesOf,
  reviewedProfileIds,
  reviewOf,
  soughtIdentifiers,
  type Work,
} from '../../contracts/work.ts';
import type { Table } from '../clients/dynamo.ts';
import { erasedGuard } from '../erasure/erased-guard.ts';
import type { HashedKeys } from '../erasure/hashed-keys.ts';
import { loadMergeTrees } from './history.ts';
import { writesOf } from './people-writes.ts';

export interface PeopleStore {
  /** Reads the customers, open reviews and earlier results that the work concerns, strongly consistent. */
  load(works: readonly Work[], config: IdentityConfig): Promise<Loaded>;
  /**
   * Writes all changes in one transaction, on the condition that nobody changed the rows since `loaded`; false where somebody
   * did. `too-large`: they are more than a transaction takes, and nothing was written.
   */
  commit(
    changes: Changes,
    loaded: Pick<Loaded, 'ownerHints' | 'addressClaimedAt'>,
    config: IdentityConfig,
    retentionSeconds: number,
  ): Promise<boolean | 'too-large'>;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
const TRANSACTION_ITEMS = 100;

/** Customers in the table, as `record` reads and writes them: two batched reads, and one transaction per group of work. */
export const peopleStore = (table: Table, loadHashedKeys: () => Promise<HashedKeys>): PeopleStore => ({
  async load(works, config) {
    const hashedKeys = await loadHashedKeys();
    const first = await readIdentities(table, works, config, hashedKeys);
    const profileIds = new Set([
      ...first.owners.flatMap(({ profileId, customerProfileIds }) => [profileId, ...customerProfileIds]),
      ...first.referred.values(),
      ...[...first.reviews.values()].flatMap(reviewedProfileIds),
      ...first.guests.values(),
      ...(await guestsToSplit(table, works, config)),
    ]);
    const owners = new Map(first.owners.map(({ identifier, profileId }) => [identifier, profileId]));
    const guard = erasedGuard(works, { owners, config, hashedKeys });
    const { sourceProfiles, others } = await loadMergeTrees(
      table,
      [...profileIds],
      [
        ...[...first.seen].flatMap(resultKeys),
        ...guard.keys,
        ...namedTogether(works, first.owners, config).map(claimedPairsKey),
      ],
    );
    const loaded = new Set(sourceProfiles.map(({ profile }) => profile.id));
    return {
      sourceProfiles,
      owners,
      ownerHints: new Map(
        first.owners.map(({ identifier, customerProfileIds }) => [identifier, customerProfileIds]),
      ),
      seen: seenBefore(first.seen, others),
      referred: first.referred,
      sent: first.sent,
      reviews: first.reviews,
      receivedBeforeErasure: new Set([
        ...first.receivedBeforeErasure,
        ...guard.receivedBeforeErasure(others),
        ...works.flatMap((work) =>
          work.type === 'interaction' && work.causedBy !== undefined && !loaded.has(work.causedBy)
            ? [idOf(work)]
            : [],
        ),
      ]),
      guests: first.guests,
      addressClaimedAt: first.addressClaimedAt,
      claimedPairs: new Map(
        others.filter(isClaimedPairsKey).map((row) => [claimedPairsProfileIdOf(row), claimedPairsOf(row)]),
      ),
      retainedRefusals: guard.retainedRefusals(others),
    };
  },
  async commit(changes, { ownerHints, addressClaimedAt }, config, retentionSeconds) {
    const hashedKeys = await loadHashedKeys();
    const writes = writesOf(changes, { config, retentionSeconds, ownerHints, addressClaimedAt, hashedKeys });
    return writes.length > TRANSACTION_ITEMS ? 'too-large' : table.transact(writes);
  },
});

/** The rows that hold the events of an interaction or command that was done before. */
const resultKeys = ([id, { address, profileIds = [] }]: readonly [string, Seen]): Key[] =>
  address ? [interactionKey(address)] : profileIds.map((profileId) => commandKey(profileId, id));

interface Identities {
  readonly owners: readonly Owner[];
  readonly seen: ReadonlyMap<string, Seen>;
  readonly referred: ReadonlyMap<string, string>;
  readonly sent: ReadonlyMap<string, SentMessage>;
  readonly reviews: ReadonlyMap<string, Review>;
  readonly guests: ReadonlyMap<Identifier, string>;
  readonly addressClaimedAt: Loaded['addressClaimedAt'];
  /** Anonymous interactions that refer to a message that was erased. */
  readonly receivedBeforeErasure: readonly string[];
}

/** The first read: the owners of identifiers, what was done before, and the source profiles of messages referred to. */
const readIdentities = async (
  table: Table,
  works: readonly Work[],
  config: IdentityConfig,
  hashedKeys: HashedKeys,
): Promise<Identities> => {
  const anonymous = works.flatMap((work) =>
    work.type === 'interaction' &&
    isReference(work.interaction.refersTo) &&
    (isReport(work.interaction) || identifiersOf(work, config).length === 0)
      ? [{ interaction: work.interaction, keys: referredKeys(work.interaction, hashedKeys) }]
      : [],
  );
  const found = await table.get([
    ...works.flatMap((work) => soughtIdentifiers(work, config).map(identifierKey)),
    ...works.flatMap((work) => claimsOf(work, config).map(guestKey)),
    ...works.flatMap((work) =>
      answeredClaimsOf(work, config).flatMap((one) => [
        addressClaimKey(one, 'mute'),
        addressClaimKey(one, 'opt-in'),
      ]),
    ),
    ...works.map((work) => hashedKeys.seenKey(idOf(work))),
    ...anonymous.flatMap(({ keys }) => keys),
    ...works.flatMap((work) => reviewOf(work) ?? []).map(reviewKey),
    ...works.flatMap((work) =>
      work.type === 'interaction' && work.completes ? [reviewKey(interactionReviewId(idOf(work)))] : [],
    ),
  ]);
  const byPartition = new Map(found.filter((row) => !isGuestKey(row)).map((row) => [row.pk, row]));
  const seen = new Map<string, Seen>();
  for (const work of works) {
    const row = byPartition.get(hashedKeys.seenKey(idOf(work)).pk);
    if (row) seen.set(idOf(work), seenOf(row));
  }
  const referred = new Map<string, string>();
  for (const work of works)
    if (work.type === 'interaction' && work.causedBy !== undefined) referred.set(idOf(work), work.causedBy);
  const sent = new Map<string, SentMessage>();
  const receivedBeforeErasure: string[] = [];
  for (const { interaction, keys } of anonymous) {
    if (targetOf(interaction) !== undefined && keys.some(({ pk }) => isErased(byPartition.get(pk))))
      receivedBeforeErasure.push(interaction.id);
    const profileId = keys.map(({ pk }) => profileIdIn(byPartition.get(pk))).find((one) => one !== undefined);
    if (profileId !== undefined) referred.set(interaction.id, profileId);
    const message = keys.map(({ pk }) => sentIn(byPartition.get(pk))).find((one) => one !== undefined);
    if (message !== undefined) sent.set(interaction.id, message);
  }
  const owners = found.filter(isOwnerKey).map(ownerOf);
  const reviews = new Map(
    found.filter(({ pk }) => pk === reviewPartition).map((row) => [row.sk, storedReviewOf(row)]),
  );
  const guests = new Map(
    found
      .filter(isGuestKey)
      .map(guestOf)
      .map(({ identifier, profileId }) => [identifier, profileId]),
  );
  const addressClaimedAt = new Map(
    found.filter(isAddressClaimKey).map((row) => [keyText(row), addressClaimOf(row).at]),
  );
  return { owners, seen, referred, sent, reviews, guests, addressClaimedAt, receivedBeforeErasure };
};

/**
 * The source profiles of persons whom an interaction, or a decision, names together: their claimed pairs are read. One
 * person alone has none that could change.
 */
const namedTogether = (
  works: readonly Work[],
  owners: readonly Owner[],
  config: IdentityConfig,
): string[] => {
  const byIdentifier = new Map(owners.map((owner) => [owner.identifier, owner]));
  const together = works.flatMap((work) => {
    const named = [...identifiersOf(work, config), ...referencesOf(work, config)].flatMap(
      (one) => byIdentifier.get(one) ?? [],
    );
    const several = new Set(named.map(({ profileId }) => profileId)).size > 1;
    return several || reviewOf(work) !== undefined
      ? named.flatMap(({ profileId, customerProfileIds }) => [profileId, ...customerProfileIds])
      : [];
  });
  return [...new Set(together)];
};

/** The guests that claim an identifier which a command splits. */
const guestsToSplit = async (
  table: Table,
  works: readonly Work[],
  config: IdentityConfig,
): Promise<string[]> => {
  const guests: string[] = [];
  for (const work of works) {
    if (work.type !== 'command' || work.command.command !== 'split') continue;
    for (const identifier of claimsOf(work, config))
      for await (const row of table.query(claimPartition(identifier), { beginsWith: claimPrefix }))
        guests.push(claimOf(row).profileId);
  }
  return guests;
};

/** A message is found by the id that it would have itself or, when we sent it, by the provider's id for it. */
const referredKeys = ({ provider, account, refersTo = '' }: Interaction, { seenKey }: HashedKeys): Key[] => [
  seenKey(interactionId(provider, account, refersTo)),
  messageKey(provider, refersTo),
];

const isErased = (row: Row | undefined): boolean =>
  row !== undefined && isSeenKey(row) && seenOf(row).erased === true;

/** The source profile under which the interaction is stored that a `seen` row or a message pointer names. */
const profileIdIn = (row: Row | undefined): string | undefined => {
  if (row === undefined) return undefined;
  return isSeenKey(row) ? seenOf(row).address?.profileId : messagePointerOf(row).address.profileId;
};

const sentIn = (row: Row | undefined): SentMessage | undefined =>
  row === undefined || isSeenKey(row) ? undefined : messagePointerOf(row).sent;

/** What was recorded before, with its events exactly as they were published. */
const seenBefore = (seen: Identities['seen'], found: readonly Row[]): Map<string, SeenBefore> => {
  const stored = new Map(found.map((row) => [keyText(row), row]));
  const before = new Map<string, SeenBefore>();
  for (const [id, row] of seen) {
    const results = resultKeys([id, row]).flatMap((key) => stored.get(keyText(key)) ?? []);
    before.set(id, {
      events: results.flatMap(eventsOf),
      ...results.map(incompleteIn).find((one) => one !== undefined),
      ...(row.imported && { imported: row.imported }),
      ...(row.erased && { erased: true }),
    });
  }
  return before;
};

/** The row of an interaction that was stored without its content. */
const incompleteIn = (row: Row): Pick<SeenBefore, 'incomplete'> | undefined => {
  if (row.sk.startsWith(sortKeyPrefix.command)) return undefined;
  const interaction = interactionOf(row);
  return interaction.incomplete ? { incomplete: interaction } : undefined;
};

const eventsOf = (row: Row): readonly BusEvent[] => {
  if (row.sk.startsWith(sortKeyPrefix.command)) return commandOf(row).events;
  const { caused, ...stored } = interactionOf(row);
  return interactionEvents(stored, caused ?? {});
};
