import { beforeAll, expect, it } from 'vitest';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';
import { type Call, type Ending, hasEffect, tell } from './story.ts';

let synthesised: Assembly;
let clean: Ending;
beforeAll(async () => {
  synthesised = await assembly();
  clean = await tell(synthesised);
});

it('tells the whole story when nothing ends', () => {
  expect(clean.broken).toEqual([]);
  expect(clean.sent).toEqual({ hello: 1, followup: 2, offer: 1 });
});

// Every function counts its own calls, so one telling ends each function's process once; CRASH=calls ends one process a
// telling, at every call, reads among them.
it.each(['before', 'after'] as const)(
  'keeps every promise wherever a process ends %s the effect of an AWS call, from webhook to recorded send',
  async (when) => {
    const alone = process.env['CRASH'] === 'calls';
    const byCaller = Object.values(
      Object.groupBy(
        clean.calls.filter((call) => alone || hasEffect(call)),
        ({ caller }) => caller,
      ),
    ).flatMap((calls) => (calls ? [calls] : []));
    const rounds: Call[][] = alone
      ? byCaller.flat().map((call) => [call])
      : Array.from({ length: Math.max(...byCaller.map(({ length }) => length)) }, (_, round) =>
          byCaller.flatMap((calls) => calls[round] ?? []),
        );
    const broken: string[] = [];
    for (const round of rounds) {
      const ending = await tell(
        synthesised,
        round.map((call) => ({ ...call, when })),
      );
      const where = round.map(({ caller, number, operation }) => `${caller} ${number} ${operation}`);
      broken.push(...ending.broken.map((one) => `${one}, when ${when} ${where.join(', ')}`));
      if (ending.sent['offer'] !== 1 && ending.sent['offer'] !== undefined)
        broken.push(`marketing was sent ${ending.sent['offer']} times`);
    }
    expect(rounds.length).toBeGreaterThanOrEqual(15);
    expect(broken).toEqual([]);
  },
  600_000,
);
