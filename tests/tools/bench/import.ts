import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from '../../../infra/stack/bundle.ts';
import { importFile } from '../../hub/import/file.ts';
import { openTestHub } from '../../support/open-test-hub.ts';
import type { Measured } from './measured.ts';

const SMALL = 100_000;
const LARGE = { short: 200_000, whole: 1_000_000 } as const;
const RECORDED = 5000;

const Told = z.object({
  done: z.number(),
  refused: z.number(),
  perSecond: z.number(),
  peakMegabytes: z.number(),
});

/** Megabytes that objects may take, and young ones before they are looked through: what is measured is not V8's ease. */
const HEAP = 64;
const YOUNG = 8;

/** One import of so many rows in a process of its own. */
const imported = (rows: number): z.infer<typeof Told> => {
  const script = join(root, 'tests', 'tools', 'bench', 'import-process.ts');
  const limits = [`--max-old-space-size=${HEAP}`, `--max-semi-space-size=${YOUNG}`];
  const answer = execFileSync(process.execPath, [...limits, script, String(rows)], { encoding: 'utf8' });
  const told = Told.parse(JSON.parse(answer));
  if (told.done + told.refused !== rows)
    throw new Error(`Of ${rows} rows ${told.done + told.refused} were read.`);
  return told;
};

/** Rows of a list a second, from the API to the last event on the bus, with the services of AWS played on the same core. */
const recorded = async (): Promise<number> => {
  const { error, info, log } = console;
  Object.assign(console, { error: () => {}, info: () => {}, log: () => {} });
  const hub = await openTestHub();
  try {
    const rows = Array.from(
      { length: RECORDED },
      (_, n) => `p${n}@example.com,+3906${10_000_000 + n},P ${n},granted`,
    );
    const began = performance.now();
    const { state, progress } = await importFile(
      hub,
      'customers',
      `email,phone,name,consent.email\n${rows.join('\n')}\n`,
    );
    if (state !== 'succeeded' || progress.done !== RECORDED) throw new Error(`The import has ${state}.`);
    return RECORDED / ((performance.now() - began) / 1000);
  } finally {
    await hub.stop();
    Object.assign(console, { error, info, log });
  }
};

/** An import's speed and memory: the same however long the file is. `million`: a million rows, not two hundred thousand. */
export const benchImport = async (million: boolean): Promise<Measured[]> => {
  const large = million ? LARGE.whole : LARGE.short;
  const few = imported(SMALL);
  const many = imported(large);
  const thousands = (rows: number): string => rows.toLocaleString('en');
  return [
    {
      name: `rows of an import read, validated and packed, of ${thousands(large)}`,
      ...{ measured: many.perSecond, unit: '/s', timed: true },
    },
    {
      name: `most memory of an import of ${thousands(SMALL)} rows, with a heap of ${HEAP} MB`,
      ...{ measured: few.peakMegabytes, unit: 'MB', timed: true },
    },
    {
      name: `most memory of an import of ${thousands(large)} rows, relative to one of ${thousands(SMALL)}`,
      ...{ measured: many.peakMegabytes / few.peakMegabytes, unit: '×', goal: { atMost: 1.25 }, timed: true },
    },
    {
      name: `rows of an import recorded as customers, of ${thousands(RECORDED)}, with the local AWS on the same core`,
      ...{ measured: await recorded(), unit: '/s', timed: true },
    },
  ];
};
