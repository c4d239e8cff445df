import type * as z from 'zod';
import { HubError } from '../../errors.ts';
import { cellText, emailsIn, isAbsent, phonesIn, plainDigits } from '../cells.ts';

/** The field of the row's object that a column fills. */
export interface Column {
  readonly path: readonly string[];
  /** Parses a cell: its value, or the fault. Default: the text. */
  readonly read?: (cell: string) => { readonly value: unknown } | { readonly fault: string };
  /** Set if the cells of all columns of this path form one list. */
  readonly many?: true;
  /** Set for free text, in which words such as `none` are values. */
  readonly verbatim?: true;
}

/** What a field of a row fills: nothing if the column is ignored, or `unnamed` if the header has no name for it. */
export type FileColumn = Column | 'unnamed' | undefined;

/** The object of a row, and what of the row it does not have; or why the row is not readable. */
export type RowReading =
  | { readonly value: unknown; readonly omitted: readonly string[] }
  | { readonly fault: string };

/** Finds a column by its name in the header or the mapping; undefined if there is no such column. */
export type Columns = (name: string) => Column | undefined;

/** The user's mapping of a file's header. */
export interface Layout {
  /** Column names by header names. */
  readonly map: Readonly<Record<string, string>>;
  readonly ignore: readonly string[];
}

/** The columns that the hub adds to refused rows. An import ignores them, so the corrected file can be imported unchanged. */
export const REFUSED_COLUMNS = ['refused.line', 'refused.reason'] as const;

/** Names that could change an object's prototype. */
const reservedNames = /^(?:__proto__|constructor|prototype)$/u;

/** The free part of a column name such as `trait.<name>`; undefined if the name has another prefix or a reserved name. */
export const nameAfter = (prefix: RegExp, name: string): string | undefined => {
  const found = prefix.exec(name);
  const rest = found === null ? '' : name.slice(found[0].length).trim();
  return rest === '' || reservedNames.test(rest) ? undefined : rest;
};

/** A column with a free name. Its values are text, or of the type in its suffix: `trait.size:number`, `trait.member:boolean`. */
export const typedColumn = (parent: string, name: string): Column => {
  const [, bare = name, type] = /^(.+):(number|boolean)$/u.exec(name) ?? [];
  const path = [parent, bare];
  if (type === 'number')
    return {
      path,
      read: (cell) =>
        /^-?\d+(?:\.\d+)?$/u.test(cell)
          ? { value: Number(cell) }
          : { fault: `${name} expects a number such as 19.90, without thousands separators` },
    };
  if (type === 'boolean')
    return {
      path,
      read: (cell) =>
        /^(?:true|yes|1)$/iu.test(cell)
          ? { value: true }
          : /^(?:false|no|0)$/iu.test(cell)
            ? { value: false }
            : { fault: `${name} expects true or false` },
    };
  return { path };
};

/** The column of each field of a row. Throws `HubError` `unknown-columns`. */
export const columnsOf = (
  header: readonly string[],
  { map, ignore }: Layout,
  columns: Columns,
  columnNames: string,
): FileColumn[] => {
  const names = header.map((name) => name.trim());
  const absent = [...Object.keys(map), ...ignore].filter((name) => !names.includes(name));
  if (absent.length > 0)
    throw unknownColumns(`The file has no column ${list(absent)}; it has ${list(names)}.`);
  const wrong: string[] = [];
  const found = names.map((name): FileColumn => {
    if (name === '') return 'unnamed';
    if (ignore.includes(name) || REFUSED_COLUMNS.some((one) => one === name)) return undefined;
    const column = columns(map[name] ?? name);
    if (column === undefined) wrong.push(map[name] ?? name);
    return column;
  });
  if (wrong.length > 0)
    throw unknownColumns(
      `Unknown column ${list(wrong)}. The columns are ${columnNames}. Rename one with --map "column=field", or ignore it with --ignore "column".`,
    );
  if (!found.some((column) => typeof column === 'object' && column.path[0] === 'identifiers'))
    throw unknownColumns(
      'No column identifies the customer: the file needs email, phone, user-id or identifier.<type>. Map a column with --map "column=email".',
    );
  return found;
};

const list = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ');
const unknownColumns = (message: string): HubError =>
  new HubError('unknown-columns', message, { retry: 'never' });

type Tree = { [name: string]: unknown };

/**
 * The object of a CSV row. Cells without a value are omitted. The last cells of a row may be absent; more cells than the header
 * has must be empty.
 */
export const readRow = (fields: readonly string[], columns: readonly FileColumn[]): RowReading => {
  if (fields.slice(columns.length).some((field) => field.trim() !== ''))
    return { fault: `the row has ${fields.length} fields, and the header has ${columns.length}` };
  const isShort = columns.slice(fields.length).some((column) => typeof column === 'object');
  const omitted = isShort
    ? [`taken with only ${fields.length} of ${columns.length} fields: the others count as empty`]
    : [];
  const object: Tree = {};
  for (const [at, column] of columns.entries()) {
    const cell = cellText(fields[at] ?? '');
    if (cell === '' || column === undefined) continue;
    if (column === 'unnamed') {
      omitted.push(`taken without the value of column ${at + 1}: the header has no name for it`);
      continue;
    }
    if (column.verbatim !== true && isAbsent(cell)) continue;
    const read = column.read?.(cell) ?? { value: cell };
    if ('fault' in read) return read;
    if (!setValue(object, column, read.value))
      return {
        fault: `two columns give different values for ${column.path.join('.')}: leave one of them empty, or ignore a column with --ignore`,
      };
  }
  return { value: object, omitted };
};

/** False if another column has given another value. */
const setValue = (object: Tree, { path, many }: Column, value: unknown): boolean => {
  let tree = object;
  for (const name of path.slice(0, -1)) {
    const next: Tree = (tree[name] as Tree | undefined) ?? {};
    tree[name] = next;
    tree = next;
  }
  const last = path.at(-1) ?? '';
  if (many === true) tree[last] = [...((tree[last] as unknown[] | undefined) ?? []), ...[value].flat()];
  else if (tree[last] === undefined) tree[last] = value;
  else return tree[last] === value;
  return true;
};

/** The first three faults of a row, in one line. */
export const rowFault = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');

/** How a cell of an identifier column is split and read, by type. */
const identifierCells: Readonly<Record<string, (cell: string) => string[]>> = {
  email: emailsIn,
  phone: phonesIn,
};

/** The identifier columns, which every kind of file has. */
export const identifierColumn: Columns = (name) => {
  const type = (
    /^(email|phone|user-id)$/iu.exec(name)?.[1] ?? nameAfter(/^identifier\./iu, name)
  )?.toLowerCase();
  if (type === undefined) return undefined;
  const split = identifierCells[type] ?? ((cell: string) => [plainDigits(cell)]);
  return {
    path: ['identifiers'],
    many: true,
    read: (cell) => ({ value: split(cell).map((one) => `${type}:${one}`) }),
  };
};
