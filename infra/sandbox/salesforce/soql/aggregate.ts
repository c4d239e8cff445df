import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import { ApiError } from '../data/errors.ts';
import type { Org } from '../data/org.ts';
import type { ObjectType } from '../schema/fields.ts';
import { compareValues } from './order.ts';
import { follow, type Resolved, resolve } from './paths.ts';
import type { Aggregate, Query } from './query.ts';

interface Context {
  readonly org: Org;
  readonly text: string;
}

/** One row per group, or a single one without GROUP BY. */
export const aggregateRows = (
  { org, text }: Context,
  type: ObjectType,
  query: Query,
  found: readonly HeldRecord[],
): Fields[] => {
  const keys = query.groupBy.map((path) => resolve(org, type, path, text));
  const groups = new Map<string, HeldRecord[]>(keys.length === 0 ? [['[]', []]] : []);
  for (const record of found) {
    const key = JSON.stringify(keys.map((resolved) => follow(org, resolved, record.fields)));
    const group = groups.get(key);
    if (group) group.push(record);
    else groups.set(key, [record]);
  }
  const columns = columnsOf(org, text, type, query, keys);
  const rows = [...groups.values()].map((records) => ({
    attributes: { type: 'AggregateResult' },
    ...Object.fromEntries(columns.map(({ name, value }) => [name, value(records)])),
  }));
  return rows.toSorted((one, other) => {
    for (const { path, descending, nullsLast } of query.orderBy) {
      const name = path.names.at(-1)?.toLowerCase();
      const difference = compareValues(cell(one, name), cell(other, name), nullsLast, descending);
      if (difference !== 0) return difference;
    }
    return 0;
  });
};

const cell = (row: Fields, name: string | undefined): unknown =>
  Object.entries(row).find(([key]) => key.toLowerCase() === name)?.[1] ?? null;

interface Column {
  readonly name: string;
  readonly value: (records: readonly HeldRecord[]) => unknown;
}

const columnsOf = (
  org: Org,
  text: string,
  type: ObjectType,
  query: Query,
  keys: readonly Resolved[],
): Column[] => {
  let unnamed = 0;
  return query.select.map((selected) => {
    if (selected.kind !== 'field' && selected.kind !== 'aggregate')
      throw new ApiError(
        400,
        'MALFORMED_QUERY',
        'Only fields and aggregate functions can be selected together with GROUP BY',
      );
    const resolved = resolve(org, type, selected.path, text);
    if (selected.kind === 'aggregate') {
      const name = selected.alias ?? `expr${unnamed++}`;
      return {
        name,
        value: (records) =>
          total(
            selected.name,
            records.map(({ fields }) => follow(org, resolved, fields)),
          ),
      };
    }
    if (
      !keys.some(
        (key) => key.field.name === resolved.field.name && key.lookups.length === resolved.lookups.length,
      )
    )
      throw new ApiError(
        400,
        'MALFORMED_QUERY',
        `Field must be grouped or aggregated: ${resolved.field.name}`,
      );
    return {
      name: selected.alias ?? resolved.field.name,
      value: ([first]) => (first ? follow(org, resolved, first.fields) : null),
    };
  });
};

const total = (name: Aggregate, all: readonly unknown[]): unknown => {
  const values = all.filter((value) => value !== null);
  if (name === 'COUNT') return values.length;
  if (name === 'COUNT_DISTINCT') return new Set(values.map((value) => String(value).toLowerCase())).size;
  if (values.length === 0) return null;
  const ordered = values.toSorted((one, other) => compareValues(one, other, false, false));
  if (name === 'MIN') return ordered[0];
  if (name === 'MAX') return ordered.at(-1);
  const sum = values.reduce<number>((so, value) => so + Number(value), 0);
  return name === 'SUM' ? sum : sum / values.length;
};
