import { readRecords } from '../../../../core/formats/lists/csv.ts';
import { incomplete } from '../rest/composite.ts';
import type { Answer } from '../rest/http.ts';

/** The rows of an answer in CSV, by the names of its columns. Throws a `CrmFault` `down` if a part of it is missing. */
export const rowsOf = ({ text }: Pick<Answer, 'text'>): Readonly<Record<string, string>>[] => {
  const rows: Record<string, string>[] = [];
  let header: readonly string[] | undefined;
  for (const { fields } of readRecords(Buffer.from(text), ',', true)) {
    if (fields === undefined) throw incomplete();
    if (header === undefined) header = fields;
    else rows.push(Object.fromEntries(header.map((name, at) => [name, fields[at] ?? ''])));
  }
  return rows;
};

const EMPTY = '#N/A';

/**
 * `#N/A` empties a field; an empty cell leaves it as it is. Salesforce takes spaces off the ends of a text, so that one more
 * lets a person write `#N/A`.
 */
export const cellText = (value: unknown): string =>
  value === null ? EMPTY : value === undefined ? '' : value === EMPTY ? `${EMPTY} ` : String(value);

const cellOf = (value: unknown): string =>
  value === null || value === undefined ? cellText(value) : `"${cellText(value).replaceAll('"', '""')}"`;

/** Rows as CSV, each with all columns that any has. */
export const csvOf = (rows: readonly Readonly<Record<string, unknown>>[]): string => {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => columns.map((name) => cellOf(row[name])).join(','));
  return [columns.join(','), ...lines, ''].join('\n');
};
