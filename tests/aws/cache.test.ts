import { expect, it } from 'vitest';
import { type CacheOptions, cache } from '../../functions/aws/clients/cache.ts';

/** A cache over a load that answers when it is told to, at a time that stands still. */
const openCache = (options: Partial<CacheOptions<string | undefined>> = {}) => {
  const clock = { now: 0 };
  const loads: {
    key: string;
    resolve: (value: string | undefined) => void;
    reject: (error: Error) => void;
  }[] = [];
  const values = cache<string | undefined>(
    (key) => new Promise((resolve, reject) => loads.push({ key, resolve, reject })),
    { ttlMs: 100, most: 2, now: () => clock.now, ...options },
  );
  return { values, loads, clock };
};

it('shares a load that is under way, and uses its value until its time is over', async () => {
  const { values, loads, clock } = openCache();
  const both = Promise.all([values.get('a'), values.get('a')]);
  expect(loads.length).toBe(1);
  loads[0]?.resolve('one');
  expect(await both).toEqual(['one', 'one']);
  clock.now = 99;
  expect(await values.get('a')).toBe('one');
  clock.now = 100;
  const later = values.get('a');
  loads[1]?.resolve('two');
  expect(await later).toBe('two');
});

it('does not store a load that failed', async () => {
  const { values, loads } = openCache();
  const failed = values.get('a');
  loads[0]?.reject(new Error('no answer'));
  await expect(failed).rejects.toThrow('no answer');
  const again = values.get('a');
  loads[1]?.resolve('one');
  expect(await again).toBe('one');
});

it('does not drop a newer value when an older load fails', async () => {
  const { values, loads } = openCache();
  const older = values.get('a');
  const newer = values.refresh('a');
  loads[1]?.resolve('new');
  await newer;
  loads[0]?.reject(new Error('no answer'));
  await expect(older).rejects.toThrow('no answer');
  expect(await values.get('a')).toBe('new');
  expect(loads.length).toBe(2);
});

it('stores that there is nothing, unless it may not', async () => {
  const stored = openCache();
  const first = stored.values.get('a');
  stored.loads[0]?.resolve(undefined);
  await first;
  await stored.values.get('a');
  expect(stored.loads.length).toBe(1);

  const unstored = openCache({ isStored: (value) => value !== undefined });
  const absent = unstored.values.get('a');
  unstored.loads[0]?.resolve(undefined);
  await absent;
  void unstored.values.get('a');
  expect(unstored.loads.length).toBe(2);
});

it('drops the oldest key beyond the most', async () => {
  const { values, loads } = openCache();
  for (const key of ['a', 'b', 'c']) {
    const value = values.get(key);
    loads.at(-1)?.resolve(key);
    await value;
  }
  expect([await values.get('b'), await values.get('c')]).toEqual(['b', 'c']);
  void values.get('a');
  expect(loads.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'a']);
});
