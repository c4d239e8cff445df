import * as z from 'zod';
import { Instant, Interaction } from '../interaction/interaction.ts';
import { Identifier } from './identifier.ts';

/** Who decides something by hand, when, and in which command. */
export interface ManualDecision {
  readonly at: Instant;
  /** What the person is called. */
  readonly by: string;
  readonly cause: string;
}

/** One merge, as the ledger keeps it: several customers may be merged into one at once. */
export const Merge = z.strictObject({
  id: z.string(),
  survivor: z.string(),
  others: z.array(z.string()),
  /** When the hub made it, which may be long after the act that caused it. */
  at: Instant,
  /** `identifiers` when a rule did it; otherwise what the person who did it is called. */
  by: z.string(),
  /** The interaction or command that caused it. */
  cause: z.string(),
  /** What a manual merge overrode: `strong`, `limit`, `unmerged`. */
  overrode: z.array(z.enum(['strong', 'limit', 'unmerged'])),
  undoneAt: Instant.optional(),
  undoneBy: z.string().optional(),
});
export type Merge = z.infer<typeof Merge>;

/** A merge taken back. */
export interface Unmerge {
  readonly merge: string;
  readonly survivor: string;
  readonly others: readonly string[];
  /** When the merge had been made. */
  readonly mergedAt: Instant;
  readonly at: Instant;
  readonly by: string;
}

/** One identifier taken from a customer and made a customer of its own. */
export const Split = z.strictObject({
  id: z.string(),
  identifier: Identifier,
  /** The half that held it. */
  from: z.string(),
  /** The new half. */
  to: z.string(),
  at: Instant,
  by: z.string(),
  cause: z.string(),
});
export type Split = z.infer<typeof Split>;

/** An address that a person has opened again after a bounce or a complaint, because its owner asked for it. */
export const Reopening = z.strictObject({
  id: z.string(),
  address: Identifier,
  /** The half that held the closure. */
  profileId: z.string(),
  reason: z.enum(['bounce', 'complaint']),
  closedAt: Instant,
  at: Instant,
  by: z.string(),
  evidence: z.string().max(500).optional(),
});
export type Reopening = z.infer<typeof Reopening>;

/** Something that a person must decide. One open entry per pair of customers or per interaction. */
export const Review = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('pair'),
    /** In the order of their ids. */
    profileIds: z.tuple([z.string(), z.string()]),
    reason: z.enum(['strong', 'unmerged']),
    /** The interaction that named both. */
    cause: z.string(),
  }),
  z.strictObject({
    type: z.literal('interaction'),
    reason: z.enum(['no-identifier', 'over-limit']),
    interaction: Interaction,
    receivedAt: Instant,
  }),
]);
export type Review = z.infer<typeof Review>;

/** What a review entry is called; the same pair or interaction is one entry. */
export const reviewId = (review: Review): string =>
  review.type === 'pair' ? pairReviewId(review.profileIds) : interactionReviewId(review.interaction.id);

/** What the review entry of an interaction is called. */
export const interactionReviewId = (interaction: string): string => `interaction#${interaction}`;

export const pairReviewId = (profileIds: readonly [string, string]): string => `pair#${profileIds.join('#')}`;

export const sortedPair = (one: string, other: string): [string, string] =>
  one < other ? [one, other] : [other, one];
