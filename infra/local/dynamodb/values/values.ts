import { ServiceError } from '../../protocol/json.ts';
import { compareDecimals, normalNumber, numberSize, parseDecimal, sortableDecimal } from './numbers.ts';

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
const malformed = (message: string): ServiceError => new ServiceError('SerializationException', message);

/** Every list and map must be above this level. The attributes of an item are at level 1, values of expressions at 0. */
const DEEPEST = 32;
const LONGEST_NAME = 65_535;
const types: ReadonlySet<string> = new Set<Type>(['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M']);

export const typeOf = (value: Value): Type => {
  const [type = ''] = Object.keys(value);
  return type as Type;
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Validates a value of a request and normalises its numbers and binary values. Throws DynamoDB's errors. */
export const parseValue = (raw: unknown, depth = 0): Value => {
  if (Array.isArray(raw))
    throw malformed('Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue');
  if (raw === null) throw emptyValue();
  if (!isRecord(raw)) throw malformed('Unexpected value type in payload');
  let type: Type | undefined;
  for (const name in raw) {
    if (raw[name] === undefined || raw[name] === null || !types.has(name)) continue;
    if (type !== undefined)
      throw invalid(
        'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
      );
    type = name as Type;
  }
  if (type === undefined) throw emptyValue();
  if ((type === 'L' || type === 'M') && depth >= DEEPEST) throw tooDeep();
  return parseTyped(type, raw[type], depth);
};

const parseTyped = (type: Type, value: unknown, depth: number): Value => {
  switch (type) {
    case 'S':
      return { S: text(value) };
    case 'N':
      return { N: normalNumber(text(value)) };
    case 'B':
      return { B: bytes(value) };
    case 'BOOL':
      if (typeof value !== 'boolean') throw malformed(`${kindOf(value)} cannot be converted to Boolean`);
      return { BOOL: value };
    case 'NULL':
      if (typeof value !== 'boolean') throw malformed(`${kindOf(value)} cannot be converted to Boolean`);
      if (!value)
        throw invalid(
          'One or more parameter values were invalid: Null attribute value types must have the value of true',
        );
      return { NULL: true };
    case 'SS':
    case 'NS':
    case 'BS':
      return parseSet(type, value);
    case 'L':
      return { L: list(value).map((one) => parseValue(one, depth + 1)) };
    case 'M':
      return { M: parseItem(value, depth + 1) };
  }
};

const emptyValue = (): ServiceError =>
  invalid('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes');
const tooDeep = (): ServiceError => invalid('Nesting Levels have exceeded supported limits');

/** Throws where a list or map is too deep in a value at a level of an item. */
export const expectShallow = (value: Value, level: number): void => {
  const inner = 'L' in value ? value.L : 'M' in value ? Object.values(value.M) : undefined;
  if (inner === undefined) return;
  if (level >= DEEPEST) throw tooDeep();
  for (const one of inner) expectShallow(one, level + 1);
};

/** Validates an item or a key of a request, whose values are at the first level. Throws DynamoDB's errors. */
export const parseItem = (raw: unknown, depth = 1): Item => {
  if (!isRecord(raw)) throw malformed('Unexpected value type in payload');
  const item: Record<string, Value> = Object.create(null);
  for (const name in raw) {
    if (name === '') throw invalid('Empty attribute name');
    if (Buffer.byteLength(name) > LONGEST_NAME)
      throw invalid(
        `One or more parameter values were invalid: Attribute name is too large, must be less than ${LONGEST_NAME + 1} bytes`,
      );
    item[name] = parseValue(raw[name], depth);
  }
  return item;
};

/** The name of a JSON token in the errors of DynamoDB's JSON reader. */
const kindOf = (value: unknown): string => {
  if (typeof value === 'string') return 'STRING_VALUE';
  if (typeof value === 'number') return Number.isInteger(value) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE';
  return typeof value === 'boolean' ? `${value ? 'TRUE' : 'FALSE'}_VALUE` : 'A structure';
};

const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) throw malformed('Unrecognized collection type class java.lang.String');
  if (isRecord(value)) throw malformed('Start of structure or map found where not expected');
  throw malformed(`${kindOf(value)} cannot be converted to String`);
};

const list = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  throw malformed(
    isRecord(value) ? 'Start of structure or map found where not expected' : 'Unexpected field type',
  );
};

const bytes = (value: unknown): string => {
  const encoded = text(value);
  if (encoded.length % 4 !== 0)
    throw malformed(`Base64 encoded length is expected a multiple of 4 bytes but found: ${encoded.length}`);
  const stray = /[^a-zA-Z0-9+/=]|=[^=]/u.exec(encoded)?.[0][0];
  if (stray !== undefined) throw malformed(`Invalid Base64 character: '${stray}'`);
  const normal = Buffer.from(encoded, 'base64').toString('base64');
  if (normal !== encoded) throw malformed('Invalid last non-pad Base64 character dectected');
  return normal;
};

const parseSet = (type: 'SS' | 'NS' | 'BS', value: unknown): Value => {
  const given = list(value).map(text);
  const refuse = (reason: string): never => {
    throw invalid(`One or more parameter values were invalid: ${reason}`);
  };
  if (given.length === 0)
    refuse(
      type === 'BS'
        ? 'Binary sets should not be empty'
        : `An ${type === 'SS' ? 'string' : 'number'} set  may not be empty`,
    );
  const values = type === 'SS' ? given : given.map(type === 'NS' ? normalNumber : bytes);
  if (new Set(values).size < values.length) {
    if (type === 'NS') throw invalid('Input collection contains duplicates');
    refuse(`Input collection [${given.join(', ')}]${type === 'BS' ? 'of type BS' : ''} contains duplicates.`);
  }
  return setOf(type, values);
};

export const setOf = (type: 'SS' | 'NS' | 'BS', values: readonly string[]): Value => {
  if (type === 'SS') return { SS: values };
  return type === 'NS' ? { NS: values } : { BS: values };
};

/** The order of two values of one scalar type; undefined where DynamoDB does not order them. */
export const compare = (one: Value, other: Value): number | undefined => {
  if ('S' in one && 'S' in other)
    return one.S === other.S ? 0 : Buffer.compare(Buffer.from(one.S), Buffer.from(other.S));
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

/** The bytes of a key. They sort in DynamoDB's order within one type. */
export const sortable = (value: Value): Uint8Array => {
  if ('S' in value) return Buffer.from(value.S);
  if ('N' in value) return Buffer.from(sortableDecimal(parseDecimal(value.N)));
  if ('B' in value) return Buffer.from(value.B, 'base64');
  throw invalid('Key attributes must be of type String, Number or Binary');
};

/** The size of a value in bytes. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
const sizeOf = (value: Value): number => {
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
