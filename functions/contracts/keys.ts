import { createHash } from 'node:crypto';
import type { RecordedAnswer } from '../../core/consent/evidence.ts';
import type { Failure } from '../../core/errors/failure.ts';
import type { LinkScope } from '../../core/identity/crm/accounts.ts';
import type { Identifier } from '../../core/identity/identifier.ts';
import type { Reopening } from '../../core/identity/ledger.ts';
import type { Instant } from '../../core/interaction/interaction.ts';
import type { ListEntry } from '../../core/timeline/lists.ts';
import type { NotificationMessage } from '../../core/triggers/notification.ts';
import type { InteractionAddress } from './ports/history.ts';

/** Every key of the hub's one table. DESIGN lists what each row holds; `rows/` has the schemas. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A partition key takes 2,048 bytes and a sort key 1,024; the parts around an id are short. */
const [LONGEST_PARTITION_PART, LONGEST_SORT_PART] = [1900, 900];
/** An id that strangers chose, as it fits into a key: a long one by its digest. */
const bounded = (id: string, mostBytes: number): string =>
  Buffer.byteLength(id) <= mostBytes ? id : `sha256:${createHash('sha256').update(id).digest('base64url')}`;

/** A key as one text, for maps: DynamoDB keys never hold a line break here. */
export const keyText = ({ pk, sk }: Key): string => `${pk}\n${sk}`;

/** Sorts behind every letter, digit and `#`, so that `<prefix>~` ends a range of keys. */
const END = '~';

/** How the sort keys of a source profile's partition begin, by the kind of row. */
export const sortKeyPrefix = {
  interaction: 'at#',
  notification: 'notification#',
  consent: 'consent#',
  merge: 'merge#',
  split: 'split#',
  reopening: 'reopened#',
  confirmation: 'confirmed#',
  command: 'command#',
  once: 'once#',
  series: 'series#',
  member: 'member#',
  sync: 'sync#',
  cases: 'cases#',
} as const;

const PROFILE_PREFIX = 'customer#';
/** The partition of everything that is stored under one source profile. */
export const profilePartition = (profileId: string): string => `${PROFILE_PREFIX}${profileId}`;
/** The source profile of a row in its partition. */
export const profileIdOf = ({ pk }: Pick<Key, 'pk'>): string => pk.slice(PROFILE_PREFIX.length);
const inProfile = (profileId: string, sk: string): Key => ({ pk: profilePartition(profileId), sk });

export const profileKey = (profileId: string): Key => inProfile(profileId, 'profile');
export const activityKey = (profileId: string): Key => inProfile(profileId, 'activity');
export const limitsKey = (profileId: string): Key => inProfile(profileId, 'limits');
/** The lists in which a source profile is entered. */
export const listedKey = (profileId: string): Key => inProfile(profileId, 'listed');
/** What the hub knows of a source profile's contact in one account of a CRM. */
export const syncStateKey = (profileId: string, scope: LinkScope): Key =>
  inProfile(profileId, `${sortKeyPrefix.sync}${scope}`);

/** The cases of a source profile in one account of a CRM. */
export const casesKey = (profileId: string, scope: LinkScope): Key =>
  inProfile(profileId, `${sortKeyPrefix.cases}${scope}`);

export const interactionKey = ({ profileId, occurredAt, id }: InteractionAddress): Key =>
  inProfile(profileId, interactionSortKey({ occurredAt, id }));
export const interactionSortKey = ({ occurredAt, id }: Omit<InteractionAddress, 'profileId'>): string =>
  `${sortKeyPrefix.interaction}${occurredAt}#${id}`;
/** The sort keys of interactions with `after` < occurredAt ≤ `upTo`; of all where a bound is absent. */
export const interactionRange = (
  bounds: { readonly after?: Instant; readonly upTo?: Instant } = {},
): { readonly from: string; readonly to: string } => {
  const { after, upTo } = bounds;
  const from = after === undefined ? '' : `${after}#${END}`;
  const to = upTo === undefined ? END : `${upTo}#${END}`;
  return { from: `${sortKeyPrefix.interaction}${from}`, to: `${sortKeyPrefix.interaction}${to}` };
};

export const notificationKey = ({ profileId, trigger, interaction, step }: NotificationMessage): Key =>
  inProfile(
    profileId,
    `${sortKeyPrefix.notification}${trigger}#${interaction}${step === undefined ? '' : `#${step}`}`,
  );
/** The place in a series that an interaction of a source profile has started last. */
export const seriesKey = (profileId: string, trigger: string): Key =>
  inProfile(profileId, `${sortKeyPrefix.series}${trigger}`);
