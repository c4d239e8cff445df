import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

const Name = z.looseObject({ full: z.string().optional() });

/** One of the customers whom a review concerns. */
const Side = z.looseObject({
  id: z.string(),
  name: Name.optional(),
  identifiers: z.array(z.string()),
  claimed: z.array(z.string()).optional(),
  firstSeenAt: z.string(),
  lastSeenAt: z.string(),
  interactions: z.number(),
});
export type Side = z.infer<typeof Side>;

const ReviewedInteraction = z.looseObject({
  occurredAt: z.string(),
  channel: z.string(),
  kind: z.string(),
  provider: z.string(),
  identifiers: z.array(z.string()),
  claimed: z.array(z.string()).optional(),
  subject: z.string().optional(),
  text: z.string().optional(),
});
export type ReviewedInteraction = z.infer<typeof ReviewedInteraction>;

/** Something that a person must decide, with what is needed to decide it. A later release may have other types. */
const Review = z.looseObject({
  id: z.string(),
  type: z.string(),
  reason: z.string(),
  /** Absent of reviews that an earlier release opened. */
  openedAt: z.string().optional(),
  dueAt: z.string().optional(),
  why: z.string(),
  customers: z.array(Side),
  /** The one in review, or the one that named a pair, where it is stored. */
  interaction: ReviewedInteraction.optional(),
  /** The guests to whom that interaction went. */
  guests: z.array(z.string()).optional(),
  /** By which a request is answered. */
  identifier: z.string().optional(),
  /** The commands that decide it. */
  next: z.array(z.string()),
});
export type Review = z.infer<typeof Review>;

const ReviewPage = z.object({ items: z.array(Review), next: z.string().optional() });

const REVIEWS_PER_PAGE = 100;

/** Reads the open reviews page after page, `limit` at the most. */
export async function* openReviews(hub: HubConnection, limit: number): AsyncGenerator<Review> {
  let cursor: string | undefined;
  let read = 0;
  do {
    const size = String(Math.min(REVIEWS_PER_PAGE, limit - read));
    const page: z.infer<typeof ReviewPage> = await request(
      hub,
      { method: 'GET', path: ['reviews'], query: { limit: size, cursor } },
      ReviewPage,
    );
    read += page.items.length;
    yield* page.items;
    cursor = page.next;
  } while (cursor !== undefined && read < limit);
}

export const getReview = (hub: HubConnection, id: string): Promise<Review> =>
  request(hub, { method: 'GET', path: ['reviews', id] }, Review);
