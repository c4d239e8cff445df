import { BacktestResult } from '../../core/triggers/backtest/tally.ts';
import { shiftDay } from '../../core/triggers/schedule.ts';
import { timeWords } from '../../core/triggers/why/words.ts';
import { createJob, type Job } from '../client/jobs.ts';
import type { HubConnection } from '../client/request.ts';
import { downloadResult } from '../operations/job-result.ts';
import { printFailure, watchJob } from '../operations/watch-job.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';
import { currentUser } from '../terminal/user.ts';
import { isFile, readTriggerFile } from './files.ts';

interface Asked {
  readonly days: number;
  readonly list: number;
  readonly json: boolean;
}

/** Plays a trigger over the stored history in the hub, and prints what it would have sent. Resolves to the exit code. */
export const printBacktest = async (
  hub: HubConnection,
  argument: string,
  { days, list, json }: Asked,
): Promise<number> => {
  const { id: _, ...given } = isFile(argument) ? readTriggerFile(argument) : { id: argument };
  const trigger = 'text' in given ? given : argument;
  const { id } = await createJob(hub, {
    ...{ kind: 'backtest', by: currentUser(), parameters: { trigger, days, list } },
  });
  const job = await watchJob(hub, id, progressOf);
  if (job.state !== 'succeeded' || job.result === undefined) {
    printFailure(job);
    return 1;
  }
  const answer = await downloadResult(job.result.url);
  const result = BacktestResult.parse(await answer.json());
  if (json) console.log(sanitizeJson(result, 2));
  else for (const line of backtestLines(result)) console.log(line);
  return 0;
};

const progressOf = ({ progress: { done, counts: { sent = 0 } = {} }, state }: Job): string =>
  `${done} customers looked at, ${sent} would have been sent  ${state}`;

/** What a trigger would have sent, for a terminal: totals, why not, channels, days as bars, and the first of them. */
const backtestLines = (result: BacktestResult): string[] => {
  const { trigger, from, to, timeZone, sent, people, deferred, waiting, first } = result;
  return [
    `${sanitize(trigger)} from ${timeWords(from)} to ${timeWords(to)}: it would have sent ${amount(sent, 'message')} to ${amount(people, 'customer')}.`,
    `${amount(result.matched, 'interaction')} of ${amount(result.matchedCustomers, 'customer')} set it off, of ${amount(result.customers, 'customer')} that were looked at.`,
    ...byCount(result.suppressed).map(([reason, count]) => `Held back, ${sanitize(reason)}: ${count}`),
    ...(deferred > 0 ? [`Deferred by quiet hours: ${deferred}`] : []),
    ...(waiting > 0 ? [`Waiting still: ${waiting}`] : []),
    ...byCount(result.channels).map(([channel, count]) => `By ${sanitize(channel)}: ${count}`),
    ...chartLines(result.days, timeZone),
    ...(first.length === 0 ? [] : ['', `The first ${first.length}:`]),
    ...first.map(
      ({ at, customer, name, sentence }) =>
        `${timeWords(at)}  ${sanitize(name ?? customer)}  ${sanitize(sentence)}`,
    ),
    ...['', 'What the history cannot say:', ...result.unknown.map((one) => `- ${sanitize(one)}`)],
  ];
};

const amount = (count: number, of: string): string => `${count} ${of}${count === 1 ? '' : 's'}`;

const byCount = (counts: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(counts).sort(([one, few], [other, many]) => many - few || (one < other ? -1 : 1));

const BAR_WIDTH = 40;

/** One line a day, from the first on which anything was decided to the last; a bar for what would have been sent. */
const chartLines = (days: BacktestResult['days'], timeZone: string): string[] => {
  const all = Object.keys(days).sort();
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined) return [];
  const most = Math.max(1, ...Object.values(days).map(({ sent }) => sent));
  const lines = ['', `Days in ${timeZone}:`, `${' '.repeat(10)}    sent  held back`];
  for (let day = first; day <= last; day = shiftDay(day, 1)) {
    const { sent, suppressed } = days[day] ?? { sent: 0, suppressed: 0 };
    const bar = '█'.repeat(Math.ceil((sent / most) * BAR_WIDTH));
    lines.push(`${day}  ${String(sent).padStart(6)}  ${String(suppressed).padStart(9)}  ${bar}`.trimEnd());
  }
  return lines;
};
