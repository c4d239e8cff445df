import * as z from 'zod';
import { triggerReport, waitingOf } from '../../../../core/triggers/results/report.ts';
import { dayAt } from '../../../../core/triggers/schedule.ts';
import type { TriggerFiguresStore } from '../../../aws/triggers/trigger-figures.ts';
import { problem } from '../../../middleware/http.ts';
import { json, pathParameter, type Routes, withQuery } from '../route.ts';
import type { TriggerPorts } from './triggers.ts';

export interface ReportPorts extends Pick<TriggerPorts, 'publishing'> {
  readonly triggerFigures: Pick<TriggerFiguresStore, 'of'>;
  /** The hub's time zone, in which a day begins and ends. */
  readonly timeZone: () => Promise<string>;
  readonly now: () => number;
}

const DAY_MS = 86_400_000;
const Query = z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(30) });

/** What a trigger achieved, by the day on which its messages were sent or withheld. */
export const reportRoutes: Routes<ReportPorts> = {
  'GET /triggers/{id}/report': withQuery(Query, async ({ days }, event, ports) => {
    const id = pathParameter(event, 'id');
    const current = await ports.publishing.triggers.current(id);
    if (current === undefined)
      return problem(
        404,
        'unknown-trigger',
        `There is no published trigger ${id}. \`hub trigger list\` shows all.`,
      );
    const zone = await ports.timeZone();
    const to = dayAt(ports.now(), zone);
    const from = new Date(Date.parse(to) - (days - 1) * DAY_MS).toISOString().slice(0, 10);
    const all = await ports.triggerFigures.of(id);
    const within = all.filter(({ day }) => day >= from && day <= to);
    return json(200, {
      ...{ trigger: id, version: current.version, from, to, timeZone: zone },
      ...{ waiting: waitingOf(all), ...triggerReport(within) },
    });
  }),
};
