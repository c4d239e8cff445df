import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import type { VirtualClock } from '../../../core/clock.ts';
import type { Decision } from '../../../infra/local/iam/index.ts';
import { actionMatches } from '../../../infra/local/iam/match.ts';
import { sentenceOf } from '../../../infra/local/iam/refusal.ts';
import { runScenarioFile } from '../../../infra/scenario/run.ts';
import type { Assembly, Template } from '../../../infra/stack/assembly.ts';
import { root } from '../../../infra/stack/bundle.ts';
import { runFullDay } from './day/run.ts';
import type { TrialObserver } from './observer.ts';
import type { Removal } from './removals.ts';

/** Something that a hub does and that fails without the permissions it needs. */
export interface Trial {
  readonly name: string;
  /** Resolves to what went wrong, or undefined. */
  run(assembly: Assembly, observer: TrialObserver): Promise<string | undefined>;
}

const fullDay: Trial = {
  name: 'full day',
  async run(assembly, observer) {
    await runFullDay(assembly, observer);
    return undefined;
  },
};

const scenarioTrial = (file: string): Trial => ({
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

/** The full day, then every scenario of `tests/scenarios` but those that choose their CRMs, and so their template. */
export const trials = (folder = join(root, 'tests', 'scenarios')): Trial[] => [
  fullDay,
  ...readdirSync(folder)
    .filter((name) => name.endsWith('.yaml') && !choosesCrms(join(folder, name)))
    .sort()
    .map((name) => scenarioTrial(join(folder, name))),
];

const choosesCrms = (file: string): boolean =>
  z
    .object({ hub: z.object({ crms: z.unknown().optional() }).optional() })
    .parse(parse(readFileSync(file, 'utf8'))).hub?.crms !== undefined;

/** What a hub with ServiceNow does besides. */
export const servicenowTrials: readonly Trial[] = [{ ...fullDay, name: 'full day with ServiceNow' }];

/** The result of a trial. */
interface TrialResult {
  /** What went wrong first; undefined where everything went right. */
  readonly error: string | undefined;
  readonly decisions: readonly Decision[];
  readonly durationMs: number;
}

/** Runs a trial on a template. A refused call is an error even where the trial ends well. */
const runTrial = async (trial: Trial, assembly: Assembly, template: Template): Promise<TrialResult> => {
  const decisions: Decision[] = [];
  let clock: VirtualClock | undefined;
  const onDecision = (decision: Decision): void => {
    decisions.push(decision);
    const { refusal } = decision;
    if (refusal === undefined || clock === undefined) return;
    // A job of the clock that throws ends the trial at once.
    clock.at(clock.now(), () => {
      throw new Error(sentenceOf(refusal));
    });
  };
  const startedAt = performance.now();
  const thrown = await trial
    .run(
      { ...assembly, template },
      {
        onDecision,
        onClock: (started) => {
          clock = started;
        },
      },
    )
    .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  const refusal = decisions.find((decision) => decision.refusal !== undefined)?.refusal;
  const message = refusal === undefined ? thrown : sentenceOf(refusal);
  const error = message === undefined ? undefined : `${trial.name}: ${message}`;
  return { error, decisions, durationMs: performance.now() - startedAt };
};

/** Runs every trial on the whole template, which shows the permissions that each one uses. */
export const runTrials = async (
  all: readonly Trial[],
  assembly: Assembly,
): Promise<Map<Trial, TrialResult>> => {
  const results = new Map<Trial, TrialResult>();
  for (const trial of all) results.set(trial, await runTrial(trial, assembly, assembly.template));
  return results;
};

/** The fastest trial for each permission: any trial that uses it fails without it. */
export const fastestTrials = (results: ReadonlyMap<Trial, TrialResult>): Map<Trial, TrialResult> => {
  const fastest = new Map<string, [Trial, TrialResult]>();
  for (const [trial, result] of results)
    for (const { allowedBy, request } of result.decisions)
      for (const statement of allowedBy) {
        const permission = `${statement} ${request.action}`;
        const known = fastest.get(permission);
        if (known === undefined || result.durationMs < known[1].durationMs)
          fastest.set(permission, [trial, result]);
      }
  return new Map(fastest.values());
};

/** The error that a removal causes in the first trial that fails; undefined where no trial needs the permission. */
export const errorWithout = async (
  { place, actions, kind, template }: Removal,
  assembly: Assembly,
  results: ReadonlyMap<Trial, TrialResult>,
): Promise<string | undefined> => {
  const usesPermission = ({ decisions }: TrialResult): boolean =>
    kind === 'trust' ||
    decisions.some(
      ({ allowedBy, request }) =>
        allowedBy.includes(place) && actions.some((one) => actionMatches(one, request.action)),
    );
  const likely = [...results]
    .filter(([, result]) => usesPermission(result))
    .sort(([, one], [, other]) => one.durationMs - other.durationMs);
  for (const [trial] of likely) {
    const { error } = await runTrial(trial, assembly, template);
    if (error !== undefined) return error;
  }
  return undefined;
};
