import { expect, it } from 'vitest';
import { killAndCheck } from '../../tools/crash/kills.ts';

it('keeps every promise of the whole hub, killed three times under load', async () => {
  const outcome = await killAndCheck({
    ...{ kills: 3, seed: 4, rate: 20, people: 10, longestLife: 1000 },
    tell: () => {},
  });
  expect(outcome.broken).toEqual([]);
}, 180_000);
