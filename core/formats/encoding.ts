import { isUtf8 } from 'node:buffer';
import * as z from 'zod';

/** The encoding of a file. Text that is not UTF-8 has no mark of its encoding, so it is decoded row by row (`decodeRow`). */
export const FileEncoding = z.enum(['utf-8', 'utf-16le', 'utf-16be']);
export type FileEncoding = z.infer<typeof FileEncoding>;

/** How many code units show that a file without a byte order mark is UTF-16: its header is mostly ASCII. */
const SAMPLE_UNITS = 100;

/** The encoding of a file by its first bytes, and the length of its byte order mark. */
export const fileEncodingOf = (
  head: Uint8Array,
): { readonly encoding: FileEncoding; readonly markBytes: number } => {
  const starts = (...mark: readonly number[]): boolean => mark.every((byte, at) => head[at] === byte);
  if (starts(0xef, 0xbb, 0xbf)) return { encoding: 'utf-8', markBytes: 3 };
  if (starts(0xff, 0xfe)) return { encoding: 'utf-16le', markBytes: 2 };
  if (starts(0xfe, 0xff)) return { encoding: 'utf-16be', markBytes: 2 };
  const units = Math.min(SAMPLE_UNITS, Math.floor(head.length / 2));
  const zeros = [0, 0];
  for (let at = 0; at < units * 2; at++) if (head[at] === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [high = 0, low = 0] = zeros;
  if (low > units / 2 && high < units / 4) return { encoding: 'utf-16le', markBytes: 0 };
  if (high > units / 2 && low < units / 4) return { encoding: 'utf-16be', markBytes: 0 };
  return { encoding: 'utf-8', markBytes: 0 };
};

/** The bytes of a file as UTF-8. Bytes of UTF-8 are returned unchanged, even if they are not valid. */
export const toUtf8 = (bytes: Buffer, encoding: FileEncoding): Buffer =>
  encoding === 'utf-8' ? bytes : Buffer.from(new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes));

/** How many bytes of the file became this result of `toUtf8`. */
export const sourceLength = (utf8: Buffer, encoding: FileEncoding): number =>
  encoding === 'utf-8' ? utf8.length : utf8.toString().length * 2;

/**
 * The text of a row: UTF-8, or Windows-1252, which most old exports are. Undefined if it is neither: it has bytes that
 * Windows-1252 does not define, or characters of UTF-8 beside bytes that are not.
 */
export const decodeRow = (
  raw: Buffer,
): { readonly text: string; readonly windows1252?: true } | undefined => {
  const text = raw.toString('utf8');
  if (!text.includes('\ufffd') || isUtf8(raw)) return { text };
  if (/[^\0-\x7f\ufffd]/u.test(text)) return undefined;
  const decoded = new TextDecoder('windows-1252').decode(raw);
  return /[\x80-\x9f]/u.test(decoded) ? undefined : { text: decoded, windows1252: true };
};
