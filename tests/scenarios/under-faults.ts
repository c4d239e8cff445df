import { beforeAll, expect, it } from 'vitest';
import { runScenarioFile } from '../../infra/scenario/run.ts';
import { type Assembly, assembly } from '../../infra/stack/assembly.ts';
import { folder, scenarioFiles } from './scenario-files.ts';

/** A small random generator with a seed, so that a failure can be repeated. */
const seededRandom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

/** Runs one of two parts of the scenarios, so that two workers share them. */
export const runUnderFaults = (part: 0 | 1): void => {
  let synthesised: Assembly;
  beforeAll(async () => {
    synthesised = await assembly();
  });
  it.each(scenarioFiles.filter((_, position) => position % 2 === part))(
    '%s, with duplicate and reordered messages and transaction conflicts',
    async (file) => {
      const random = seededRandom(7);
      const { lines } = await runScenarioFile(`${folder}${file}`, {
        assembly: synthesised,
        random,
        chaos: { duplicate: 0.2, reorder: true, conflict: 0.1, unread: 0.1 },
      });
      expect(lines).toEqual([]);
    },
  );
};
