/** What would move a terminal's cursor, change its colours or turn the reading direction of what stands after it. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Text that somebody else wrote, on one line and without what a terminal would obey. */
export const sanitize = (text: string): string =>
  text.replaceAll(/\s+/gu, ' ').trim().replaceAll(UNSAFE, '\ufffd');

/** Sentences of our own that may quote somebody: their lines stay. */
export const sanitizeLines = (text: string): string =>
  text.replaceAll(UNSAFE, (one) => (one === '\n' ? one : '\ufffd'));

/** A value as JSON that reads back as the same value; `indent` as of `JSON.stringify`. */
export const sanitizeJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replaceAll(UNSAFE, (one) =>
    // Only line breaks of ours are left unescaped by `JSON.stringify`.
    one === '\n' ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
