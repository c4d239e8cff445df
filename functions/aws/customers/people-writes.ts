import { partsOfReference } from '../../../core/identity/crm/accounts.ts';
import { referencesOf } from '../../../core/identity/crm/references.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { interactionReviewId, type Review, reviewId } from '../../../core/identity/ledger.ts';
import type { SourceProfile } from '../../../core/identity/profile.ts';
import { vouchedIdentifiers } from '../../../core/identity/proof/vouched.ts';
import { interactionId } from '../../../core/interaction/interaction.ts';
import { isAnswerable, isReference } from '../../../core/interaction/relation.ts';
import { causedBy } from '../../contracts/events/build.ts';
import type { BusEvent } from '../../contracts/events/catalogue.ts';
import {
  activityKey,
  addressClaimKey,
  answerKey,
  claimedPairsKey,
  claimKey,
  commandKey,
  confirmationKey,
  guestKey,
  identifierKey,
  interactionKey,
  type Key,
  keyText,
  mergeKey,
  messageKey,
  profileKey,
  reopeningKey,
  reviewKey,
  splitKey,
  syncStateKey,
} from '../../contracts/keys.ts';
import type { InteractionAddress, StoredInteraction } from '../../contracts/ports/history.ts';
import {
  type Changes,
  contentFields,
  type ExecutedCommand,
  type Loaded,
  type StoredInteractionChange,
} from '../../contracts/ports/record.ts';
import type { SentMessage } from '../../contracts/rows/interactions.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Condition, Write } from '../clients/dynamo.ts';
import type { HashedKeys } from '../erasure/hashed-keys.ts';
import { decisionRow } from './reviews.ts';

interface WriteContext {
  readonly config: IdentityConfig;
  readonly retentionSeconds: number;
  readonly ownerHints: Loaded['ownerHints'];
  readonly addressClaimedAt: Loaded['addressClaimedAt'];
  readonly hashedKeys: HashedKeys;
}

interface RowContext {
  /** When a row expires about something that was received at this time: epoch seconds. */
  readonly expiryOf: (receivedAt: string) => number;
  readonly hashedKeys: HashedKeys;
}

/** Everything that one transaction writes, on the condition that nobody has changed it since it was read. */
export const writesOf = (
  changes: Changes,
  { config, retentionSeconds, ownerHints, addressClaimedAt, hashedKeys }: WriteContext,
): Write[] => {
  const { people, interactions, completions, waited, commands, receivedBeforeErasure } = changes;
  // Retention counts from the receipt, so that an old interaction which is reported late does not expire at once.
  const expiryOf = (receivedAt: string): number =>
    Math.floor(Date.parse(receivedAt) / 1000) + retentionSeconds;
  const context = { expiryOf, hashedKeys };
  return [
    ...customerWrites(people),
    ...claimWrites(people, addressClaimedAt),
    ...ledgerWrites(people),
    ...reviewListWrites(changes, hashedKeys),
    ...commands.flatMap(({ placed }) => (placed ? interactionWrites(placed, { exists: true }, context) : [])),
    ...interactions.flatMap((change) => resolvedWrites(change, waited, context)),
    ...ownerHintWrites(people, interactions, { config, ownerHints }),
    ...completions.map(completionWrite),
    ...commands.flatMap((executed) => commandWrites(executed, context)),
    ...receivedBeforeErasure.map(
      ({ id, at }): Write => ({
        put: { ...hashedKeys.seenKey(id), erased: true, expiresAt: expiryOf(at) },
        if: { absent: true },
      }),
    ),
  ];
};

/** Changed profile and activity rows, and new owner rows. */
const customerWrites = (people: Changes['people']): Write[] => [
  ...[...people.changedProfiles].map((id) => versioned(profileKey(id), people.sourceProfile(id).profile)),
  ...[...people.changedActivities].map((id) => versioned(activityKey(id), people.sourceProfile(id).activity)),
  ...[...people.newOwners].map(
    ([identifier, profileId]): Write => ({
      put: ownerRow(people, identifier, profileId),
      // A number that goes to another person had an owner until now.
      if: people.disowned.has(identifier) ? { exists: true } : { absent: true },
    }),
  ),
  ...[...people.disowned]
    .filter((identifier) => !people.newOwners.has(identifier))
    .map((identifier): Write => ({ delete: identifierKey(identifier), if: { exists: true } })),
  ...linkWrites(people),
  ...limitGuards(people),
];

/** Owner rows of CRM records, and the rows by which the sync with the CRM knows the record of a customer. */
const linkWrites = (people: Changes['people']): Write[] => {
  const links = [...people.newLinks];
  const states = new Map(
    links.map(([reference, profileId]) => {
      const { scope, record } = partsOfReference(reference);
      const key = syncStateKey(profileId, scope);
      return [keyText(key), { fill: key, values: { record, fields: {} } }];
    }),
  );
  return [
    ...links.map(
      ([reference, profileId]): Write => ({
        put: ownerRow(people, reference, profileId),
        if: { absent: true },
      }),
    ),
    ...states.values(),
  ];
};

