import { seeded } from '../../../infra/local/dynamodb/comparison/random-operations.ts';
import { runScenarioFile } from '../../../infra/scenario/run.ts';
import { assembly } from '../../../infra/stack/assembly.ts';
import { folder, scenarioFiles } from '../../scenarios/scenario-files.ts';

/** What was run: `lines` are differences and what was left out, for people. */
export interface Tally {
  readonly passed: number;
  readonly total: number;
  readonly lines: readonly string[];
}

/** Runs the scenarios, in an order of the seed; begins none after `until`, in epoch milliseconds. */
export const runStories = async ({
  until = Number.POSITIVE_INFINITY,
  seed,
}: {
  readonly until?: number | undefined;
  readonly seed: number;
}): Promise<Tally> => {
  const random = seeded(seed);
  const files = scenarioFiles
    .map((file) => ({ file, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ file }) => file);
  const synthesised = await assembly();
  const lines: string[] = [];
  let [passed, total] = [0, 0];
  for (const file of files) {
    if (Date.now() >= until) break;
    total++;
    const found = await runScenarioFile(`${folder}${file}`, { assembly: synthesised }).then(
      (result) => result.lines,
      (error: unknown) => [String(error)],
    );
    if (found.length === 0) passed++;
    for (const line of found) lines.push(`${file}: ${line}`);
  }
  if (total < files.length) lines.push(`${files.length - total} scenarios were not begun: the time was up.`);
  return { passed, total, lines };
};
