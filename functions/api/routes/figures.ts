import * as z from 'zod';
import { type Amounts, addAmounts, figuresView } from '../../../core/timeline/figures.ts';
import { dayAt } from '../../../core/triggers/schedule.ts';
import type { FiguresStore } from '../../aws/customers/figures.ts';
import { problem } from '../../middleware/http.ts';
import { json, type Routes, withQuery } from './route.ts';

export interface FiguresPorts {
  readonly figures: Pick<FiguresStore, 'between'>;
  /** The hub's time zone, in which a day begins and ends. */
  readonly timeZone: () => Promise<string>;
  readonly now: () => number;
}

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;
const Query = z.strictObject({
  /** Without `from`: how many days up to `to`, including it. */
  days: z.coerce.number().int().min(1).max(MOST_DAYS).default(7),
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
});

/** Counts of what was received, sent and failed, and response times: by day and channel, by channel, and in total. */
export const figuresRoutes: Routes<FiguresPorts> = {
  'GET /figures': withQuery(Query, async (query, _event, { figures, timeZone, now }) => {
    const zone = await timeZone();
    const to = query.to ?? dayAt(now(), zone);
    const first = Date.parse(to) - (query.days - 1) * DAY_MS;
    const from = query.from ?? new Date(first).toISOString().slice(0, 10);
    const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
    if (days < 1 || days > MOST_DAYS)
      return problem(
        400,
        'invalid-query',
        `from and to must be dates, from not after to, at most ${MOST_DAYS} days apart.`,
      );
    const found = await figures.between(from, to);
    const total = (amounts: readonly { readonly amounts: Amounts }[]) =>
      figuresView(amounts.reduce<Amounts>((sum, one) => addAmounts(sum, one.amounts), {}));
    const byChannel = [...Map.groupBy(found, ({ channel }) => channel)].sort(([one], [other]) =>
      one < other ? -1 : 1,
    );
    return json(200, {
      ...{ from, to, timeZone: zone },
      items: found.map(({ day, channel, amounts }) => ({ day, channel, ...figuresView(amounts) })),
      channels: Object.fromEntries(byChannel.map(([channel, own]) => [channel, total(own)])),
      total: total(found),
    });
  }),
};
