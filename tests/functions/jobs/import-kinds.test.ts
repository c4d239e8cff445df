import { describe, expect, it } from 'vitest';
import { refusedKey } from '../../../functions/contracts/jobs/job.ts';
import { customersKind } from '../../../functions/contracts/jobs/kinds.ts';
import { importJob } from '../../../functions/jobs/import/import.ts';
import { customers } from '../../../functions/jobs/import/listings.ts';
import { run, surroundings } from './import-run.ts';

/**
 * Imports a file, and validates it in a dry run, which must report the same. Resolves to the rows that were sent, what was
 * reported, and the file of reported rows.
 */
const importOf = async (
  text: string | Uint8Array,
  limits = { rows: 2, dryRunRows: 3, refusedBytes: 1000 },
  format: 'csv' | 'ndjson' = 'csv',
) => {
  const parameters = customersKind.parameters.parse({ format });
  const [real, dry] = await Promise.all(
    [false, true].map(async (dryRun) => {
      const around = surroundings(text);
      const job = importJob(around.ports, customersKind, customers, limits);
      const { parts, slices: _slices, ...told } = await run(job, { ...parameters, dryRun });
      const files = Array.from({ length: parts }, (_, part) => around.bucket.get(refusedKey('j', part)));
      const rows = [...around.rows.values()].map((row) => JSON.parse(row));
      return { rows, told, saved: Buffer.concat(files.flatMap((file) => file ?? [])).toString() };
    }),
  );
  if (real === undefined || dry === undefined) throw new Error('Both have run.');
  expect([dry.told, dry.saved, dry.rows]).toEqual([real.told, real.saved, []]);
  return {
    identifiers: real.rows.map(({ identifiers }) => identifiers.join(' ')),
    rows: real.rows,
    profiles: real.rows.map(({ profile }) => profile),
    reported: real.told.reported.map(({ reason, lines }) => `${lines.join()} ${reason}`),
    ...{ counts: [real.told.done, real.told.incomplete, real.told.refused], saved: real.saved },
  };
};

const NO_PHONE = 'it is not a number with its country code, such as +39 06 1234 5678';
const NO_EMAIL = 'it is not an e-mail address';
const LOST = 'a spreadsheet has shortened the number and its last digits are lost; take it from the original';
const NOBODY = 'the row names no customer: email, phone, user-id and identifier are all empty';

/** The identifiers and the reports of a row with this cell beside an e-mail address. */
const cellOf = async (column: string, cell: string) => {
  const quoted = `"${cell.replaceAll('"', '""')}"`;
  const { identifiers, reported } = await importOf(`email,${column}\na@example.com,${quoted}\n`);
  return [identifiers[0]?.replace(/^email:a@example.com ?|(?<=.) email:a@example.com/u, ''), ...reported];
};

describe('the cell of a phone', () => {
  it.each([
    ["'+393331112201", 'phone:+393331112201'],
    ['="+393331112201"', 'phone:+393331112201'],
    ['+393331112201;+393331112202', 'phone:+393331112201 phone:+393331112202'],
    ['+393331112201, +393331112202', 'phone:+393331112201 phone:+393331112202'],
    ['+393331112201/+393331112202', 'phone:+393331112201 phone:+393331112202'],
    ['+393331112201\n+393331112202', 'phone:+393331112201 phone:+393331112202'],
    ['+393331112201 +393331112202', 'phone:+393331112201 phone:+393331112202'],
    ['+49 30/123456', 'phone:+49 30/123456'],
  ])('%j gives %s', async (cell, identifiers) => {
    expect(await cellOf('phone', cell)).toEqual([identifiers]);
  });

  it.each(['', 'NULL', 'null', '\\N', 'N/A', 'n/a', 'None', '-', '--', '#N/A', '(null)', '#NAME?'])(
    '%j has no number',
    async (cell) => {
      expect(await cellOf('phone', cell)).toEqual(['']);
    },
  );

  it.each([
    ['4.15555E+11', '', `2 taken without phone: ${LOST}`],
    ['4,15555e+11', '', `2 taken without phone: ${LOST}`],
    ['3.93331112201E+11', '', `2 taken without phone: ${NO_PHONE}`],
    ['393331112201', '', `2 taken without phone: ${NO_PHONE}`],
    ['=A1', '', `2 taken without phone: ${NO_PHONE}`],
    ['+14155550100/0101', 'phone:+14155550100', `2 taken without one phone: ${NO_PHONE}`],
    ['+14155550100, ask Bob', 'phone:+14155550100', `2 taken without one phone: ${NO_PHONE}`],
  ])('%j is reported', async (cell, identifiers, reported) => {
    expect(await cellOf('phone', cell)).toEqual([identifiers, reported]);
  });
});

it.each([
  ['1.23456789E+8', ['user-id:123456789']],
  ['1.234567890E+8', ['user-id:123456789']],
  ['1.23457E+15', ['', `2 taken without user-id: ${LOST}`]],
  ['12E4', ['user-id:12E4']],
])('the user id %s is taken only with all its digits', async (cell, expected) => {
  expect(await cellOf('user-id', cell)).toEqual(expected);
});

