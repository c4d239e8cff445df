import { HubError } from '../errors.ts';
import { delimiterOf, encodingFault, markBytes, readRecords } from './csv.ts';

/** The position of the first row of a file. */
export interface FileHead {
  /** In bytes. */
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
  const fault = encodingFault(bytes, bytes.length >= size);
  if (fault !== undefined) throw invalidFile(`The file is not readable. ${fault}`);
  const mark = markBytes(bytes);
  if (bytes.length === mark) throw invalidFile('The file is empty.');
  if (format === 'ndjson') return { offset: mark, line: 1 };
  const text = bytes.subarray(mark);
  const lineEnd = text.indexOf('\n');
  const delimiter = delimiterOf(text.toString('utf8', 0, lineEnd < 0 ? text.length : lineEnd).trimEnd());
  const { value: header } = readRecords(text, delimiter, bytes.length >= size).next();
  const names = header?.fields?.map((name: string) => name.trim());
  if (header === undefined || names === undefined)
    throw invalidFile(`The header of the file is not readable: ${header?.fault ?? 'it does not end'}.`);
  return { offset: mark + header.end, line: 1 + header.lines, head: { delimiter, names } };
};

const invalidFile = (message: string): HubError => new HubError('invalid-file', message, { retry: 'never' });
