import { differenceInterval, type Interval, shareInterval } from './interval.ts';

/** Counts by measure: each `Measure`, and `suppressed-<reason>` for each reason. */
export type TriggerAmounts = Readonly<Record<string, number>>;

/** What is counted of a trigger, by the day on which the message was sent or withheld. */
type Measure =
  | 'sent'
  | 'failed'
  /** Waits that began, and those of them that have ended. */
  | 'waits'
  | 'waited'
  /** Messages, each once: reported as delivered, opened or read, clicked. A later stage counts as the earlier ones too. */
  | 'delivered'
  | 'opened'
  | 'clicked'
  /** Goals whose window is over, and those that were reached, of messages and of the holdout. */
  | 'goalChecked'
  | 'goalReached'
  | 'holdoutChecked'
  | 'holdoutReached';

const SUPPRESSED = 'suppressed-';
export const suppressedMeasure = (reason: string): string => `${SUPPRESSED}${reason}`;

/** The figures of one day and template; the template is empty where none was chosen. */
export interface TriggerFigures {
  /** `yyyy-mm-dd` in the hub's time zone. */
  readonly day: string;
  readonly template: string;
  readonly amounts: TriggerAmounts;
}

interface Funnel {
  /** Events of the trigger that were decided: sent, suppressed or failed. */
  readonly matched: number;
  readonly sent: number;
  readonly delivered: number;
  readonly opened: number;
  readonly clicked: number;
  readonly failed: number;
  readonly suppressed: Readonly<Record<string, number>>;
}

interface Reached {
  readonly checked: number;
  readonly reached: number;
  /** With its 95 % interval (Wilson); absent where none was checked. */
  readonly rate?: Interval;
}

export interface TriggerReport extends Funnel {
  readonly goal: {
    readonly sent: Reached;
    readonly holdout: Reached;
    /** How much more often those who got the message reached the goal, with its 95 % interval (Newcombe). */
    readonly difference?: Interval;
  };
  readonly days: readonly ({ readonly day: string } & Funnel)[];
  /** By template. */
  readonly variants: readonly ({ readonly template: string; readonly goal: Reached } & Funnel)[];
}

/** The results of a trigger from its daily figures. */
export const triggerReport = (figures: readonly TriggerFigures[]): TriggerReport => {
  const total = sumOf(figures);
  const [sent, holdout] = [reachedOf(total, 'goal'), reachedOf(total, 'holdout')];
  const difference = differenceInterval(
    { count: sent.reached, total: sent.checked },
    { count: holdout.reached, total: holdout.checked },
  );
  const byDay = [...Map.groupBy(figures, ({ day }) => day)].sort(([one], [other]) => (one < other ? -1 : 1));
  const byTemplate = Map.groupBy(
    figures.filter(({ template }) => template !== ''),
    ({ template }) => template,
  );
  return {
    ...funnelOf(total),
    goal: { sent, holdout, ...(difference && { difference }) },
    days: byDay.map(([day, own]) => ({ day, ...funnelOf(sumOf(own)) })),
    variants: [...byTemplate]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([template, own]) => {
        const amounts = sumOf(own);
        return { template, ...funnelOf(amounts), goal: reachedOf(amounts, 'goal') };
      }),
  };
};

/** How many of a trigger wait now: what began to wait less what has ended, over all time. */
export const waitingOf = (figures: readonly TriggerFigures[]): number => {
  const amounts = sumOf(figures);
  return Math.max(0, of(amounts, 'waits') - of(amounts, 'waited'));
};

const of = (amounts: TriggerAmounts, measure: Measure): number => amounts[measure] ?? 0;

const sumOf = (figures: readonly TriggerFigures[]): TriggerAmounts => {
  const sum: Record<string, number> = {};
  for (const { amounts } of figures)
    for (const [measure, amount] of Object.entries(amounts)) sum[measure] = (sum[measure] ?? 0) + amount;
  return sum;
};

const funnelOf = (amounts: TriggerAmounts): Funnel => {
  const suppressed = Object.fromEntries(
    Object.entries(amounts)
      .filter(([measure]) => measure.startsWith(SUPPRESSED))
      .map(([measure, amount]) => [measure.slice(SUPPRESSED.length), amount] as const)
      .sort(([, one], [, other]) => other - one),
  );
  const [sent, failed] = [of(amounts, 'sent'), of(amounts, 'failed')];
  return {
    matched: sent + failed + Object.values(suppressed).reduce((sum, one) => sum + one, 0),
    ...{ sent, failed, suppressed },
    ...{
      delivered: of(amounts, 'delivered'),
      opened: of(amounts, 'opened'),
      clicked: of(amounts, 'clicked'),
    },
  };
};

const reachedOf = (amounts: TriggerAmounts, group: 'goal' | 'holdout'): Reached => {
  const [checked, reached] = [of(amounts, `${group}Checked`), of(amounts, `${group}Reached`)];
  const rate = shareInterval(reached, checked);
  return { checked, reached, ...(rate && { rate }) };
};
