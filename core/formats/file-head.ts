import { HubError } from '../errors.ts';
import { cellText } from './cells.ts';
import { type FileEncoding, fileEncodingOf, sourceLength, toUtf8 } from './encoding.ts';
import { announcedDelimiter, type CsvRecord, delimiterOf, readRecords, textFault } from './lists/csv.ts';

/** The position of the first row of a file. */
export interface FileHead {
  readonly encoding: FileEncoding;
  /** In bytes of the file. */
  readonly offset: number;
  /** Counted from 1. */
  readonly line: number;
  /** Present for CSV only. */
  readonly head?: { readonly delimiter: string; readonly names: string[] };
}

/**
 * Reads the encoding and the header of a file from its first `bytes`; `size` is the length of the whole file. Throws
 * `HubError` `invalid-file` if the file is not readable.
 */
export const readFileHead = (bytes: Buffer, size: number, format: 'csv' | 'ndjson'): FileHead => {
  const { encoding, markBytes } = fileEncodingOf(bytes);
  const text = toUtf8(bytes.subarray(markBytes), encoding);
  const fault = textFault(text);
  if (fault !== undefined) throw invalidFile(`The file is not readable. ${fault}`);
  if (text.length === 0) throw invalidFile('The file is empty.');
  if (format === 'ndjson') return { encoding, offset: markBytes, line: 1 };
  const { end, line, delimiter, header } = findHeader(text, bytes.length >= size);
  if (header?.fields === undefined)
    throw invalidFile(
      `The header of the file is not readable: ${header?.fault ?? 'there is no line that ends'}.`,
    );
  const names = header.fields.map(cellText);
  const offset = markBytes + sourceLength(text.subarray(0, end), encoding);
  return { encoding, offset, line, head: { delimiter, names } };
};

/** The first line that is neither blank nor `sep=…`, as a record, and where the rows after it begin. */
const findHeader = (
  text: Buffer,
  isWhole: boolean,
): {
  readonly end: number;
  readonly line: number;
  readonly delimiter: string;
  readonly header: CsvRecord | undefined;
} => {
  let announced: string | undefined;
  let [start, line] = [0, 1];
  for (const { end, fields } of readRecords(text, undefined, isWhole)) {
    const separator = announcedDelimiter(fields?.[0] ?? '');
    if (separator === undefined && fields?.[0]?.trim() !== '') break;
    announced ??= separator;
    start = end;
    line++;
  }
  const rest = text.subarray(start);
  const lineEnd = rest.indexOf('\n');
  const delimiter =
    announced ?? delimiterOf(rest.toString('utf8', 0, lineEnd < 0 ? rest.length : lineEnd).trimEnd());
  const header = readRecords(rest, delimiter, isWhole).next().value ?? undefined;
  return { end: start + (header?.end ?? 0), line: line + (header?.lines ?? 0), delimiter, header };
};

const invalidFile = (message: string): HubError => new HubError('invalid-file', message, { retry: 'never' });
