import type * as z from 'zod';
import { HubError } from '../errors.ts';

/** What a column of a file fills in the object that its row becomes. */
export interface Column {
  readonly path: readonly string[];
  /** The value of a cell, or why it has none. Default: the text. */
  readonly read?: (cell: string) => { readonly value: unknown } | { readonly fault: string };
  /** Its cells are gathered into a list, with those of other columns of the same path. */
  readonly many?: true;
}

/** A column by the name in the header or in a mapping; undefined where there is none of this name. */
export type Columns = (name: string) => Column | undefined;

/** How the header of a file is to be read. */
export interface Layout {
  /** From a name in the header to the name of a column. */
  readonly map: Readonly<Record<string, string>>;
  readonly ignore: readonly string[];
}

/** What the hub itself has put before a row that it refused, so that the mended file can be imported as it is. */
export const REFUSED_COLUMNS = ['refused.line', 'refused.reason'] as const;

/** Names that would change a prototype. */
const reservedNames = /^(?:__proto__|constructor|prototype)$/u;

/** The end of a column's name that stands for anything: `trait.<name>`; undefined where the name has another beginning. */
export const nameAfter = (beginning: RegExp, name: string): string | undefined => {
  const found = beginning.exec(name);
  const rest = found === null ? '' : name.slice(found[0].length).trim();
  return rest === '' || reservedNames.test(rest) ? undefined : rest;
};

/** A column of free names whose values are text, or what a suffix says: `trait.size:number`, `trait.member:boolean`. */
export const typedColumn = (parent: string, name: string): Column => {
  const [, bare = name, type] = /^(.+):(number|boolean)$/u.exec(name) ?? [];
  const path = [parent, bare];
  if (type === 'number')
    return {
      path,
      read: (cell) =>
        /^-?\d+(?:\.\d+)?$/u.test(cell)
          ? { value: Number(cell) }
          : { fault: `${name} expects a number such as 19.90, without signs for thousands` },
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

/**
 * What each field of a row fills; undefined where it fills nothing. Throws `HubError` `unknown-columns`, which lists what
 * is known.
 */
export const columnsOf = (
  header: readonly string[],
  { map, ignore }: Layout,
  columns: Columns,
  known: string,
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
      `The hub does not know the column ${list(wrong)}. It knows ${known}. Rename one with --map "column=field", or leave it out with --ignore "column".`,
    );
  const single = found.flatMap((column) => (column && column.many !== true ? [column.path.join('.')] : []));
  const twice = single.filter((path, at) => single.indexOf(path) !== at);
  if (twice.length > 0)
    throw unknownColumns(`Two columns fill ${list([...new Set(twice)])}. Leave one out with --ignore.`);
  if (!found.some((column) => column?.path[0] === 'identifiers'))
    throw unknownColumns(
      'No column says who a row is about: the hub needs email, phone, user-id or identifier.<type>. Name it with --map "column=email".',
    );
  return found;
};

const list = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ');
const unknownColumns = (message: string): HubError =>
  new HubError('unknown-columns', message, { retry: 'never' });

type Tree = { [name: string]: unknown };

/** The object that a row of CSV stands for; empty cells are left out. */
export const readRow = (
  fields: readonly string[],
  columns: readonly (Column | undefined)[],
): { readonly value: object } | { readonly fault: string } => {
  if (fields.length !== columns.length)
    return { fault: `it has ${fields.length} fields, and the header ${columns.length}` };
  const whole: Tree = {};
  for (const [at, column] of columns.entries()) {
    const cell = fields[at]?.trim() ?? '';
    if (column === undefined || cell === '') continue;
    const read = column.read?.(cell) ?? { value: cell };
    if ('fault' in read) return read;
    setValue(whole, column, read.value);
  }
  return { value: whole };
};

const setValue = (whole: Tree, { path, many }: Column, value: unknown): void => {
  let tree = whole;
  for (const name of path.slice(0, -1)) {
    const next: Tree = (tree[name] as Tree | undefined) ?? {};
    tree[name] = next;
    tree = next;
  }
  const last = path.at(-1) ?? '';
  if (many !== true) tree[last] = value;
  else tree[last] = [...((tree[last] as unknown[] | undefined) ?? []), ...[value].flat()];
};

/** What is wrong with a row, in one line. */
export const rowFault = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');

/** Columns that name a person, the same in every file. */
export const identifierColumn: Columns = (name) => {
  const type = /^(email|phone|user-id)$/iu.exec(name)?.[1] ?? nameAfter(/^identifier\./iu, name);
  if (type === undefined) return undefined;
  const prefix = `${type.toLowerCase()}:`;
  return { path: ['identifiers'], many: true, read: (cell) => ({ value: `${prefix}${cell}` }) };
};
