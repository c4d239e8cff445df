import * as z from 'zod';
import type { SourceProfile } from '../../../core/identity/customer.ts';
import { interactionReviewId, type Review, reviewId } from '../../../core/identity/ledger.ts';
import { type IdentityConfig, usableIdentifiers } from '../../../core/identity/rules.ts';
import { interactionId } from '../../../core/interaction/interaction.ts';
import { isAnswerable, isReference } from '../../../core/interaction/relation.ts';
import { causedBy } from '../../contracts/events/build.ts';
import type { BusEvent } from '../../contracts/events/catalogue.ts';
import {
  activityKey,
  answerKey,
  commandKey,
  identifierKey,
  interactionKey,
  type Key,
  mergeKey,
  messageKey,
  profileKey,
  reopeningKey,
  reviewKey,
  splitKey,
} from '../../contracts/keys.ts';
import type { InteractionAddress, StoredInteraction } from '../../contracts/ports/history.ts';
import {
  type Changes,
  contentFields,
  type ExecutedCommand,
  type Loaded,
  type StoredInteractionChange,
} from '../../contracts/ports/record.ts';

import type { Condition, Write } from '../clients/dynamo.ts';
import type { HashedKeys } from '../erasure/hashed-keys.ts';

interface Writing {
  readonly config: IdentityConfig;
  readonly retentionSeconds: number;
  readonly ownerHints: Loaded['ownerHints'];
  readonly hashedKeys: HashedKeys;
}

/** When a row expires, and what the id of an act is called. */
interface Marking {
  /** In seconds since 1970, of what was received at an instant. */
  readonly expiry: (at: string) => number;
  readonly hashedKeys: HashedKeys;
}

/** Everything that one transaction writes, on the condition that nobody else has changed it since it was read. */
export const writesOf = (
  changes: Changes,
  { config, retentionSeconds, ownerHints, hashedKeys }: Writing,
): Write[] => {
  const { people, interactions, completions, waited, commands, receivedBeforeErasure: overtaken } = changes;
  // Kept from the day it was received: an old act that is told late is not gone at once.
  const expiry = (at: string): number => Math.floor(Date.parse(at) / 1000) + retentionSeconds;
  const marking = { expiry, hashedKeys };
  return [
    ...halfWrites(people),
    ...ledgerWrites(people),
    ...questionWrites(changes, hashedKeys),
    ...commands.flatMap(({ placed }) => (placed ? interactionWrites(placed, { exists: true }, marking) : [])),
    ...interactions.flatMap((change) => placedWrites(change, waited, marking)),
    ...groupWrites(people, interactions, { config, ownerHints }),
    ...completions.map(completionWrite),
    ...commands.flatMap((obeyed) => commandWrites(obeyed, marking)),
    ...overtaken.map(
      ({ id, at }): Write => ({
        put: { ...hashedKeys.seenKey(id), erased: true, expiresAt: expiry(at) },
        if: { absent: true },
      }),
    ),
  ];
};

const halfWrites = (people: Changes['people']): Write[] => [
  ...[...people.changedProfiles].map((id) => versioned(profileKey(id), people.sourceProfile(id).profile)),
  ...[...people.changedActivities].map((id) => versioned(activityKey(id), people.sourceProfile(id).activity)),
  ...[...people.newOwners].map(
    ([identifier, profileId]): Write => ({
      put: {
        ...identifierKey(identifier),
        identifier,
        profileId,
        customerProfileIds: groupOf(people, profileId),
      },
      if: { absent: true },
    }),
  ),
  ...limitGuards(people),
];

/** What the ledger keeps: merges, and what was taken back, parted, opened again and answered. */
const ledgerWrites = ({ merges, unmerges, splits, reopenings, answers }: Changes['people']): Write[] => [
  ...[...merges.values()].map(
    (merge): Write => ({ put: { ...mergeKey(merge.survivor, merge.at, merge.id), ...merge } }),
  ),
  ...unmerges.map(
    ({ survivor, mergedAt, merge, at, by }): Write => ({
      set: mergeKey(survivor, mergedAt, merge),
      values: { undoneAt: at, undoneBy: by },
      if: { exists: true },
    }),
  ),
  ...splits.flatMap((split): Write[] => {
    const { identifier, from, to, at, id } = split;
    return [
      { put: { ...splitKey(from, at, id), ...split } },
      {
        put: { ...identifierKey(identifier), identifier, profileId: to, customerProfileIds: [to] },
        if: { exists: true },
      },
    ];
  }),
  ...reopenings.map((reopening): Write => ({ put: { ...reopeningKey(reopening), ...reopening } })),
  ...answers.map(({ profileId, given }): Write => ({ put: { ...answerKey(profileId, given), ...given } })),
];

/** The review list: what is asked, and what a person or a merge has answered. */
const questionWrites = ({ people, waited, commands }: Changes, hashedKeys: HashedKeys): Write[] => {
  const asked = new Map(people.reviews.map((one) => [reviewId(one), one]));
  const answered = new Set(
    commands.flatMap(({ command }) => (command.command === 'resolve' ? [command.review] : [])),
  );
  return [
    ...[...asked.values()].flatMap((review) => reviewWrites(review, waited, hashedKeys)),
    ...[...answered].map((review): Write => ({ delete: reviewKey(review), if: { exists: true } })),
    ...[...people.resolved]
      .filter((review) => !answered.has(review))
      .map((review): Write => ({ delete: reviewKey(review) })),
  ];
};

