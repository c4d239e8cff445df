import type { Runtime } from '../../contracts/runtime.ts';

/** Enough for tens of writers of one row: with jitter, two of them rarely meet again. */
const ATTEMPTS = 12;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;

/**
 * Reads, decides and writes until the write succeeds. `attempt` reads the rows anew and writes them on the condition that
 * they are unchanged; it resolves to false where they were changed in between. Between attempts it waits a random time,
 * twice as long each time (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter). Rejects with
 * what `attempt` throws, and after twelve attempts with `exhausted()`.
 */
export const updateOptimistically = async (
  runtime: Pick<Runtime, 'random' | 'sleep'>,
  attempt: () => Promise<boolean>,
  exhausted: () => Error,
): Promise<void> => {
  for (let attempts = 1; !(await attempt()); attempts++) {
    if (attempts === ATTEMPTS) throw exhausted();
    await pauseBeforeRetry(runtime, attempts);
  }
};

/** Waits before another attempt at rows that others change at the same time. `attempts`: how many there were, from 1. */
export const pauseBeforeRetry = async (
  { random, sleep = timer }: Pick<Runtime, 'random' | 'sleep'>,
  attempts: number,
): Promise<void> => sleep(random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1)));

const timer = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
