import { allSteps, type Nesting } from './nesting.ts';

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

/** What stands beside `steps` and may not, and the reverse; and steps that cannot have a name of their own. */
export const seriesFaults = (trigger: SeriesKeys): Fault[] => {
  const { steps } = trigger;
  if (steps === undefined)
    return [
      ...(trigger.send === undefined ? [{ path: ['send'], message: 'expected send, or steps' }] : []),
      ...(['exit', 'holdout'] as const)
        .filter((key) => trigger[key] !== undefined)
        .map((key) => ({ path: [key], message: `${key} stands beside steps${INSTEAD[key]}` })),
    ];
  return [
    ...(['send', 'wait', 'until', 'unless'] as const)
      .filter((key) => trigger[key] !== undefined)
      .map((key) => ({ path: [key], message: `${key} may not stand beside steps${INSTEAD[key]}` })),
    ...nameFaults(steps),
  ];
};

/** The keys of a trigger that depend on each other. */
interface SeriesKeys {
  readonly steps?: readonly NamedStep[] | undefined;
  readonly send?: unknown;
  readonly wait?: unknown;
  readonly until?: unknown;
  readonly unless?: unknown;
  readonly exit?: unknown;
  readonly holdout?: unknown;
}

interface NamedStep extends Nesting<NamedStep> {
  readonly id?: string | undefined;
  readonly send?: { readonly template: string } | undefined;
}

const INSTEAD: Readonly<Record<string, string>> = {
  send: '; write it as a step',
  wait: '; write it as a step',
  until: '; write it as a step',
  unless: '; write exit',
  exit: '; write unless',
  holdout: '; write it inside send',
};

/** What a public id of a notification may consist of. */
const NAME = /^[A-Za-z0-9_-]{1,60}$/u;

const nameFaults = (steps: readonly NamedStep[]): Fault[] => {
  const seen = new Set<string>();
  return allSteps(steps).flatMap(({ id, send }): Fault[] => {
    if (id === undefined)
      return send === undefined || NAME.test(send.template)
        ? []
        : [{ path: ['steps'], message: `expected an id of the step with the template ${send.template}` }];
    if (seen.has(id)) return [{ path: ['steps'], message: `two steps have the id ${id}` }];
    seen.add(id);
    return [];
  });
};
