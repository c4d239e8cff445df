import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import { ApiError } from '../data/errors.ts';
import { normalId } from '../data/ids.ts';
import type { Org } from '../data/org.ts';
import type { ObjectType } from '../schema/fields.ts';
import { aggregateRows } from './aggregate.ts';
import { compile } from './conditions.ts';
import { compareValues } from './order.ts';
import { parseQuery } from './parse.ts';
import { follow, heldValue, parentOf, type Resolved, resolve } from './paths.ts';
import type { Condition, Order, Query, Selected } from './query.ts';
import { queryError } from './tokens.ts';

export interface Running {
  readonly org: Org;
  /** The text of the query, for errors. */
  readonly text: string;
  readonly withDeleted: boolean;
  /** `/services/data/v62.0` */
  readonly base: string;
}

export interface Rows {
  readonly type: ObjectType;
  readonly totalSize: number;
  readonly records: readonly Fields[];
}

const QUERY_LIMIT = 100_000;
const OFFSET_LIMIT = 2000;

/** The rows of a SOQL text, of those records that pass the filter. Throws `ApiError`. */
export const runQuery = (running: Running, filter: (record: HeldRecord) => boolean = () => true): Rows => {
  if (running.text.length > QUERY_LIMIT)
    throw new ApiError(400, 'MALFORMED_QUERY', 'SOQL statements cannot be longer than 100000 characters.');
  return runParsed(running, parseQuery(running.text, running.org.now()), filter);
};

const runParsed = (running: Running, query: Query, filter: (record: HeldRecord) => boolean): Rows => {
  const { org, text } = running;
  const type = org.schema.object(query.from.names.join('.'));
  if (type === undefined)
    throw queryError(
      'INVALID_TYPE',
      text,
      query.from.at,
      `sObject type '${query.from.names.join('.')}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`,
    );
  if (query.offset > OFFSET_LIMIT)
    throw new ApiError(400, 'NUMBER_OUTSIDE_VALID_RANGE', 'Maximum SOQL offset allowed is 2000');
  const found = matching(running, type, query, candidates(running, type, query.where)).filter(filter);
  if (query.select.length === 0)
    return { type, totalSize: Math.min(found.length, query.limit ?? found.length), records: [] };
  const grouped = query.groupBy.length > 0 || query.select.some(({ kind }) => kind === 'aggregate');
  if (grouped) {
    const records = window(query, aggregateRows(running, type, query, found));
    return { type, totalSize: records.length, records };
  }
  const project = projection(running, type, query);
  const records = window(query, sorted(running, type, query.orderBy, found)).map(project);
  return { type, totalSize: records.length, records };
};

const window = <Row>({ offset, limit }: Query, rows: readonly Row[]): Row[] =>
  rows.slice(offset, limit === undefined ? undefined : offset + limit);

/** The records among which a query looks: by an index where one value of a field is asked for, else all. */
const candidates = ({ org }: Running, type: ObjectType, where: Condition | undefined): HeldRecord[] => {
  const parts = where === undefined ? [] : where.kind === 'group' && where.every ? where.parts : [where];
  for (const part of parts) {
    if (part.kind !== 'compare' || !['=', 'IN'].includes(part.comparison) || part.path.names.length > 1)
      continue;
    const field = org.schema.field(type, part.path.names[0] ?? '');
    const texts = part.values.flatMap((value) =>
      value.kind === 'text' && value.value !== '' ? [value.value] : [],
    );
    if (field === undefined || field.derive || texts.length < part.values.length) continue;
    const isId = field.type === 'id' || field.type === 'reference';
    const found = texts.flatMap((text) => org.allBy(type, field.name, isId ? normalId(text) : text));
    return [...new Set(found)];
  }
  return org.all(type);
};

const matching = (
  running: Running,
  type: ObjectType,
  { where }: Query,
  among: readonly HeldRecord[],
): HeldRecord[] => {
  const visible = running.withDeleted ? among : among.filter(({ fields }) => fields['IsDeleted'] !== true);
  if (where === undefined) return [...visible];
  const test = compile(where, { ...running, type, values: (query) => onlyValues(running, query) });
  return visible.filter(({ fields }) => test(fields));
};

