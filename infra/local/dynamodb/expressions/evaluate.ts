import { addDecimals, formatDecimal, negate, parseDecimal } from '../values/numbers.ts';
import {
  compare,
  equal,
  type Item,
  invalid,
  members,
  type Type,
  typeOf,
  type Value,
} from '../values/values.ts';
import type { Condition, Operand, Path } from './syntax.ts';

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

export const resolve = (operand: Operand, item: Item): Value | undefined => {
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
  return evaluateCall(operand.call, operand.args, item);
};

const evaluateCall = (name: string, args: readonly Operand[], item: Item): Value | undefined => {
  const [first, second] = args;
  if (name === 'size' && first && args.length === 1) {
    const value = resolve(first, item);
    const length = value && lengthOf(value);
    return length === undefined ? undefined : { N: String(length) };
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

/** The result of `size`; undefined for numbers, booleans and nulls, for which every comparison is false. */
const lengthOf = (value: Value): number | undefined => {
  if ('S' in value) return value.S.length;
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('L' in value) return value.L.length;
  if ('M' in value) return Object.keys(value.M).length;
  return members(value)?.length;
};

export const conditionIsTrue = (condition: Condition, item: Item): boolean => {
  if ('and' in condition)
    return conditionIsTrue(condition.and[0], item) && conditionIsTrue(condition.and[1], item);
  if ('or' in condition)
    return conditionIsTrue(condition.or[0], item) || conditionIsTrue(condition.or[1], item);
  if ('not' in condition) return !conditionIsTrue(condition.not, item);
  if ('compare' in condition) {
    const [left, operator, right] = condition.compare;
    return satisfies(resolve(left, item), operator, resolve(right, item));
  }
  if ('between' in condition) {
    const [value, low, high] = condition.between.map((operand) => resolve(operand, item));
    return satisfies(value, '>=', low) && satisfies(value, '<=', high);
  }
  if ('among' in condition) {
    const value = resolve(condition.among[0], item);
    return condition.among[1].some((operand) => satisfies(value, '=', resolve(operand, item)));
  }
  return evaluateTest(condition.test, condition.args, item);
};

const satisfies = (left: Value | undefined, operator: string, right: Value | undefined): boolean => {
  if (left === undefined || right === undefined) return operator === '<>' && left !== right;
  if (operator === '=') return equal(left, right);
  if (operator === '<>') return !equal(left, right);
  const order = compare(left, right);
  if (order === undefined) return false;
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  return operator === '>' ? order > 0 : order >= 0;
};

const evaluateTest = (test: string, args: readonly Operand[], item: Item): boolean => {
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

/** Reduces an item to the parts that some paths name. */
export type Projection = (item: Item) => Item;

interface Branch {
  whole: boolean;
  readonly below: Map<string | number, Branch>;
}

export const projection = (paths: readonly Path[]): Projection => {
  const root: Branch = { whole: false, below: new Map() };
  for (const path of paths) {
    let branch = root;
    for (const step of path) {
      const next = branch.below.get(step) ?? { whole: false, below: new Map() };
      branch.below.set(step, next);
      branch = next;
    }
    branch.whole = true;
  }
  return (item) => pickMap(item, root) ?? {};
};

const pick = (value: Value, branch: Branch): Value | undefined => {
  if (branch.whole) return value;
  if ('M' in value) {
    const map = pickMap(value.M, branch);
    return map && { M: map };
  }
  if (!('L' in value)) return undefined;
  const places = [...branch.below].filter(([step]) => typeof step === 'number');
  places.sort(([one], [other]) => Number(one) - Number(other));
  const picked = places.flatMap(([step, inner]) => {
    const found = value.L[Number(step)];
    return (found && pick(found, inner)) ?? [];
  });
  return picked.length > 0 ? { L: picked } : undefined;
};

const pickMap = (map: Item, branch: Branch): Item | undefined => {
  const picked: Record<string, Value> = Object.create(null);
  let some = false;
  for (const [step, inner] of branch.below) {
    const found = typeof step === 'string' && Object.hasOwn(map, step) ? map[step] : undefined;
    const part = found && pick(found, inner);
    if (part === undefined) continue;
    picked[step] = part;
    some = true;
  }
  return some ? picked : undefined;
};
