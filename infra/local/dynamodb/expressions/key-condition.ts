import { expectFilled, expectRangeSize, type KeyNames, type Table } from '../tables/table.ts';
import { invalid, sortable, typeOf, type Value } from '../values/values.ts';
import { type Condition, type Operand, operandsOf } from './syntax.ts';

/** The partition of a query, the condition on its range key, and the bytes between which the condition can be true. */
export interface KeyCondition {
  readonly hash: Value;
  readonly range: Condition | undefined;
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
}

type Simple = ReturnType<typeof conjunctsOf>[number];
const mirrored: Readonly<Record<string, string>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Interprets a parsed KeyConditionExpression: `hash = :v`, alone or with one condition on the range key. */
export const keyCondition = (table: Table, keys: KeyNames, condition: Condition): KeyCondition => {
  const parts = new Map<string, Simple>();
  for (const part of conjunctsOf(condition)) {
    const { name, normal } = withKeyOnLeft(part);
    if (parts.has(name)) throw invalid('KeyConditionExpressions must only contain one condition per key');
    parts.set(name, normal);
  }
  if (parts.size > 2) throw invalid('Conditions can be of length 1 or 2 only');
  const hash = parts.get(keys.hash);
  if (hash === undefined) throw invalid(`Query condition missed key schema element: ${keys.hash}`);
  const range = keys.range === undefined ? undefined : parts.get(keys.range);
  if (parts.size === 2 && range === undefined)
    throw invalid(
      keys.range === undefined
        ? 'Query key condition not supported'
        : `Query condition missed key schema element: ${keys.range}`,
    );
  for (const [name, part] of parts)
    for (const value of valuesOf(part))
      if (typeOf(value) !== table.typeOfKey(name))
        throw invalid(
          'One or more parameter values were invalid: Condition parameter type does not match schema type',
        );
  const [value] = valuesOf(hash);
  if (value === undefined || !('compare' in hash) || hash.compare[1] !== '=')
    throw invalid('Query key condition not supported');
  expectFilled(keys.hash, value);
  if (range !== undefined && keys.range !== undefined)
    for (const bound of valuesOf(range)) {
      expectFilled(keys.range, bound);
      expectRangeSize(bound);
    }
  return { hash: value, range, ...bounds(range) };
};

/** The conditions that an expression joins with AND, the only operator allowed for keys. */
const conjunctsOf = (
  condition: Condition,
): Exclude<Condition, { and: unknown } | { or: unknown } | { not: unknown }>[] => {
  const refuse = (operator: string): Error =>
    invalid(`Invalid operator used in KeyConditionExpression: ${operator}`);
  if ('and' in condition) return condition.and.flatMap(conjunctsOf);
  if ('or' in condition) throw refuse('OR');
  if ('not' in condition) throw refuse('NOT');
  if ('among' in condition) throw refuse('IN');
  if ('compare' in condition && condition.compare[1] === '<>') throw refuse('<>');
  if ('test' in condition && condition.test !== 'begins_with') throw refuse(condition.test);
  return [condition];
};

/** The key attribute of a condition, and the condition with that attribute on its left side. */
const withKeyOnLeft = (part: Simple): { readonly name: string; readonly normal: Simple } => {
  const operands = operandsOf(part);
  const named = operands.flatMap((operand) => ('path' in operand ? [operand.path] : []));
  if (operands.some((operand) => 'call' in operand))
    throw invalid('KeyConditionExpressions cannot contain nested operations');
  const [path, another] = named;
  if (path === undefined)
    throw invalid('Invalid condition in KeyConditionExpression: No key attribute specified');
  if (another !== undefined)
    throw invalid(
      'Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition',
    );
  const [name, ...rest] = path;
  if (rest.length > 0 || typeof name !== 'string')
    throw invalid('KeyConditionExpressions cannot have conditions on nested attributes');
  const first: Operand | undefined = operands[0];
  if (first !== undefined && 'path' in first) return { name, normal: part };
  if (!('compare' in part))
    throw invalid(
      `Invalid condition in KeyConditionExpression: ${'test' in part ? part.test : 'BETWEEN'} operator must have the key attribute as its first operand`,
    );
  const [left, operator, right] = part.compare;
  return { name, normal: { compare: [right, mirrored[operator] ?? operator, left] } };
};

const valuesOf = (part: Simple): Value[] =>
  operandsOf(part).flatMap((operand) => ('value' in operand ? [operand.value] : []));

const HIGHEST = Buffer.alloc(1100, 0xff);

/** The bytes between which a condition can be true. They may be wide: the condition is evaluated too. */
const bounds = (range: Simple | undefined): Pick<KeyCondition, 'low' | 'high'> => {
  const none = { low: undefined, high: undefined };
  if (range === undefined) return none;
  const [first, second] = valuesOf(range).map(sortable);
  if (first === undefined) return none;
  if ('between' in range) return { low: first, high: second };
  if ('test' in range) return { low: first, high: Buffer.concat([first, HIGHEST]) };
  const operator = 'compare' in range ? range.compare[1] : '=';
  return {
    low: operator.startsWith('<') ? undefined : first,
    high: operator.startsWith('>') ? undefined : first,
  };
};
