import { beforeAll, expect, it } from 'vitest';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';
import { type Call, hasEffect, type RunResult, runWithEnds } from './run.ts';

let synthesised: Assembly;
let undisturbed: RunResult;
beforeAll(async () => {
  synthesised = await assembly();
  undisturbed = await runWithEnds(synthesised);
});

it('keeps every invariant and sends every message when no process ends', () => {
  expect(undisturbed.broken).toEqual([]);
  expect(undisturbed.sent).toEqual({ hello: 1, followup: 2, offer: 1 });
});

// Every function counts its own calls, so one run ends the process of each function once. CRASH=calls ends one process
// per run, at every call, reads included.
it.each(['before', 'after'] as const)(
  'keeps every invariant when a process ends %s the effect of an AWS call, from webhook to recorded send',
  async (when) => {
    const single = process.env['CRASH'] === 'calls';
    const byCaller = Object.values(
      Object.groupBy(
        undisturbed.calls.filter((call) => single || hasEffect(call)),
        ({ caller }) => caller,
      ),
    ).flatMap((calls) => (calls ? [calls] : []));
    const rounds: Call[][] = single
      ? byCaller.flat().map((call) => [call])
      : Array.from({ length: Math.max(...byCaller.map(({ length }) => length)) }, (_, round) =>
          byCaller.flatMap((calls) => calls[round] ?? []),
        );
    const broken: string[] = [];
    for (const round of rounds) {
      const result = await runWithEnds(
        synthesised,
        round.map((call) => ({ ...call, when })),
      );
      const where = round.map(({ caller, number, operation }) => `${caller} ${number} ${operation}`);
      broken.push(...result.broken.map((one) => `${one}, when ${when} ${where.join(', ')}`));
      if (result.sent['offer'] !== 1 && result.sent['offer'] !== undefined)
        broken.push(`marketing was sent ${result.sent['offer']} times`);
    }
    expect(rounds.length).toBeGreaterThanOrEqual(15);
    expect(broken).toEqual([]);
  },
  600_000,
);
