/** Characters that move a terminal's cursor, change its colours or the reading direction of the text after them. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Text of somebody else on one line, without the characters that a terminal executes. */
export const sanitize = (text: string): string =>
  text.replaceAll(/\s+/gu, ' ').trim().replaceAll(UNSAFE, '\ufffd');

/** A sentence of ours that may quote somebody else: keeps its line breaks. */
export const sanitizeLines = (text: string): string =>
  text.replaceAll(UNSAFE, (one) => (one === '\n' ? one : '\ufffd'));

/** A value as JSON with unsafe characters escaped, so that it parses to the same value; `indent` as of `JSON.stringify`. */
export const sanitizeJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replaceAll(UNSAFE, (one) =>
    // `JSON.stringify` leaves only the line breaks of the indentation unescaped.
    one === '\n' ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
