import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { VirtualClock } from '../../../core/clock.ts';
import type { Decision } from '../../../infra/local/iam/index.ts';
import { actionMatches } from '../../../infra/local/iam/match.ts';
import { sentenceOf } from '../../../infra/local/iam/refusal.ts';
import { runScenarioFile } from '../../../infra/scenario/run.ts';
import type { Assembly, Template } from '../../../infra/stack/assembly.ts';
import { root } from '../../../infra/stack/bundle.ts';
import { runFullDay } from './full-day.ts';
import type { Removal } from './removals.ts';

/** What a trial is watched with. */
export interface Watch {
  readonly onDecision: (decision: Decision) => void;
  /** Is handed the clock of the trial, by which it can be ended. */
  readonly onClock: (clock: VirtualClock) => void;
}

/** Something that a hub does, by which a missing permission shows. */
export interface Trial {
  readonly name: string;
  /** Resolves to how it went wrong, if it did. */
  run(assembly: Assembly, watch: Watch): Promise<string | undefined>;
}

const day: Trial = {
  name: 'a day of the hub',
  async run(assembly, watch) {
    await runFullDay(assembly, watch);
    return undefined;
  },
};

const story = (file: string): Trial => ({
  name: basename(file),
  async run(assembly, { onDecision, onClock }) {
    const { lines } = await runScenarioFile(file, {
      assembly,
      onDecision,
      crms: (_, clock) => onClock(clock),
    });
    return lines[0];
  },
});

/** The day, then every story under `tests/scenarios`. */
export const trials = (folder = join(root, 'tests', 'scenarios')): Trial[] => [
  day,
  ...readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => story(join(folder, name))),
];

/** What is seen of one trial: what broke, and which permissions it rested on. */
interface Seen {
  readonly broke: string | undefined;
  readonly decisions: readonly Decision[];
  /** Milliseconds of this machine. */
  readonly took: number;
}

/** Runs a trial on a template. A refusal counts as broken, also where the story ends well all the same. */
const attempt = async (trial: Trial, assembly: Assembly, template: Template): Promise<Seen> => {
  const decisions: Decision[] = [];
  let clock: VirtualClock | undefined;
  const onDecision = (decision: Decision): void => {
    decisions.push(decision);
    const { refusal } = decision;
    if (refusal === undefined || clock === undefined) return;
    // Nothing that comes later matters: the clock fails with the refusal, which ends the trial.
    clock.at(clock.now(), () => {
      throw new Error(sentenceOf(refusal));
    });
  };
  const began = performance.now();
  const wrong = await trial
    .run(
      { ...assembly, template },
      {
        onDecision,
        onClock: (given) => {
          clock = given;
        },
      },
    )
    .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  const refusal = decisions.find((decision) => decision.refusal !== undefined)?.refusal;
  const told = refusal === undefined ? wrong : sentenceOf(refusal);
  const broke = told === undefined ? undefined : `${trial.name}: ${told}`;
  return { broke, decisions, took: performance.now() - began };
};

/** What the whole template does in each trial: a trial that rests on a statement is the likely one to miss it. */
export const rehearse = async (all: readonly Trial[], assembly: Assembly): Promise<Map<Trial, Seen>> => {
  const seen = new Map<Trial, Seen>();
  for (const trial of all) seen.set(trial, await attempt(trial, assembly, assembly.template));
  return seen;
};

/** Of what many trials rest on, the fastest is enough: whichever of them lacks it is refused. */
export const telling = (rehearsed: ReadonlyMap<Trial, Seen>): Map<Trial, Seen> => {
  const fastest = new Map<string, [Trial, Seen]>();
  for (const [trial, seen] of rehearsed)
    for (const { by, need } of seen.decisions)
      for (const place of by) {
        const rest = `${place} ${need.action}`;
        const known = fastest.get(rest);
        if (known === undefined || seen.took < known[1].took) fastest.set(rest, [trial, seen]);
      }
  return new Map(fastest.values());
};

/** How a removal shows, in the first trial in which it does; undefined where none misses it. */
export const missed = async (
  { place, actions, kind, template }: Removal,
  assembly: Assembly,
  rehearsed: ReadonlyMap<Trial, Seen>,
): Promise<string | undefined> => {
  const rests = ({ decisions }: Seen): boolean =>
    kind === 'trust' ||
    decisions.some(
      ({ by, need }) => by.includes(place) && actions.some((one) => actionMatches(one, need.action)),
    );
  const likely = [...rehearsed]
    .filter(([, seen]) => rests(seen))
    .sort(([, one], [, other]) => one.took - other.took);
  for (const [trial] of likely) {
    const { broke } = await attempt(trial, assembly, template);
    if (broke !== undefined) return broke;
  }
  return undefined;
};
