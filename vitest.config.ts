import { defineConfig } from 'vitest/config';

/** Tests that open the synthesised hub; `pure` tests need no synthesis and start at once. */
const HUB = ['tests/hub/**/*.test.ts', 'tests/scenarios/**/*.test.ts', 'tests/stack/**/*.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: 2,
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
