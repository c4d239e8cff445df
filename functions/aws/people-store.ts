import * as z from 'zod';
import type { Half } from '../../core/customer.ts';
import type { Identifier } from '../../core/identifier.ts';
import { type IdentityConfig, usableIdentifiers } from '../../core/identity.ts';
import { type Interaction, interactionId } from '../../core/interaction.ts';
import { type Review, reviewId, waitingId } from '../../core/ledger.ts';
import { isAnswerable, isReference, targetOf } from '../../core/relation.ts';
import type { InteractionAddress, StoredInteraction } from '../ports.ts';
import { contentFields } from '../record/completion.ts';
import { type BusEvent, causedBy, interactionEvents } from '../record/events.ts';
import type { Changes, Loaded, SeenBefore } from '../record/ports.ts';
import { halvesOf } from '../record/reviews.ts';
import type { StoredInteractionChange } from '../record/stored.ts';
import { identifiersOf, idOf, reviewOf, type Work } from '../record/work.ts';
import { gravesOf } from './graves.ts';
import { loadTrees } from './history.ts';
import * as rows from './rows.ts';
import type { Condition, Key, Row, Table, Write } from './table.ts';
import type { Tombstones } from './tombstones.ts';

export interface PeopleStore {
  load(works: readonly Work[], config: IdentityConfig): Promise<Loaded>;
  commit(changes: Changes, config: IdentityConfig, retentionSeconds: number): Promise<boolean | 'too-large'>;
}

/** What one transaction of DynamoDB takes. */
const TRANSACTION_ITEMS = 100;

/** Customers in the table, as `record` reads and writes them: two batched reads, one transaction per group of people. */
export const peopleStore = (table: Table, tombstones: () => Promise<Tombstones>): PeopleStore => {
  /** The trees that the owner rows remember; a transaction that finds one out of date mends it on its way. */
  const remembered = new Map<Identifier, readonly string[]>();
  return {
    async load(works, config) {
      const marks = await tombstones();
      const first = await readNames(table, works, config, marks);
      remembered.clear();
      for (const { identifier, group } of first.owners) remembered.set(identifier, group);
      const halves = new Set([
        ...first.owners.flatMap(({ half, group }) => [half, ...group]),
        ...first.referred.values(),
        ...[...first.reviews.values()].flatMap(halvesOf),
      ]);
      const owners = new Map(first.owners.map(({ identifier, half }) => [identifier, half]));
      const graves = gravesOf(works, { owners, config, marks });
      const { trees, others } = await loadTrees(
        table,
        [...halves],
        [...[...first.seen].flatMap(toldBefore), ...graves.keys],
      );
      return {
        halves: trees,
        owners,
        seen: seenBefore(first.seen, others),
        referred: first.referred,
        reviews: first.reviews,
        overtaken: new Set([...first.overtaken, ...graves.overtaken(others)]),
        remembered: graves.remembered(others),
      };
    },
    async commit(changes, config, retentionSeconds) {
      const marks = await tombstones();
      const writes = writesOf(changes, { config, retentionSeconds, remembered, marks });
      return writes.length > TRANSACTION_ITEMS ? 'too-large' : table.transact(writes);
    },
  };
};

/** The rows that what a piece of work has told lies in. */
const toldBefore = ([id, { address, told = [] }]: readonly [string, rows.Seen]): Key[] =>
  address ? [rows.interactionKey(address)] : told.map((half) => rows.commandKey(half, id));

interface Names {
  readonly owners: readonly rows.Owner[];
  readonly seen: ReadonlyMap<string, rows.Seen>;
  readonly referred: ReadonlyMap<string, string>;
  readonly reviews: ReadonlyMap<string, Review>;
  /** Interactions that name nobody and refer to a message that was erased. */
  readonly overtaken: readonly string[];
}

/** The first read: who owns the identifiers, what was seen before, and where the messages referred to lie. */
const readNames = async (
  table: Table,
  works: readonly Work[],
  config: IdentityConfig,
  marks: Tombstones,
): Promise<Names> => {
  const nameless = works.flatMap((work) =>
    work.type === 'interaction' &&
    isReference(work.interaction.refersTo) &&
    identifiersOf(work, config).length === 0
      ? [{ id: idOf(work), of: work.interaction, keys: referredKeys(work.interaction, marks) }]
      : [],
  );
  const found = await table.get([
    ...works.flatMap((work) => identifiersOf(work, config).map(rows.identifierKey)),
    ...works.map((work) => marks.seenKey(idOf(work))),
    ...nameless.flatMap(({ keys }) => keys),
    ...works.flatMap((work) => reviewOf(work) ?? []).map(rows.reviewKey),
    ...works.flatMap((work) =>
      work.type === 'interaction' && work.completes ? [rows.reviewKey(waitingId(idOf(work)))] : [],
    ),
  ]);
  const byPartition = new Map(found.map((row) => [row.pk, row]));
  const seen = new Map<string, rows.Seen>();
  for (const work of works) {
    const row = byPartition.get(marks.seenKey(idOf(work)).pk);
    if (row) seen.set(idOf(work), rows.seenOf(row));
  }
  const referred = new Map<string, string>();
  const overtaken: string[] = [];
  for (const { id, of, keys } of nameless) {
    if (targetOf(of) !== undefined && keys.some(({ pk }) => isErased(byPartition.get(pk))))
      overtaken.push(id);
    const half = keys.map(({ pk }) => halfNamed(byPartition.get(pk))).find((one) => one !== undefined);
    if (half !== undefined) referred.set(id, half);
  }
  const owners = found.filter(({ pk }) => pk.startsWith('identifier#')).map(rows.ownerOf);
  const reviews = new Map(
    found.filter(({ pk }) => pk === rows.reviewPartition).map((row) => [row.sk, rows.reviewOf(row)]),
  );
  return { owners, seen, referred, reviews, overtaken };
};

