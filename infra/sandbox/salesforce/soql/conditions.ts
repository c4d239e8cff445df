import type { Fields } from '../../protocol/sandbox.ts';
import { ApiError } from '../data/errors.ts';
import { normalId } from '../data/ids.ts';
import type { Org } from '../data/org.ts';
import type { Field, ObjectType } from '../schema/fields.ts';
import { follow, resolve } from './paths.ts';
import type { Comparison, Condition, Literal, Query } from './query.ts';
import { queryError } from './tokens.ts';

export type Test = (fields: Fields) => boolean;

export interface Compiling {
  readonly org: Org;
  readonly type: ObjectType;
  /** The text of the query, for errors. */
  readonly text: string;
  /** The values of the only field of a query. */
  readonly values: (query: Query) => ReadonlySet<unknown>;
}

const KINDS: Readonly<Record<string, Literal['kind']>> = {
  boolean: 'boolean',
  int: 'number',
  double: 'number',
  currency: 'number',
  percent: 'number',
  date: 'time',
  datetime: 'time',
};
const WORDING: Readonly<Record<string, string>> = {
  text: 'string and should be enclosed in quotes',
  number: 'double and should not be enclosed in quotes',
  boolean: 'boolean and should not be enclosed in quotes',
  time: 'dateTime and should not be enclosed in quotes',
};

/** The test of a condition. Throws `ApiError` where a field is unknown or a value is none of its type. */
export const compile = (condition: Condition, context: Compiling): Test => {
  if (condition.kind === 'not') {
    const part = compile(condition.part, context);
    return (fields) => !part(fields);
  }
  if (condition.kind === 'group') {
    const parts = condition.parts.map((part) => compile(part, context));
    return condition.every
      ? (fields) => parts.every((part) => part(fields))
      : (fields) => parts.some((part) => part(fields));
  }
  const { org, type, text } = context;
  const resolved = resolve(org, type, condition.path, text);
  if (condition.kind === 'semijoin') {
    const values = context.values(condition.query);
    return (fields) => values.has(follow(org, resolved, fields)) !== condition.negated;
  }
  const { comparison, path } = condition;
  const values = condition.values.map((value) =>
    typed(resolved.field, value, (message) => queryError('INVALID_FIELD', text, path.at, message)),
  );
  if (comparison === 'LIKE' && (KINDS[resolved.field.type] ?? 'text') !== 'text')
    throw new ApiError(400, 'INVALID_FIELD', `invalid operator on field ${resolved.field.name}`);
  const test = tester(resolved.field, comparison, values);
  return (fields) => test(follow(org, resolved, fields));
};

const typed = (field: Field, value: Literal, refuse: (message: string) => ApiError): Literal => {
  if (value.kind === 'null') return value;
  const wanted = KINDS[field.type] ?? 'text';
  if (value.kind !== wanted)
    throw refuse(
      `value of filter criterion for field '${field.name}' must be of type ${WORDING[wanted] ?? wanted}`,
    );
  if (value.kind !== 'text' || (field.type !== 'id' && field.type !== 'reference') || value.value === '')
    return value;
  const id = normalId(value.value);
  if (id === undefined)
    throw new ApiError(400, 'INVALID_QUERY_FILTER_OPERATOR', `invalid ID field: ${value.value}`);
  return { kind: 'text', value: id };
};

const comparable = (value: unknown, exact: boolean): string | number | boolean | null => {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return value === null || value === undefined ? null : exact ? String(value) : String(value).toLowerCase();
};

const tester = (
  field: Field,
  comparison: Comparison,
  literals: readonly Literal[],
): ((value: unknown) => boolean) => {
  const exact = field.type === 'id' || field.type === 'reference' || field.caseSensitive;
  const [first = { kind: 'null' }] = literals;
  const equal = (value: unknown) => literals.some((literal) => equals(literal, value, exact));
  if (comparison === '=' || comparison === 'IN') return equal;
  if (comparison === '!=' || comparison === 'NOT IN') return (value) => !equal(value);
  if (comparison === 'LIKE')
    return (value) =>
      first.kind === 'text' && value !== null && like(first.value.toLowerCase(), String(value).toLowerCase());
  if (comparison === 'INCLUDES' || comparison === 'EXCLUDES')
    return (value) => includes(literals, value) === (comparison === 'INCLUDES');
  return (value) => value !== null && ordered(comparison, first, value, exact);
};

const milliseconds = (value: unknown): number =>
  Date.parse(String(value).length === 10 ? `${String(value)}T00:00:00Z` : String(value));

const equals = (literal: Literal, value: unknown, exact: boolean): boolean => {
  if (literal.kind === 'null' || (literal.kind === 'text' && literal.value === ''))
    return value === null || value === '';
  if (value === null) return false;
  if (literal.kind !== 'time') return comparable(value, exact) === comparable(literal.value, exact);
  const time = milliseconds(value);
  return literal.from === literal.to
    ? Math.floor(time / 1000) === Math.floor(literal.from / 1000)
    : time >= literal.from && time < literal.to;
};

const ordered = (comparison: Comparison, literal: Literal, value: unknown, exact: boolean): boolean => {
  if (literal.kind === 'null') return false;
  const [low, high] =
    literal.kind === 'time'
      ? [literal.from, Math.max(literal.from, literal.to - 1)]
      : [comparable(literal.value, exact), comparable(literal.value, exact)];
  const here = literal.kind === 'time' ? milliseconds(value) : comparable(value, exact);
  if (here === null || low === null || high === null) return false;
  if (comparison === '<') return here < low;
  if (comparison === '>=') return here >= low;
  return comparison === '<=' ? here <= high : here > high;
};

const includes = (literals: readonly Literal[], value: unknown): boolean => {
  const chosen = String(value ?? '')
    .toLowerCase()
    .split(';');
  return literals.some(
    (literal) =>
      literal.kind === 'text' &&
      literal.value
        .toLowerCase()
        .split(';')
        .every((one) => chosen.includes(one)),
  );
};

/** Whether a text is like a pattern of `%` and `_`. It goes back to the last `%` only, so its time is at most the product of the lengths. */
const like = (pattern: string, value: string): boolean => {
  const parts = [...pattern.matchAll(/\\?./gsu)].map(([part]) => part);
  const characters = [...value];
  let [at, part, back, resume] = [0, 0, -1, 0];
  while (at < characters.length) {
    const wanted = parts[part];
    if (wanted === '%') [back, resume, part] = [part, at, part + 1];
    else if (wanted !== undefined && (wanted === '_' || wanted.replace(/^\\/u, '') === characters[at]))
      [at, part] = [at + 1, part + 1];
    else if (back >= 0) [part, resume, at] = [back + 1, resume + 1, resume + 1];
    else return false;
  }
  return parts.slice(part).every((rest) => rest === '%');
};