const onlyValues = (running: Running, query: Query): ReadonlySet<unknown> =>
  new Set(
    runParsed(running, query, () => true).records.flatMap(({ attributes: _, ...row }) => Object.values(row)),
  );

const sorted = (
  { org, text }: Running,
  type: ObjectType,
  orders: readonly Order[],
  found: HeldRecord[],
): HeldRecord[] => {
  const keys = orders.map((order) => ({ ...order, resolved: resolve(org, type, order.path, text) }));
  return found.toSorted((one, other) => {
    for (const { resolved, descending, nullsLast } of keys) {
      const difference = compareValues(
        follow(org, resolved, one.fields),
        follow(org, resolved, other.fields),
        nullsLast,
        descending,
        // Ids are ordered by their characters, so that a client can go on after the last one that it has.
        ['id', 'reference'].includes(resolved.field.type),
      );
      if (difference !== 0) return difference;
    }
    return 0;
  });
};

type Project = (record: HeldRecord) => Fields;

const attributes = (base: string, type: ObjectType, id: string): Fields => ({
  attributes: { type: type.name, url: `${base}/sobjects/${type.name}/${id}` },
});

const projection = (running: Running, type: ObjectType, query: Query): Project => {
  const members = query.select.flatMap((selected) => memberOf(running, type, selected, query.limit));
  return ({ id, fields }) => {
    const row: Record<string, unknown> = { ...attributes(running.base, type, id) };
    for (const member of members) member(row, fields);
    return row;
  };
};

type Member = (row: Record<string, unknown>, fields: Fields) => void;

const memberOf = (
  running: Running,
  type: ObjectType,
  selected: Selected,
  limit: number | undefined,
): Member[] => {
  if (selected.kind === 'children') return [children(running, type, selected.query)];
  if (selected.kind === 'aggregate') return [];
  if (selected.kind === 'field')
    return [nested(running, resolve(running.org, type, selected.path, running.text))];
  if (selected.group !== 'STANDARD' && (limit ?? Number.POSITIVE_INFINITY) > 200)
    throw new ApiError(400, 'MALFORMED_QUERY', 'The SOQL FIELDS function must have a LIMIT of at most 200');
  const wanted = type.fields.filter(
    ({ custom }) => selected.group === 'ALL' || custom === (selected.group === 'CUSTOM'),
  );
  return wanted.map((field) => nested(running, { lookups: [], field }));
};

/** Sets the value of a path; the parents on the way become objects. */
const nested =
  ({ org, base }: Running, { lookups, field }: Resolved): Member =>
  (row, fields) => {
    let [here, holder]: [Fields, Record<string, unknown>] = [fields, row];
    let type: ObjectType | undefined;
    for (const lookup of lookups) {
      const name = lookup.relationshipName ?? lookup.name;
      const parent = parentOf(org, lookup, here);
      if (parent === undefined) {
        holder[name] = null;
        return;
      }
      const inner: Record<string, unknown> = {
        ...attributes(base, parent.type, parent.record.id),
        ...(holder[name] ?? {}),
      };
      holder[name] = inner;
      [here, holder, type] = [parent.record.fields, inner, parent.type];
    }
    holder[field.name] = heldValue((type && org.schema.field(type, field.name)) ?? field, here);
  };

const children = (running: Running, type: ObjectType, query: Query): Member => {
  const { org, text } = running;
  const name = query.from.names.join('.');
  const relation = org.schema
    .children(type)
    .find(({ field }) => field.childRelationship?.toLowerCase() === name.toLowerCase());
  if (relation === undefined)
    throw queryError(
      'INVALID_TYPE',
      text,
      query.from.at,
      `Didn't understand relationship '${name}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`,
    );
  const { object, field } = relation;
  const project = projection(running, object, query);
  return (row, fields) => {
    const found = matching(running, object, query, org.allBy(object, field.name, fields['Id']));
    const records = window(query, sorted(running, object, query.orderBy, found)).map(project);
    row[field.childRelationship ?? name] =
      records.length === 0 ? null : { totalSize: records.length, done: true, records };
  };
};
