import type * as crypto from 'node:crypto';

/** Results of the comparisons in constant time and of the checks with public keys since the last `forget`. */
const results: boolean[] = [];

const recorded = <Args extends readonly unknown[]>(check: (...args: Args) => boolean) => {
  return (...args: Args): boolean => {
    const result = check(...args);
    results.push(result);
    return result;
  };
};

/** `node:crypto` with its comparisons recorded, for `vi.mock`. */
export const recording = (original: typeof crypto): object => ({
  ...original,
  timingSafeEqual: recorded(original.timingSafeEqual),
  verify: recorded((...args: Parameters<typeof crypto.verify>): boolean => Boolean(original.verify(...args))),
});

/** Runs a step; whether one of its comparisons in constant time, or checks with a public key, has failed. */
export const hasFailedComparison = async (step: () => Promise<unknown>): Promise<boolean> => {
  results.length = 0;
  await step();
  return results.includes(false);
};