/** A test message, with the text of a customer. */
export const testMessageKey = (profileId: string | undefined, id: string): Key =>
  profileId === undefined ? { pk: `test#${id}`, sk: 'message' } : inProfile(profileId, `test#${id}`);
/** The interaction that has used up a value of a trigger's `once`. */
export const onceKey = (profileId: string, trigger: string, value: string): Key =>
  inProfile(profileId, `${sortKeyPrefix.once}${trigger}#${value}`);
/** That a source profile is in the audience of a trigger. */
export const memberKey = (profileId: string, trigger: string): Key =>
  inProfile(profileId, `${sortKeyPrefix.member}${trigger}`);
export const mergeKey = (survivor: string, at: Instant, id: string): Key =>
  inProfile(survivor, `${sortKeyPrefix.merge}${at}#${id}`);
export const splitKey = (profileId: string, at: Instant, id: string): Key =>
  inProfile(profileId, `${sortKeyPrefix.split}${at}#${id}`);
export const reopeningKey = ({ profileId, at, id }: Pick<Reopening, 'profileId' | 'at' | 'id'>): Key =>
  inProfile(profileId, `${sortKeyPrefix.reopening}${at}#${id}`);
export const confirmationKey = (profileId: string, at: Instant, id: string): Key =>
  inProfile(profileId, `${sortKeyPrefix.confirmation}${at}#${id}`);
/** One list may answer for several channels at the same time. */
export const answerKey = (
  profileId: string,
  { at, source, channel }: Pick<RecordedAnswer, 'at' | 'source' | 'channel'>,
): Key => inProfile(profileId, `${sortKeyPrefix.consent}${at}#${source}#${channel}`);
/** The events of a command about one source profile, so that a redelivery publishes the same again. */
export const commandKey = (profileId: string, command: string): Key =>
  inProfile(profileId, `${sortKeyPrefix.command}${command}`);
/** Up to when a conversation was read, of providers that report only that. */
export const conversationReadKey = (profileId: string, provider: string, identifier: Identifier): Key =>
  inProfile(profileId, `read#${provider}#${bounded(identifier, LONGEST_SORT_PART)}`);

const IDENTIFIER_PREFIX = 'identifier#';
export const identifierKey = (identifier: Identifier): Key => ({
  pk: `${IDENTIFIER_PREFIX}${identifier}`,
  sk: 'owner',
});
export const isOwnerKey = ({ pk, sk }: Key): boolean => pk.startsWith(IDENTIFIER_PREFIX) && sk === 'owner';
/** The guest that an identifier without an owner has. */
export const guestKey = (identifier: Identifier): Key => ({
  pk: `${IDENTIFIER_PREFIX}${identifier}`,
  sk: 'guest',
});
export const isGuestKey = ({ pk, sk }: Key): boolean => pk.startsWith(IDENTIFIER_PREFIX) && sk === 'guest';

/** What claims say about an identifier, beside the rows of its owner. */
export const claimPartition = (identifier: Identifier): string => `claim#${identifier}`;
export const claimPrefix = 'at#';
/** A guest that claims an identifier of which it is not the guest, since its first claim. */
export const claimKey = (identifier: Identifier, at: Instant, profileId: string): Key => ({
  pk: claimPartition(identifier),
  sk: `${claimPrefix}${at}#${profileId}`,
});
/** An opt-out (`mute`) or an opt-in by an address that was only claimed. */
export const addressClaimKey = (address: Identifier, claim: 'mute' | 'opt-in'): Key => ({
  pk: claimPartition(address),
  sk: claim,
});
export const isAddressClaimKey = ({ pk, sk }: Key): boolean =>
  pk.startsWith(claimPartition('')) && (sk === 'mute' || sk === 'opt-in');
/** What was sent to an address for a cause that is not its owner's. */
export const addressLimitsKey = (address: Identifier): Key => ({ pk: claimPartition(address), sk: 'limits' });
/** What interactions that nobody vouches for have caused in the whole hub. */
export const hubClaimsKey: Key = { pk: 'claims', sk: 'limits' };
const CLAIMED_PAIRS_PREFIX = 'claims#';
/** The open reviews of persons whom claims have named together with this one. */
export const claimedPairsKey = (profileId: string): Key => ({
  pk: `${CLAIMED_PAIRS_PREFIX}${profileId}`,
  sk: 'pairs',
});
export const isClaimedPairsKey = ({ pk }: Pick<Key, 'pk'>): boolean => pk.startsWith(CLAIMED_PAIRS_PREFIX);
export const claimedPairsProfileIdOf = ({ pk }: Pick<Key, 'pk'>): string =>
  pk.slice(CLAIMED_PAIRS_PREFIX.length);

