import { readTime } from '../../formats/payload.ts';
import type { Finding } from '../connector.ts';

const MOST_SKEW_SECONDS = 120;

/**
 * Whether the clocks of the hub and of a CRM agree. `date`: the header of an answer that came just now; `now`: the hub's clock
 * in epoch milliseconds. Nothing where one of them is not known.
 */
export const clockFinding = (title: string, date: string | undefined, now: number | undefined): Finding[] => {
  const time = readTime(date);
  if (time === undefined || now === undefined) return [];
  const skew = Math.round((now - Date.parse(time)) / 1000);
  const isRight = Math.abs(skew) <= MOST_SKEW_SECONDS;
  return [
    {
      about: 'clock',
      says: isRight
        ? `The clocks of the hub and of ${title} agree.`
        : `The clock of the hub differs by ${skew} seconds from that of ${title}, so that the later of two changes is not known. Correct it.`,
      ok: isRight,
    },
  ];
};
