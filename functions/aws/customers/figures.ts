import { createHash } from 'node:crypto';
import * as z from 'zod';
import { FAILURE_RETENTION_DAYS } from '../../../core/errors/failure.ts';
import { HubError } from '../../../core/errors.ts';
import { Channel, type Instant } from '../../../core/interaction/interaction.ts';
import { Amounts, added, type Countable } from '../../../core/timeline/figures.ts';
import { dayAt } from '../../../core/triggers/schedule.ts';
import {
  countedKey,
  countedPartition,
  figuresKey,
  figuresPartition,
  type Key,
  keyText,
} from '../../contracts/keys.ts';
import { CountedPage } from '../../contracts/rows/projections.ts';
import type { Table, Write } from '../clients/dynamo.ts';

/** Where no channel was chosen. */
export const NO_CHANNEL = 'none';

/** The figures of one channel on one day. */
export interface Figures {
  readonly day: string;
  readonly channel: Channel | typeof NO_CHANNEL;
  readonly amounts: Amounts;
}

export interface FiguresStore {
  /** Adds each act to its figures once, however often and by however many it is told. `timeZone` parts the days. */
  count(acts: readonly Countable[], timeZone: string): Promise<void>;
  /** From one day to another, both included, in their order; what has no figures is left out. */
  between(from: string, to: string): Promise<readonly Figures[]>;
}

const DAY_MS = 86_400_000;
/** What was received earlier is not counted any more: what was counted of that minute may be forgotten. */
const COUNTED_MS = FAILURE_RETENTION_DAYS * DAY_MS;
/** Forgotten a month later still, so that no clock matters. */
const FORGOTTEN_MS = COUNTED_MS + 30 * DAY_MS;
/** Eleven letters tell acts of the same minute apart. */
const HASH_LETTERS = 11;
/** A page of the acts counted in a minute is full with so many, and is never written again. */
const PAGE = 500;
/** Rows of one transaction, which may have 100. */
const MOST_ROWS = 80;
const ATTEMPTS = 12;

const Place = z.tuple([z.iso.date(), z.union([Channel, z.literal(NO_CHANNEL)])]);

/**
 * Figures in the table. What was counted stands beside them, as short hashes by the minute of receipt, and both are
 * written in one transaction: so a batch costs a handful of writes, and a redelivery, a crash or two workers at once
 * change nothing.
 */
export const figures = (table: Table, now: () => number): FiguresStore => ({
  async count(acts, timeZone) {
    const oldest = new Date(now() - COUNTED_MS).toISOString();
    const told = new Map(acts.filter(({ receivedAt }) => receivedAt > oldest).map((one) => [one.id, one]));
    for (const chunk of chunked([...told.values()], timeZone)) await countAll(table, chunk, timeZone);
  },
  async between(from, to) {
    const found: Figures[] = [];
    for (const month of monthsOf(from, to)) {
      const range = { from, to: `${to}#~` };
      for await (const { pk: _pk, sk, ...amounts } of table.query(figuresPartition(month), range)) {
        const [day, channel] = Place.parse(sk.split('#'));
        found.push({ day, channel, amounts: Amounts.parse(amounts) });
      }
    }
    return found;
  },
});

/** The months that days from one to another lie in, as `2026-03`. */
const monthsOf = (from: string, to: string): string[] => {
  const months: string[] = [];
  const last = to.slice(0, 7);
  for (let month = from.slice(0, 7); month <= last; month = following(month)) months.push(month);
  return months;
};

const following = (month: string): string => {
  const next = new Date(`${month}-01T00:00:00Z`);
  next.setUTCMonth(next.getUTCMonth() + 1);
  return next.toISOString().slice(0, 7);
};

const minuteOf = (receivedAt: Instant): string => receivedAt.slice(0, 16);
const keyOf = ({ occurredAt, channel }: Countable, timeZone: string): Key =>
  figuresKey(dayAt(Date.parse(occurredAt), timeZone), channel ?? NO_CHANNEL);

/** Parts that each fit into a transaction. */
const chunked = (acts: readonly Countable[], timeZone: string): Countable[][] => {
  const chunks: Countable[][] = [];
  let rows = new Set<string>();
  for (const act of acts.toSorted((one, other) => (one.receivedAt < other.receivedAt ? -1 : 1))) {
    const own = [minuteOf(act.receivedAt), keyText(keyOf(act, timeZone))];
    const last = chunks.at(-1);
    const grown = rows.union(new Set(own));
    if (last === undefined || grown.size > MOST_ROWS) {
      chunks.push([act]);
      rows = new Set(own);
    } else {
      last.push(act);
      rows = grown;
    }
  }
  return chunks;
};

const countAll = async (table: Table, acts: readonly Countable[], timeZone: string): Promise<void> => {
  const byMinute = Map.groupBy(acts, ({ receivedAt }) => minuteOf(receivedAt));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const parts = await Promise.all([...byMinute].map(([minute, told]) => uncounted(table, minute, told)));
    const fresh = parts.flatMap((part) => part.fresh);
    if (fresh.length === 0) return;
    const sums = new Map<string, { key: Key; amounts: Amounts }>();
    for (const act of fresh) {
      const key = keyOf(act, timeZone);
      const sum = sums.get(keyText(key))?.amounts ?? {};
      sums.set(keyText(key), { key, amounts: added(sum, act.amounts) });
    }
    const written = await table.transact([
      ...parts.flatMap(({ write }) => write),
      ...[...sums.values()].map(({ key, amounts }) => ({ add: key, amounts })),
    ]);
    if (written) return;
  }
  throw new HubError(
    'write-conflict',
    `Others were at the figures ${ATTEMPTS} times; they are counted later.`,
    {
      retry: 'later',
    },
  );
};

/** Which acts of a minute are not counted yet, and the write that says that they are. */
const uncounted = async (
  table: Table,
  minute: string,
  acts: readonly Countable[],
): Promise<{ fresh: Countable[]; write: Write[] }> => {
  const known = new Set<string>();
  let last = { number: 0, version: 0, hashes: '' };
  for await (const row of table.query(countedPartition(minute))) {
    const { version, hashes } = CountedPage.parse(row);
    for (let at = 0; at < hashes.length; at += HASH_LETTERS) known.add(hashes.slice(at, at + HASH_LETTERS));
    last = { number: Number(row.sk), version, hashes };
  }
  const fresh = acts.filter(({ id }) => !known.has(hashOf(id)));
  if (fresh.length === 0) return { fresh, write: [] };
  // The last page is written or followed on the condition that it is as it was read: nobody else has counted meanwhile.
  if (last.hashes.length >= PAGE * HASH_LETTERS) last = { number: last.number + 1, version: 0, hashes: '' };
  const put = {
    ...{ ...countedKey(minute, last.number), version: last.version + 1 },
    hashes: last.hashes + fresh.map(({ id }) => hashOf(id)).join(''),
    expiresAt: Math.floor((Date.parse(`${minute}Z`) + FORGOTTEN_MS) / 1000),
  };
  return {
    fresh,
    write: [{ put, if: last.version === 0 ? { absent: true } : { version: last.version } }],
  };
};

const hashOf = (id: string): string =>
  createHash('sha256').update(id).digest('base64url').slice(0, HASH_LETTERS);