/** The pointer from a provider's message id to the interaction. */
export const messageKey = (provider: string, externalId: string): Key => ({
  pk: `message#${provider}#${bounded(externalId, LONGEST_PARTITION_PART)}`,
  sk: 'ref',
});
/** What later interactions reported about a message, by the id that they refer to. */
export const messageStatusKey = (provider: string, externalId: string): Key => ({
  ...messageKey(provider, externalId),
  sk: 'status',
});
export const isMessageStatusKey = ({ sk }: Pick<Key, 'sk'>): boolean => sk === 'status';

const SEEN = 'seen';
/** That an interaction or a command was done. `hash`: keyed, see `HashedKeys`. */
export const seenKey = (hash: string): Key => ({ pk: `${SEEN}#${hash}`, sk: SEEN });
export const isSeenKey = ({ sk }: Pick<Key, 'sk'>): boolean => sk === SEEN;
/** What stays of an identifier whose owner was erased. `hash`: keyed, see `HashedKeys`. */
export const erasedKey = (hash: string): Key => ({ pk: `erased#${hash}`, sk: 'identifier' });
/** Why a command was refused; one that was done has a `seen` row. */
export const refusedKey = (command: string): Key => ({ pk: `refused#${command}`, sk: 'refused' });
/** A one-time token of a webhook. `hash`: of the token. The stack allows `receive` to write `nonce#*` only. */
export const nonceKey = (provider: string, hash: string): Key => ({
  pk: `nonce#${provider}#${hash}`,
  sk: 'nonce',
});

export const reviewPartition = 'review';
export const reviewKey = (id: string): Key => ({ pk: reviewPartition, sk: id });
/** How a review was decided; by a digest, since the ids of reviews name source profiles. */
export const reviewDecisionKey = (review: string): Key => ({
  pk: `decided#${createHash('sha256').update(review).digest('base64url')}`,
  sk: 'decision',
});

export const failureKey = (id: string): Key => ({ pk: `failure#${id}`, sk: 'failure' });
/** A stage's failures by time. */
export const failureListPartition = (stage: string): string => `list#failures#${stage}`;
export const failureListSortKey = ({
  failedAt,
  id,
}: {
  readonly failedAt: Instant;
  readonly id: string;
}): string => `${failedAt}#${id}`;
export const failureListKey = (failure: Pick<Failure, 'stage' | 'failedAt' | 'id'>): Key => ({
  pk: failureListPartition(failure.stage),
  sk: failureListSortKey(failure),
});
const ATTEMPT_PREFIX = 'attempt#';
/** Why the last try of a queue message failed. */
export const attemptKey = (message: string): Key => ({ pk: `${ATTEMPT_PREFIX}${message}`, sk: 'attempt' });
export const attemptMessageOf = ({ pk }: Pick<Key, 'pk'>): string => pk.slice(ATTEMPT_PREFIX.length);

export const jobKey = (id: string): Key => ({ pk: `job#${id}`, sk: 'job' });
/** Jobs by the time at which they were created. */
export const jobListPartition = 'list#jobs';
export const jobListSortKey = ({
  createdAt,
  id,
}: {
  readonly createdAt: Instant;
  readonly id: string;
}): string => `${createdAt}#${id}`;

/** What a job that adopts a CRM notes about an address or a record, by its digest. */
export const adoptionKey = (job: string, digest: string): Key => ({
  pk: `adoption#${job}#${digest}`,
  sk: 'note',
});

export const erasurePartition = (erasure: string): string => `erasure#${erasure}`;
export const erasureKey = (erasure: string): Key => ({ pk: erasurePartition(erasure), sk: 'erasure' });
export const erasedPersonKey = (erasure: string): Key => ({ pk: erasurePartition(erasure), sk: 'person' });
export const erasurePartPrefix = 'part#';
export const erasurePartKey = (erasure: string, part: string): Key => ({
  pk: erasurePartition(erasure),
  sk: `${erasurePartPrefix}${part}`,
});
export const erasureOutcomePrefix = 'crm#';
/** What one CRM did about one part, or about the contacts. */
export const erasureOutcomeKey = (erasure: string, crm: string, part: string): Key => ({
  pk: erasurePartition(erasure),
  sk: `${erasureOutcomePrefix}${crm}#${part}`,
});
/** Erasures by the time at which they were requested. */
export const erasureListPartition = 'list#erasures';
export const erasureListKey = (requestedAt: Instant, id: string): Key => ({
  pk: erasureListPartition,
  sk: `${requestedAt}#${id}`,
});

