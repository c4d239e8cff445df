import { decodeRow } from '../encoding.ts';

/**
 * Splits bytes into records: CSV (RFC 4180, also with other delimiters), or lines. A reader of a large file can continue at
 * any record.
 */

/** One record: its end, and its fields or its fault. */
export interface CsvRecord {
  /** The offset after the record and its line end. */
  readonly end: number;
  /** The number of lines that the record spans. */
  readonly lines: number;
  /** The unchanged bytes, without the line end. */
  readonly raw: Uint8Array;
  /** The fields of a CSV record; for other files the line as the only field. Absent if the record has a fault. */
  readonly fields?: readonly string[];
  readonly fault?: string;
  /** Set if the record is not UTF-8 and was read as Windows-1252. */
  readonly windows1252?: true;
  /** Set if the record is too long and continues after these bytes. */
  readonly continues?: true;
}

/** In bytes. A longer record is refused, so that an unclosed quote costs one record and not the rest of the file. */
export const LONGEST_RECORD = 200_000;

type RecordContent = Pick<CsvRecord, 'fields' | 'fault' | 'windows1252'>;

const UNDECODABLE = 'the row is neither UTF-8 nor Windows-1252';
const LINE_END = 10;
const RETURN = 13;
const QUOTE = 34;

/**
 * The records in these bytes, which start with a record. An incomplete record at the end is omitted, unless these are the
 * `last` bytes of the file. Without a `delimiter` each line is a record. A record with a fault spans only its first line.
 */
export function* readRecords(
  bytes: Buffer,
  delimiter: string | undefined,
  last: boolean,
): Generator<CsvRecord> {
  let start = 0;
  while (start < bytes.length) {
    const cut = recordAt(bytes, start, delimiter, last);
    if (cut === undefined) return;
    yield cut;
    start = cut.end;
  }
}

const recordAt = (
  bytes: Buffer,
  start: number,
  delimiter: string | undefined,
  last: boolean,
): CsvRecord | undefined => {
  const first = lineEnd(bytes, start);
  if (first === undefined && !last && bytes.length - start <= LONGEST_RECORD) return undefined;
  const end = first ?? bytes.length;
  const continues = first === undefined && !last;
  const alone = (content: RecordContent): CsvRecord => ({
    ...{ end, lines: continues ? 0 : 1, raw: rawOf(bytes, start, end), ...content },
    ...(continues && { continues }),
  });
  if (end - start > LONGEST_RECORD) return alone({ fault: `the row is longer than ${LONGEST_RECORD} bytes` });
  const decoded = decodeRow(rawOf(bytes, start, end));
  if (decoded === undefined) return alone({ fault: UNDECODABLE });
  const { text, ...encoding } = decoded;
  if (delimiter === undefined) return alone({ fields: [text], ...encoding });
  const fields = fieldsOf(text, delimiter);
  if (Array.isArray(fields)) return alone({ fields, ...encoding });
  return fields === 'open'
    ? quotedRecord(bytes, start, end, delimiter, last, alone)
    : alone({ fault: fields });
};

/** A record with line ends in a quoted field. */
const quotedRecord = (
  bytes: Buffer,
  start: number,
  firstEnd: number,
  delimiter: string,
  last: boolean,
  alone: (content: RecordContent) => CsvRecord,
): CsvRecord | undefined => {
  const unclosed = { fault: 'a quote is not closed' };
  for (let end = firstEnd; ; ) {
    const quote = bytes.indexOf(QUOTE, end);
    const next = quote < 0 ? undefined : (lineEnd(bytes, quote) ?? (last ? bytes.length : undefined));
    if ((next ?? bytes.length) - start > LONGEST_RECORD) return alone(unclosed);
    if (next === undefined) return last ? alone(unclosed) : undefined;
    end = next;
    const raw = rawOf(bytes, start, end);
    const decoded = decodeRow(raw);
    if (decoded === undefined) return alone({ fault: UNDECODABLE });
    const { text, ...encoding } = decoded;
    const fields = fieldsOf(text, delimiter);
    if (fields === 'open') continue;
    if (!Array.isArray(fields)) return alone(unclosed);
    return { end, lines: linesIn(bytes, start, end), raw, fields, ...encoding };
  }
};

