import * as z from 'zod';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { Channel } from '../../../core/interaction/interaction.ts';
import { Amounts, addAmounts, type Countable } from '../../../core/timeline/figures.ts';
import { dayAt } from '../../../core/triggers/schedule.ts';
import { figuresKey, figuresPartitions, type Key } from '../../contracts/keys.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';
import { countOnce } from './count-once.ts';

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

const Place = z.tuple([z.iso.date(), z.union([Channel, z.literal(NO_CHANNEL)])]);

/** Figures in the table: sums over several rows, because workers that count at the same time rarely meet at one row. */
export const figures = (table: Table, runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>): FiguresStore => ({
  count(countables, timeZone) {
    const part = runtime.random();
    return countOnce(
      table,
      runtime,
      countables.map((one) => ({ ...one, counters: countersKey(one, timeZone, part) })),
    );
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

/** `random`: from 0 to below 1; it chooses between the rows whose sum the figures of a day and channel are. */
const countersKey = ({ occurredAt, channel }: Countable, timeZone: string, random: number): Key =>
  figuresKey(dayAt(Date.parse(occurredAt), timeZone), channel ?? NO_CHANNEL, random);
