import type { Channel, Instant } from '../../../../core/interaction/interaction.ts';
import { type Notification, notificationId } from '../../../../core/triggers/notification.ts';
import { summaryOf } from '../../../../core/triggers/why/sentences.ts';
import type { TimelineCursor, TimelinePage, TimelineQuery } from '../../../contracts/ports/history.ts';

/** A notification that was not sent, or not yet, among the interactions of a timeline. */
export interface UnsentItem {
  readonly id: string;
  readonly kind: 'notification';
  readonly direction: 'outbound';
  readonly occurredAt: Instant;
  readonly profileId: string;
  readonly channel?: Channel;
  readonly unsent: {
    readonly status: 'waiting' | 'deferred' | 'suppressed' | 'failed';
    readonly trigger: string;
    readonly summary: string;
    readonly reason?: string;
    /** When the wait or the deferral ends. */
    readonly until?: Instant;
  };
}

/**
 * The notifications that stand on a page of a timeline and were not sent: those between the places at which the page begins
 * and ends. What was sent is an interaction, and stands there already. Where a condition did not hold nobody was to get
 * anything, so that decision is shown only where `kind` asks for notifications.
 */
export const unsentOnPage = (
  all: readonly Notification[],
  query: TimelineQuery,
  page: TimelinePage,
): UnsentItem[] => {
  const isWanted = query.folded && (query.kinds.size === 0 || query.kinds.has('notification'));
  if (!isWanted) return [];
  const { newer, older } = boundsOf(query, page);
  return all
    .filter(({ reason }) => reason !== 'condition' || query.kinds.has('notification'))
    .flatMap(itemOf)
    .filter(
      ({ channel }) => query.channels.size === 0 || (channel !== undefined && query.channels.has(channel)),
    )
    .filter(
      (item) =>
        (newer === undefined || placeOf(item) < newer) && (older === undefined || placeOf(item) > older),
    );
};

/** Puts them between the interactions of the page, in its order. */
export const merged = <Item extends { readonly occurredAt: Instant; readonly id: string }>(
  items: readonly Item[],
  unsent: readonly UnsentItem[],
  { order }: Pick<TimelineQuery, 'order'>,
): (Item | UnsentItem)[] => {
  if (unsent.length === 0) return [...items];
  const sign = order === 'oldest' ? 1 : -1;
  return [...items, ...unsent].sort((one, other) => (placeOf(one) < placeOf(other) ? -sign : sign));
};

const placeOf = ({ occurredAt, id }: { readonly occurredAt: string; readonly id: string }): string =>
  `${occurredAt}#${id}`;

/** The places between which a page lies; absent where nothing is beyond it. */
const boundsOf = (
  { order, from }: TimelineQuery,
  { next, previous }: TimelinePage,
): { readonly newer: string | undefined; readonly older: string | undefined } => {
  const along = order === 'newest' ? 'older' : 'newer';
  const [start, end]: (TimelineCursor | undefined)[] =
    from === undefined || from.toward === along ? [from, next] : [previous, from];
  const [first, last] = [start && placeOf(start), end && placeOf(end)];
  return order === 'newest' ? { newer: first, older: last } : { newer: last, older: first };
};

const itemOf = (notification: Notification): UnsentItem[] => {
  const { status, reason, until, channel, steps, trigger, profileId, at, decidedAt = at } = notification;
  const isDeferred =
    (status === 'waiting' && steps.at(-1)?.step === 'quiet hours') ||
    (status === 'reserved' && until !== undefined);
  const shown = isDeferred
    ? 'deferred'
    : status === 'waiting' || status === 'suppressed' || status === 'failed'
      ? status
      : undefined;
  if (shown === undefined) return [];
  return [
    {
      ...{ id: notificationId(notification), kind: 'notification', direction: 'outbound', profileId },
      occurredAt: decidedAt,
      ...(channel && { channel }),
      unsent: {
        ...{ status: shown, trigger, summary: summaryOf(notification) },
        ...(reason !== undefined && { reason }),
        ...(until !== undefined && { until }),
      },
    },
  ];
};
