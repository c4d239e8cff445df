import * as z from 'zod';
import { openWords } from '../formats/tolerant.ts';
import { Instant, Interaction } from '../interaction/interaction.ts';
import { Identifier } from './identifier.ts';

/** A decision by a person: when, by whom, and by which command. */
export interface ManualDecision {
  readonly at: Instant;
  /** The name of the person. */
  readonly by: string;
  readonly cause: string;
  /** In the words of the person. */
  readonly reason?: string;
}

/** A ledger entry of one merge. Several customers may be merged into one at once. */
export const Merge = z.strictObject({
  id: z.string(),
  survivor: z.string(),
  others: z.array(z.string()),
  /** When the hub merged, which may be long after the interaction that caused it. */
  at: Instant,
  /** `identifiers` for an automatic merge, else the name of the person who merged. */
  by: z.string(),
  /** The interaction or command that caused it. */
  cause: z.string(),
  /** Why, in the words of the person who merged. */
  reason: z.string().optional(),
  /** The rules that a manual merge overrode. */
  overrode: z.array(z.enum(['strong', 'limit', 'unmerged']).register(openWords)),
  undoneAt: Instant.optional(),
  undoneBy: z.string().optional(),
});
export type Merge = z.infer<typeof Merge>;

/** The unmerge of an earlier merge. */
export interface Unmerge {
  readonly merge: string;
  readonly survivor: string;
  readonly others: readonly string[];
  /** When the merge was made. */
  readonly mergedAt: Instant;
  readonly at: Instant;
  readonly by: string;
}

/** A ledger entry of one split: an identifier became a customer of its own. */
export const Split = z.strictObject({
  id: z.string(),
  identifier: Identifier,
  /** The source profile that owned it. */
  from: z.string(),
  /** The new source profile. */
  to: z.string(),
  at: Instant,
  by: z.string(),
  cause: z.string(),
  /** Set if the identifier was claimed: its guest (`to`) is now shown as a separate customer. */
  claimed: z.literal(true).optional(),
});
export type Split = z.infer<typeof Split>;

/** A ledger entry of an address that staff reopened after a bounce or a complaint, because its owner asked for it. */
export const Reopening = z.strictObject({
  id: z.string(),
  address: Identifier,
  /** The source profile in which it was closed. */
  profileId: z.string(),
  reason: z.enum(['bounce', 'complaint']).register(openWords),
  closedAt: Instant,
  at: Instant,
  by: z.string(),
  evidence: z.string().max(500).optional(),
});
export type Reopening = z.infer<typeof Reopening>;

/** A ledger entry of a claimed identifier that an agent confirmed as owned by a person. */
export const Confirmation = z.strictObject({
  id: z.string(),
  identifier: Identifier,
  /** The source profile that owns it from now on. */
  profileId: z.string(),
  at: Instant,
  by: z.string(),
  cause: z.string(),
  undoneAt: Instant.optional(),
  undoneBy: z.string().optional(),
});
export type Confirmation = z.infer<typeof Confirmation>;

/** Something that a person must decide. One open entry per pair of customers, per interaction or per request. */
export const Review = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('pair'),
    /** Sorted. */
    profileIds: z.tuple([z.string(), z.string()]),
    /**
     * `claimed`: an interaction names both without proof; `handed-over`: a number moved from one to the other;
     * `crm-change`: the record of one in a CRM has an identifier of the other, or was merged with the record of the other.
     */
    reason: z.enum(['strong', 'unmerged', 'claimed', 'handed-over', 'crm-change']).register(openWords),
    /** The interaction that named both. */
    cause: z.string(),
    openedAt: Instant.optional(),
  }),
  z.strictObject({
    type: z.literal('interaction'),
    reason: z.enum(['no-identifier', 'over-limit']).register(openWords),
    interaction: Interaction,
    receivedAt: Instant,
  }),
  /** Several records of a CRM may be the customer's: nothing is written for them there until a person has decided. */
  z.strictObject({
    type: z.literal('record'),
    reason: z.literal('several-records'),
    crm: z.string(),
    profileId: z.string(),
    /** The CRM's ids of the records. */
    records: z.array(z.string()),
    /** The account of the CRM in which they are, where it is not the first that the hub knew. */
    scope: z.string().optional(),
    openedAt: Instant,
  }),
  /** A shop, a CRM or another program passes on that a customer asks for their data, or to be erased. */
  z.strictObject({
    type: z.literal('request'),
    reason: z.enum(['data-request', 'erasure-request']).register(openWords),
    interaction: Interaction,
    /** On whose timeline the request is; absent where it names nobody. */
    profileId: z.string().optional(),
    receivedAt: Instant,
    /** By when it must be answered. */
    dueAt: Instant,
  }),
]);
export type Review = z.infer<typeof Review>;

/** The id of a review; the same pair or interaction always has the same id. */
export const reviewId = (review: Review): string => {
  if (review.type === 'pair') return pairReviewId(review.profileIds);
  if (review.type === 'record') return `record#${review.scope ?? review.crm}#${review.profileId}`;
  const { id } = review.interaction;
  return review.type === 'request' ? `request#${id}` : interactionReviewId(id);
};

export const interactionReviewId = (interaction: string): string => `interaction#${interaction}`;

export const pairReviewId = (profileIds: readonly [string, string]): string => `pair#${profileIds.join('#')}`;

export const sortedPair = (one: string, other: string): [string, string] =>
  one < other ? [one, other] : [other, one];

/**
 * The other persons whom claims have named together with a person. A row of its own, because claims never change the rows of
 * a person. `open`: the persons with an open review; `more`: the number of pairs without a review.
 */
export const ClaimedPairs = z.object({
  version: z.int().nonnegative(),
  open: z.array(z.string()),
  more: z.int().nonnegative(),
});
export type ClaimedPairs = z.infer<typeof ClaimedPairs>;
