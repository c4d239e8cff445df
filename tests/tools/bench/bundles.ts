import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../../infra/stack/bundle.ts';
import type { Measured } from './measured.ts';

const KB = 1024;
/** Minified, in KB; every function that is not named may have 650. */
const budgets: Readonly<Record<string, number>> = {
  receive: 100,
  record: 1024,
  api: 1024,
  'sync-salesforce': 1.4 * 1024,
  'sync-hubspot': 630,
  // The client of SES beside the senders of ten vendors.
  notify: 680,
};
const OTHERS = 650;

/** The largest that a function's bundle may be, in KB. */
export const budgetOf = (name: string): number => budgets[name] ?? OTHERS;

const RUNS = 7;

/** Milliseconds until a module is loaded in a fresh process, the best of a few. */
const loading = (file: string): number => {
  const source = `const t = process.hrtime.bigint(); require(${JSON.stringify(file)}); console.log(Number(process.hrtime.bigint() - t) / 1e6)`;
  const env = { ...process.env, AWS_REGION: 'eu-south-1' };
  const times = Array.from({ length: RUNS }, () =>
    Number(spawnSync(process.execPath, ['-e', source], { encoding: 'utf8', env }).stdout),
  );
  return Math.min(...times);
};

/** Size and loading time of what is deployed. */
export const benchBundles = async (): Promise<Measured[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  try {
    const empty = join(folder, 'empty.cjs');
    writeFileSync(empty, '');
    const nothing = loading(empty);
    const sizes = Object.entries(await bundle(folder));
    return sizes.flatMap(([name, bytes]): Measured[] => [
      {
        name: `bundle of ${name}, minified`,
        measured: bytes / KB,
        unit: 'KB',
        goal: { atMost: budgetOf(name) },
      },
      {
        name: `loading ${name}, above an empty module`,
        measured: Math.max(0, loading(join(folder, name, 'index.cjs')) - nothing),
        unit: 'ms',
        timed: true,
        ...(name === 'receive' && { goal: { atMost: 15 } }),
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
