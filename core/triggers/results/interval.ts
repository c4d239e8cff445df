/** A share with its interval, each from 0 to 1; of differences from -1 to 1. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** The quantile of the normal distribution for 95 %. */
const Z = 1.959963984540054;

/** A share of `total` with its 95 % interval by Wilson's score (Wilson 1927; method 3 of Newcombe 1998a). Undefined of nothing. */
export const shareInterval = (count: number, total: number): Interval | undefined => {
  if (total <= 0) return undefined;
  const estimate = count / total;
  const z2 = Z * Z;
  const middle = 2 * count + z2;
  const spread = Z * Math.sqrt(z2 + 4 * count * (1 - estimate));
  const scale = 2 * (total + z2);
  return {
    estimate,
    low: Math.max(0, (middle - spread) / scale),
    high: Math.min(1, (middle + spread) / scale),
  };
};

/**
 * The difference between two shares of independent groups with its 95 % interval, by Newcombe's hybrid score (method 10 of
 * Newcombe 1998b, Statistics in Medicine 17:873-890). Undefined where a group is empty.
 */
export const differenceInterval = (
  one: { readonly count: number; readonly total: number },
  other: { readonly count: number; readonly total: number },
): Interval | undefined => {
  const [a, b] = [shareInterval(one.count, one.total), shareInterval(other.count, other.total)];
  if (a === undefined || b === undefined) return undefined;
  const estimate = a.estimate - b.estimate;
  return {
    estimate,
    low: estimate - Math.hypot(a.estimate - a.low, b.high - b.estimate),
    high: estimate + Math.hypot(a.high - a.estimate, b.estimate - b.low),
  };
};
