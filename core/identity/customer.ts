import { stricter } from '../consent/consent.ts';
import { Channel, type Instant, type PersonName } from '../interaction/interaction.ts';
import { type Conversation, mergeConversations } from '../timeline/conversation.ts';
import type { Identifier } from './identifier.ts';
import type { Activity, Preferences, Profile, SourceProfile } from './profile.ts';

/** One person: the source profiles, the canonical one first, and the golden record that they make together. */
export interface Customer {
  /** The id of the canonical source profile. */
  readonly id: string;
  readonly sourceProfiles: readonly SourceProfile[];
  readonly identifiers: readonly Identifier[];
  /** True if only claims name the customer; a guest owns no identifier. */
  readonly guest: boolean;
  readonly claimed: readonly Identifier[];
  readonly name: PersonName | undefined;
  readonly language: string | undefined;
  readonly timeZone: string | undefined;
  readonly stage: string | undefined;
  readonly tags: readonly string[];
  readonly traits: Profile['traits'];
  readonly consent: Profile['consent'];
  readonly closed: Profile['closed'];
  readonly preferences: Preferences;
  readonly firstSeenAt: Instant;
  readonly lastSeenAt: Instant;
  readonly lastInboundAt: Activity['lastInboundAt'];
  readonly lastInboundMessageAt: Activity['lastInboundMessageAt'];
  readonly conversation: Conversation | undefined;
}

/**
 * Combines a tree of source profiles into a customer, by the merge rule of FORMATS. A field with one value is the
 * survivor's, else that of the profile merged first. Tags and traits are combined, the survivor's first. Of two consents
 * the stricter counts. A preference stated after the merge replaces an older one of the survivor. Throws an `Error` if a
 * profile of the tree is not in `sourceProfiles`.
 */
export const resolveCustomer = (
  root: string,
  sourceProfiles: ReadonlyMap<string, SourceProfile>,
): Customer => {
  const record = resolveGoldenRecord(root, sourceProfiles);
  return { ...record, id: root, sourceProfiles: mergeTree(root, sourceProfiles) };
};

/** A source profile and all that are merged into it, itself first; empty if it is not in `sourceProfiles`. */
export const mergeTree = (
  root: string,
  sourceProfiles: ReadonlyMap<string, SourceProfile>,
): SourceProfile[] => {
  const sourceProfile = sourceProfiles.get(root);
  if (sourceProfile === undefined) return [];
  return [
    sourceProfile,
    ...sourceProfile.profile.merged.flatMap((child) => mergeTree(child, sourceProfiles)),
  ];
};

type GoldenRecord = Omit<Customer, 'id' | 'sourceProfiles'>;

const resolveGoldenRecord = (
  id: string,
  sourceProfiles: ReadonlyMap<string, SourceProfile>,
): GoldenRecord => {
  const sourceProfile = sourceProfiles.get(id);
  if (sourceProfile === undefined) throw new Error(`The source profile ${id} of a customer was not loaded.`);
  const { profile, activity } = sourceProfile;
  const own: GoldenRecord = {
    identifiers: profile.identifiers,
    guest: profile.guest === true,
    claimed: profile.claimed,
    name: profile.name,
    language: profile.language,
    timeZone: profile.timeZone,
    stage: profile.stage,
    tags: profile.tags,
    traits: profile.traits,
    consent: profile.consent,
    closed: profile.closed,
    preferences: profile.preferences,
    firstSeenAt: profile.firstSeenAt,
    lastSeenAt: activity.lastSeenAt,
    lastInboundAt: activity.lastInboundAt,
    lastInboundMessageAt: activity.lastInboundMessageAt,
    conversation: activity.conversation,
  };
  return profile.merged.reduce((record, child) => {
    const mergedAt = sourceProfiles.get(child)?.activity.survivor?.at ?? '';
    return mergeGoldenRecords(record, resolveGoldenRecord(child, sourceProfiles), mergedAt);
  }, own);
};

const mergeGoldenRecords = (survivor: GoldenRecord, other: GoldenRecord, mergedAt: string): GoldenRecord => ({
  identifiers: [...survivor.identifiers, ...other.identifiers],
  guest: false,
  claimed: [],
  name: survivor.name ?? other.name,
  language: survivor.language ?? other.language,
  timeZone: survivor.timeZone ?? other.timeZone,
  stage: survivor.stage ?? other.stage,
  tags: [...new Set([...survivor.tags, ...other.tags])],
  traits: { ...other.traits, ...survivor.traits },
  consent: mergeConsent(survivor.consent, other.consent),
  closed: { ...other.closed, ...survivor.closed },
  preferences: mergePreferences(survivor.preferences, other.preferences, mergedAt),
  firstSeenAt: survivor.firstSeenAt < other.firstSeenAt ? survivor.firstSeenAt : other.firstSeenAt,
  lastSeenAt: survivor.lastSeenAt > other.lastSeenAt ? survivor.lastSeenAt : other.lastSeenAt,
  lastInboundAt: laterInstants(survivor.lastInboundAt, other.lastInboundAt),
  lastInboundMessageAt: laterInstants(survivor.lastInboundMessageAt, other.lastInboundMessageAt),
  conversation: mergeConversations(survivor.conversation, other.conversation),
});

const mergeConsent = (one: Profile['consent'], other: Profile['consent']): Profile['consent'] => {
  const merged = { ...one };
  for (const channel of Channel.options) {
    const [present, entry] = [one[channel], other[channel]];
    if (entry === undefined) continue;
    if (present === undefined || stricter(present.status, entry.status) !== present.status)
      merged[channel] = entry;
  }
  return merged;
};

const mergePreferences = (survivor: Preferences, other: Preferences, mergedAt: string): Preferences => {
  if (other.channel === undefined && other.at === undefined) return survivor;
  if (survivor.channel === undefined && survivor.at === undefined) return other;
  const isLater = other.at !== undefined && other.at > mergedAt && other.at > (survivor.at ?? '');
  return isLater ? other : survivor;
};

/** The later of the two instants of each key. */
const laterInstants = <Instants extends object>(one: Instants, other: Instants): Instants => {
  const present = new Map<string, string>(Object.entries(one));
  const later = Object.entries(other).filter(([key, at]) => (present.get(key) ?? '') < at);
  return { ...one, ...Object.fromEntries(later) };
};

/** A name with all its parts: missing parts are derived from the present ones. Parts that stay unknown are absent. */
export const nameParts = (name: PersonName | undefined): PersonName => {
  const full = name?.full ?? [name?.first, name?.last].filter((part) => part !== undefined).join(' ');
  const words = full.split(/\s+/u).filter((word) => word !== '');
  const first = name?.first ?? (words.length > 1 ? words.slice(0, -1).join(' ') : undefined);
  const last = name?.last ?? words.at(-1);
  return {
    ...(full !== '' && { full }),
    ...(first !== undefined && { first }),
    ...(last !== undefined && { last }),
  };
};
