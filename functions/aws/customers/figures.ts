import { createHash } from 'node:crypto';
import * as z from 'zod';
import { FAILURE_RETENTION_DAYS } from '../../../core/errors/failure.ts';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { Channel, type Instant } from '../../../core/interaction/interaction.ts';
import { Amounts, addAmounts, type Countable } from '../../../core/timeline/figures.ts';
import { dayAt } from '../../../core/triggers/schedule.ts';
import {
  countedKey,
  countedPartition,
  figuresKey,
  figuresPartitions,
  type Key,
  keyText,
} from '../../contracts/keys.ts';
import { countedPageOf } from '../../contracts/rows/projections.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table, Write } from '../clients/dynamo.ts';
import { updateOptimistically } from '../clients/optimistic.ts';

const StoredAmounts = tolerant(Amounts);

/** In the place of a channel, where none was chosen. */
const NO_CHANNEL = 'none';

/** The figures of one channel on one day. */
interface Figures {
  /** `yyyy-mm-dd` in the hub's time zone. */
  readonly day: string;
  readonly channel: Channel | typeof NO_CHANNEL;
  readonly amounts: Amounts;
}

export interface FiguresStore {
  /**
   * Adds each countable to the figures of its day and channel exactly once, however often and by however many it is handed
   * over. `timeZone`: IANA name; it decides where a day begins. Rejects with `HubError` `write-conflict` (later).
   */
  count(countables: readonly Countable[], timeZone: string): Promise<void>;
  /** From one day to another, both included, in order; days and channels without figures are absent. */
  between(from: string, to: string): Promise<readonly Figures[]>;
}

const DAY_MS = 86_400_000;
/** Older countables are not counted: the hashes of their minute may have expired, and a replay is at most this old. */
const COUNTED_MS = FAILURE_RETENTION_DAYS * DAY_MS;
/** The hashes expire a month later, so that differences between clocks do not matter. */
const HASHES_EXPIRE_MS = COUNTED_MS + 30 * DAY_MS;
/** Characters of a hash: enough to distinguish the countables of one minute. */
const HASH_LENGTH = 11;
/** Hashes per page; a full page is never written again. */
const HASHES_PER_PAGE = 500;
/** Rows of one transaction, of the 100 that DynamoDB allows. */
const MOST_ROWS = 80;

const Place = z.tuple([z.iso.date(), z.union([Channel, z.literal(NO_CHANNEL)])]);

/**
 * Figures in the table. Short hashes of what was counted are stored by the minute of receipt and written in the same
 * transaction as the counters: a batch costs a few writes, and a redelivery, a crash or a second worker changes nothing.
 */
export const figures = (table: Table, runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>): FiguresStore => ({
  async count(countables, timeZone) {
    const oldest = new Date(runtime.now() - COUNTED_MS).toISOString();
    const recent = countables.filter(({ receivedAt }) => receivedAt > oldest);
    const byId = new Map(recent.map((one) => [one.id, one]));
    for (const chunk of chunksOf([...byId.values()], timeZone)) {
      const part = runtime.random();
      await updateOptimistically(runtime, 'The daily counters', () =>
        countChunk(table, chunk, (one) => countersKey(one, timeZone, part)),
      );
    }
  },
  async between(from, to) {
    const sums = new Map<string, Amounts>();
    for (const pk of monthsBetween(from, to).flatMap(figuresPartitions))
      for await (const { pk: _pk, sk, ...amounts } of table.query(pk, { from, to: `${to}#~` }))
        sums.set(sk, addAmounts(sums.get(sk) ?? {}, StoredAmounts.parse(amounts)));
    return [...sums.keys()].sort().map((place) => {
      const [day, channel] = Place.parse(place.split('#'));
      return { day, channel, amounts: sums.get(place) ?? {} };
    });
  },
});

/** Every month from one day's to another's, as `2026-03`. */
const monthsBetween = (from: string, to: string): string[] => {
  const months: string[] = [];
  const last = to.slice(0, 7);
  for (let month = from.slice(0, 7); month <= last; month = monthAfter(month)) months.push(month);
  return months;
};

