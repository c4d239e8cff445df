import { ServiceError } from '../json.ts';
import { compareDecimals, formatDecimal, parseDecimal, sortableDecimal } from './numbers.ts';

/** An attribute value on the wire; binary is base64. */
export type Value =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
  | { readonly L: readonly Value[] }
  | { readonly M: Item };

export type Item = Readonly<Record<string, Value>>;
export type Type = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'SS' | 'NS' | 'BS' | 'L' | 'M';

export const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);

const DEEPEST = 32;
const types: ReadonlySet<string> = new Set<Type>(['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M']);

export const typeOf = (value: Value): Type => {
  const [type = ''] = Object.keys(value);
  return type as Type;
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Checks a value from outside and puts its numbers and sets in normal form. */
export const parseValue = (raw: unknown, depth = 0): Value => {
  if (!isRecord(raw)) throw new ServiceError('SerializationException', 'Unexpected value type in payload');
  const entries = Object.entries(raw).filter(([, value]) => value !== undefined && value !== null);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1 || !types.has(entry[0])) {
    throw invalid(
      entries.length > 1
        ? 'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes'
        : 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes',
    );
  }
  if (depth > DEEPEST) throw invalid('Nesting Levels have exceeded supported limits');
  return parseTyped(entry[0] as Type, entry[1], depth);
};

const parseTyped = (type: Type, value: unknown, depth: number): Value => {
  switch (type) {
    case 'S':
      return { S: text(value) };
    case 'N':
      return { N: formatDecimal(parseDecimal(text(value))) };
    case 'B':
      return { B: bytes(value) };
    case 'BOOL':
      if (typeof value !== 'boolean')
        throw new ServiceError('SerializationException', 'BOOL must be a boolean');
      return { BOOL: value };
    case 'NULL':
      if (value !== true)
        throw invalid(
          'One or more parameter values were invalid: Null attribute value types must have the value of true',
        );
      return { NULL: true };
    case 'SS':
      return { SS: set(value, text, 'string') };
    case 'NS':
      return { NS: set(value, (one) => formatDecimal(parseDecimal(text(one))), 'number') };
    case 'BS':
      return { BS: set(value, bytes, 'binary') };
    case 'L':
      if (!Array.isArray(value)) throw new ServiceError('SerializationException', 'L must be a list');
      return { L: value.map((one) => parseValue(one, depth + 1)) };
    case 'M':
      return { M: parseItem(value, depth + 1) };
  }
};

export const parseItem = (raw: unknown, depth = 0): Item => {
  if (!isRecord(raw))
    throw new ServiceError('SerializationException', 'An item must be a map of attribute values');
  const item: Record<string, Value> = Object.create(null);
  for (const [name, value] of Object.entries(raw)) item[name] = parseValue(value, depth);
  return item;
};

const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  throw new ServiceError('SerializationException', `Expected a string, found ${typeof value}`);
};

const bytes = (value: unknown): string => Buffer.from(text(value), 'base64').toString('base64');

const set = (value: unknown, parse: (one: unknown) => string, kind: string): string[] => {
  if (!Array.isArray(value)) throw new ServiceError('SerializationException', 'A set must be a list');
  if (value.length === 0)
    throw invalid(`One or more parameter values were invalid: An ${kind} set  may not be empty`);
  const members = value.map(parse);
  if (new Set(members).size < members.length) {
    throw invalid('One or more parameter values were invalid: Input collection contains duplicates.');
  }
  return members;
};

/** The order of two values of one scalar type; undefined where DynamoDB does not order them. */
export const compare = (one: Value, other: Value): number | undefined => {
  if ('S' in one && 'S' in other) return Buffer.compare(Buffer.from(one.S), Buffer.from(other.S));
  if ('N' in one && 'N' in other) return compareDecimals(parseDecimal(one.N), parseDecimal(other.N));
  if ('B' in one && 'B' in other)
    return Buffer.compare(Buffer.from(one.B, 'base64'), Buffer.from(other.B, 'base64'));
  return undefined;
};

export const equal = (one: Value, other: Value): boolean => {
  const type = typeOf(one);
  if (type !== typeOf(other)) return false;
  if ('M' in one && 'M' in other) {
    const names = Object.keys(one.M);
    return (
      names.length === Object.keys(other.M).length &&
      names.every((name) => {
        const [left, right] = [one.M[name], other.M[name]];
        return left !== undefined && right !== undefined && equal(left, right);
      })
    );
  }
  if ('L' in one && 'L' in other) {
    return (
      one.L.length === other.L.length &&
      one.L.every((left, at) => {
        const right = other.L[at];
        return right !== undefined && equal(left, right);
      })
    );
  }
  const [left, right] = [members(one), members(other)];
  if (left && right) return left.length === right.length && new Set([...left, ...right]).size === left.length;
  return JSON.stringify(one) === JSON.stringify(other);
};

/** The members of a set; undefined for anything else. */
export const members = (value: Value): readonly string[] | undefined =>
  'SS' in value ? value.SS : 'NS' in value ? value.NS : 'BS' in value ? value.BS : undefined;

/** Bytes of a key whose order is DynamoDB's order within its type. */
export const sortable = (value: Value): Uint8Array => {
  if ('S' in value) return Buffer.from(value.S);
  if ('N' in value) return Buffer.from(sortableDecimal(parseDecimal(value.N)));
  if ('B' in value) return Buffer.from(value.B, 'base64');
  throw invalid('Key attributes must be of type String, Number or Binary');
};

const numberSize = (number: string): number =>
  Math.ceil(number.replace(/[-.]|^0+|E.*$/gu, '').length / 2) + 1 + (number.startsWith('-') ? 1 : 0);

/** Bytes that a value counts for, by the rules of DynamoDB's documentation. */
export const sizeOf = (value: Value): number => {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return numberSize(value.N);
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('BOOL' in value || 'NULL' in value) return 1;
  if ('SS' in value) return value.SS.reduce((sum, one) => sum + Buffer.byteLength(one), 0);
  if ('NS' in value) return value.NS.reduce((sum, one) => sum + numberSize(one), 0);
  if ('BS' in value) return value.BS.reduce((sum, one) => sum + Buffer.byteLength(one, 'base64'), 0);
  if ('L' in value) return 3 + value.L.reduce((sum, one) => sum + 1 + sizeOf(one), 0);
  return (
    3 +
    Object.entries(value.M).reduce((sum, [name, one]) => sum + 1 + Buffer.byteLength(name) + sizeOf(one), 0)
  );
};

export const itemSize = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value), 0);
