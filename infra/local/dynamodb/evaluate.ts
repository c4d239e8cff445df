import type { Condition, Operand, Path, Update } from './expression.ts';
import { addDecimals, formatDecimal, negate, parseDecimal } from './numbers.ts';
import {
  compare,
  equal,
  type Item,
  invalid,
  members,
  sizeOf,
  type Type,
  typeOf,
  type Value,
} from './values.ts';

export const valueAt = (item: Item, path: Path): Value | undefined => {
  let value: Value | undefined = { M: item };
  for (const step of path) {
    if (value === undefined) return undefined;
    value = child(value, step);
  }
  return value;
};

const child = (value: Value, step: string | number): Value | undefined => {
  if (typeof step === 'number') return 'L' in value ? value.L[step] : undefined;
  return 'M' in value && Object.hasOwn(value.M, step) ? value.M[step] : undefined;
};

const resolve = (operand: Operand, item: Item): Value | undefined => {
  if ('value' in operand) return operand.value;
  if ('path' in operand) return valueAt(item, operand.path);
  if ('sum' in operand) {
    const [left, sign, right] = operand.sum;
    const [one, other] = [resolve(left, item), resolve(right, item)];
    if (one === undefined || other === undefined)
      throw invalid('The provided expression refers to an attribute that does not exist in the item');
    if (!('N' in one) || !('N' in other))
      throw invalid('An operand in the update expression has an incorrect data type');
    const addend = parseDecimal(other.N);
    return { N: formatDecimal(addDecimals(parseDecimal(one.N), sign === '+' ? addend : negate(addend))) };
  }
  return called(operand.call, operand.args, item);
};

const called = (name: string, args: readonly Operand[], item: Item): Value | undefined => {
  const [first, second] = args;
  if (name === 'size' && first && args.length === 1) {
    const value = resolve(first, item);
    return value === undefined ? undefined : { N: String(lengthOf(value)) };
  }
  if (name === 'if_not_exists' && first && second && 'path' in first)
    return valueAt(item, first.path) ?? resolve(second, item);
  if (name === 'list_append' && first && second) {
    const [one, other] = [resolve(first, item), resolve(second, item)];
    if (one === undefined || other === undefined)
      throw invalid('The provided expression refers to an attribute that does not exist in the item');
    if (!('L' in one) || !('L' in other))
      throw invalid('An operand in the update expression has an incorrect data type');
    return { L: [...one.L, ...other.L] };
  }
  throw invalid(`Invalid expression: Invalid function name; function: ${name}`);
};

const lengthOf = (value: Value): number => {
  if ('L' in value) return value.L.length;
  if ('M' in value) return Object.keys(value.M).length;
  return members(value)?.length ?? sizeOf(value);
};

export const holds = (condition: Condition, item: Item): boolean => {
  if ('and' in condition) return holds(condition.and[0], item) && holds(condition.and[1], item);
  if ('or' in condition) return holds(condition.or[0], item) || holds(condition.or[1], item);
  if ('not' in condition) return !holds(condition.not, item);
  if ('compare' in condition) {
    const [left, operator, right] = condition.compare;
    return compares(resolve(left, item), operator, resolve(right, item));
  }
  if ('between' in condition) {
    const [value, low, high] = condition.between.map((operand) => resolve(operand, item));
    return compares(value, '>=', low) && compares(value, '<=', high);
  }
  if ('among' in condition) {
    const value = resolve(condition.among[0], item);
    return condition.among[1].some((operand) => compares(value, '=', resolve(operand, item)));
  }
  return tested(condition.test, condition.args, item);
};

const compares = (left: Value | undefined, operator: string, right: Value | undefined): boolean => {
  if (left === undefined || right === undefined) return operator === '<>' && left !== right;
  if (operator === '=') return equal(left, right);
  if (operator === '<>') return !equal(left, right);
  const order = compare(left, right);
  if (order === undefined) return false;
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  return operator === '>' ? order > 0 : order >= 0;
};

const tested = (test: string, args: readonly Operand[], item: Item): boolean => {
  const [subject, operand] = args;
  if (subject === undefined) return false;
  if (test === 'attribute_exists' || test === 'attribute_not_exists') {
    if (!('path' in subject))
      throw invalid(
        `Invalid expression: Operator or function requires a document path; operator or function: ${test}`,
      );
    return (valueAt(item, subject.path) !== undefined) === (test === 'attribute_exists');
  }
  const value = resolve(subject, item);
  const other = operand && resolve(operand, item);
  if (value === undefined || other === undefined) return false;
  if (test === 'attribute_type') return 'S' in other && (typeOf(value) satisfies Type) === other.S;
  if (test === 'begins_with') {
    if ('S' in value && 'S' in other) return value.S.startsWith(other.S);
    return (
      'B' in value &&
      'B' in other &&
      Buffer.from(value.B, 'base64')
        .subarray(0, Buffer.byteLength(other.B, 'base64'))
        .equals(Buffer.from(other.B, 'base64'))
    );
  }
  return containsValue(value, other);
};

