import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { Instance } from '../data/instance.ts';
import { fieldValue, sameText } from '../data/values.ts';
import { schemaTables } from '../schema/schema-tables.ts';
import type { Condition, Order, Query } from './parse.ts';

/** The field at the end of a path and the value of it, through the references on the way; undefined for a path that is none. */
export const resolvePath = (instance: Instance, table: string, path: string) => {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let at = table;
  for (const name of names) {
    const reference = instance.schema.field(at, name)?.reference;
    if (!reference) return undefined;
    at = reference;
  }
  const field = instance.schema.field(at, last);
  if (field === undefined) return undefined;
  const value = (record: HeldRecord): string => {
    let current: HeldRecord | undefined = record;
    let within = table;
    for (const name of names) {
      within = instance.schema.field(within, name)?.reference ?? '';
      current = current && instance.get(within, fieldValue(current, name));
    }
    return current === undefined ? '' : fieldValue(current, last);
  };
  return { field, value };
};

type Test = (value: string) => boolean;

/** `javascript:gs.dateGenerate('2026-03-01','12:00:00')` is how the pages of ServiceNow write a time into a query. */
const literal = (text: string): string => {
  const [, date, time] = /^javascript:gs\.dateGenerate\('([\d-]+)','([\d:]+)'\)$/u.exec(text) ?? [];
  if (date !== undefined) return `${date} ${time}`;
  return text === 'NULL' ? '' : text;
};

const compare = (one: string, other: string, numeric: boolean): number =>
  numeric
    ? Number(one) - Number(other)
    : one.toLowerCase() < other.toLowerCase()
      ? -1
      : Number(!sameText(one, other));

const testOf = ({ operator, value: given }: Condition, numeric: boolean): Test => {
  const wanted = literal(given);
  const low = wanted.toLowerCase();
  const list = low.split(',').map((entry) => entry.trim());
  const ordered =
    (accepts: (order: number) => boolean): Test =>
    (value) =>
      value !== '' && accepts(compare(value, wanted, numeric));
  const [from = '', to = ''] = given.split('@').map(literal);
  const tests: Readonly<Record<Condition['operator'], Test>> = {
    '=': (value) => value.toLowerCase() === low,
    '!=': (value) => value.toLowerCase() !== low,
    ISEMPTY: (value) => value === '',
    ISNOTEMPTY: (value) => value !== '',
    IN: (value) => list.includes(value.toLowerCase()),
    'NOT IN': (value) => !list.includes(value.toLowerCase()),
    LIKE: (value) => value.toLowerCase().includes(low),
    CONTAINS: (value) => value.toLowerCase().includes(low),
    NOTLIKE: (value) => !value.toLowerCase().includes(low),
    'NOT LIKE': (value) => !value.toLowerCase().includes(low),
    'DOES NOT CONTAIN': (value) => !value.toLowerCase().includes(low),
    STARTSWITH: (value) => value.toLowerCase().startsWith(low),
    ENDSWITH: (value) => value.toLowerCase().endsWith(low),
    BETWEEN: (value) =>
      value !== '' && compare(value, from, numeric) >= 0 && compare(value, to, numeric) <= 0,
    '>': ordered((order) => order > 0),
    '>=': ordered((order) => order >= 0),
    '<': ordered((order) => order < 0),
    '<=': ordered((order) => order <= 0),
  };
  return tests[operator];
};

const matcher = (instance: Instance, table: string, condition: Condition) => {
  const target = resolvePath(instance, table, condition.path);
  if (target === undefined) return undefined;
  const test = testOf(condition, target.field.type === 'integer');
  return (record: HeldRecord): boolean => test(target.value(record));
};

/** Records that an index finds for a query of one group, so that a look-up by key does not read the whole table. */
const candidates = (instance: Instance, table: string, { groups }: Query): readonly HeldRecord[] => {
  const clauses = groups.length === 1 ? (groups[0] ?? []) : [];
  const [indexed] = clauses.flatMap(([condition, ...others]) =>
    condition !== undefined &&
    others.length === 0 &&
    ['=', 'IN'].includes(condition.operator) &&
    instance.schema.field(table, condition.path) !== undefined &&
    !schemaTables.some(({ name }) => name === table)
      ? [condition]
      : [],
  );
  if (indexed === undefined) return instance.list(table);
  const values = indexed.operator === '=' ? [literal(indexed.value)] : indexed.value.split(',');
  const wanted = [...new Set(values.map((value) => value.trim().toLowerCase()))];
  return wanted.flatMap((value) => instance.findBy(table, indexed.path, value));
};

const sorted = (instance: Instance, table: string, records: HeldRecord[], orders: readonly Order[]) => {
  const keys = orders.flatMap(({ path, descending }) => {
    const target = resolvePath(instance, table, path);
    return target ? [{ ...target, sign: descending ? -1 : 1 }] : [];
  });
  return records.sort((one, other) => {
    for (const { field, value, sign } of keys) {
      const order = compare(value(one), value(other), field.type === 'integer') * sign;
      if (order !== 0) return order;
    }
    return 0;
  });
};

/**
 * The records that a query finds. Parts that name no field are passed over, so that a query with a misspelt field finds
 * every record; an instance may have the property that makes it find none.
 */
export const runQuery = (
  instance: Instance,
  table: string,
  query: Query,
  invalidFindsNothing: boolean,
): HeldRecord[] => {
  let invalid = query.invalid;
  const groups = query.groups.map((clauses) =>
    clauses.flatMap((conditions) => {
      const matchers = conditions.flatMap((condition) => matcher(instance, table, condition) ?? []);
      invalid += conditions.length - matchers.length;
      return matchers.length > 0 ? [matchers] : [];
    }),
  );
  if (invalid > 0 && invalidFindsNothing) return [];
  const found = candidates(instance, table, query).filter((record) =>
    groups.some((clauses) => clauses.every((matchers) => matchers.some((matches) => matches(record)))),
  );
  return sorted(instance, table, [...found], query.orders);
};
