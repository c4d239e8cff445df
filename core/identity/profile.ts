import * as z from 'zod';
import { ConsentAnswer, ConsentEntry } from '../consent/consent.ts';
import { JsonObject } from '../formats/json.ts';
import { openWords } from '../formats/tolerant.ts';
import { Channel, Instant, PersonName } from '../interaction/interaction.ts';
import { Conversation } from '../timeline/conversation.ts';
import { Identifier } from './identifier.ts';

/** An address that no category of message may use until its owner reopens it. */
export const ClosedAddress = z.strictObject({
  reason: z.enum(['opt-out', 'bounce', 'complaint']).register(openWords),
  at: Instant,
  /** The id of the interaction that closed it. */
  source: z.string(),
});
export type ClosedAddress = z.infer<typeof ClosedAddress>;

/** A customer's preferences, and when they were stated. */
export const Preferences = z.strictObject({ channel: Channel.optional(), at: Instant.optional() });
export type Preferences = z.infer<typeof Preferences>;

/**
 * The part of a source profile that changes rarely: one row. A customer who was never merged has one source profile; a
 * merged customer is a tree of source profiles, each stored as it was. `resolveCustomer` combines them when they are
 * read, so a merge can be undone exactly.
 */
export const Profile = z.strictObject({
  id: z.string(),
  /** Increases with every change of this row; a write that saw another version is repeated. */
  version: z.int().nonnegative(),
  /** The owned identifiers; a guest has none. */
  identifiers: z.array(Identifier),
  /** Set if only claims name the customer. */
  guest: z.literal(true).optional(),
  /** The identifiers that a guest's interactions claim; empty for a person. */
  claimed: z.array(Identifier).default([]),
  /** Source profiles of persons with whom this guest is no longer shown, after a split. */
  shownApart: z.array(z.string()).default([]),
  /** Owned identifiers that only an agent has confirmed: no proven interaction has carried them since. */
  confirmed: z.array(Identifier).default([]),
  name: PersonName.optional(),
  language: z.string().optional(),
  timeZone: z.string().optional(),
  stage: z.string().optional(),
  tags: z.array(z.string()),
  traits: JsonObject,
  consent: z.partialRecord(Channel, ConsentEntry),
  /** Per channel, earlier answers that a late answer may still precede. */
  consentHistory: z.partialRecord(Channel, z.array(ConsentAnswer)).optional(),
  closed: z.record(Identifier, ClosedAddress),
  /** When the owner of an address last asked for messages to it: an earlier STOP that arrives later does not close it. */
  reopened: z.record(Identifier, Instant).optional(),
  preferences: Preferences,
  firstSeenAt: Instant,
  /** The source profiles merged directly into this one, oldest merge first. */
  merged: z.array(z.string()),
  /** Source profiles that an unmerge separated from this one: no rule merges them again. */
  neverAutoMerge: z.array(z.string()),
  /** Source profiles that a person declared to be other people: no rule merges them, and no review is opened. */
  confirmedDistinct: z.array(z.string()).default([]),
  /** Source profiles with which this one has an open review. */
  pendingReview: z.array(z.string()).default([]),
});
export type Profile = z.infer<typeof Profile>;

/** The part of a source profile that changes with every interaction, with the pointer to the survivor: one row. */
export const Activity = z.strictObject({
  id: z.string(),
  /** Increases with every change of this row, like the profile's. */
  version: z.int().nonnegative(),
  /** The source profile that this one is merged into, since when, and by which merge. */
  survivor: z.strictObject({ id: z.string(), at: Instant, merge: z.string() }).optional(),
  lastSeenAt: Instant,
  interactions: z.int().nonnegative(),
  /** Per identifier, when it last carried an inbound interaction. */
  lastInboundAt: z.record(Identifier, Instant),
  /** The last inbound message per channel, for `preferred` and WhatsApp's 24-hour window. */
  lastInboundMessageAt: z.partialRecord(Channel, Instant),
  /** Absent before the first message. */
  conversation: Conversation.optional(),
});
export type Activity = z.infer<typeof Activity>;

/** The data of one person before merges; a customer consists of one or several source profiles. */
export interface SourceProfile {
  readonly profile: Profile;
  readonly activity: Activity;
}
