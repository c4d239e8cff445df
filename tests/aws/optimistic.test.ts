import { describe, expect, it } from 'vitest';
import { pauseBeforeRetry, updateOptimistically } from '../../functions/aws/clients/optimistic.ts';

/** Pauses that are recorded instead of waited for. */
const recording = (random = 1) => {
  const pauses: number[] = [];
  return { pauses, random: () => random, sleep: async (ms: number) => void pauses.push(ms) };
};

describe('an optimistic update', () => {
  it('repeats until it succeeds, with a growing pause', async () => {
    const runtime = recording();
    let attempts = 0;
    await updateOptimistically(runtime, 'The counters', async () => ++attempts === 4);
    expect([attempts, runtime.pauses]).toEqual([4, [5, 10, 20]]);
  });

  it('does not pause after a first success', async () => {
    const runtime = recording();
    await updateOptimistically(runtime, 'The counters', async () => true);
    expect(runtime.pauses).toEqual([]);
  });

  it('fails with the subject after twelve attempts', async () => {
    const runtime = recording();
    let attempts = 0;
    const update = updateOptimistically(runtime, 'The counters', async () => {
      attempts++;
      return false;
    });
    await expect(update).rejects.toMatchObject({
      ...{ code: 'write-conflict', retry: 'later' },
      message: expect.stringMatching(/^The counters .*12 times/u),
    });
    expect([attempts, runtime.pauses.length, runtime.pauses.at(-1)]).toEqual([12, 11, 200]);
  });

  it('fails with the error of the caller', async () => {
    const update = updateOptimistically(
      recording(),
      'x',
      async () => false,
      () => new Error('another'),
    );
    await expect(update).rejects.toThrow('another');
  });

  it('rejects with the error of an attempt', async () => {
    const update = updateOptimistically(recording(), 'x', () => Promise.reject(new Error('lost')));
    await expect(update).rejects.toThrow('lost');
  });
});

describe('a pause', () => {
  it('is random below its limit', async () => {
    const runtime = recording(0.5);
    await pauseBeforeRetry(runtime, 1);
    await pauseBeforeRetry(runtime, 3);
    await pauseBeforeRetry(runtime, 30);
    expect(runtime.pauses).toEqual([2.5, 10, 100]);
  });

  it('uses a timer where the runtime has none', async () => {
    await expect(pauseBeforeRetry({ random: () => 0 }, 1)).resolves.toBeUndefined();
  });
});
