import * as z from 'zod';
import { ConsentStatus, stricter } from '../consent/consent.ts';
import { ConsentAnswer } from '../consent/consent-history.ts';
import { Channel, Instant, PersonName } from '../interaction/interaction.ts';
import { Conversation, mergeConversations } from '../timeline/conversation.ts';
import { Identifier, identifierType } from './identifier.ts';

/** One channel's answer, and where it came from. */
export const ConsentEntry = z.strictObject({
  status: ConsentStatus,
  at: Instant,
  /** The interaction or command that said so; `import:<job>:<line>` where a list did. */
  source: z.string(),
  /** What proves it, where whoever told it said so: a list and its line, a signed form. */
  evidence: z.string().max(500).optional(),
});
export type ConsentEntry = z.infer<typeof ConsentEntry>;

/** An address that no category may use until its owner reopens it. */
export const ClosedAddress = z.strictObject({
  reason: z.enum(['opt-out', 'bounce', 'complaint']),
  at: Instant,
  source: z.string(),
});
export type ClosedAddress = z.infer<typeof ClosedAddress>;

/** What a customer asked for, and when they did. */
export const Preferences = z.strictObject({ channel: Channel.optional(), at: Instant.optional() });
export type Preferences = z.infer<typeof Preferences>;

/**
 * What changes rarely about one half of a customer. A customer who was never merged is one half; a merged one is a tree
 * of halves, each as it was, folded when it is read (`foldCustomer`), so that a merge can be taken back exactly.
 */
export const Profile = z.strictObject({
  id: z.string(),
  /** Counts every change of this row; a writer that saw another version starts again. */
  version: z.int().nonnegative(),
  identifiers: z.array(Identifier),
  name: PersonName.optional(),
  language: z.string().optional(),
  timeZone: z.string().optional(),
  stage: z.string().optional(),
  tags: z.array(z.string()),
  traits: z.record(z.string(), z.json()),
  consent: z.partialRecord(Channel, ConsentEntry),
  /** Per channel, the answers that one which arrives late may still come between; where there are such. */
  consentHistory: z.partialRecord(Channel, z.array(ConsentAnswer)).optional(),
  closed: z.record(Identifier, ClosedAddress),
  /** When the owner of an address last asked for messages to it, so that a STOP of before closes it no more. */
  reopened: z.record(Identifier, Instant).optional(),
  preferences: Preferences,
  firstSeenAt: Instant,
  /** Direct children: halves whose survivor is this one, oldest merge first. */
  merged: z.array(z.string()),
  /** Halves that an unmerge has told apart from this one: never merged again by a rule. */
  neverAutoMerge: z.array(z.string()),
  /** Halves that a person has declared to be other people: not merged by a rule, and not asked about again. */
  confirmedDistinct: z.array(z.string()).default([]),
  /** Halves about which and this one an open review entry asks whether they are one person. */
  pendingReview: z.array(z.string()).default([]),
});
export type Profile = z.infer<typeof Profile>;

/** What changes with every interaction of one half, and the pointer to its survivor. */
export const Activity = z.strictObject({
  id: z.string(),
  /** Counts every change of this row, like the profile's. */
  version: z.int().nonnegative(),
  /** The half that this one was merged into, when, and by which entry of the ledger. */
  survivor: z.strictObject({ id: z.string(), at: Instant, merge: z.string() }).optional(),
  lastSeenAt: Instant,
  interactions: z.int().nonnegative(),
  /** Per identifier, when it last carried an inbound interaction. */
  lastInboundAt: z.record(Identifier, Instant),
  /** The last inbound message per channel, for `preferred` and WhatsApp's 24-hour window. */
  lastInboundMessageAt: z.partialRecord(Channel, Instant),
  /** Absent where nothing was said. */
  conversation: Conversation.optional(),
});
export type Activity = z.infer<typeof Activity>;

export interface SourceProfile {
  readonly profile: Profile;
  readonly activity: Activity;
}

