import * as z from 'zod';
import type { Instant } from '../../../core/interaction/interaction.ts';
import type { TriggerAmounts, TriggerFigures } from '../../../core/triggers/results/report.ts';
import { dayAt } from '../../../core/triggers/schedule.ts';
import { triggerFiguresKey, triggerFiguresPartitions } from '../../contracts/keys.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';
import { countOnce } from '../customers/count-once.ts';

/** Something that happened to a notification. `at`: when it was sent or withheld; its day is the day on which this counts. */
export interface TriggerCountable {
  readonly id: string;
  readonly trigger: string;
  /** Empty where none was chosen. */
  readonly template: string;
  readonly at: Instant;
  readonly amounts: TriggerAmounts;
}

export interface TriggerFiguresStore {
  /** Adds each exactly once. `timeZone`: where a day begins. Rejects with `HubError` `write-conflict` (later). */
  count(countables: readonly TriggerCountable[], timeZone: string): Promise<void>;
  /** The figures of a trigger of all time, by day and template. */
  of(trigger: string): Promise<TriggerFigures[]>;
}

const Amounts = z.record(z.string(), z.number());

/** Daily figures of triggers in the table: rows per trigger, day and template, whatever the number of messages. */
export const triggerFigures = (
  table: Table,
  runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>,
): TriggerFiguresStore => ({
  count(countables, timeZone) {
    const part = runtime.random();
    return countOnce(
      table,
      runtime,
      countables.map(({ id, trigger, template, at, amounts }) => ({
        ...{ id, amounts, receivedAt: at },
        counters: triggerFiguresKey(trigger, dayAt(Date.parse(at), timeZone), template, part),
      })),
    );
  },
  async of(trigger) {
    const found: TriggerFigures[] = [];
    for (const pk of triggerFiguresPartitions(trigger))
      for await (const { pk: _pk, sk, ...amounts } of table.query(pk)) {
        const [day = '', ...template] = sk.split('#');
        found.push({ day, template: template.join('#'), amounts: Amounts.parse(amounts) });
      }
    return found;
  },
});
