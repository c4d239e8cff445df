import type { DecodedInteraction } from '../interaction/interaction.ts';

const escapes: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>' };

/** Text in which a vendor escapes `&`, `<` and `>` and nothing else (Slack, X). Read once: `&amp;lt;` is `&lt;`. */
export const withoutEscapes = (text: string): string =>
  text.replace(/&(amp|lt|gt);/gu, (whole, name: string) => escapes[name] ?? whole);

/** The words of a text that a vendor sends with markup or escapes; the original stays in the properties if it differs. */
export const wordsOf = (
  original: string | undefined,
  read: (text: string) => string,
): Pick<DecodedInteraction, 'text' | 'properties'> => {
  if (original === undefined) return {};
  const text = read(original);
  return text === original ? { text } : { text, properties: { original } };
};
