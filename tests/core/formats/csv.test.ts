import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  csvField,
  delimiterOf,
  encodingFault,
  LONGEST_RECORD,
  markBytes,
  readRecords,
} from '../../../core/formats/csv.ts';

/** Reads bytes in pieces, as a job does: each piece begins at the start of a record. */
const inPieces = (bytes: Buffer, size: number, delimiter: string | undefined) => {
  const found: { line: number; fields?: readonly string[]; fault?: string }[] = [];
  let [offset, line] = [0, 1];
  for (let length = size; offset < bytes.length; ) {
    const piece = bytes.subarray(offset, offset + length);
    const from = offset;
    for (const { end, lines, fields, fault } of readRecords(
      piece,
      delimiter,
      offset + length >= bytes.length,
    )) {
      found.push({ line, ...(fields && { fields }), ...(fault !== undefined && { fault }) });
      offset = from + end;
      line += lines;
    }
    // A piece that holds no whole record is asked for once more, longer.
    length = offset === from ? length * 2 : size;
  }
  return found;
};

const cell = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r\n', 'ä', '€', '😀', ' ', 'x') }),
);

describe('CSV', () => {
  it('is read as it was written, in chunks of any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 64 }),
        fc.boolean(),
        (rows, delimiter, lineEnd, size, closed) => {
          const text = rows
            .map((row) => row.map((one) => csvField(one, delimiter)).join(delimiter))
            .join(lineEnd);
          const bytes = Buffer.from(`${text}${closed ? lineEnd : ''}`);
          expect(inPieces(bytes, size, delimiter).map(({ fields }) => fields)).toEqual(rows);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('loses only the broken row', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a,b', '"a",b', '"a ""x""",b', 'a,"b', '"a"b,c', 'a"b,c'), {
          maxLength: 12,
        }),
        fc.integer({ min: 1, max: 40 }),
        (lines, size) => {
          const whole = inPieces(Buffer.from(lines.join('\n')), size, ',');
          // What cannot be broken by a quote above it is read.
          const broken = lines.indexOf('a,"b');
          const safe = broken < 0 ? lines.length : broken;
          const good = lines.slice(0, safe).map((line, at) => ({ line, at: at + 1 }));
          for (const { line, at } of good)
            expect(whole.find((one) => one.line === at)?.fault === undefined).toBe(line !== '"a"b,c');
        },
      ),
    );
  });

  it('refuses a quote that is never closed, and continues with the next line', () => {
    const found = inPieces(Buffer.from('a,b\n"a,b\nc,d\ne,f'), 1000, ',');
    expect(found).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fault: 'a quote is not closed' },
      { line: 3, fields: ['c', 'd'] },
      { line: 4, fields: ['e', 'f'] },
    ]);
    const far = Buffer.from(`"a,b\n${'c,d\n'.repeat(LONGEST_RECORD)}`);
    expect([...readRecords(far.subarray(0, LONGEST_RECORD + 10), ',', false)].slice(0, 2)).toMatchObject([
      { fault: 'a quote is not closed', lines: 1 },
      { fields: ['c', 'd'] },
    ]);
  });

  it('knows the lines of a multi-line record', () => {
    expect(inPieces(Buffer.from('a,"b\nc\n\nd"\ne,f\n'), 3, ',')).toEqual([
      { line: 1, fields: ['a', 'b\nc\n\nd'] },
      { line: 5, fields: ['e', 'f'] },
    ]);
  });

  it('refuses what is not UTF-8, and a record that is too long, alone', () => {
    const found = inPieces(Buffer.from('a,\xfc\nb,ü\n', 'latin1'), 100, ',');
    expect(found.map(({ fault }) => fault)).toEqual(['the row is not UTF-8', 'the row is not UTF-8']);
    const long = Buffer.from(`a,b\n${'x'.repeat(LONGEST_RECORD + 1)}\nc,d\n`);
    expect([...readRecords(long, ',', true)].map(({ fault }) => fault?.slice(0, 22))).toEqual([
      undefined,
      'the row is longer than',
      undefined,
    ]);
    expect([...readRecords(long.subarray(0, LONGEST_RECORD + 5), ',', false)].at(-1)).toMatchObject({
      ...{ continues: true, lines: 0 },
    });
  });
});

it.each([
  ['email,name', ','],
  ['email;name;"a,b,c,d"', ';'],
  ['email\tname', '\t'],
  ['email|name', '|'],
  ['email', ','],
])('the delimiter of %j is %j', (header, delimiter) => {
  expect(delimiterOf(header)).toBe(delimiter);
});

it.each([
  ['UTF-16', Buffer.from('\ufeffemail\n', 'utf16le'), /UTF-16/],
  ['UTF-16 without its mark', Buffer.from('email\n', 'utf16le'), /zero bytes/],
  ['a spreadsheet', Buffer.from('PK\x03\x04'), /spreadsheet/],
  ['gzip', Buffer.from([0x1f, 0x8b, 8]), /compressed/],
  ['Latin-1', Buffer.from('email\nJosé\n', 'latin1'), /not UTF-8/],
  ['old Mac', Buffer.from('email\rada'), /carriage returns/],
])('%s is refused with the reason', (_, head, message) => {
  expect(encodingFault(head, true)).toMatch(message);
});

it('accepts UTF-8 with and without a byte order mark, split anywhere', () => {
  const text = Buffer.from('\ufeffemail\nJosé 😀');
  expect(markBytes(text)).toBe(3);
  for (let end = 1; end < text.length; end++)
    expect(encodingFault(text.subarray(0, end), false)).toBeUndefined();
});
