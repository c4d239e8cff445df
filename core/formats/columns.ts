import type * as z from 'zod';
import { HubError } from '../errors.ts';

/** The field of the row's object that a column fills. */
export interface Column {
  readonly path: readonly string[];
  /** Parses a cell: its value, or the fault. Default: the text. */
  readonly read?: (cell: string) => { readonly value: unknown } | { readonly fault: string };
  /** Set if the cells of all columns of this path form one list. */
  readonly many?: true;
}

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

/** The column of each field of a row; undefined for ignored fields. Throws `HubError` `unknown-columns`. */
export const columnsOf = (
  header: readonly string[],
  { map, ignore }: Layout,
  columns: Columns,
  columnNames: string,
): (Column | undefined)[] => {
  const names = header.map((name) => name.trim());
  const absent = [...Object.keys(map), ...ignore].filter((name) => !names.includes(name));
  if (absent.length > 0)
    throw unknownColumns(`The file has no column ${list(absent)}; it has ${list(names)}.`);
  const wrong: string[] = [];
  const found = names.map((name) => {
    if (ignore.includes(name) || REFUSED_COLUMNS.some((one) => one === name)) return undefined;
    const column = columns(map[name] ?? name);
    if (column === undefined) wrong.push(map[name] ?? name);
    return column;
  });
  if (wrong.length > 0)
    throw unknownColumns(
      `Unknown column ${list(wrong)}. The columns are ${columnNames}. Rename one with --map "column=field", or ignore it with --ignore "column".`,
    );
  const single = found.flatMap((column) => (column && column.many !== true ? [column.path.join('.')] : []));
  const twice = single.filter((path, at) => single.indexOf(path) !== at);
  if (twice.length > 0)
    throw unknownColumns(`Two columns fill ${list([...new Set(twice)])}. Ignore one of them with --ignore.`);
  if (!found.some((column) => column?.path[0] === 'identifiers'))
    throw unknownColumns(
      'No column identifies the customer: the file needs email, phone, user-id or identifier.<type>. Map a column with --map "column=email".',
    );
  return found;
};

const list = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ');
const unknownColumns = (message: string): HubError =>
  new HubError('unknown-columns', message, { retry: 'never' });

type Tree = { [name: string]: unknown };

/** The object of a CSV row; empty cells are omitted. */
export const readRow = (
  fields: readonly string[],
  columns: readonly (Column | undefined)[],
): { readonly value: object } | { readonly fault: string } => {
  if (fields.length !== columns.length)
    return { fault: `the row has ${fields.length} fields, and the header has ${columns.length}` };
  const object: Tree = {};
  for (const [at, column] of columns.entries()) {
    const cell = fields[at]?.trim() ?? '';
    if (column === undefined || cell === '') continue;
    const read = column.read?.(cell) ?? { value: cell };
    if ('fault' in read) return read;
    setValue(object, column, read.value);
  }
  return { value: object };
};

const setValue = (object: Tree, { path, many }: Column, value: unknown): void => {
  let tree = object;
  for (const name of path.slice(0, -1)) {
    const next: Tree = (tree[name] as Tree | undefined) ?? {};
    tree[name] = next;
    tree = next;
  }
  const last = path.at(-1) ?? '';
  if (many !== true) tree[last] = value;
  else tree[last] = [...((tree[last] as unknown[] | undefined) ?? []), ...[value].flat()];
};

/** The first three faults of a row, in one line. */
export const rowFault = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');

/** The identifier columns, which every kind of file has. */
export const identifierColumn: Columns = (name) => {
  const type = /^(email|phone|user-id)$/iu.exec(name)?.[1] ?? nameAfter(/^identifier\./iu, name);
  if (type === undefined) return undefined;
  const prefix = `${type.toLowerCase()}:`;
  return { path: ['identifiers'], many: true, read: (cell) => ({ value: `${prefix}${cell}` }) };
};
