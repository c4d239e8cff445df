import * as z from 'zod';
import { ConsentStatus } from './consent.ts';
import { Identifier } from './identifier.ts';
import { Channel, Instant, PersonName } from './interaction.ts';

/** One channel's answer, and where it came from. */
export const ConsentEntry = z.strictObject({
  status: ConsentStatus,
  at: Instant,
  /** The interaction, command or import that said so. */
  source: z.string(),
});
export type ConsentEntry = z.infer<typeof ConsentEntry>;

/** An address that no category may use until its owner reopens it. */
export const ClosedAddress = z.strictObject({
  reason: z.enum(['opt-out', 'bounce', 'complaint']),
  at: Instant,
  source: z.string(),
});
export type ClosedAddress = z.infer<typeof ClosedAddress>;

export const Preferences = z.strictObject({ channel: Channel.optional() });
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
  closed: z.record(Identifier, ClosedAddress),
  preferences: Preferences,
  firstSeenAt: Instant,
  /** Direct children: halves whose survivor is this one, oldest merge first. */
  merged: z.array(z.string()),
  /** Roots and halves that a person or an unmerge has told apart: never merged again by a rule. */
  apart: z.array(z.string()),
});
export type Profile = z.infer<typeof Profile>;

/** What changes with every interaction of one half, and the pointer to its survivor. */
export const Activity = z.strictObject({
  id: z.string(),
  /** The half that this one was merged into. */
  survivor: z.string().optional(),
  lastSeenAt: Instant,
  interactions: z.int().nonnegative(),
  /** Per identifier, when it last carried an inbound interaction. */
  heard: z.record(Identifier, Instant),
  /** The last inbound message per channel, for `preferred` and WhatsApp's 24-hour window. */
  inbound: z.partialRecord(Channel, Instant),
  conversation: z.strictObject({ id: z.string(), startedAt: Instant, lastAt: Instant }).optional(),
  /** Since when the business owes an answer. */
  waitingSince: Instant.optional(),
});
export type Activity = z.infer<typeof Activity>;

export interface Half {
  readonly profile: Profile;
  readonly activity: Activity;
}

/** A person: the surviving half first, then every merged half; and the folded view of them all. */
export interface Customer {
  /** The id of the surviving half. */
  readonly id: string;
  readonly halves: readonly Half[];
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
  readonly heard: Activity['heard'];
  readonly inbound: Activity['inbound'];
}

/** The customer as the bus shows it: `detail.customer`, and what `customer` patterns are matched against. */
export const CustomerSnapshot = z.strictObject({
  id: z.string(),
  /** The half that holds the interaction of this event. */
  half: z.string(),
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
