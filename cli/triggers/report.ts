import type { Report } from '../client/triggers/triggers.ts';
import { sanitize } from '../terminal/sanitize.ts';

type Reached = Report['goal']['sent'];
type Interval = NonNullable<Reached['rate']>;

const columns = ['matched', 'sent', 'delivered', 'opened', 'clicked', 'failed'] as const;
const WIDTH = 10;

/** What a trigger achieved, for a terminal: totals, why nothing was sent, the goal against the holdout, variants and days. */
export const reportLines = (report: Report): string[] => {
  const { trigger, from, to, timeZone, waiting, suppressed, goal, variants, days } = report;
  const first = Math.max(12, ...variants.map(({ template }) => template.length));
  const row = (name: string, cells: readonly (string | number)[]): string =>
    [sanitize(name).padEnd(first), ...cells.map((cell) => String(cell).padStart(WIDTH))].join('');
  const figures = (one: Readonly<Record<(typeof columns)[number], number>>): number[] =>
    columns.map((column) => one[column]);
  return [
    `${trigger} from ${from} to ${to} (${timeZone}); days are those on which a message was sent or withheld.`,
    row('', columns),
    row('total', figures(report)),
    ...(variants.length > 1 ? variants.map((one) => row(one.template, figures(one))) : []),
    ...days.map((one) => row(one.day, figures(one))),
    ...(waiting > 0 ? [`Waiting now: ${waiting}`] : []),
    ...Object.entries(suppressed).map(([reason, count]) => `Suppressed, ${sanitize(reason)}: ${count}`),
    ...goalLines(goal),
    ...(variants.length > 1
      ? variants.flatMap(({ template, goal: own }) =>
          own.rate ? [`Goal of ${sanitize(template)}: ${reachedText(own)}`] : [],
        )
      : []),
  ];
};

const goalLines = ({ sent, holdout, difference }: Report['goal']): string[] => [
  ...(sent.rate ? [`Goal after the message: ${reachedText(sent)}`] : []),
  ...(holdout.rate ? [`Goal in the holdout: ${reachedText(holdout)}`] : []),
  ...(difference
    ? [
        `Difference: ${points(difference.estimate)} points (95 %: ${points(difference.low)} to ${points(difference.high)}), ${verdict(difference)}.`,
      ]
    : []),
];

const reachedText = ({ checked, reached, rate }: Reached): string =>
  rate === undefined
    ? 'none is over yet'
    : `${reached} of ${checked}, ${percent(rate.estimate)} (95 %: ${percent(rate.low)} to ${percent(rate.high)})`;

const verdict = ({ low, high }: Interval): string =>
  low > 0 ? 'more than chance' : high < 0 ? 'fewer than without it' : 'which may be chance';

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const points = (share: number): string => `${share > 0 ? '+' : ''}${(share * 100).toFixed(1)}`;
