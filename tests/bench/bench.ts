import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../infra/bundle.ts';
import { benchChannels } from './channels.ts';
import { benchLoad } from './load.ts';
import { benchMapping } from './mapping.ts';
import { benchPattern } from './pattern.ts';
import { benchRecord } from './record.ts';

/** Milliseconds that loading a bundle takes above an empty module, the best of a few. */
const importTime = (file: string, empty: string): number => {
  const run = (path: string): number => {
    const times = Array.from({ length: 5 }, () => {
      const source = `const t = process.hrtime.bigint(); require(${JSON.stringify(path)}); console.log(Number(process.hrtime.bigint() - t) / 1e6)`;
      return Number(
        spawnSync(process.execPath, ['-e', source], {
          encoding: 'utf8',
          env: { ...process.env, AWS_REGION: 'eu-south-1' },
        }).stdout,
      );
    });
    return Math.min(...times);
  };
  return run(file) - run(empty);
};

const line = (name: string, value: string): void => console.log(`  ${name.padEnd(44)}${value.padStart(14)}`);

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
try {
  const empty = join(folder, 'empty.cjs');
  writeFileSync(empty, '');
  console.log('Bundles: minified size, import time above an empty module');
  for (const [name, bytes] of Object.entries(await bundle(folder))) {
    line(
      name,
      `${(bytes / 1024).toFixed(0)} KB ${importTime(join(folder, name, 'index.cjs'), empty)
        .toFixed(0)
        .padStart(4)} ms`,
    );
  }
  console.log('DynamoDB requests and write units per interaction, counted');
  for (const { name, requests, writeUnits } of await benchRecord())
    line(name, `${requests.toFixed(1)} ${writeUnits.toFixed(1).padStart(6)} WU`);
  console.log('Microseconds per delivery: verify, normalise, JSON.parse of the same body');
  for (const { provider, verify, normalise, parse } of await benchChannels())
    line(
      provider,
      [verify, normalise, parse]
        .map((one) => (one === undefined ? '-' : one.toFixed(1)).padStart(8))
        .join(''),
    );
  console.log('Ratios within one run');
  line('event patterns: 10,000 rules / 10 rules', benchPattern().toFixed(2));
  line('mapping of 20 fields / hand-written', benchMapping().toFixed(2));
} finally {
  rmSync(folder, { recursive: true });
}

console.log('The hub on this machine: a thousand messages of a hundred people');
const load = await benchLoad();
line('start to ready', `${load.ready.toFixed(1)} s`);
line('interactions end to end', `${load.perSecond.toFixed(0)}/s`);
line('AWS requests per interaction', load.requests.toFixed(1));
for (const [crm, calls] of Object.entries(load.crmCalls)) line(`calls to ${crm}`, String(calls));
