import { expect, it } from 'vitest';
import { VirtualClock } from '../../core/clock.ts';

/** A clock with a job every five seconds. Returns when it ran. */
const withRecurring = (options?: { readonly runsRecurring: boolean }) => {
  const clock = new VirtualClock(0, options);
  const ran: number[] = [];
  const arm = (): void => {
    clock.at(
      clock.now() + 5,
      () => {
        ran.push(clock.now());
        arm();
      },
      true,
    );
  };
  arm();
  return { clock, ran };
};

it('jobs that recur run with the time, and do not keep a clock from being idle', async () => {
  const { clock, ran } = withRecurring();
  clock.at(12, () => {});
  await clock.runUntilIdle(1000);
  expect([ran, clock.now()]).toEqual([[5, 10], 12]);
  await clock.runUntil(20);
  expect(ran).toEqual([5, 10, 15, 20]);
});

it('a clock without them passes weeks at once', async () => {
  const { clock, ran } = withRecurring({ runsRecurring: false });
  await clock.runUntil(1_000_000_000);
  expect(ran).toEqual([]);
});
