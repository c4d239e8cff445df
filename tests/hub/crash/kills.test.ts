import { expect, it } from 'vitest';
import { runKills } from '../../tools/crash/kills.ts';

it('keeps every invariant when the hub is killed three times under load', async () => {
  const { broken } = await runKills({
    ...{ kills: 3, seed: 4, rate: 20, people: 10, longestLifeMs: 1000, hasFaults: false },
    report: () => {},
  });
  expect(broken).toEqual([]);
}, 180_000);
