import { REFUSED_COLUMNS } from '../../../core/formats/columns.ts';
import { csvField } from '../../../core/formats/csv.ts';

/** The format of a file of refused rows. */
export interface RefusedFile {
  /** Absent for NDJSON. */
  readonly delimiter?: string | undefined;
  /** The header of the imported file. */
  readonly names?: readonly string[] | undefined;
}

/**
 * Collects refused rows for a file that a person can correct and import again: each row unchanged, after its line and the
 * reason.
 */
export const refusedRows = ({ delimiter, names = [] }: RefusedFile) => {
  const lines: Uint8Array[] = [];
  const totals = { count: 0, bytes: 0 };
  const isRepeated = REFUSED_COLUMNS.every((name, at) => names[at] === name);
  return {
    get count() {
      return totals.count;
    },
    get bytes() {
      return totals.bytes;
    },
    add(raw: Uint8Array, line: number, reason: string): void {
      const row =
        delimiter === undefined
          ? Buffer.from(`${jsonRow(Buffer.from(raw).toString(), { line, reason })}\n`)
          : Buffer.concat([
              Buffer.from(`${line}${delimiter}${csvField(reason, delimiter)}${delimiter}`),
              isRepeated ? withoutPrefix(raw, delimiter) : raw,
              Buffer.from('\n'),
            ]);
      totals.count++;
      totals.bytes += row.length;
      lines.push(row);
    },
    /** The bytes of the rows; the first part of a CSV file starts with the header. */
    file(first: boolean): Uint8Array {
      if (!first || delimiter === undefined) return Buffer.concat(lines);
      const header = [...REFUSED_COLUMNS, ...names.slice(isRepeated ? REFUSED_COLUMNS.length : 0)];
      const text = header.map((name) => csvField(name, delimiter)).join(delimiter);
      return Buffer.concat([Buffer.from(`${text}\n`), ...lines]);
    },
  };
};

/** Removes the line and the reason of an earlier refusal. Works on bytes, because the row need not be UTF-8. */
const withoutPrefix = (raw: Uint8Array, delimiter: string): Uint8Array => {
  const text = Buffer.from(raw).toString('latin1');
  const escaped = delimiter === '|' ? '\\|' : delimiter;
  const prefix = new RegExp(
    `^\\d*${escaped}(?:"(?:[^"]|"")*"|[^"${escaped}][^${escaped}]*|)${escaped}`,
    'u',
  ).exec(text);
  return prefix === null ? raw : raw.subarray(prefix[0].length);
};

const REFUSED_MEMBER = /^\{"refused":\{"line":\d+,"reason":"(?:[^"\\]|\\.)*"\},/u;

/** Adds `refused` as the first member of a JSON object; text that is no object becomes a member of `refused`. */
const jsonRow = (raw: string, refused: object): string => {
  const text = raw.replace(REFUSED_MEMBER, '{');
  const members = /^\s*\{\s*(?!\})/u.exec(text);
  return members === null
    ? JSON.stringify({ refused: { ...refused, text } })
    : `{"refused":${JSON.stringify(refused)},${text.slice(members[0].length)}`;
};
