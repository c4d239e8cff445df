import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../../infra/stack/bundle.ts';
import { type Fault, misplacedFaults, readFaults } from './faults.ts';

const HELP = `npm run mutants -- [ID…]

Plants the faults of tests/tools/mutants/faults.yaml one at a time in a copy of this folder and runs the tests that must fail.
Exits with 1 if a fault survives, or if its text is not exactly once in its file.`;

const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', '.git', '.hub', 'cdk.out']);

/** Copies the tree to a temporary folder that shares this one's packages. */
const copyTree = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-mutants-'));
  cpSync(root, folder, {
    recursive: true,
    filter: (path) => relative(root, path) === '' || !LEFT_OUT.has(basename(path)),
  });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
};

const LONGEST_MS = 300_000;

type Outcome = 'caught' | 'SURVIVED';

const runTests = (folder: string, tests: readonly string[]): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', '--bail', '1', ...tests], {
      cwd: folder,
      stdio: 'ignore',
    });
    // A fault may make a test run for ever; that counts as caught.
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });

const plantFault = async (
  folder: string,
  { file, text, with: replacement, tests }: Fault,
): Promise<Outcome> => {
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(text, () => replacement),
  );
  try {
    // The test that is most likely to fail comes first.
    for (const test of tests) if (!(await runTests(folder, [test]))) return 'caught';
    return 'SURVIVED';
  } finally {
    writeFileSync(path, source);
  }
};

const main = async (wanted: readonly string[]): Promise<number> => {
  const all = readFaults();
  const misplaced = misplacedFaults(all);
  if (misplaced.length > 0) {
    for (const line of misplaced) console.error(line);
    return 1;
  }
  const faults = wanted.length === 0 ? all : all.filter(({ id }) => wanted.includes(id));
  const folder = copyTree();
  const outcomes: Outcome[] = [];
  try {
    const named = [...new Set(faults.flatMap(({ tests }) => tests))];
    if (!(await runTests(folder, named))) {
      console.error('The tests fail without any fault. Make them pass first.');
      return 1;
    }
    for (const fault of faults) {
      const began = performance.now();
      const outcome = await plantFault(folder, fault);
      outcomes.push(outcome);
      console.log(
        `${outcome.padEnd(9)}  ${fault.id.padEnd(34)} ${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${outcome === 'caught' ? '' : `${fault.file}: ${fault.why}`}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const caught = outcomes.filter((outcome) => outcome === 'caught').length;
  console.log(`\n${caught} caught, ${outcomes.length - caught} survived`);
  return caught === outcomes.length && caught > 0 ? 0 : 1;
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean' } },
});
if (values.help) console.log(HELP);
else process.exitCode = await main(positionals);
