import * as z from 'zod';
import { openWords } from '../formats/tolerant.ts';
import type { Channel, Instant, Interaction, Kind } from '../interaction/interaction.ts';
import type { Reply } from './conversation.ts';

/** What is counted per channel and day. */
const COUNTS = [
  /** Interactions of customers: messages, comments, forms, postbacks, calls. */
  'inbound',
  /** Messages, comments and calls of staff. */
  'outbound',
  /** Orders, referrals, and behaviour on pages and in apps. */
  'events',
  /** Notifications that a sender accepted, that failed, and that were suppressed. */
  ...(['sent', 'failed', 'suppressed'] as const),
  /** Reports of providers about messages: bounced, marked as spam, not delivered. */
  ...(['bounced', 'complained', 'undelivered'] as const),
  /** Answers to open questions and the sum of their response times in seconds; `first…`: the first answer of a conversation. */
  ...(['replies', 'replySeconds', 'firstReplies', 'firstReplySeconds'] as const),
] as const;

/**
 * Upper bounds in seconds of the buckets of response times: each reply is counted in one bucket, which is exact enough for
 * a median. Rows name a bucket by its bound, so that a bound may be added later.
 */
const RESPONSE_BOUNDS: readonly number[] = [
  ...[60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 57_600],
  ...[86_400, 172_800, 345_600, 604_800],
];
const LONGEST = 'Longer';
const buckets = [...RESPONSE_BOUNDS.map((bound) => `Below${bound}` as const), LONGEST] as const;
type Bucket = (typeof buckets)[number];

const Measure = z
  .enum([
    ...COUNTS,
    ...buckets.map((bucket) => `reply${bucket}` as const),
    ...buckets.map((bucket) => `firstReply${bucket}` as const),
  ])
  .register(openWords);
export const Amounts = z.partialRecord(Measure, z.number());
export type Amounts = z.infer<typeof Amounts>;

/** One interaction or notification as the figures count it. */
export interface Countable {
  /** Equal when the same event is reported again. */
  readonly id: string;
  /** When the hub received it; always the same for the same event. */
  readonly receivedAt: Instant;
  readonly occurredAt: Instant;
  /** Absent if no channel was chosen. */
  readonly channel?: Channel;
  readonly amounts: Amounts;
}

const TALK: ReadonlySet<Kind> = new Set(['message', 'echo', 'comment', 'form', 'postback']);
const EVENTS: ReadonlySet<Kind> = new Set(['order', 'referral', 'behaviour']);
/** Providers report each state of a call; it counts when it has ended. */
const ENDED: ReadonlySet<unknown> = new Set([
  'completed',
  'no-answer',
  'missed',
  'busy',
  'failed',
  'canceled',
]);
const UNDELIVERED: ReadonlySet<unknown> = new Set([
  'failed',
  'undelivered',
  'rejected',
  'dropped',
  'expired',
]);

/** What an interaction adds to the figures of its channel and day; undefined if nothing. */
export const countable = (
  interaction: Interaction & { readonly receivedAt: Instant },
  reply: Reply | undefined,
): Countable | undefined => {
  const { id, receivedAt, occurredAt, channel } = interaction;
  const amounts = { ...amountsOf(interaction), ...(reply && amountsOfReply(reply)) };
  return Object.keys(amounts).length === 0 ? undefined : { id, receivedAt, occurredAt, channel, amounts };
};

const amountsOf = ({ kind, direction, properties }: Interaction): Amounts => {
  const status = properties?.['status'];
  if (kind === 'notification') return { sent: 1 };
  if (kind === 'bounce') return { bounced: 1 };
  if (kind === 'complaint') return { complained: 1 };
  if (kind === 'delivery-status') return UNDELIVERED.has(status) ? { undelivered: 1 } : {};
  if (EVENTS.has(kind)) return { events: 1 };
  if (!TALK.has(kind) && !(kind === 'call' && ENDED.has(status))) return {};
  if (direction === 'system') return {};
  return direction === 'inbound' ? { inbound: 1 } : { outbound: 1 };
};

const amountsOfReply = ({ seconds, first }: Reply): Amounts => {
  const bound = RESPONSE_BOUNDS.find((one) => seconds < one);
  const bucket: Bucket = bound === undefined ? LONGEST : `Below${bound}`;
  return {
    ...{ replies: 1, replySeconds: seconds, [`reply${bucket}`]: 1 },
    ...(first && { firstReplies: 1, firstReplySeconds: seconds, [`firstReply${bucket}`]: 1 }),
  };
};

export const addAmounts = (one: Amounts, other: Amounts): Amounts => {
  const sum = { ...one };
  for (const measure of Measure.options) {
    const more = other[measure];
    if (more !== undefined) sum[measure] = (sum[measure] ?? 0) + more;
  }
  return sum;
};

interface Times {
  readonly count: number;
  /** Absent if `count` is 0. */
  readonly averageSeconds?: number;
  /** Interpolated within the bucket that contains the median. */
  readonly medianSeconds?: number;
}

/** The figures of a channel and day as the API returns them. */
export interface FiguresView {
  readonly inbound: number;
  readonly outbound: number;
  readonly events: number;
  readonly notifications: { readonly sent: number; readonly failed: number; readonly suppressed: number };
  readonly bounced: number;
  readonly complained: number;
  readonly undelivered: number;
  /** The share of sent and failed messages that failed, bounced or were not delivered: 0 to 1, and 0 if there were none. */
  readonly failureShare: number;
  readonly response: Times;
  readonly firstResponse: Times;
}

export const figuresView = (amounts: Amounts): FiguresView => {
  const of = (measure: z.infer<typeof Measure>): number => amounts[measure] ?? 0;
  const tried = of('outbound') + of('sent') + of('failed');
  const lost = of('failed') + of('bounced') + of('undelivered');
  return {
    ...{ inbound: of('inbound'), outbound: of('outbound'), events: of('events') },
    notifications: { sent: of('sent'), failed: of('failed'), suppressed: of('suppressed') },
    ...{ bounced: of('bounced'), complained: of('complained'), undelivered: of('undelivered') },
    failureShare: tried === 0 ? 0 : Math.min(1, lost / tried),
    response: responseTimes(of('replies'), of('replySeconds'), (bucket) => of(`reply${bucket}`)),
    firstResponse: responseTimes(of('firstReplies'), of('firstReplySeconds'), (bucket) =>
      of(`firstReply${bucket}`),
    ),
  };
};

const responseTimes = (count: number, seconds: number, inBucket: (bucket: Bucket) => number): Times => {
  if (count === 0) return { count };
  if (count === 1) return { count, averageSeconds: seconds, medianSeconds: seconds };
  let below = 0;
  for (const [position, bucket] of buckets.entries()) {
    const inside = inBucket(bucket);
    if (inside > 0 && below + inside >= count / 2) {
      const from = RESPONSE_BOUNDS[position - 1] ?? 0;
      const to = RESPONSE_BOUNDS[position] ?? from;
      const medianSeconds = Math.round(from + ((count / 2 - below) / inside) * (to - from));
      return { count, averageSeconds: Math.round(seconds / count), medianSeconds };
    }
    below += inside;
  }
  return { count, averageSeconds: Math.round(seconds / count) };
};
