import { createHash } from 'node:crypto';
import { FAILURE_RETENTION_DAYS } from '../../../core/errors/failure.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import { countedKey, countedPartition, type Key, keyText } from '../../contracts/keys.ts';
import { countedPageOf } from '../../contracts/rows/projections.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table, Write } from '../clients/dynamo.ts';
import { updateOptimistically } from '../clients/optimistic.ts';

/** Something that is added to counters exactly once. */
export interface Counted {
  /** Equal when the same event is reported again. */
  readonly id: string;
  /** When the hub received it; always the same for the same event. */
  readonly receivedAt: Instant;
  /** The row of its counters. */
  readonly counters: Key;
  readonly amounts: Readonly<Record<string, number | undefined>>;
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

/**
 * Adds each to its counters exactly once, however often and by however many it is handed over: short hashes of what was
 * counted are stored by the minute of receipt and written in the same transaction as the counters. A batch costs a few
 * writes, and a redelivery, a crash or a second worker changes nothing. Rejects with `HubError` `write-conflict` (later).
 */
export const countOnce = async (
  table: Table,
  runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>,
  counted: readonly Counted[],
): Promise<void> => {
  const oldest = new Date(runtime.now() - COUNTED_MS).toISOString();
  const recent = counted.filter(({ receivedAt }) => receivedAt > oldest);
  const byId = new Map(recent.map((one) => [one.id, one]));
  for (const chunk of chunksOf([...byId.values()]))
    await updateOptimistically(runtime, 'The daily counters', () => countChunk(table, chunk));
};

const minuteOf = (receivedAt: Instant): string => receivedAt.slice(0, 16);

/** The countables in chunks whose rows each fit into one transaction. */
const chunksOf = (countables: readonly Counted[]): Counted[][] => {
  const chunks: Counted[][] = [];
  let rows = new Set<string>();
  for (const one of countables.toSorted((a, b) => (a.receivedAt < b.receivedAt ? -1 : 1))) {
    const own = [minuteOf(one.receivedAt), keyText(one.counters)];
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
const countChunk = async (table: Table, countables: readonly Counted[]): Promise<boolean> => {
  const byMinute = Map.groupBy(countables, ({ receivedAt }) => minuteOf(receivedAt));
  const minutes = await Promise.all([...byMinute].map(([minute, own]) => uncounted(table, minute, own)));
  const fresh = minutes.flatMap((minute) => minute.fresh);
  if (fresh.length === 0) return true;
  const sums = new Map<string, { key: Key; amounts: Record<string, number> }>();
  for (const { counters: key, amounts } of fresh) {
    const sum = sums.get(keyText(key)) ?? { key, amounts: {} };
    for (const [measure, amount = 0] of Object.entries(amounts))
      sum.amounts[measure] = (sum.amounts[measure] ?? 0) + amount;
    sums.set(keyText(key), sum);
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
  countables: readonly Counted[],
): Promise<{ fresh: Counted[]; write: Write[] }> => {
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
