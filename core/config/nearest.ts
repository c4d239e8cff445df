/** The known word that a misspelt one most probably means; undefined if none is near. */
export const nearestWord = (word: string, known: readonly string[]): string | undefined => {
  const [best] = known
    .map((one) => ({ one, distance: editDistance(word.toLowerCase(), one) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(2, word.length / 3) ? best.one : undefined;
};

/** How many characters must be inserted, removed or replaced (Levenshtein). */
const editDistance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [line, character] of [...from.slice(0, 100)].entries()) {
    const next = [line + 1];
    for (let at = 1; at <= to.length; at++)
      next[at] = Math.min(
        (row[at] ?? 0) + 1,
        (next[at - 1] ?? 0) + 1,
        (row[at - 1] ?? 0) + (character === to[at - 1] ? 0 : 1),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
};