/** A person: the surviving half first, then every merged half; and the folded view of them all. */
export interface Customer {
  /** The id of the surviving half. */
  readonly id: string;
  readonly sourceProfiles: readonly SourceProfile[];
  readonly identifiers: readonly Identifier[];
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
 * One way of reading the tree: for what can have only one value the survivor's counts, else that of the half merged
 * first; tags and traits are united, the survivor's winning; of consents the stricter; a preference that was stated
 * after the merge counts before an older one of the survivor.
 */
export const resolveCustomer = (
  root: string,
  sourceProfiles: ReadonlyMap<string, SourceProfile>,
): Customer => {
  const folded = resolveGoldenRecord(root, sourceProfiles);
  return { ...folded, id: root, sourceProfiles: mergeTree(root, sourceProfiles) };
};

/** A half and everything merged into it, the half itself first. */
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

const resolveGoldenRecord = (
  id: string,
  sourceProfiles: ReadonlyMap<string, SourceProfile>,
): Omit<Customer, 'id' | 'sourceProfiles'> => {
  const sourceProfile = sourceProfiles.get(id);
  if (sourceProfile === undefined) throw new Error(`The source profile ${id} of a customer was not loaded.`);
  const { profile, activity } = sourceProfile;
  const own: Omit<Customer, 'id' | 'sourceProfiles'> = {
    identifiers: profile.identifiers,
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
  return profile.merged.reduce((whole, child) => {
    const mergedAt = sourceProfiles.get(child)?.activity.survivor?.at ?? '';
    return mergeGoldenRecords(whole, resolveGoldenRecord(child, sourceProfiles), mergedAt);
  }, own);
};

type GoldenRecord = Omit<Customer, 'id' | 'sourceProfiles'>;

const mergeGoldenRecords = (survivor: GoldenRecord, other: GoldenRecord, mergedAt: string): GoldenRecord => ({
  identifiers: [...survivor.identifiers, ...other.identifiers],
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
  const united = { ...one };
  for (const [channel, entry] of definedEntries(other)) {
    const present = united[channel];
    united[channel] =
      present === undefined || stricter(present.status, entry.status) !== present.status ? entry : present;
  }
  return united;
};

const mergePreferences = (survivor: Preferences, other: Preferences, mergedAt: string): Preferences => {
  if (other.channel === undefined && other.at === undefined) return survivor;
  if (survivor.channel === undefined && survivor.at === undefined) return other;
  const since = other.at !== undefined && other.at > mergedAt && other.at > (survivor.at ?? '');
  return since ? other : survivor;
};

/** Of two records of instants, the later one for each key. */
const laterInstants = <Instants extends object>(one: Instants, other: Instants): Instants => {
  const present = new Map<string, string>(Object.entries(one));
  const later = Object.entries(other).filter(([key, at]) => (present.get(key) ?? '') < at);
  return { ...one, ...Object.fromEntries(later) };
};

const definedEntries = <Key extends string, Value>(record: Partial<Record<Key, Value>>): [Key, Value][] =>
  Object.entries(record).filter((entry): entry is [Key, Value] => entry[1] !== undefined);

/** A name in its parts: what is known, else what the other parts tell. */
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

/** The customer as the bus shows it: `detail.customer`, and what `customer` patterns are matched against. */
export const CustomerSnapshot = z.strictObject({
  id: z.string(),
  /** The half that holds the interaction of this event. */
  profileId: z.string(),
  /** Types only. */
  identifiers: z.array(z.string()),
  name: PersonName.optional(),
  language: z.string().optional(),
  timeZone: z.string().optional(),
  stage: z.string().optional(),
  tags: z.array(z.string()),
  traits: z.record(z.string(), z.json()),
  consent: z.partialRecord(Channel, ConsentStatus),
  preferences: Preferences,
  firstSeenAt: Instant,
  lastSeenAt: Instant,
  isNew: z.boolean(),
});
export type CustomerSnapshot = z.infer<typeof CustomerSnapshot>;

export const snapshotCustomer = (
  customer: Customer,
  profileId: string,
  isNew: boolean,
): CustomerSnapshot => ({
  id: customer.id,
  profileId,
  identifiers: [...new Set(customer.identifiers.map(identifierType))],
  ...(customer.name && { name: customer.name }),
  ...(customer.language !== undefined && { language: customer.language }),
  ...(customer.timeZone !== undefined && { timeZone: customer.timeZone }),
  ...(customer.stage !== undefined && { stage: customer.stage }),
  tags: [...customer.tags],
  traits: customer.traits,
  consent: Object.fromEntries(
    definedEntries(customer.consent).map(([channel, entry]) => [channel, entry.status]),
  ),
  preferences: customer.preferences.channel === undefined ? {} : { channel: customer.preferences.channel },
  firstSeenAt: customer.firstSeenAt,
  lastSeenAt: customer.lastSeenAt,
  isNew,
});
