import { parseArgs } from 'node:util';
import { hubOfEnvironment } from '../client/environment.ts';
import { type FigureSet, type Figures, getFigures } from '../client/figures.ts';
import { CONNECTION_HELP } from '../command.ts';
import { formatSeconds } from '../terminal/duration.ts';

export const usage = `Usage: hub figures [--days N | --from DAY --to DAY] [--by channel|day]

Shows message counts, failure rates and response times for each channel.

  --days N              the last N days, today included (default 7)
  --from DAY --to DAY   these days, such as 2026-03-02, in the time zone of the hub
  --by day              a row for each day and channel

${CONNECTION_HELP}`;

const options = {
  days: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  by: { type: 'string', default: 'channel' },
} as const;

/** `hub figures …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const { by, days, from, to } = values;
  if (positionals.length > 0 || !['channel', 'day'].includes(by)) {
    console.error(usage);
    return 2;
  }
  const figures = await getFigures(hubOfEnvironment(), { days, from, to });
  for (const line of figuresTable(figures, by === 'day')) console.log(line);
  return 0;
};

const COLUMNS = [
  ...['in', 'out', 'events', 'sent', 'suppressed', 'failed', 'bounced', 'spam'],
  ...['failure rate', 'first response', 'response'],
] as const;

/** A row for each channel, or for each day and channel, and the total. */
export const figuresTable = (figures: Figures, byDay: boolean): string[] => {
  const named: (readonly [string, FigureSet])[] = byDay
    ? figures.items.map((item) => [`${item.day}  ${item.channel}`, item])
    : Object.entries(figures.channels);
  const rows = [...named, ['total', figures.total] as const].map(([name, set]) => [name, ...cellsOf(set)]);
  const table = [['', ...COLUMNS], ...rows];
  const widths = COLUMNS.map((_, at) => Math.max(...table.map((row) => (row[at + 1] ?? '').length)));
  const first = Math.max(...table.map(([name = '']) => name.length));
  return [
    `From ${figures.from} to ${figures.to}, ${figures.timeZone}. Response times are medians.`,
    '',
    ...table.map(([name = '', ...cells]) =>
      [name.padEnd(first), ...cells.map((cell, at) => cell.padStart(widths[at] ?? 0))].join('  '),
    ),
  ];
};

const cellsOf = (set: FigureSet): string[] => [
  ...[set.inbound, set.outbound, set.events, set.notifications.sent, set.notifications.suppressed].map(
    String,
  ),
  ...[set.notifications.failed + set.undelivered, set.bounced, set.complained].map(String),
  `${(set.failureShare * 100).toFixed(1)} %`,
  ...[set.firstResponse, set.response].map(({ medianSeconds }) => formatSeconds(medianSeconds)),
];
