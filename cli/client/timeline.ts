import * as z from 'zod';
import { MessageStatus } from '../../core/interaction/relation.ts';
import { type HubConnection, request } from './request.ts';

/** The message that an item is about. */
const Reference = z.looseObject({ occurredAt: z.string(), kind: z.string(), excerpt: z.string().optional() });
export type Reference = z.infer<typeof Reference>;

const Dated = z.looseObject({ at: z.string() });

/** An interaction together with what later interactions reported about it. */
const TimelineItem = z.looseObject({
  occurredAt: z.string(),
  /** Empty for a notification for which none was chosen. */
  channel: z.string().default(''),
  direction: z.string(),
  kind: z.string(),
  text: z.string().optional(),
  subject: z.string().optional(),
  attachments: z.array(z.looseObject({ name: z.string().optional() })).optional(),
  properties: z.record(z.string(), z.json()).optional(),
  status: Dated.extend({
    name: MessageStatus,
    failed: Dated.optional(),
    reason: z.string().optional(),
  }).optional(),
  edited: Dated.extend({ text: z.string().optional() }).optional(),
  deleted: Dated.extend({ by: z.string() }).optional(),
  complained: Dated.optional(),
  reactions: z.array(Dated.extend({ by: z.string(), emoji: z.string() })).optional(),
  opens: z.number().optional(),
  clicks: z.number().optional(),
  repliesTo: Reference.optional(),
  about: Reference.optional(),
  /** Set where a notification was not sent, or not yet. */
  unsent: z.looseObject({ status: z.string(), trigger: z.string(), summary: z.string() }).optional(),
  /** Set where nobody vouches that the customer did it. */
  proof: z.literal('claimed').optional(),
});
export type TimelineItem = z.infer<typeof TimelineItem>;

const TimelinePage = z.object({ items: z.array(TimelineItem), next: z.string().optional() });

interface TimelineFilter {
  readonly order: 'newest' | 'oldest';
  /** Empty: all. */
  readonly channels: readonly string[];
  /** Empty: all. */
  readonly kinds: readonly string[];
  /** Every interaction as it is stored, status reports and edits included. */
  readonly raw: boolean;
}

const ITEMS_PER_PAGE = 200;

/** Reads a customer's timeline page after page, `limit` items at the most. */
export async function* timelineItems(
  hub: HubConnection,
  customerId: string,
  { order, channels, kinds, raw }: TimelineFilter,
  limit: number,
): AsyncGenerator<TimelineItem> {
  const query = {
    order,
    channel: channels.length > 0 ? channels.join(',') : undefined,
    kind: kinds.length > 0 ? kinds.join(',') : undefined,
    fold: raw ? 'false' : undefined,
  };
  let read = 0;
  let cursor: string | undefined;
  do {
    const page: z.infer<typeof TimelinePage> = await request(
      hub,
      {
        method: 'GET',
        path: ['customers', customerId, 'timeline'],
        query: { ...query, limit: String(Math.min(ITEMS_PER_PAGE, limit - read)), cursor },
      },
      TimelinePage,
    );
    read += page.items.length;
    yield* page.items;
    cursor = page.next;
  } while (cursor !== undefined && read < limit);
}
