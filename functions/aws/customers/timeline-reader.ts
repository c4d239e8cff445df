import type { Customer } from '../../../core/identity/customer.ts';
import { interactionRange, interactionSortKey, profilePartition } from '../../contracts/keys.ts';
import type { StoredInteraction, TimelineQuery } from '../../contracts/ports/history.ts';
import { interactionOf } from '../../contracts/rows/interactions.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { QueryRange, Table } from '../clients/dynamo.ts';

/** Interactions read for one page; where few of them match the query the page is short. */
const MOST_ROWS = 1000;
/** Requests for one page beyond the first of each source profile: a request returns at most 1 MB, and rows may be large. */
const MOST_REQUESTS = 10;
const ROWS_PER_REQUEST = 200;

/** The rows of one source profile that were read and not used yet. */
interface Stream {
  readonly pk: string;
  rows: readonly Row[];
  /** The sort key of the last row that was read. */
  behind: string | undefined;
  isLast: boolean;
}

export interface TimelineReader {
  /** The next interactions that match the query; fewer than `wanted` where there are no more, or the bounds are reached. */
  next(wanted: number): Promise<StoredInteraction[]>;
  /** Whether there are interactions behind those that were returned, matching or not. */
  hasMore(): boolean;
  /** Whether the bounds of this page allow to read more. */
  canRead(): boolean;
  /** The last interaction that was read, matching or not. */
  last(): Pick<StoredInteraction, 'occurredAt' | 'id'> | undefined;
}

/** Merges the timelines of all source profiles of a customer, each of which is in order, as they are read, within bounds. */
export const timelineReader = (
  table: Table,
  customer: Customer,
  query: Pick<TimelineQuery, 'channels' | 'kinds' | 'from' | 'order'>,
): TimelineReader => {
  const { from, order, channels, kinds } = query;
  const backwards = (from?.toward ?? (order === 'newest' ? 'older' : 'newer')) === 'older';
  const isFiltered = channels.size + kinds.size > 0;
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

  /** Reads on in every stream that has no row left; false where that would exceed the bounds. */
  const fill = async (wanted: number): Promise<boolean> => {
    for (;;) {
      const empty = streams.filter((one) => one.rows.length === 0 && !one.isLast);
      if (empty.length === 0) return true;
      if (requests > 0 && requests + empty.length > MOST_REQUESTS) return false;
      requests += empty.length;
      // One more than wanted shows whether there are more. How many of them a filter drops is not known.
      const pageSize = isFiltered ? ROWS_PER_REQUEST : Math.min(wanted + 1, ROWS_PER_REQUEST);
      await Promise.all(empty.map((stream) => readOn(table, stream, { ...range, pageSize })));
    }
  };

  return {
    async next(wanted) {
      const matching: StoredInteraction[] = [];
      while (matching.length < wanted && read < MOST_ROWS && (await fill(wanted))) {
        const row = takeFirst(streams, backwards);
        if (row === undefined) break;
        const { caused: _, ...interaction } = interactionOf(row);
        read++;
        last = interaction;
        const matches =
          (channels.size === 0 || channels.has(interaction.channel)) &&
          (kinds.size === 0 || kinds.has(interaction.kind));
        if (matches) matching.push(interaction);
      }
      return matching;
    },
    hasMore: () => streams.some((stream) => stream.rows.length > 0 || !stream.isLast),
    canRead: () => read < MOST_ROWS && requests < MOST_REQUESTS,
    last: () => last,
  };
};

const readOn = async (table: Table, stream: Stream, range: QueryRange): Promise<void> => {
  const page = await table.page(stream.pk, range, stream.behind);
  stream.rows = page.rows;
  stream.isLast = page.isLast;
  stream.behind = page.rows.at(-1)?.sk ?? stream.behind;
};

/** Takes the row that comes first in the order of the timeline out of its stream. */
const takeFirst = (streams: readonly Stream[], backwards: boolean): Row | undefined => {
  let first: Stream | undefined;
  for (const stream of streams) {
    const [sk, best] = [stream.rows[0]?.sk, first?.rows[0]?.sk];
    if (sk === undefined) continue;
    if (best === undefined || (backwards ? sk > best : sk < best)) first = stream;
  }
  const [row, ...rest] = first?.rows ?? [];
  if (first) first.rows = rest;
  return row;
};
