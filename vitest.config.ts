import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The scenarios take longest: were they last, one worker would stand idle. */
class ScenariosFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isScenarios = ({ moduleId }: TestSpecification): boolean => moduleId.includes('/tests/scenarios/');
    const sorted = await super.sort(files);
    return [...sorted.filter(isScenarios), ...sorted.filter((file) => !isScenarios(file))];
  }
}

/** Tests that open the synthesised hub; `pure` tests need no synthesis and start at once. */
const HUB = ['tests/hub/**/*.test.ts', 'tests/scenarios/**/*.test.ts', 'tests/stack/**/*.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: ScenariosFirst },
    silent: 'passed-only',
    projects: [
      { extends: true, test: { name: 'pure', include: ['tests/**/*.test.ts'], exclude: HUB } },
      {
        extends: true,
        test: { name: 'hub', include: HUB, globalSetup: ['tests/support/synthesise.ts'] },
      },
    ],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'threads',
  },
});
