/** The shortest of several durations of a call, in milliseconds. */
const shortest = (run: () => void): number => {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const startedAt = performance.now();
    run();
    least = Math.min(least, performance.now() - startedAt);
  }
  return least;
};

/**
 * How many times longer a call takes with an input eight times as long: about 8 where its time is linear, about 64 where
 * it is quadratic. Independent of the speed of the machine; `size` should make the shorter call take a millisecond or more.
 */
export const growthOf = (run: (size: number) => void, size: number): number =>
  shortest(() => run(8 * size)) / shortest(() => run(size));