const containsValue = (value: Value, other: Value): boolean => {
  if ('S' in value) return 'S' in other && value.S.includes(other.S);
  if ('B' in value)
    return 'B' in other && Buffer.from(value.B, 'base64').includes(Buffer.from(other.B, 'base64'));
  if ('L' in value) return value.L.some((one) => equal(one, other));
  const [member] = Object.values(other);
  const kind = { SS: 'S', NS: 'N', BS: 'B' }[typeOf(value) as 'SS' | 'NS' | 'BS'];
  return kind === typeOf(other) && typeof member === 'string' && (members(value)?.includes(member) ?? false);
};

/** The item after an update; every operand is read from the item as it was. */
export const updated = (item: Item, update: Update): Item => {
  const values = update.set.map(({ path, to }) => {
    const value = resolve(to, item);
    if (value === undefined)
      throw invalid('The provided expression refers to an attribute that does not exist in the item');
    return { path, value };
  });
  const next = structuredClone(item) as Record<string, Value>;
  for (const { path, value } of values) put(next, path, value);
  for (const { path, value } of update.add) add(next, path, value);
  for (const { path, value } of update.delete) subtract(next, path, value);
  // Positions in lists are those of the item as it was, so the last ones go first.
  for (const path of [...update.remove].sort((one, other) => Number(other.at(-1)) - Number(one.at(-1)) || 0))
    remove(next, path);
  return next;
};

const missingParent = (): Error =>
  invalid('The document path provided in the update expression is invalid for update');

const parentOf = (item: Item, path: Path): Record<string, Value> | Value[] => {
  const parent = valueAt(item, path.slice(0, -1));
  if (parent && 'M' in parent && typeof path.at(-1) === 'string') return parent.M as Record<string, Value>;
  if (parent && 'L' in parent && typeof path.at(-1) === 'number') return parent.L as Value[];
  throw missingParent();
};

const put = (item: Record<string, Value>, path: Path, value: Value): void => {
  const parent = path.length === 1 ? item : parentOf(item, path);
  const step = path.at(-1) ?? '';
  if (Array.isArray(parent)) parent[Math.min(Number(step), parent.length)] = value;
  else parent[step] = value;
};

const remove = (item: Record<string, Value>, path: Path): void => {
  if (path.length > 1 && valueAt(item, path.slice(0, -1)) === undefined) throw missingParent();
  const parent = path.length === 1 ? item : parentOf(item, path);
  const step = path.at(-1) ?? '';
  if (Array.isArray(parent)) parent.splice(Number(step), 1);
  else delete parent[step];
};

const add = (item: Record<string, Value>, path: Path, value: Value): void => {
  const present = valueAt(item, path);
  if ('N' in value) {
    if (present !== undefined && !('N' in present))
      throw invalid('An operand in the update expression has an incorrect data type');
    put(item, path, {
      N: formatDecimal(addDecimals(parseDecimal(present?.N ?? '0'), parseDecimal(value.N))),
    });
    return;
  }
  const added = members(value);
  const held = present === undefined ? [] : members(present);
  if (
    added === undefined ||
    held === undefined ||
    (present !== undefined && typeOf(present) !== typeOf(value))
  ) {
    throw invalid('An operand in the update expression has an incorrect data type');
  }
  put(item, path, { [typeOf(value)]: [...new Set([...held, ...added])] } as unknown as Value);
};

const subtract = (item: Record<string, Value>, path: Path, value: Value): void => {
  const present = valueAt(item, path);
  if (present === undefined) return;
  const [held, removed] = [members(present), members(value)];
  if (held === undefined || removed === undefined || typeOf(present) !== typeOf(value)) {
    throw invalid('An operand in the update expression has an incorrect data type');
  }
  const left = held.filter((one) => !removed.includes(one));
  if (left.length === 0) remove(item, path);
  else put(item, path, { [typeOf(value)]: left } as unknown as Value);
};

/** The parts of an item that a projection names. */
export const projected = (item: Item, paths: readonly Path[]): Item => {
  const result: Record<string, Value> = Object.create(null);
  for (const path of paths) {
    const value = valueAt(item, path);
    if (value !== undefined) graft(result, path, value);
  }
  return result;
};

const graft = (into: Record<string, Value>, path: Path, value: Value): void => {
  const [step, ...rest] = path;
  if (step === undefined) return;
  if (rest.length === 0) {
    into[step] = value;
    return;
  }
  if (typeof rest[0] === 'number') {
    const list = into[step];
    const inner: Record<string, Value> = {};
    graft(inner, ['at', ...rest.slice(1)], value);
    const grafted = inner['at'] ?? value;
    into[step] = { L: [...(list && 'L' in list ? list.L : []), grafted] };
    return;
  }
  const map = into[step];
  const inner = (map && 'M' in map ? map.M : Object.create(null)) as Record<string, Value>;
  graft(inner, rest, value);
  into[step] = { M: inner };
};