/** An interaction that is new, or that has waited for a person until its content named somebody. */
const placedWrites = (
  change: StoredInteractionChange,
  waited: ReadonlySet<string>,
  marking: Marking,
): Write[] => {
  const { id } = change.stored;
  if (!waited.has(id)) return interactionWrites(change, { absent: true }, marking);
  return [
    ...interactionWrites(change, { exists: true }, marking),
    { delete: reviewKey(interactionReviewId(id)), if: { exists: true } },
  ];
};

/** Owner rows whose tree has changed since they were read are mended by the next interaction that names them. */
const groupWrites = (
  people: Changes['people'],
  interactions: Changes['interactions'],
  { config, ownerHints }: Pick<Writing, 'config' | 'ownerHints'>,
): Write[] => {
  const named = new Set(interactions.flatMap(({ stored }) => usableIdentifiers(stored.identifiers, config)));
  const parted = new Set(people.splits.map(({ identifier }) => identifier));
  // The owner row of what was split off is written with the split.
  return [...named.difference(parted)].flatMap((identifier) => {
    const owner = people.owner(identifier);
    const known = ownerHints.get(identifier);
    if (owner === undefined || known === undefined || people.newOwners.has(identifier)) return [];
    const group = groupOf(people, owner);
    return group.join() === known.join()
      ? []
      : [{ set: identifierKey(identifier), values: { customerProfileIds: group } }];
  });
};

const commandWrites = (
  { command, events, placed, imported }: ExecutedCommand,
  { expiry, hashedKeys }: Marking,
): Write[] => {
  const expiresAt = expiry(command.at);
  // What is told of a person lies with that person, where an erasure finds it.
  const told = placed || imported ? new Map<string, BusEvent[]>() : Map.groupBy(events, halfTold);
  const kept = placed
    ? { address: addressOf(placed.stored) }
    : imported
      ? { imported }
      : { profileIds: [...told.keys()] };
  return [
    { put: { ...hashedKeys.seenKey(command.id), ...kept, expiresAt }, if: { absent: true } },
    ...[...told].map(
      ([profileId, ofHalf]): Write => ({
        put: {
          ...commandKey(profileId, command.id),
          events: ofHalf.map(({ type, detail, at }) => ({ type, detail, at })),
          expiresAt,
        },
      }),
    ),
  ];
};

const Told = z.looseObject({ customer: z.looseObject({ profileId: z.string() }) });
const halfTold = ({ detail }: BusEvent): string => Told.parse(detail).customer.profileId;

const addressOf = ({ profileId, occurredAt, id }: StoredInteraction): InteractionAddress => ({
  profileId,
  occurredAt,
  id,
});

/** The row of an interaction, the row that says it was seen, and the pointer that answers to it find it by. */
const interactionWrites = (
  { stored, placement }: StoredInteractionChange,
  seen: Condition,
  { expiry, hashedKeys }: Marking,
): Write[] => {
  const address = addressOf(stored);
  const expiresAt = expiry(stored.receivedAt);
  const caused = causedBy(placement);
  return [
    {
      put: {
        ...interactionKey(address),
        ...stored,
        ...(Object.keys(caused).length > 0 && { caused }),
        expiresAt,
      },
    },
    { put: { ...hashedKeys.seenKey(stored.id), address, expiresAt }, if: seen },
    ...pointerWrites(stored, address, expiresAt),
  ];
};

/** Only the content is written, over a row that still stands: its owner may have been erased. */
const completionWrite = (stored: StoredInteraction): Write => ({
  set: interactionKey(addressOf(stored)),
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
  const roots = new Set([...people.newOwners.values()].map((profileId) => people.customer(profileId).id));
  return [...roots]
    .filter((root) => !people.changedProfiles.has(root))
    .map((root) => ({
      check: profileKey(root),
      if: { version: people.sourceProfile(root).profile.version },
    }));
};

const groupOf = (people: Changes['people'], profileId: string): string[] =>
  people.customer(profileId).sourceProfiles.map(({ profile }: SourceProfile) => profile.id);

/** What answers to a message, and what is told of it, names it by the provider's id, which may be another than its key. */
const pointerWrites = (
  stored: StoredInteraction,
  address: InteractionAddress,
  expiresAt: number,
): Write[] => {
  const { provider, account, externalId, id } = stored;
  if (!isAnswerable(stored) || !isReference(externalId)) return [];
  if (interactionId(provider, account, externalId) === id) return [];
  return [{ put: { ...messageKey(provider, externalId), address, account, expiresAt } }];
};

/** One open entry per pair or per interaction; one that waits already takes what is known of it now. */
const reviewWrites = (review: Review, waited: ReadonlySet<string>, { seenKey }: HashedKeys): Write[] => {
  const put = { ...reviewKey(reviewId(review)), ...review };
  if (review.type === 'pair') return [{ put }];
  if (waited.has(review.interaction.id)) return [{ put, if: { exists: true } }];
  return [{ put }, { put: { ...seenKey(review.interaction.id), review: true }, if: { absent: true } }];
};
