import { REFUSED_COLUMNS } from '../../../core/formats/columns.ts';
import { csvField } from '../../../core/formats/csv.ts';

/** What a file of refused rows is made of, besides the rows. */
export interface RefusedFile {
  /** Absent where rows are lines of JSON. */
  readonly delimiter?: string | undefined;
  /** The header of the file that the rows are from. */
  readonly names?: readonly string[] | undefined;
}

/**
 * Gathers rows that are refused, each as it stands in the file, behind its line and the reason; so that a person can mend
 * them and import that file.
 */
export const refusals = ({ delimiter, names = [] }: RefusedFile) => {
  const lines: Uint8Array[] = [];
  const totals = { count: 0, bytes: 0 };
  const before = REFUSED_COLUMNS.every((name, at) => names[at] === name);
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
              before ? withoutPrefix(raw, delimiter) : raw,
              Buffer.from('\n'),
            ]);
      totals.count++;
      totals.bytes += row.length;
      lines.push(row);
    },
    /** The rows, behind a header where they are the file's first. */
    file(first: boolean): Uint8Array {
      if (!first || delimiter === undefined) return Buffer.concat(lines);
      const header = [...REFUSED_COLUMNS, ...names.slice(before ? REFUSED_COLUMNS.length : 0)];
      const text = header.map((name) => csvField(name, delimiter)).join(delimiter);
      return Buffer.concat([Buffer.from(`${text}\n`), ...lines]);
    },
  };
};

/** A row that was refused before, without what was put before it then. Byte by byte, because it need not be UTF-8. */
const withoutPrefix = (raw: Uint8Array, delimiter: string): Uint8Array => {
  const text = Buffer.from(raw).toString('latin1');
  const sign = delimiter === '|' ? '\\|' : delimiter;
  const own = new RegExp(`^\\d*${sign}(?:"(?:[^"]|"")*"|[^"${sign}][^${sign}]*|)${sign}`, 'u').exec(text);
  return own === null ? raw : raw.subarray(own[0].length);
};

const OWN_MEMBER = /^\{"refused":\{"line":\d+,"reason":"(?:[^"\\]|\\.)*"\},/u;

/** An object with what was wrong as its first member; what is no object goes along as text. */
const jsonRow = (raw: string, refused: object): string => {
  const text = raw.replace(OWN_MEMBER, '{');
  const members = /^\s*\{\s*(?!\})/u.exec(text);
  return members === null
    ? JSON.stringify({ refused: { ...refused, text } })
    : `{"refused":${JSON.stringify(refused)},${text.slice(members[0].length)}`;
};