const monthAfter = (month: string): string => {
  const next = new Date(`${month}-01T00:00:00Z`);
  next.setUTCMonth(next.getUTCMonth() + 1);
  return next.toISOString().slice(0, 7);
};

const minuteOf = (receivedAt: Instant): string => receivedAt.slice(0, 16);
/** `random`: from 0 to below 1; it chooses between the rows whose sum the figures of a day and channel are. */
const countersKey = ({ occurredAt, channel }: Countable, timeZone: string, random: number): Key =>
  figuresKey(dayAt(Date.parse(occurredAt), timeZone), channel ?? NO_CHANNEL, random);

/** The countables in chunks whose rows each fit into one transaction. */
const chunksOf = (countables: readonly Countable[], timeZone: string): Countable[][] => {
  const chunks: Countable[][] = [];
  let rows = new Set<string>();
  for (const one of countables.toSorted((a, b) => (a.receivedAt < b.receivedAt ? -1 : 1))) {
    const own = [minuteOf(one.receivedAt), keyText(countersKey(one, timeZone, 0))];
    const last = chunks.at(-1);
    const grown = rows.union(new Set(own));
    if (last === undefined || grown.size > MOST_ROWS) {
      chunks.push([one]);
      rows = new Set(own);
    } else {
      last.push(one);
      rows = grown;
    }
  }
  return chunks;
};

/** One attempt; false where another worker counted in between. */
const countChunk = async (
  table: Table,
  countables: readonly Countable[],
  keyOf: (countable: Countable) => Key,
): Promise<boolean> => {
  const byMinute = Map.groupBy(countables, ({ receivedAt }) => minuteOf(receivedAt));
  const minutes = await Promise.all([...byMinute].map(([minute, own]) => uncounted(table, minute, own)));
  const fresh = minutes.flatMap((minute) => minute.fresh);
  if (fresh.length === 0) return true;
  const sums = new Map<string, { key: Key; amounts: Amounts }>();
  for (const one of fresh) {
    const key = keyOf(one);
    const sum = sums.get(keyText(key))?.amounts ?? {};
    sums.set(keyText(key), { key, amounts: addAmounts(sum, one.amounts) });
  }
  return table.transact([
    ...minutes.flatMap(({ write }) => write),
    ...[...sums.values()].map(({ key, amounts }) => ({ add: key, amounts })),
  ]);
};

/** The countables of a minute that are not counted yet, and the write that marks them as counted. */
const uncounted = async (
  table: Table,
  minute: string,
  countables: readonly Countable[],
): Promise<{ fresh: Countable[]; write: Write[] }> => {
  const known = new Set<string>();
  let last = { number: 0, version: 0, hashes: '' };
  for await (const row of table.query(countedPartition(minute))) {
    const { version, hashes } = countedPageOf(row);
    for (let at = 0; at < hashes.length; at += HASH_LENGTH) known.add(hashes.slice(at, at + HASH_LENGTH));
    last = { number: Number(row.sk), version, hashes };
  }
  const fresh = countables.filter(({ id }) => !known.has(hashOf(id)));
  if (fresh.length === 0) return { fresh, write: [] };
  // The last page, or the one after it, is written on the condition that nobody has counted since it was read.
  if (last.hashes.length >= HASHES_PER_PAGE * HASH_LENGTH)
    last = { number: last.number + 1, version: 0, hashes: '' };
  const put = {
    ...{ ...countedKey(minute, last.number), version: last.version + 1 },
    hashes: last.hashes + fresh.map(({ id }) => hashOf(id)).join(''),
    expiresAt: Math.floor((Date.parse(`${minute}Z`) + HASHES_EXPIRE_MS) / 1000),
  };
  return {
    fresh,
    write: [{ put, if: last.version === 0 ? { absent: true } : { version: last.version } }],
  };
};

const hashOf = (id: string): string =>
  createHash('sha256').update(id).digest('base64url').slice(0, HASH_LENGTH);
