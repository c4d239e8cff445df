import * as z from 'zod';
import { Identifier } from '../../../core/identity/identifier.ts';
import { Instant } from '../../../core/interaction/interaction.ts';
import { SignedReceipt } from '../../../core/privacy/receipt.ts';
import { rowReader } from './row.ts';

/** An erasure as it was requested, and its receipt once it is done. It names the person by a keyed hash alone. */
export const Erasure = z.strictObject({
  id: z.string(),
  person: z.string(),
  by: z.string(),
  reason: z.string().optional(),
  askedAt: Instant,
  /** A source profile of the person, until the erasure is done. */
  profileId: z.string().optional(),
  /** The job that runs it, or ran it last. */
  job: z.string(),
  receipt: SignedReceipt.optional(),
  /** Counts every change. */
  version: z.int().positive(),
});
export type Erasure = z.infer<typeof Erasure>;

/** The person of an erasure; removed when it is done. */
export const ErasedPerson = z.strictObject({
  /** The source profiles of the person; none where nobody owns the identifier that asks. */
  profileIds: z.array(z.string()),
  /** Those of the person; where nobody owns the identifier that asks, that one. */
  identifiers: z.array(Identifier),
  /** Guests who are erased with the person, and what they claimed besides that nobody else owns or claims. */
  guests: z.array(z.string()).default([]),
  guestIdentifiers: z.array(Identifier).default([]),
  /** Guests who lost the identifiers and keep the rest: they claim somebody else's, too. */
  others: z.array(z.string()).default([]),
  /** When the last of their rows was removed. */
  goneAt: Instant.optional(),
  /** Rows removed so far. */
  rows: z.int().nonnegative(),
});
export type ErasedPerson = z.infer<typeof ErasedPerson>;

export const unknownPerson: ErasedPerson = {
  ...{ profileIds: [], identifiers: [], guests: [], guestIdentifiers: [], others: [], rows: 0 },
};

/** What one batch of removed rows referred to, so that files and CRM records can be removed later. */
export const ErasurePart = z.strictObject({
  interactions: z.array(z.string()),
  /** The providers' ids of messages, and the ids of CRM records. */
  externalIds: z.array(z.string()),
  /** Keys of files in the bucket. */
  files: z.array(z.string()),
});
export type ErasurePart = z.infer<typeof ErasurePart>;

/** What one CRM removed of one part, or of the contacts. */
export const CrmOutcome = z.strictObject({
  count: z.int().nonnegative(),
  /** What stays there, one sentence each. */
  left: z.array(z.string()),
});
export type CrmOutcome = z.infer<typeof CrmOutcome>;

/** In the place of a part's name: the contacts of the person. */
export const CONTACTS = 'contacts';

export const erasureOf = rowReader(Erasure);
export const erasedPersonOf = rowReader(ErasedPerson);
export const erasurePartOf = rowReader(ErasurePart);
export const crmOutcomeOf = rowReader(CrmOutcome);