it.each([
  ['b@example.com;c@example.com', ['email:b@example.com email:c@example.com']],
  ['b@example.com / c@example.com', ['email:b@example.com email:c@example.com']],
  ['b@example.com\r\nc@example.com', ['email:b@example.com email:c@example.com']],
  ['Ada B. <b@example.com>, c@example.com', ['email:b@example.com email:c@example.com']],
  ['b@example.com, nobody', ['email:b@example.com', `2 taken without one email: ${NO_EMAIL}`]],
])('the e-mail cell %j gives every address', async (cell, expected) => {
  expect(await cellOf('E-Mail 2', cell)).toEqual(expected);
});

describe('a header', () => {
  it.each([
    'E-Mail;Mobile;First Name;Last Name',
    'Mail;Cell;Vorname;Nachname',
    'Email Address;Tel.;first_name;SURNAME',
    'Indirizzo e-mail;Telefono;Nome;Cognome',
    'E-mail 1 - Value;Phone 1 - Value;Given Name;Family Name',
    'correo electrónico;Téléphone;Prénom;Apellidos',
  ])('%s has the columns of other programs', async (header) => {
    const { identifiers, profiles } = await importOf(`${header}\na@example.com;+393331112201;Ada;King\n`);
    expect(identifiers).toEqual(['email:a@example.com phone:+393331112201']);
    expect(profiles).toMatchObject([{ name: { first: 'Ada', last: 'King' } }]);
  });

  it('that repeats a column gives all addresses, and refuses rows with two values for one field', async () => {
    const { identifiers, reported } = await importOf(
      'email,Email,name,Full Name\na@example.com,b@example.com,Ada,\nc@example.com,,Ada,Ada\nd@example.com,,Ada,Bob\n',
    );
    expect(identifiers).toEqual(['email:a@example.com email:b@example.com', 'email:c@example.com']);
    expect(reported).toEqual([expect.stringMatching(/^4 refused: two columns give .* name\.full/)]);
  });

  it('may have last columns without a name, whose values are reported', async () => {
    const { counts, reported } = await importOf(
      'email,name,,\na@example.com,A,,\nb@example.com,B\nc@example.com,C,,,,\nd@example.com,D,x,\ne@example.com\nf@example.com,F,,,y\n',
    );
    expect(counts).toEqual([5, 2, 1]);
    expect(reported).toEqual([
      '5 taken without the value of column 3: the header has no name for it',
      '6 taken with only 1 of 4 fields: the others count as empty',
      '7 refused: the row has 5 fields, and the header has 4',
    ]);
  });
});

