import { beforeAll, expect, it } from 'vitest';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';
import { type Call, hasEffect, type ProcessEnd, type RunResult, runWithEnds } from './run.ts';

let synthesised: Assembly;
let undisturbed: RunResult;
beforeAll(async () => {
  synthesised = await assembly();
  undisturbed = await runWithEnds(synthesised);
});

it('keeps every invariant and sends every message when no process ends', () => {
  expect(undisturbed.broken).toEqual([]);
  expect(undisturbed.sent).toEqual({
    ...{ hello: 1, followup: 2, offer: 1 },
    ...{ 'series one': 1, 'series two': 1, 'series four': 1, 'letters one': 1, 'letters two': 1 },
  });
});

/**
 * How many processes of each function end in one run, far apart: a message that meets all of them is not given up. CRASH=calls
 * ends one process of one function per run.
 */
const ENDS_PER_RUN = 4;
const SINGLE = process.env['CRASH'] === 'calls';

const marketing: ReadonlySet<string> = new Set(['offer', 'letters one', 'letters two']);

/** The runs, each with the calls at which processes end: before or after every effect, or at every call. */
const runsOf = (calls: readonly Call[]): readonly ProcessEnd[][] => {
  const ends = calls
    .filter((call) => SINGLE || hasEffect(call))
    .flatMap((call) => (['before', 'after'] as const).map((when) => ({ ...call, when })));
  if (SINGLE) return ends.map((end) => [end]);
  const byCaller = Object.values(Object.groupBy(ends, ({ caller }) => caller)).map((some = []) => some);
  const runs = Math.ceil(Math.max(...byCaller.map(({ length }) => length)) / ENDS_PER_RUN);
  return Array.from({ length: runs }, (_, run) =>
    byCaller.flatMap((some) => some.filter((__, at) => at % runs === run)),
  );
};

// Every function counts its own calls, so one run ends processes of each.
it('keeps every invariant when a process ends before or after the effect of an AWS call, from webhook to recorded send', async () => {
  const runs = runsOf(undisturbed.calls);
  const broken: string[] = [];
  for (const ends of runs) {
    const result = await runWithEnds(synthesised, ends);
    const where = ends.map(({ caller, number, when }) => `${when} ${caller} ${number}`);
    broken.push(...result.broken.map((one) => `${one}, when processes end ${where.join(', ')}`));
    for (const [name, expected] of Object.entries(undisturbed.sent)) {
      const { [name]: sent = 0 } = result.sent;
      if (marketing.has(name) ? sent > 1 : sent < expected)
        broken.push(`${name} was sent ${sent} times, when processes end ${where.join(', ')}`);
    }
  }
  expect(runs.length).toBeGreaterThanOrEqual(10);
  expect(broken).toEqual([]);
}, 600_000);