/** A customer's entry in a list that people read. */
export const placeKey = ({ part, key }: ListEntry): Key => ({ pk: `list#${part}`, sk: key });
const FIGURES_PARTS = 4;
/**
 * The figures of one month, by day and channel, as sums over several parts: workers that count at the same time rarely meet at
 * one row. Earlier releases wrote the first partition only.
 */
export const figuresPartitions = (day: string): string[] => {
  const month = `figures#${day.slice(0, 'yyyy-mm'.length)}`;
  return [month, ...Array.from({ length: FIGURES_PARTS }, (_, part) => `${month}#${part}`)];
};
/** `random`: from 0 to below 1; it chooses the part. */
export const figuresKey = (day: string, channel: string, random: number): Key => ({
  pk: figuresPartitions(day)[1 + Math.floor(random * FIGURES_PARTS)] ?? '',
  sk: `${day}#${channel}`,
});
/** The figures of a trigger, by day and template, as sums over several parts. */
export const triggerFiguresPartitions = (trigger: string): string[] =>
  Array.from({ length: FIGURES_PARTS }, (_, part) => `trigger-figures#${trigger}#${part}`);
/** `random`: from 0 to below 1; it chooses the part. */
export const triggerFiguresKey = (trigger: string, day: string, template: string, random: number): Key => ({
  pk: triggerFiguresPartitions(trigger)[Math.floor(random * FIGURES_PARTS)] ?? '',
  sk: `${day}#${template}`,
});
/** Which interactions of one minute are in the figures, in numbered pages. */
export const countedPartition = (minute: string): string => `counted#${minute}`;
export const countedKey = (minute: string, page: number): Key => ({
  pk: countedPartition(minute),
  sk: String(page).padStart(6, '0'),
});

export const configKey = (name: string): Key => ({ pk: `config#${name}`, sk: 'current' });
export const triggerPartition = (trigger: string): string => `trigger#${trigger}`;
export const triggerVersionPrefix = 'v#';
export const triggerVersionKey = (trigger: string, version: number): Key => ({
  pk: triggerPartition(trigger),
  sk: `${triggerVersionPrefix}${version}`,
});
export const currentTriggerKey = (trigger: string): Key => ({ pk: triggerPartition(trigger), sk: 'current' });
/** The edit of a trigger that is stored and not published. */
export const triggerDraftKey = (trigger: string): Key => ({ pk: triggerPartition(trigger), sk: 'draft' });
/** The ids of all triggers. */
export const triggerListPartition = 'list#triggers';
export const triggerListKey = (trigger: string): Key => ({ pk: triggerListPartition, sk: trigger });

export const audiencePartition = 'audiences';
/** A trigger that looks at customers. */
export const audienceKey = (trigger: string): Key => ({ pk: audiencePartition, sk: trigger });

/** The webhooks of a provider: what `receive` notes of them. The stack allows it to write these partitions only. */
export const channelPartition = (provider: string): string => `channel#${provider}`;
/** Since when and until when authentic deliveries came. */
export const channelDeliveriesKey = (provider: string): Key => ({
  pk: channelPartition(provider),
  sk: 'deliveries',
});
export const channelRefusalsPrefix = 'refused#';
/** How many webhooks were refused on a day (UTC), and why the last was. */
export const channelRefusalsKey = (provider: string, day: string): Key => ({
  pk: channelPartition(provider),
  sk: `${channelRefusalsPrefix}${day}`,
});

export const budgetKey = (crm: string): Key => ({ pk: `budget#${crm}`, sk: 'window' });
/** The slots of a sender that are taken. */
export const paceKey = (sender: string): Key => ({ pk: `pace#${sender}`, sk: 'slots' });
export const connectionKey = (crm: string): Key => ({ pk: `connection#${crm}`, sk: 'state' });
/** How far the changes of an object of an account have been read. */
export const pollKey = (scope: LinkScope, object: string): Key => ({ pk: `poll#${scope}`, sk: object });
/** The messages that wait until an object of a CRM can be used again. */
export const parkedPartition = (crm: string, object: string): string => `parked#${crm}#${object}`;
/** `id`: of the piece of work, so that a message that is delivered twice waits once. */
export const parkedKey = (crm: string, object: string, id: string): Key => ({
  pk: parkedPartition(crm, object),
  sk: id,
});
export const leaseKey = (crm: string): Key => ({ pk: `lease#${crm}`, sk: 'token' });
