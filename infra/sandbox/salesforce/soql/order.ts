/** The order of two values: texts without regard to letter case, nulls first or last. */
export const compareValues = (
  one: unknown,
  other: unknown,
  nullsLast: boolean,
  descending: boolean,
): number => {
  if (one === null || other === null) return one === other ? 0 : (one === null) === nullsLast ? 1 : -1;
  const [left, right] =
    typeof one === 'number' && typeof other === 'number'
      ? [one, other]
      : [String(one).toLowerCase(), String(other).toLowerCase()];
  return (left < right ? -1 : left > right ? 1 : 0) * (descending ? -1 : 1);
};
