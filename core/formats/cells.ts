import { emailAddress } from './mail/mailbox.ts';

/**
 * The text of a cell without the marks by which spreadsheets keep it text: `="…"`, or an apostrophe before a number or before
 * a character that begins a formula.
 */
export const cellText = (cell: string): string => {
  const text = cell.trim();
  const [, formula] = /^="((?:[^"]|"")*)"$/u.exec(text) ?? [];
  if (formula !== undefined) return formula.replaceAll('""', '"').trim();
  return /^'(?:\s*[=+\-@]|[\t\r]|[\d\s().\-/]+$)/u.test(text) ? text.slice(1).trim() : text;
};

const absentWord =
  /^(?:[(<[]?(?:null|nil|none|undefined|nan)[)>\]]?|\\n|n\/a|#n\/a|#n\/d|#nv|#null!|#name\?|#ref!|#value!|#num!|#div\/0!|-+|–|—)$/iu;

/** Whether a cell has a word by which programs write that there is no value, such as `NULL`, `\N`, `N/A` or `-`. */
export const isAbsent = (cell: string): boolean => cell === '' || absentWord.test(cell);

const scientific = /^(\d)(?:[.,](\d+))?E\+(\d{1,3})$/iu;

/** Whether a cell has a number in scientific notation (`4.15555E+11`), as spreadsheets show and save long numbers. */
export const isScientific = (cell: string): boolean => scientific.test(cell);

/** A number in scientific notation as plain digits if it has them all; any other cell as it is. */
export const plainDigits = (cell: string): string => {
  const [, first, fraction = '', exponent] = scientific.exec(cell) ?? [];
  if (first === undefined || fraction.length < Number(exponent)) return cell;
  const rest = fraction.slice(Number(exponent));
  return /^0*$/u.test(rest) ? `${first}${fraction.slice(0, Number(exponent))}` : cell;
};

const piecesOf = (cell: string, separator: RegExp): string[] =>
  cell
    .split(separator)
    .map((piece) => cellText(piece))
    .filter((piece) => !isAbsent(piece));

/** The e-mail addresses in a cell; what is no address between the separators is kept, to be reported. */
export const emailsIn = (cell: string): string[] => {
  if (!/[;,|/<\s]/u.test(cell) || emailAddress(cell) !== undefined) return [cell];
  return piecesOf(cell, /[;,|\r\n]/u).flatMap((piece) => {
    const [, bracketed] = /^[^<>@]*<([^<>]*)>$/u.exec(piece) ?? [];
    if (bracketed !== undefined) return [bracketed];
    return emailAddress(piece) === undefined ? piecesOf(piece, /[\s/]/u) : [piece];
  });
};

/** Digits before a slash that are a whole number and no area code. */
const WHOLE_NUMBER_DIGITS = 9;

/**
 * The phone numbers in a cell; what is no number between the separators is kept, to be reported. A slash separates two
 * numbers unless it stands after an area code.
 */
export const phonesIn = (cell: string): string[] => {
  if (!/[;,|/\r\n]|\s\+/u.test(cell) || isScientific(cell)) return [plainDigits(cell)];
  return piecesOf(cell, /[;,|\r\n]|\s(?=\+)/u).flatMap((piece) => {
    const before = (piece.split('/')[0] ?? '').replace(/\D/gu, '');
    return before.length >= WHOLE_NUMBER_DIGITS ? piecesOf(piece, /\//u) : [piece];
  });
};