/** A message is found by the id it would have itself, or, when we sent it, by the provider's id for it. */
const referredKeys = ({ provider, account, refersTo = '' }: Interaction, { seenKey }: Tombstones): Key[] => [
  seenKey(interactionId(provider, account, refersTo)),
  rows.messageKey(provider, refersTo),
];

const isErased = (row: Row | undefined): boolean => row?.sk === 'seen' && rows.seenOf(row).erased === true;

const halfNamed = (row: Row | undefined): string | undefined => {
  if (row === undefined) return undefined;
  return row.pk.startsWith('seen#')
    ? rows.seenOf(row).address?.half
    : rows.messagePointerOf(row).address.half;
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
      ...(row.introduced && { introduced: row.introduced }),
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

interface Writing {
  readonly config: IdentityConfig;
  readonly retentionSeconds: number;
  readonly remembered: ReadonlyMap<Identifier, readonly string[]>;
  readonly marks: Tombstones;
}

const writesOf = (
  { people, interactions, completions, waited, commands, overtaken }: Changes,
  { config, retentionSeconds, remembered, marks }: Writing,
): Write[] => {
  const writes: Write[] = [];
  // Kept from the day it was received: an old act that is told late is not gone at once.
  const expiry = (at: string): number => Math.floor(Date.parse(at) / 1000) + retentionSeconds;
  for (const id of people.changedProfiles) {
    const { profile } = people.half(id);
    writes.push(versioned(rows.profileKey(id), profile));
  }
  for (const id of people.changedActivities) {
    const { activity } = people.half(id);
    writes.push(versioned(rows.activityKey(id), activity));
  }
  for (const [identifier, half] of people.newOwners) {
    writes.push({
      put: { ...rows.identifierKey(identifier), identifier, half, group: groupOf(people, half) },
      if: { absent: true },
    });
  }
  writes.push(...limitGuards(people));
  for (const merge of people.merges.values())
    writes.push({ put: { ...rows.mergeKey(merge.survivor, merge.at, merge.id), ...merge } });
  for (const { survivor, mergedAt, merge, at, by } of people.unmerges) {
    writes.push({
      set: rows.mergeKey(survivor, mergedAt, merge),
      values: { undoneAt: at, undoneBy: by },
      if: { exists: true },
    });
  }
  for (const split of people.splits) {
    const { identifier, from, to, at, id } = split;
    writes.push(
      { put: { ...rows.splitKey(from, at, id), ...split } },
      { put: { ...rows.identifierKey(identifier), identifier, half: to, group: [to] }, if: { exists: true } },
    );
  }
  for (const reopening of people.reopenings)
    writes.push({ put: { ...rows.reopeningKey(reopening), ...reopening } });
  for (const { half, given } of people.answers)
    writes.push({ put: { ...rows.answerKey(half, given), ...given } });
  for (const review of new Map(people.reviews.map((one) => [reviewId(one), one])).values()) {
    writes.push(...reviewWrites(review, waited, marks));
  }
  const answered = new Set(
    commands.flatMap(({ command }) => (command.command === 'resolve' ? [command.review] : [])),
  );
  for (const review of answered) writes.push({ delete: rows.reviewKey(review), if: { exists: true } });
  for (const review of people.resolved)
    if (!answered.has(review)) writes.push({ delete: rows.reviewKey(review) });
  for (const { placed } of commands)
    if (placed) writes.push(...interactionWrites(placed, { exists: true }, { expiry, marks }));
  for (const change of interactions) {
    const { stored } = change;
    const waits = waited.has(stored.id);
    const seen: Condition = waits ? { exists: true } : { absent: true };
    writes.push(...interactionWrites(change, seen, { expiry, marks }));
    if (waits) writes.push({ delete: rows.reviewKey(waitingId(stored.id)), if: { exists: true } });
    for (const identifier of usableIdentifiers(stored.identifiers, config)) {
      const owner = people.owner(identifier);
      const known = remembered.get(identifier);
      if (owner === undefined || known === undefined || people.newOwners.has(identifier)) continue;
      const group = groupOf(people, owner);
      if (
        group.join() !== known.join() &&
        !writes.some((write) => 'set' in write && write.set.pk === rows.identifierKey(identifier).pk)
      ) {
        writes.push({ set: rows.identifierKey(identifier), values: { group } });
      }
    }
  }
  for (const stored of completions) writes.push(completionWrite(stored));
  for (const { command, events, placed, introduced } of commands) {
    const expiresAt = expiry(command.at);
    // What is told of a person lies with that person, where an erasure finds it.
    const told = placed || introduced ? new Map<string, BusEvent[]>() : Map.groupBy(events, halfTold);
    const kept = placed
      ? { address: addressOf(placed.stored) }
      : introduced
        ? { introduced }
        : { told: [...told.keys()] };
    writes.push({ put: { ...marks.seenKey(command.id), ...kept, expiresAt }, if: { absent: true } });
    for (const [half, ofHalf] of told)
      writes.push({
        put: {
          ...rows.commandKey(half, command.id),
          events: ofHalf.map(({ type, detail, at }) => ({ type, detail, at })),
          expiresAt,
        },
      });
  }
  for (const { id, at } of overtaken)
    writes.push({
      put: { ...marks.seenKey(id), erased: true, expiresAt: expiry(at) },
      if: { absent: true },
    });
  return writes;
};

const Told = z.looseObject({ customer: z.looseObject({ half: z.string() }) });
const halfTold = ({ detail }: BusEvent): string => Told.parse(detail).customer.half;

const addressOf = ({ half, occurredAt, id }: StoredInteraction): InteractionAddress => ({
  half,
  occurredAt,
  id,
});

/** The row of an interaction, the row that says it was seen, and the pointer that answers to it find it by. */
const interactionWrites = (
  { stored, placement }: StoredInteractionChange,
  seen: Condition,
  { expiry, marks }: { readonly expiry: (at: string) => number; readonly marks: Tombstones },
): Write[] => {
  const address = addressOf(stored);
  const expiresAt = expiry(stored.receivedAt);
  const caused = causedBy(placement);
  return [
    {
      put: {
        ...rows.interactionKey(address),
        ...stored,
        ...(Object.keys(caused).length > 0 && { caused }),
        expiresAt,
      },
    },
    { put: { ...marks.seenKey(stored.id), address, expiresAt }, if: seen },
    ...pointerWrites(stored, address, expiresAt),
  ];
};

/** Only the content is written, over a row that still stands: its owner may have been erased. */
const completionWrite = (stored: StoredInteraction): Write => ({
  set: rows.interactionKey(addressOf(stored)),
  values: Object.fromEntries(
    contentFields.flatMap((name) => (stored[name] === undefined ? [] : [[name, stored[name]]])),
  ),
  remove: ['incomplete'],
  if: { exists: true },
});

/** A row of version 0 is new; any other must still be what was read. */
const versioned = (key: Key, row: { readonly version: number }): Write => ({
  put: { ...key, ...row, version: row.version + 1 },
  if: row.version === 0 ? { absent: true } : { version: row.version },
});

/** Identifiers learned by a merged half count for the whole person, so the survivor must not have changed meanwhile. */
const limitGuards = (people: Changes['people']): Write[] => {
  const roots = new Set([...people.newOwners.values()].map((half) => people.customer(half).id));
  return [...roots]
    .filter((root) => !people.changedProfiles.has(root))
    .map((root) => ({ check: rows.profileKey(root), if: { version: people.half(root).profile.version } }));
};

const groupOf = (people: Changes['people'], half: string): string[] =>
  people.customer(half).halves.map(({ profile }: Half) => profile.id);

/** What answers to a message, and what is told of it, names it by the provider's id, which may be another than its key. */
const pointerWrites = (
  stored: StoredInteraction,
  address: InteractionAddress,
  expiresAt: number,
): Write[] => {
  const { provider, account, externalId, id } = stored;
  if (!isAnswerable(stored) || !isReference(externalId)) return [];
  if (interactionId(provider, account, externalId) === id) return [];
  return [{ put: { ...rows.messageKey(provider, externalId), address, account, expiresAt } }];
};

/** One open entry per pair or per interaction; one that waits already takes what is known of it now. */
const reviewWrites = (review: Review, waited: ReadonlySet<string>, { seenKey }: Tombstones): Write[] => {
  const put = { ...rows.reviewKey(reviewId(review)), ...review };
  if (review.type === 'pair') return [{ put }];
  if (waited.has(review.interaction.id)) return [{ put, if: { exists: true } }];
  return [{ put }, { put: { ...seenKey(review.interaction.id), review: true }, if: { absent: true } }];
};