/** The offset after the line end. */
const lineEnd = (bytes: Buffer, from: number): number | undefined => {
  const at = bytes.indexOf(LINE_END, from);
  return at < 0 ? undefined : at + 1;
};

const linesIn = (bytes: Buffer, start: number, end: number): number => {
  let lines = 0;
  for (let at = start; at < end; lines++) at = lineEnd(bytes, at) ?? end;
  return lines;
};

const rawOf = (bytes: Buffer, start: number, end: number): Buffer => {
  let stop = end;
  if (stop > start && bytes[stop - 1] === LINE_END) stop--;
  if (stop > start && bytes[stop - 1] === RETURN) stop--;
  return bytes.subarray(start, stop);
};

/** The fields of a record; `open` if a quoted field does not end; else the fault. */
const fieldsOf = (text: string, delimiter: string): string[] | string => {
  if (!text.includes('"')) return text.split(delimiter);
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    if (text[at] === '"') {
      const closed = quotedField(text, at);
      if (closed === undefined) return 'open';
      fields.push(closed.value);
      at = closed.end;
      if (at < text.length && text[at] !== delimiter) return 'there is text after a closing quote';
    } else {
      const next = text.indexOf(delimiter, at);
      const end = next < 0 ? text.length : next;
      fields.push(text.slice(at, end));
      at = end;
    }
    if (at >= text.length) return fields;
  }
};

/** Two quotes in a row mean one quote of the value. */
const quotedField = (text: string, start: number): { value: string; end: number } | undefined => {
  let value = '';
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return undefined;
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    from = quote + 2;
  }
};

/** What a spreadsheet takes for the beginning of a formula (https://owasp.org/www-community/attacks/CSV_Injection). */
const FORMULA = /^(?:\s*[=+\-@]|[\t\r])/u;

/**
 * A field of a CSV file that we write: quoted if CSV requires it, and with an apostrophe before what a spreadsheet would run
 * as a formula. An import removes that apostrophe.
 */
export const csvField = (value: string, delimiter: string): string => {
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /["\r\n]/u.test(text) || text.includes(delimiter) || text.startsWith(' ')
    ? `"${text.replaceAll('"', '""')}"`
    : text;
};

const DELIMITERS = [',', ';', '\t', '|'] as const;

/** The most frequent delimiter outside the quotes of a header line. */
export const delimiterOf = (header: string): string => {
  const bare = header.replace(/"(?:[^"]|"")*"/gu, '');
  const counts = DELIMITERS.map((one) => ({ one, count: bare.split(one).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).one;
};

/** The delimiter that a first line such as `sep=;` announces to Excel; undefined for any other line. */
export const announcedDelimiter = (line: string): string | undefined =>
  /^"?sep=([,;|\t])"?[,;|\t]*$/iu.exec(line.replace(/\r$/u, ''))?.[1];

/** Why a file, as UTF-8, is not text in lines, by its first bytes; undefined if it is. */
export const textFault = (head: Uint8Array): string | undefined => {
  const [first, second] = head;
  if (first === 0x50 && second === 0x4b)
    return 'It is a spreadsheet or an archive, not text. Save it as "CSV UTF-8".';
  if (first === 0x1f && second === 0x8b) return 'It is compressed. Unpack it first.';
  if (head.includes(0)) return 'It has zero bytes, so it is not text. Save it as "CSV UTF-8".';
  if (!head.includes(LINE_END) && head.includes(RETURN))
    return 'Its lines end with carriage returns alone, as on very old Macs. Save it with line feeds.';
  return undefined;
};
