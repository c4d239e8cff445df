import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellText } from '../../../core/formats/cells.ts';
import { readFileHead } from '../../../core/formats/file-head.ts';
import { csvField, delimiterOf, LONGEST_RECORD, readRecords } from '../../../core/formats/lists/csv.ts';

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

/** A cell without the apostrophe that keeps it from being a formula. */
const unmarked = (text: string): string => text.replace(/^'(?=\s*[=+\-@]|[\t\r])/u, '');

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
          const read = inPieces(bytes, size, delimiter).map(({ fields }) => fields?.map(unmarked));
          expect(read).toEqual(rows.map((row) => row.map(unmarked)));
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

  it('reads what is not UTF-8 as Windows-1252, and refuses what is neither', () => {
    const bytes = Buffer.concat([
      Buffer.from('a,ü\n'),
      Buffer.from('a,\xfc\x80\n"a,\n",\xfc\n', 'latin1'),
      Buffer.from('a,\x81\n"a,\n",\x81\n', 'latin1'),
      Buffer.concat([Buffer.from('a,ü'), Buffer.from('\xfc\n', 'latin1')]),
    ]);
    const neither = 'the row is neither UTF-8 nor Windows-1252';
    expect(inPieces(bytes, 100, ',')).toEqual([
      { line: 1, fields: ['a', 'ü'] },
      { line: 2, fields: ['a', 'ü€'] },
      { line: 3, fields: ['a,\n', 'ü'] },
      { line: 5, fault: neither },
      { line: 6, fault: neither },
      { line: 7, fault: neither },
      { line: 8, fault: neither },
    ]);
  });

  it('refuses a record that is too long, alone', () => {
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

const unquoted = (field: string): string => field.replace(/^"(.*)"$/su, '$1');

const headOf = (bytes: Buffer, size = bytes.length) => readFileHead(bytes, size, 'csv');

it.each([
  ['a spreadsheet', Buffer.from('PK\x03\x04'), /spreadsheet/],
  ['gzip', Buffer.from([0x1f, 0x8b, 8]), /compressed/],
  ['UTF-32', Buffer.from('e\0\0\0m\0\0\0'), /zero bytes/],
  ['old Mac', Buffer.from('email\rada'), /carriage returns/],
  ['nothing but a separator', Buffer.from('sep=;\n'), /header/],
  ['a header that is neither UTF-8 nor Windows-1252', Buffer.from('\x81', 'latin1'), /header.*neither/],
])('%s is refused with the reason', (_, head, message) => {
  expect(() => headOf(head)).toThrow(message);
});

const plain = { line: 2, head: { delimiter: ',', names: ['email', 'città'] } };
const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
it.each([
  ['UTF-8', Buffer.from('email,città\n'), { ...plain, encoding: 'utf-8', offset: 13 }],
  ['UTF-8 with a mark', Buffer.from('\ufeffemail,città\n'), { ...plain, encoding: 'utf-8', offset: 16 }],
  ['Windows-1252', Buffer.from('email,città\n', 'latin1'), { ...plain, encoding: 'utf-8', offset: 12 }],
  ['UTF-16 LE', Buffer.from('email,città\n', 'utf16le'), { ...plain, encoding: 'utf-16le', offset: 24 }],
  [
    'UTF-16 LE with a mark',
    Buffer.from('\ufeffemail,città\n', 'utf16le'),
    { ...plain, encoding: 'utf-16le', offset: 26 },
  ],
  ['UTF-16 BE', swapped('email,città\n'), { ...plain, encoding: 'utf-16be', offset: 24 }],
  ['UTF-16 BE with a mark', swapped('\ufeffemail,città\n'), { ...plain, encoding: 'utf-16be', offset: 26 }],
])('the header is read from %s', (_, bytes, head) => {
  expect(headOf(bytes)).toEqual(head);
});

it.each([
  ['sep=;\r\nemail;a,b\r\n', ';', 3],
  ['"sep=\t"\nemail\ta,b\n', '\t', 3],
  ['\n\nemail|a,b|c\n', '|', 4],
])('the header of %j is found', (text, delimiter, line) => {
  const { head, ...place } = headOf(Buffer.from(text));
  expect(place).toEqual({ encoding: 'utf-8', offset: text.length, line });
  expect([head?.delimiter, head?.names.slice(0, 2)]).toEqual([delimiter, ['email', 'a,b']]);
});

it('the header is read with and without the end of the file', () => {
  const text = Buffer.from('\ufeffemail\nJosé 😀');
  for (let end = 9; end < text.length; end++)
    expect(headOf(text.subarray(0, end), text.length)).toMatchObject({ offset: 9, line: 2 });
});

it.each([
  ['=1+1', "'=1+1"],
  [' +39', "' +39"],
  ['-1', "'-1"],
  ['@a', "'@a"],
  ['\tx', "'\tx"],
  ['\rx', `"'\rx"`],
  ['a=b', 'a=b'],
])('the cell %j is written as %j, which no spreadsheet runs', (value, written) => {
  expect(csvField(value, ',')).toBe(written);
  expect(cellText(unquoted(written))).toBe(value.trim());
});
