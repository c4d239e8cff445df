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

const Measurement = z.object({
  done: z.number(),
  refused: z.number(),
  perSecond: z.number(),
  peakMegabytes: z.number(),
});

/** Limits of V8's heap in megabytes. Without them the peak shows how seldom V8 collects garbage. */
const HEAP = 64;
const YOUNG_GENERATION = 8;

/** Imports `rows` rows in a process of its own. */
const measureImport = (rows: number): z.infer<typeof Measurement> => {
  const script = join(root, 'tests', 'tools', 'bench', 'import-process.ts');
  const limits = [`--max-old-space-size=${HEAP}`, `--max-semi-space-size=${YOUNG_GENERATION}`];
  const answer = execFileSync(process.execPath, [...limits, script, String(rows)], { encoding: 'utf8' });
  const measurement = Measurement.parse(JSON.parse(answer));
  const read = measurement.done + measurement.refused;
  if (read !== rows) throw new Error(`The import has read ${read} of ${rows} rows.`);
  return measurement;
};

/** Imported rows per second, from the API to the last event on the bus, with the local AWS on the same core. */
const measureRecording = async (): Promise<number> => {
  const { error, info, log } = console;
  Object.assign(console, { error: () => {}, info: () => {}, log: () => {} });
  const hub = await openTestHub();
  try {
    const rows = Array.from(
      { length: RECORDED },
      (_, n) => `p${n}@example.com,+3906${10_000_000 + n},P ${n},granted`,
    );
    const startedAt = performance.now();
    const { state, progress } = await importFile(
      hub,
      'customers',
      `email,phone,name,consent.email\n${rows.join('\n')}\n`,
    );
    if (state !== 'succeeded' || progress.done !== RECORDED) throw new Error(`The import ended as ${state}.`);
    return RECORDED / ((performance.now() - startedAt) / 1000);
  } finally {
    await hub.stop();
    Object.assign(console, { error, info, log });
  }
};

/** The speed and the memory of an import, which must not depend on the length of the file. `million` takes a million rows. */
export const benchImport = async (million: boolean): Promise<Measured[]> => {
  const large = million ? LARGE.whole : LARGE.short;
  const few = measureImport(SMALL);
  const many = measureImport(large);
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
      ...{ measured: await measureRecording(), unit: '/s', timed: true },
    },
  ];
};
