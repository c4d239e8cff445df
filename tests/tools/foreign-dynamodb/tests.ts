import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from '../../../infra/stack/bundle.ts';
import { exclusions } from './exclusions.ts';
import type { Tally } from './stories.ts';

/** What opens a table or a hub whose DynamoDB can be another one. */
const OPENS_TABLE = /open-test-hub|open-test-table|trigger-table|deploy-template|in-process-hub|full-crm/u;

const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string().default(''),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

const testFiles = (): string[] =>
  ['tests/aws', 'tests/functions', 'tests/hub']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((name) => name.endsWith('.test.ts') && OPENS_TABLE.test(readFileSync(join(root, name), 'utf8')))
    .sort();

/** Runs the tests that reach the table over its protocol on the DynamoDB at a URL. */
export const runTests = (url: string): Tally => {
  const files = testFiles();
  const wanted = files.filter((name) => exclusions[name] === undefined);
  const folder = mkdtempSync(join(tmpdir(), 'tributary-foreign-'));
  const report = join(folder, 'report.json');
  try {
    spawnSync('npx', ['vitest', 'run', ...wanted, '--reporter=json', `--outputFile=${report}`], {
      cwd: root,
      env: { ...process.env, FOREIGN_DYNAMODB: url },
      stdio: 'ignore',
    });
    const { testResults } = Report.parse(JSON.parse(readFileSync(report, 'utf8')));
    const lines = files.flatMap((name) =>
      exclusions[name] === undefined ? [] : [`${name} is left out: ${exclusions[name]}`],
    );
    let [passed, total] = [0, 0];
    for (const { name, message, assertionResults } of testResults) {
      const file = name.slice(root.length).replace(/^\//u, '');
      if (assertionResults.length === 0) {
        total++;
        lines.push(`${file}: ${message}`);
      }
      for (const { fullName, status, failureMessages } of assertionResults) {
        const reason = exclusions[`${file} ${fullName}`];
        if (status === 'skipped' || status === 'pending') continue;
        if (reason !== undefined) {
          lines.push(`${file} "${fullName}" is left out: ${reason}`);
          continue;
        }
        total++;
        if (status === 'passed') passed++;
        else lines.push(`${file} "${fullName}": ${failureMessages[0]?.split('\n')[0] ?? status}`);
      }
    }
    return { passed, total, lines };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
