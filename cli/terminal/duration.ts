const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** A duration in its largest unit of at least one, such as `1.5 h`; a dash where there is none. */
export const formatSeconds = (seconds: number | undefined): string => {
  if (seconds === undefined) return '–';
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? ['s', 1];
  const amount = seconds / size;
  return `${amount < 10 && !Number.isInteger(amount) ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
};