const ownerRow = (people: Changes['people'], identifier: Identifier, profileId: string): Row => ({
  ...identifierKey(identifier),
  ...{ identifier, profileId, customerProfileIds: customerProfileIds(people, profileId) },
});

/** Rows of guests and of addresses; none of a person. */
const claimWrites = (people: Changes['people'], addressClaimedAt: Loaded['addressClaimedAt']): Write[] => {
  const addressClaims = new Map(
    people.addressClaims
      // One that occurred before the stored one arrived late.
      .filter(
        ({ address, claim, at }) =>
          at >= (addressClaimedAt.get(keyText(addressClaimKey(address, claim))) ?? ''),
      )
      .toSorted((one, other) => (one.at < other.at ? -1 : 1))
      .map((one) => [`${one.claim} ${one.address}`, one]),
  );
  return [
    ...[...people.newGuests].map(
      ([identifier, profileId]): Write => ({
        put: { ...guestKey(identifier), identifier, profileId },
        if: { absent: true },
      }),
    ),
    ...people.claims.map(
      ({ identifier, profileId, at }): Write => ({
        put: { ...claimKey(identifier, at, profileId), profileId },
      }),
    ),
    ...[...addressClaims.values()].map(
      ({ address, claim, channel, at, source }): Write => ({
        put: { ...addressClaimKey(address, claim), channel, at, source },
      }),
    ),
    ...[...people.changedPairs].map((id) => versioned(claimedPairsKey(id), people.claimedPairs(id))),
  ];
};

/** The identity ledger: merges, unmerges, splits, confirmations and reopened addresses; and the answers about consent. */
const ledgerWrites = ({
  merges,
  unmerges,
  splits,
  confirmations,
  reopenings,
  answers,
}: Changes['people']): Write[] => [
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
    const entry = { put: { ...splitKey(from, at, id), ...split } };
    if (split.claimed) return [entry];
    return [
      entry,
      {
        put: { ...identifierKey(identifier), identifier, profileId: to, customerProfileIds: [to] },
        if: { exists: true },
      },
    ];
  }),
  ...confirmations.map(
    (one): Write => ({ put: { ...confirmationKey(one.profileId, one.at, one.id), ...one } }),
  ),
  ...reopenings.map((reopening): Write => ({ put: { ...reopeningKey(reopening), ...reopening } })),
  ...answers.map(({ profileId, answer }): Write => ({ put: { ...answerKey(profileId, answer), ...answer } })),
];

/** The review list: new entries, and those that a person or a merge has closed. */
const reviewListWrites = ({ people, waited, commands }: Changes, hashedKeys: HashedKeys): Write[] => {
  const opened = new Map(people.reviews.map((one) => [reviewId(one), one]));
  const decided = new Map(
    commands.flatMap(({ command }) =>
      command.command === 'resolve' ? [[command.review, command] as const] : [],
    ),
  );
  return [
    ...[...opened.values()].flatMap((review) => reviewWrites(review, waited, hashedKeys)),
    ...[...decided].flatMap(([review, command]): Write[] => [
      { delete: reviewKey(review), if: { exists: true } },
      { put: decisionRow(command) },
    ]),
    ...[...people.resolvedReviews]
      .filter((review) => !decided.has(review))
      .map((review): Write => ({ delete: reviewKey(review) })),
  ];
};

/** An interaction that is new, or that was in review until its content named a customer. */
const resolvedWrites = (
  change: StoredInteractionChange,
  waited: ReadonlySet<string>,
  context: RowContext,
): Write[] => {
  const { id } = change.stored;
  if (!waited.has(id)) return interactionWrites(change, { absent: true }, context);
  return [
    ...interactionWrites(change, { exists: true }, context),
    { delete: reviewKey(interactionReviewId(id)), if: { exists: true } },
  ];
};

/** Corrects owner rows whose customer has gained or lost source profiles since, when an interaction names them. */
const ownerHintWrites = (
  people: Changes['people'],
  interactions: Changes['interactions'],
  { config, ownerHints }: Pick<WriteContext, 'config' | 'ownerHints'>,
): Write[] => {
  // A claim writes no row of a person, not even this one.
  const named = new Set(
    interactions.flatMap(({ stored }) => [
      ...vouchedIdentifiers(stored, config).proven,
      ...referencesOf(stored, config).vouched,
    ]),
  );
  // The owner row of an identifier that was split off is written with the split.
  const split = new Set(people.splits.map(({ identifier }) => identifier));
  return [...named.difference(split)].flatMap((identifier) => {
    const owner = people.owner(identifier);
    const hint = ownerHints.get(identifier);
    if (owner === undefined || hint === undefined || people.newOwners.has(identifier)) return [];
    const profileIds = customerProfileIds(people, owner);
    return profileIds.join() === hint.join()
      ? []
      : [{ set: identifierKey(identifier), values: { customerProfileIds: profileIds } }];
  });
};

