import { parseArgs } from 'node:util';
import * as z from 'zod';
import { call } from '../client/call.ts';

const usage = `hub figures [--days N] [--by channel|day]     the last N days, today included; default 7
hub figures --from DAY --to DAY [--by channel|day]

DAY is 2026-03-02, in the time zone of the hub. HUB_URL and HUB_KEY say which hub, and its API key.`;

const Times = z.looseObject({ count: z.number(), medianSeconds: z.number().optional() });
const View = z.looseObject({
  ...{ inbound: z.number(), outbound: z.number(), events: z.number() },
  notifications: z.object({ sent: z.number(), failed: z.number(), suppressed: z.number() }),
  ...{ bounced: z.number(), complained: z.number(), undelivered: z.number(), failureShare: z.number() },
  ...{ response: Times, firstResponse: Times },
});
const Answer = z.object({
  ...{ from: z.string(), to: z.string(), timeZone: z.string() },
  items: z.array(View.extend({ day: z.string(), channel: z.string() })),
  channels: z.record(z.string(), View),
  total: View,
});
type Answer = z.infer<typeof Answer>;

const options = {
  days: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  by: { type: 'string', default: 'channel' },
} as const;

/** `hub figures …` against a running hub. */
export const figuresCommand = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const { by, ...asked } = values;
  if (positionals.length > 0 || !['channel', 'day'].includes(by)) {
    console.error(usage);
    return 2;
  }
  const query = new URLSearchParams(
    Object.entries(asked).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const answer = Answer.parse(await call('GET', `/figures?${query}`));
  for (const line of figuresTable(answer, by === 'day')) console.log(line);
  return 0;
};

const COLUMNS = [
  ...['in', 'out', 'events', 'sent', 'held back', 'failed', 'bounced', 'spam'],
  ...['failures', 'first answer', 'answers'],
] as const;

/** A row for each channel, or for each day and channel, and one for all. */
export const figuresTable = (answer: Answer, byDay: boolean): string[] => {
  const named: (readonly [string, z.infer<typeof View>])[] = byDay
    ? answer.items.map((item) => [`${item.day}  ${item.channel}`, item])
    : Object.entries(answer.channels);
  const rows = [...named, ['in all', answer.total] as const].map(([name, view]) => [name, ...cellsOf(view)]);
  const table = [['', ...COLUMNS], ...rows];
  const widths = COLUMNS.map((_, at) => Math.max(...table.map((row) => (row[at + 1] ?? '').length)));
  const first = Math.max(...table.map(([name = '']) => name.length));
  return [
    `From ${answer.from} to ${answer.to}, ${answer.timeZone}; times are medians.`,
    '',
    ...table.map(([name = '', ...cells]) =>
      [name.padEnd(first), ...cells.map((cell, at) => cell.padStart(widths[at] ?? 0))].join('  '),
    ),
  ];
};

const cellsOf = (view: z.infer<typeof View>): string[] => [
  ...[view.inbound, view.outbound, view.events, view.notifications.sent, view.notifications.suppressed].map(
    String,
  ),
  ...[view.notifications.failed + view.undelivered, view.bounced, view.complained].map(String),
  `${(view.failureShare * 100).toFixed(1)} %`,
  ...[view.firstResponse, view.response].map(({ medianSeconds }) => spanOf(medianSeconds)),
];

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** In the largest unit that is not below one, as people say it. */
export const spanOf = (seconds: number | undefined): string => {
  if (seconds === undefined) return '–';
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? ['s', 1];
  const amount = seconds / size;
  return `${amount < 10 && !Number.isInteger(amount) ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
};