describe('a file', () => {
  const text =
    'sep=;\r\nEmail;Name;Phone\r\na@example.com;"Zoë\r\n; 😀";1\r\n;;\r\nb@example.com;José;NULL\r\nx;y;\r\n';
  const encodings: readonly (readonly [string, Uint8Array])[] = [
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 LE', Buffer.from(text, 'utf16le')],
    ['UTF-16 LE with a mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 BE', Buffer.from(text, 'utf16le').swap16()],
    ['UTF-16 BE with a mark', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ];
  it.each(encodings)('in %s has the same rows and lines', async (_, bytes) => {
    const { profiles, reported, saved } = await importOf(bytes, { rows: 1, dryRunRows: 1, refusedBytes: 1 });
    expect(profiles.map(({ name }) => name.full)).toEqual(['Zoë\r\n; 😀', 'José']);
    expect(reported).toEqual([
      `3 taken without phone: ${NO_PHONE}`,
      `7 refused: the row names no customer: email: ${NO_EMAIL}`,
    ]);
    expect(saved).toBe(
      `\ufeffrefused.line;refused.reason;Email;Name;Phone\n3;taken without phone: ${NO_PHONE};a@example.com;"Zoë\r\n; 😀";1\n7;the row names no customer: email: ${NO_EMAIL};x;y;\n`,
    );
  });

  it.each(['utf8', 'utf16le'] as const)(
    'in %s is read on where a slice has ended, however long it is',
    async (encoding) => {
      const name = 'é'.repeat(90_000);
      const rows = [1, 2, 3, 4].map((n) => `a${n}@example.com,${n},${n === 3 ? name.repeat(6) : name}\n`);
      const bytes = Buffer.from(`email,user-id,trait.x\n${rows.join('')}last@example.com,,`, encoding);
      const { identifiers, reported } = await importOf(bytes);
      expect(identifiers.map((one) => one.slice(-13))).toHaveLength(1);
      expect(reported).toEqual([
        expect.stringMatching(/^2,3,5 refused: .*20000 characters/),
        '4 refused: the row is longer than 200000 bytes',
      ]);
    },
  );

  it('in Windows-1252 is read, and says which rows were', async () => {
    const bytes = Buffer.from(
      'email,name\na@example.com,José\nb@example.com,Bob\nc@example.com,\x80\n',
      'latin1',
    );
    const { profiles, reported, counts, saved } = await importOf(bytes);
    expect(profiles.map(({ name }) => name.full)).toEqual(['José', 'Bob', '€']);
    expect(reported).toEqual([
      '2,4 taken as Windows-1252, because the row is not UTF-8: check its accented letters',
    ]);
    expect([counts, saved]).toEqual([[3, 0, 0], '']);
  });

  it.each([',', ';', '\t'])('with the delimiter %j is read', async (delimiter) => {
    const rows = [
      ['email', 'name'],
      ['a@example.com', '"x, y; z"'],
      ['', 'none'],
    ];
    const { profiles, reported } = await importOf(rows.map((row) => row.join(delimiter)).join('\n'));
    expect([profiles, reported]).toMatchObject([[{ name: { full: 'x, y; z' } }], [`3 refused: ${NOBODY}`]]);
  });
});

it('endpoints that Pinpoint exported become customers, and what the hub has no place for is reported', async () => {
  const endpoint = {
    Id: 'e1',
    ApplicationId: 'app',
    ChannelType: 'EMAIL',
    Address: 'a@example.com',
    OptOut: 'NONE',
  };
  const lines = [
    {
      ...endpoint,
      ...{ EffectiveDate: '2024-05-01T10:00:00.000Z', OptOut: 'ALL', CohortId: '7', RequestId: 'r' },
      Attributes: { Interests: ['cats', 'dogs'] },
      User: { UserId: '42', UserAttributes: { FirstName: ['Ada'] } },
      ...{ Metrics: { visits: 3 }, Demographic: { Locale: 'it_IT', Timezone: 'Europe/Rome', Make: 'X' } },
      Location: { City: 'Rome', Latitude: 1 },
    },
    { ...endpoint, Id: 'e2', ChannelType: 'SMS', Address: '+393331112201', EndpointStatus: 'INACTIVE' },
    { ...endpoint, Id: 'e3', ChannelType: 'GCM', Address: 'token', OptOut: 'ALL' },
    { ...endpoint, Id: 'e4', ChannelType: 'CUSTOM', Address: 'fax', OptOut: 'ALL' },
    { ...endpoint, Id: 'e5', Attributes: { a: 'text' } },
  ];
  const file = lines.map((line) => JSON.stringify(line)).join('\n');
  const { rows, identifiers, reported } = await importOf(file, undefined, 'ndjson');
  expect(identifiers).toEqual([
    'user-id:42 email:a@example.com pinpoint:app:e1',
    ...['pinpoint:app:e2', 'pinpoint:app:e3', 'pinpoint:app:e4'],
  ]);
  expect(rows[0]).toMatchObject({
    profile: {
      ...{ language: 'it-IT', timeZone: 'Europe/Rome' },
      traits: { FirstName: 'Ada', Interests: ['cats', 'dogs'], visits: 3, City: 'Rome', CohortId: '7' },
    },
    ...{ consent: { email: 'denied' }, answeredAt: { email: '2024-05-01T10:00:00.000Z' } },
  });
  expect(rows.slice(1).map(({ consent }) => consent)).toEqual([{}, { push: 'denied' }, {}]);
  expect(reported).toEqual([
    '2 taken without the SMS address: the endpoint is inactive, because another one has it',
    '3 taken without the GCM address: the hub has no identifier for it',
    '4 taken without the CUSTOM address: the hub has no identifier for it',
    '4 taken without the opt-out from CUSTOM: the hub has no such channel',
    '5 refused: the endpoint of Pinpoint is not readable at Attributes.a',
  ]);
});

describe('the report', () => {
  it('has no cell that a spreadsheet runs, and is imported like the file itself', async () => {
    const rows = ['nobody,=1+1', '@x,"+1 ""a"', '-x,"=not closed', '"=A1","a\n-b"'];
    const first = await importOf(`email,name\n${rows.join('\n')}\n`);
    expect(first.saved.split('\n').map((row) => row.replace(/^.*?,(?:"[^"]*"|[^,]*),/u, ''))).toEqual([
      'email,name',
      "nobody,'=1+1",
      `'@x,"'+1 ""a"`,
      `'-x,"'=not closed`,
      `'=A1,"a`,
      '-b"',
      '',
    ]);
    const again = await importOf(first.saved);
    const withoutLines = (text: string): string => text.replaceAll(/^\d+,/gmu, '');
    expect(withoutLines(again.saved)).toBe(withoutLines(first.saved));
    const mended = await importOf(first.saved.replace('nobody', 'a@example.com'));
    expect(mended.profiles).toMatchObject([{ name: { full: '=1+1' } }]);
  });

  it('counts every row by its reason, with the first lines, and names no value', async () => {
    const people = Array.from({ length: 300 }, (_, n) => `a${n}@example.com,${n % 2 === 0 ? n : ''}\n`);
    const { counts, reported, saved } = await importOf(`email,phone\n${people.join('')}`, {
      ...{ rows: 7, dryRunRows: 50, refusedBytes: 300 },
    });
    expect(counts).toEqual([300, 150, 0]);
    expect(reported).toEqual([`2,4,6,8,10 taken without phone: ${NO_PHONE}`]);
    expect(saved.trimEnd().split('\n').length).toBe(151);
  });
});