/** That a command was done, and its events, each with the source profile that it is about: an erasure finds them there. */
const commandWrites = (
  { command, events, placed, imported }: ExecutedCommand,
  { expiryOf, hashedKeys }: RowContext,
): Write[] => {
  const expiresAt = expiryOf(command.at);
  const byProfile =
    placed || imported ? new Map<string, BusEvent[]>() : Map.groupBy(events, profileIdOfEvent);
  const result = placed
    ? { address: addressOf(placed.stored) }
    : imported
      ? { imported }
      : { profileIds: [...byProfile.keys()] };
  return [
    { put: { ...hashedKeys.seenKey(command.id), ...result, expiresAt }, if: { absent: true } },
    ...[...byProfile].map(
      ([profileId, own]): Write => ({
        put: { ...commandKey(profileId, command.id), events: own, expiresAt },
      }),
    ),
  ];
};

const profileIdOfEvent = ({ type, detail }: BusEvent): string => {
  if ('customer' in detail && 'profileId' in detail.customer) return detail.customer.profileId;
  if ('decided' in detail) return detail.decided.profileId;
  throw new Error(`A command cannot cause the event ${type}: it names no source profile.`);
};

const addressOf = ({ profileId, occurredAt, id }: StoredInteraction): InteractionAddress => ({
  profileId,
  occurredAt,
  id,
});

/** The row of an interaction, its `seen` row, and the pointer by which replies and reports find it. */
const interactionWrites = (
  { stored, placement }: StoredInteractionChange,
  seen: Condition,
  { expiryOf, hashedKeys }: RowContext,
): Write[] => {
  const address = addressOf(stored);
  const expiresAt = expiryOf(stored.receivedAt);
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

/** Only the content is written, and only where the row still exists: its customer may have been erased. */
const completionWrite = (stored: StoredInteraction): Write => ({
  set: interactionKey(addressOf(stored)),
  values: Object.fromEntries(
    contentFields.flatMap((name) => (stored[name] === undefined ? [] : [[name, stored[name]]])),
  ),
  remove: ['incomplete'],
  if: { exists: true },
});

/** A row of version 0 is new; any other must be at the version that was read. */
const versioned = (key: Key, row: { readonly version: number }): Write => ({
  put: { ...key, ...row, version: row.version + 1 },
  if: row.version === 0 ? { absent: true } : { version: row.version },
});

/**
 * The limits of identifiers hold for the whole customer, so the survivor of one that gains an identifier must be unchanged;
 * and one that gains a link must not have been erased.
 */
const limitGuards = (people: Changes['people']): Write[] => {
  const canonicalIds = new Set(
    [...people.newOwners.values(), ...people.newLinks.values()].map(
      (profileId) => people.customer(profileId).id,
    ),
  );
  return [...canonicalIds]
    .filter((id) => !people.changedProfiles.has(id))
    .map((id) => ({
      check: profileKey(id),
      if: { version: people.sourceProfile(id).profile.version },
    }));
};

const customerProfileIds = (people: Changes['people'], profileId: string): string[] =>
  people.customer(profileId).sourceProfiles.map(({ profile }: SourceProfile) => profile.id);

/** Replies and reports name a message by the provider's id, which may differ from the key that its own id is made of. */
const pointerWrites = (
  stored: StoredInteraction,
  address: InteractionAddress,
  expiresAt: number,
): Write[] => {
  const { provider, account, externalId, id } = stored;
  if (!isAnswerable(stored) || !isReference(externalId)) return [];
  if (interactionId(provider, account, externalId) === id) return [];
  const sent = sentMessageOf(stored);
  return [
    { put: { ...messageKey(provider, externalId), address, account, ...(sent && { sent }), expiresAt } },
  ];
};

/** What the message of a trigger was; undefined for every other interaction. */
const sentMessageOf = ({ kind, properties = {} }: StoredInteraction): SentMessage | undefined => {
  const { trigger, template, step } = properties;
  if (kind !== 'notification' || typeof trigger !== 'string' || typeof template !== 'string')
    return undefined;
  return { trigger, template, ...(typeof step === 'string' && { step }) };
};

/** One open entry per pair or interaction; an entry that is open already is overwritten with what is known now. */
const reviewWrites = (review: Review, waited: ReadonlySet<string>, { seenKey }: HashedKeys): Write[] => {
  const put = { ...reviewKey(reviewId(review)), ...review };
  if (review.type === 'pair' || review.type === 'record') return [{ put }];
  if (review.type === 'request' && review.profileId !== undefined) return [{ put }];
  if (waited.has(review.interaction.id)) return [{ put, if: { exists: true } }];
  return [{ put }, { put: { ...seenKey(review.interaction.id), review: true }, if: { absent: true } }];
};
