import type { Step, Trigger } from '../trigger.ts';
import { allSteps, waysOf } from './nesting.ts';

/** A step of a series with its name, and where it stands. */
export interface Stop {
  readonly name: string;
  readonly step: Step;
  /** The name of the step behind it; undefined at the end of the series. Ways that part lead on behind their step. */
  readonly next: string | undefined;
  /** Its position in each list of steps around it, from the outermost on. */
  readonly depth: readonly number[];
}

/** The steps of a series, by name, in the order of the file. */
export type Series = ReadonlyMap<string, Stop>;

const known = new WeakMap<readonly Step[], Series>();

/** Of a trigger with `steps`; empty for others. */
export const seriesOf = ({ steps = [] }: Pick<Trigger, 'steps'>): Series => {
  const present = known.get(steps);
  if (present) return present;
  const names = namesOf(steps);
  const stops = new Map<string, Stop>();
  const add = (list: readonly Step[], behind: string | undefined, above: readonly number[]): void => {
    for (const [position, step] of list.entries()) {
      const name = names.get(step) ?? '';
      const next = nameOf(names, list[position + 1]) ?? behind;
      const depth = [...above, position];
      stops.set(name, { name, step, next, depth });
      for (const way of waysOf(step)) add(way, next, depth);
    }
  };
  add(steps, undefined, []);
  known.set(steps, stops);
  return stops;
};

const nameOf = (names: ReadonlyMap<Step, string>, step: Step | undefined): string | undefined =>
  step && names.get(step);

/** The `id` of each step, else its template, else what it does; `-2` and so on where that is another step's name already. */
const namesOf = (steps: readonly Step[]): ReadonlyMap<Step, string> => {
  const all = allSteps(steps);
  const taken = new Set(all.flatMap(({ id }) => id ?? []));
  const names = new Map<Step, string>();
  for (const step of all) names.set(step, step.id ?? freeName(derivedName(step), taken));
  return names;
};

const derivedName = ({ send, ...step }: Step): string =>
  send?.template ??
  (['branch', 'split', 'await', 'until', 'wait'] as const).find((key) => step[key] !== undefined) ??
  'step';

const freeName = (name: string, taken: Set<string>): string => {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}-${count}`;
  taken.add(free);
  return free;
};

/** The name of the first step of a way of a branch or split; of the step behind it where the way is empty. */
export const beginOf = (
  series: Series,
  { next }: Stop,
  way: readonly Step[] | undefined,
): string | undefined => {
  const [first] = way ?? [];
  return first === undefined ? next : [...series.values()].find(({ step }) => step === first)?.name;
};

/** What a trigger sends, or a series in all its steps. */
export const sendsOf = ({
  send,
  steps = [],
}: Pick<Trigger, 'send' | 'steps'>): NonNullable<Trigger['send']>[] =>
  send === undefined ? allSteps(steps).flatMap((step) => step.send ?? []) : [send];

/** Below zero where the first step is further in its series than the other: by the outermost list in which they differ. */
export const byProgress = (one: Stop | undefined, other: Stop | undefined): number => {
  const [first, second] = [one?.depth ?? [], other?.depth ?? []];
  for (let level = 0; level < Math.max(first.length, second.length); level++) {
    const difference = (second[level] ?? -1) - (first[level] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
};
