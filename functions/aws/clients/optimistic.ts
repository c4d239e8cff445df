import { HubError } from '../../../core/errors.ts';
import type { Runtime } from '../../contracts/runtime.ts';

/** What waiting between attempts takes. */
export type Pausing = Pick<Runtime, 'random' | 'sleep'>;

/** Enough for tens of writers of one row: with jitter, two of them rarely meet again. */
const ATTEMPTS = 12;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;

/**
 * Repeats a conditional write until it succeeds. `attempt` reads the rows anew, writes them on the condition that they are
 * unchanged, and resolves to false where they were changed in between. Between attempts it waits a random time, twice as
 * long at most each time (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
 *
 * Rejects with what `attempt` throws and, after twelve attempts, with `exhausted()`: by default `HubError`
 * `write-conflict` (later), which names the `subject`, such as `The daily counters`.
 */
export const updateOptimistically = async (
  runtime: Pausing,
  subject: string,
  attempt: () => Promise<boolean>,
  exhausted: () => Error = () => writeConflict(subject),
): Promise<void> => {
  for (let attempts = 1; !(await attempt()); attempts++) {
    if (attempts === ATTEMPTS) throw exhausted();
    await pauseBeforeRetry(runtime, attempts);
  }
};

const writeConflict = (subject: string): HubError =>
  new HubError(
    'write-conflict',
    `${subject} changed concurrently ${ATTEMPTS} times; the message will be retried.`,
    { retry: 'later' },
  );

/**
 * Waits a random time before the next attempt: at most `firstMs` after the first, twice as long each time, never longer than
 * `longestMs`. By default for rows that others change at the same time. `attempts`: how many there were, from 1.
 */
export const pauseBeforeRetry = async (
  { random, sleep = timer }: Pausing,
  attempts: number,
  { firstMs = FIRST_PAUSE_MS, longestMs = LONGEST_PAUSE_MS } = {},
): Promise<void> => sleep(random() * Math.min(longestMs, firstMs * 2 ** (attempts - 1)));

const timer = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
