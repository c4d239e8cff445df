interface Search {
  readonly pattern: RegExp;
  readonly text: string;
  /** The positions at which no match begins: from the first one up to the match, or to the end of the text. */
  readonly from: number;
  readonly to: number;
}

/** Runs a function and records the searches of all its regular expressions. */
const searchesOf = (run: () => void): Search[] => {
  const searches: Search[] = [];
  const { exec } = RegExp.prototype;
  RegExp.prototype.exec = function (text) {
    const from = this.lastIndex;
    const match = exec.call(this, text);
    searches.push({ pattern: this, text, from, to: match?.index ?? text.length });
    return match;
  };
  try {
    run();
  } finally {
    RegExp.prototype.exec = exec;
  }
  return searches;
};

/**
 * The characters that the regular expressions of a function read in vain, without a clock: one for each position where
 * no match begins, and the rest of the text where one of `ends` behind it would complete a match. It grows with the square
 * of the text where searches start over, or where many positions wait for the same end.
 */
export const charactersRead = (run: () => void, ends: readonly string[]): number =>
  searchesOf(run).reduce((sum, { pattern, text, from, to }) => {
    const attempt = new RegExp(pattern.source, pattern.flags.replace('g', 'y'));
    const endsLate = (position: number): boolean =>
      ends.some((end) => {
        attempt.lastIndex = position;
        return attempt.test(text + end);
      });
    let read = to - from;
    for (let position = from; position < to; position++)
      if (endsLate(position)) read += text.length - position;
    return sum + read;
  }, 0);
