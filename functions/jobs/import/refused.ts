import { REFUSED_COLUMNS } from '../../../core/formats/lists/columns.ts';
import { type CsvRecord, csvField } from '../../../core/formats/lists/csv.ts';

/** The format of a file of refused rows. */
export interface RefusedFile {
  /** Absent for NDJSON. */
  readonly delimiter?: string | undefined;
  /** The header of the imported file. */
  readonly names?: readonly string[] | undefined;
}

/** Without a byte order mark Excel does not read UTF-8. */
const EXCEL_MARK = '\ufeff';

/**
 * Collects rows that were refused or taken only in part, for a file that a person can correct and import again: each row with
 * its values, after its line and the reason. No cell is a formula for a spreadsheet.
 */
export const refusedRows = ({ delimiter, names = [] }: RefusedFile) => {
  const lines: Uint8Array[] = [];
  let size = 0;
  const isRepeated = REFUSED_COLUMNS.every((name, at) => names[at] === name);
  const added = isRepeated ? REFUSED_COLUMNS.length : 0;
  const csvRow = ({ fields, raw }: CsvRecord, separator: string): Uint8Array => {
    if (fields !== undefined)
      return Buffer.from(
        fields
          .slice(added)
          .map((field) => csvField(field, separator))
          .join(separator),
      );
    return withoutFormulas(isRepeated ? withoutPrefix(raw, separator) : raw, separator);
  };
  return {
    get count() {
      return lines.length;
    },
    get bytes() {
      return size;
    },
    add(record: CsvRecord, line: number, reason: string): void {
      const row =
        delimiter === undefined
          ? Buffer.from(`${jsonRow(textOf(record), { line, reason })}\n`)
          : Buffer.concat([
              Buffer.from(`${line}${delimiter}${csvField(reason, delimiter)}${delimiter}`),
              csvRow(record, delimiter),
              Buffer.from('\n'),
            ]);
      size += row.length;
      lines.push(row);
    },
    /** The bytes of the rows; the first part of a CSV file starts with the header. */
    file(first: boolean): Uint8Array {
      if (!first || delimiter === undefined) return Buffer.concat(lines);
      const header = [...REFUSED_COLUMNS, ...names.slice(added)];
      const text = header.map((name) => csvField(name, delimiter)).join(delimiter);
      return Buffer.concat([Buffer.from(`${EXCEL_MARK}${text}\n`), ...lines]);
    },
  };
};

const textOf = ({ fields, raw }: CsvRecord): string => fields?.[0] ?? Buffer.from(raw).toString();

/** Marks the formulas in a row that is not readable as CSV. Works on bytes, because the row need not be UTF-8. */
const withoutFormulas = (raw: Uint8Array, delimiter: string): Uint8Array => {
  const text = Buffer.from(raw).toString('latin1');
  const start = new RegExp(`(^|[${delimiter}])("?)(?= *[=+\\-@]|\\r)`, 'gu');
  return Buffer.from(text.replace(start, "$1$2'"), 'latin1');
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
