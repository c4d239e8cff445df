/**
 * Text that somebody else wrote, on one line and without what would move a terminal's cursor, change its colours or turn
 * the reading direction of what stands after it.
 */
export const harmless = (text: string): string =>
  text
    .replaceAll(/\s+/gu, ' ')
    .trim()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu, '\ufffd');
