import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

/** Two profiles that may be one person. */
const PairReview = z.looseObject({
  id: z.string(),
  type: z.literal('pair'),
  reason: z.enum(['strong', 'unmerged']),
  profileIds: z.array(z.string()),
});

/** An interaction that could not be assigned to a customer. */
const InteractionReview = z.looseObject({
  id: z.string(),
  type: z.literal('interaction'),
  reason: z.enum(['no-identifier', 'over-limit']),
  interaction: z.looseObject({
    occurredAt: z.string(),
    channel: z.string(),
    kind: z.string(),
    provider: z.string(),
    identifiers: z.array(z.string()),
    subject: z.string().optional(),
    text: z.string().optional(),
  }),
});
export type InteractionReview = z.infer<typeof InteractionReview>;

const Reviews = z.object({ items: z.array(z.discriminatedUnion('type', [PairReview, InteractionReview])) });

export const listReviews = (hub: HubConnection): Promise<z.infer<typeof Reviews>> =>
  request(hub, { method: 'GET', path: ['reviews'] }, Reviews);
