import { type Identifier, identifierValue } from '../identity/identifier.ts';

/** What a person leaves in texts that no schema reads: raw deliveries, payloads that failed, uploaded files. */
export interface PersonalDataMatcher {
  /** Identifiers too short to be looked for: their values stand in texts that have nothing to do with the person. */
  readonly unsearchable: readonly Identifier[];
  /** Whether a text names the person, in whatever case, percent-encoded or escaped, a phone number however it is written. */
  isNamedIn(text: string): boolean;
}

const SHORTEST = 6;
const SHORTEST_ID = 10;

/** Looks for the values of identifiers, and for ids that providers have given to what the person said. */
export const personalDataMatcher = (
  identifiers: readonly Identifier[],
  ids: Iterable<string>,
): PersonalDataMatcher => {
  const valuesOf = (identifier: Identifier): string[] => {
    const value = identifierValue(identifier);
    return [...new Set([value, value.slice(value.lastIndexOf(':') + 1)])];
  };
  const short = identifiers.filter((one) => valuesOf(one).every((value) => value.length < SHORTEST));
  const wanted = [
    ...identifiers.flatMap(valuesOf).filter(({ length }) => length >= SHORTEST),
    ...[...ids].filter(({ length }) => length >= SHORTEST_ID),
  ];
  const byFirst = Map.groupBy(wanted.map(wordsOf), ([first = '']) => first);
  const follows = (words: readonly string[], at: number): boolean =>
    byFirst.get(words[at] ?? '')?.some((needle) => needle.every((word, n) => words[at + n] === word)) ===
    true;
  const namedIn = (words: readonly string[]): boolean => words.some((_, at) => follows(words, at));
  return {
    unsearchable: short,
    isNamedIn(text) {
      const plain = decodeText(text);
      return namedIn(wordsOf(plain)) || namedIn(wordsOf(plain.replace(/(?<=\d)[\s().\-/]+(?=\d)/gu, '')));
    },
  };
};

const decodeText = (text: string): string =>
  text
    .replace(/%([0-7][0-9a-f])|\\u00([0-7][0-9a-f])/giu, (_, percent: string, escaped: string) =>
      String.fromCharCode(Number.parseInt(percent ?? escaped, 16)),
    )
    .toLowerCase();

/** A word is what stands between spaces and signs, an e-mail address or an id with dots and hyphens among them. */
const wordsOf = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\p{N}@._+-]+/gu) ?? []).flatMap((run) => {
    const word = run.replace(/^[._+-]+|(?<![._+-])[._+-]+$/gu, '');
    // In a form a plus is a space; in an address it is part of it.
    return word.includes('+') ? [word, ...word.split('+')] : [word];
  });
