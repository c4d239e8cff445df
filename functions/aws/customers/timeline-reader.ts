import type { Customer } from '../../../core/identity/customer.ts';
import { interactionRange, interactionSortKey, profilePartition } from '../../contracts/keys.ts';
import type { StoredInteraction, TimelineQuery } from '../../contracts/ports/history.ts';
import { interactionOf } from '../../contracts/rows/interactions.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { QueryRange, Table } from '../clients/dynamo.ts';

/** Interactions read for one page, at most; where few of them are asked for the page is short. */
const MOST_ROWS = 1000;
/** Requests for one page beyond the first of each half, at most: rows may be large, and a request brings 1 MB. */
const MOST_REQUESTS = 10;
/** Rows per request. */
const MOST_PER_REQUEST = 200;

interface Stream {
  readonly pk: string;
  rows: readonly Row[];
  behind: string | undefined;
  isLast: boolean;
}

export interface Reader {
  /** The next interactions that were asked for; fewer than wanted where there are no more, or none may be read. */
  take(wanted: number): Promise<StoredInteraction[]>;
  /** Whether something lies behind what was taken. */
  hasMore(): boolean;
  /** Whether more may be read for this page. */
  mayRead(): boolean;
  /** The last interaction that was read, asked for or not. */
  last(): Pick<StoredInteraction, 'occurredAt' | 'id'> | undefined;
}

/** The timelines of all halves, each already in order, merged as they are read, within bounds. */
export const timelineReader = (
  table: Table,
  customer: Customer,
  query: Pick<TimelineQuery, 'channels' | 'kinds' | 'from' | 'order'>,
): Reader => {
  const { from, order, channels, kinds } = query;
  const backwards = (from?.toward ?? (order === 'newest' ? 'older' : 'newer')) === 'older';
  const isPart = channels.size + kinds.size > 0;
  const edge = from && interactionSortKey(from);
  const all = interactionRange();
  const range: QueryRange = {
    from: edge !== undefined && !backwards ? edge : all.from,
    to: edge !== undefined && backwards ? edge : all.to,
    backwards,
  };
  const streams: Stream[] = customer.sourceProfiles.map(({ profile }) => ({
    ...{ pk: profilePartition(profile.id), rows: [], isLast: false },
    behind: from?.inclusive === false ? edge : undefined,
  }));
  let [read, requests] = [0, -streams.length];
  let last: StoredInteraction | undefined;

  /** Sees to it that every half that has more shows its next interaction; false where that would be too much. */
  const fill = async (wanted: number): Promise<boolean> => {
    for (;;) {
      const empty = streams.filter((one) => one.rows.length === 0 && !one.isLast);
      if (empty.length === 0) return true;
      if (requests > 0 && requests + empty.length > MOST_REQUESTS) return false;
      requests += empty.length;
      // One more than wanted tells whether there is more; of what is left out nobody knows how much there is.
      const pageSize = isPart ? MOST_PER_REQUEST : Math.min(wanted + 1, MOST_PER_REQUEST);
      await Promise.all(
        empty.map(async (stream) => {
          const page = await table.page(stream.pk, { ...range, pageSize }, stream.behind);
          stream.rows = page.rows;
          stream.isLast = page.isLast;
          stream.behind = page.rows.at(-1)?.sk ?? stream.behind;
        }),
      );
    }
  };
  const shift = (): StoredInteraction | undefined => {
    let first: Stream | undefined;
    for (const stream of streams) {
      const [sk, best] = [stream.rows[0]?.sk, first?.rows[0]?.sk];
      if (sk === undefined) continue;
      if (best === undefined || (backwards ? sk > best : sk < best)) first = stream;
    }
    const [row, ...rest] = first?.rows ?? [];
    if (first === undefined || row === undefined) return undefined;
    first.rows = rest;
    const { caused: _, ...stored } = interactionOf(row);
    return stored;
  };

  return {
    async take(wanted) {
      const taken: StoredInteraction[] = [];
      while (taken.length < wanted && read < MOST_ROWS && (await fill(wanted))) {
        const next = shift();
        if (next === undefined) break;
        read++;
        last = next;
        const asked =
          (channels.size === 0 || channels.has(next.channel)) && (kinds.size === 0 || kinds.has(next.kind));
        if (asked) taken.push(next);
      }
      return taken;
    },
    hasMore: () => streams.some((stream) => stream.rows.length > 0 || !stream.isLast),
    mayRead: () => read < MOST_ROWS && requests < MOST_REQUESTS,
    last: () => last,
  };
};
