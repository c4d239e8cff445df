/** The order of two values: texts without regard to letter case unless `exact`, nulls first or last. */
export const compareValues = (
  one: unknown,
  other: unknown,
  nullsLast: boolean,
  descending: boolean,
  exact = false,
): number => {
  if (one === null || other === null) return one === other ? 0 : (one === null) === nullsLast ? 1 : -1;
  const plain = (value: unknown): string => (exact ? String(value) : String(value).toLowerCase());
  const [left, right] =
    typeof one === 'number' && typeof other === 'number' ? [one, other] : [plain(one), plain(other)];
  return (left < right ? -1 : left > right ? 1 : 0) * (descending ? -1 : 1);
};
