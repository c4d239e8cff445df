import { HubError } from '../../errors.ts';
import { addressBits, cidrMatcher } from './cidr.ts';

/** A leaf value of an event or a pattern. */
export type Leaf = string | number | boolean | null;
interface Matcher {
  /** The value, if the matcher tests for one exact value; used by the index. */
  readonly exact?: Leaf;
  readonly test: (value: Leaf) => boolean;
}

/** One field of a pattern: its path and its alternatives. `absent`: `exists: false` is one of them. */
export interface Field {
  readonly path: string;
  readonly any: readonly Matcher[];
  readonly absent: boolean;
}

/** A pattern as alternatives (of `$or`), each a list of fields that must all match, ordered by path. */
export type Pattern = readonly (readonly Field[])[];

const invalidPattern = (path: readonly string[], message: string): HubError =>
  new HubError(
    'invalid-pattern',
    `Event pattern is not valid. ${path.length === 0 ? 'The pattern' : path.map((name) => name || '""').join('.')}: ${message}`,
    { retry: 'never' },
  );

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads a pattern of EventBridge's published syntax, taken and refused as by its matcher (github.com/aws/event-ruler). Throws
 * `HubError` `invalid-pattern` naming the key and what was expected.
 */
export const parsePattern = (input: unknown): Pattern => {
  if (!isRecord(input)) throw invalidPattern([], 'expected an object');
  return alternatives(input, [], false).map((fields) =>
    [...fields].sort((one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0)),
  );
};

const MOST_ALTERNATIVES = 1000;

/** The names that AWS's event-ruler refuses as fields inside `$or` (`Constants.java`). */
const RESERVED_IN_OR: ReadonlySet<string> = new Set([
  ...['exactly', 'equals-ignore-case', 'prefix', 'suffix', 'anything-but', 'exists', 'wildcard', 'numeric'],
  ...['cidr', '=', '<', '<=', '>', '>=', 'regex', 'not-wildcard', 'not-equals-ignore-case', 'in-date-range'],
  ...['date-after', 'date-on-or-after', 'date-before', 'date-on-or-before'],
  ...['ip-address-in-range', 'ip-address-not-in-range'],
]);

const alternatives = (
  node: Readonly<Record<string, unknown>>,
  path: readonly string[],
  inOr: boolean,
): Field[][] => {
  const entries = Object.entries(node);
  if (entries.length === 0)
    throw invalidPattern(path, 'expected at least one field; an empty object matches nothing');
  let all: Field[][] = [[]];
  for (const [name, value] of entries) {
    const here = [...path, name];
    if (inOr && RESERVED_IN_OR.has(name))
      throw invalidPattern(here, 'EventBridge reserves this name inside $or; move the field out of $or');
    const parts =
      name === '$or'
        ? orParts(value, path)
        : isRecord(value)
          ? alternatives(value, here, inOr)
          : [[leaf(value, here)]];
    all = all.flatMap((fields) => parts.map((part) => [...fields, ...part]));
    if (all.length > MOST_ALTERNATIVES)
      throw invalidPattern(here, `$or makes more than ${MOST_ALTERNATIVES} combinations`);
  }
  return all;
};

const orParts = (value: unknown, path: readonly string[]): Field[][] => {
  if (!Array.isArray(value) || value.length < 2)
    throw invalidPattern([...path, '$or'], 'expected a list of at least two patterns');
  return value.flatMap((one, at) => {
    const here = [...path, `$or[${at}]`];
    if (!isRecord(one)) throw invalidPattern(here, 'expected an object');
    return alternatives(one, path, true);
  });
};

const leaf = (value: unknown, path: readonly string[]): Field => {
  if (!Array.isArray(value)) throw invalidPattern(path, 'expected a list of values, for example ["value"]');
  if (value.length === 0)
    throw invalidPattern(path, 'expected at least one value; an empty list matches nothing');
  const any: Matcher[] = [];
  let absent = false;
  for (const one of value) {
    if (isRecord(one)) {
      const [operator, operand, ...more] = Object.entries(one).flat();
      if (typeof operator !== 'string' || more.length > 0)
        throw invalidPattern(path, 'expected exactly one operator in each object');
      if (operator === 'exists' && operand === false) absent = true;
      else any.push(operators(operator, operand, path));
    } else if (isLeaf(one)) any.push(equal(one));
    else throw invalidPattern(path, 'expected a string, a number, a boolean, null or an operator');
  }
  return { path: path.join('.'), any, absent };
};

const isLeaf = (value: unknown): value is Leaf =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  (typeof value === 'number' && Number.isFinite(value));

const exactly = (wanted: Leaf): Matcher => ({ exact: wanted, test: (value) => value === wanted });

/** A value of a list. Addresses are equal in every spelling, as in AWS's event-ruler. */
const equal = (wanted: Leaf): Matcher => {
  const address = typeof wanted === 'string' ? addressBits(wanted) : undefined;
  return address === undefined ? exactly(wanted) : textMatcher((value) => addressBits(value) === address);
};

const textMatcher = (test: (text: string) => boolean): Matcher => ({
  test: (value) => typeof value === 'string' && test(value),
});

const operators = (operator: string, operand: unknown, path: readonly string[]): Matcher => {
  switch (operator) {
    case 'exists':
      if (operand !== true) throw invalidPattern([...path, 'exists'], 'expected true or false');
      return { test: () => true };
    case 'exactly':
      return exactly(text(operand, [...path, operator]));
    case 'prefix':
    case 'suffix':
      return affix(operator, operand, [...path, operator]);
    case 'equals-ignore-case': {
      const wanted = text(operand, [...path, operator]).toLowerCase();
      return textMatcher((value) => value.toLowerCase() === wanted);
    }
    case 'wildcard':
      return wildcard(operand, [...path, operator]);
    case 'numeric':
      return numeric(operand, [...path, operator]);
    case 'cidr': {
      const here = [...path, operator];
      return textMatcher(cidrMatcher(text(operand, here), (reason) => invalidPattern(here, reason)));
    }
    case 'anything-but':
      return anythingBut(operand, [...path, operator]);
    default:
      throw invalidPattern([...path, operator], 'unknown operator');
  }
};

const text = (operand: unknown, path: readonly string[]): string => {
  if (typeof operand !== 'string') throw invalidPattern(path, 'expected a string');
  return operand;
};

/** `prefix` and `suffix`, either plain or `{ "equals-ignore-case": … }`. */
const affix = (operator: 'prefix' | 'suffix', operand: unknown, path: readonly string[]): Matcher => {
  const has = (value: string, part: string): boolean =>
    operator === 'prefix' ? value.startsWith(part) : value.endsWith(part);
  if (!isRecord(operand)) {
    const part = text(operand, path);
    return textMatcher((value) => has(value, part));
  }
  if (Object.keys(operand).join() !== 'equals-ignore-case')
    throw invalidPattern(path, 'expected a string or { "equals-ignore-case": … }');
  const part = text(operand['equals-ignore-case'], [...path, 'equals-ignore-case']).toLowerCase();
  return textMatcher((value) => has(value.toLowerCase(), part));
};

const wildcard = (operand: unknown, path: readonly string[]): Matcher => {
  const literals: string[] = [];
  let literal = '';
  const source = text(operand, path);
  for (let at = 0; at < source.length; at++) {
    const character = source.charAt(at);
    if (character === '\\') {
      const escaped = source[++at];
      if (escaped !== '*' && escaped !== '\\')
        throw invalidPattern(path, 'expected * or \\ after a backslash');
      literal += escaped;
    } else if (character === '*') {
      if (source[at + 1] === '*') throw invalidPattern(path, 'consecutive wildcards (**) are not allowed');
      literals.push(literal);
      literal = '';
    } else literal += character;
  }
  literals.push(literal);
  return textMatcher((value) => matchesParts(value, literals));
};

/** Whether a text contains the literal parts in this order, the first at its start and the last at its end. */
const matchesParts = (value: string, literals: readonly string[]): boolean => {
  const [first = '', ...rest] = literals;
  if (rest.length === 0) return value === first;
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const literal of rest.slice(0, -1)) {
    const found = value.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  const last = rest.at(-1) ?? '';
  return value.length - last.length >= at && value.endsWith(last);
};

const comparisons: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

const numeric = (operand: unknown, path: readonly string[]): Matcher => {
  if (!Array.isArray(operand) || operand.length === 0)
    throw invalidPattern(path, 'expected a list such as [">", 0, "<=", 5]');
  const parts: { readonly sign: string; readonly bound: number }[] = [];
  for (let at = 0; at < operand.length; at += 2) {
    const [sign, bound]: unknown[] = [operand[at], operand[at + 1]];
    if (typeof sign !== 'string' || comparisons[sign] === undefined)
      throw invalidPattern(path, 'expected =, <, <=, > or >=');
    if (typeof bound !== 'number' || !Number.isFinite(bound))
      throw invalidPattern(path, `expected a number after ${sign}`);
    parts.push({ sign, bound });
  }
  const [lower, upper] = parts;
  if (lower === undefined || parts.length > 2)
    throw invalidPattern(path, 'expected at most one lower and one upper bound');
  if (upper !== undefined) {
    if (!lower.sign.startsWith('>') || !upper.sign.startsWith('<'))
      throw invalidPattern(path, 'expected a lower bound, then an upper bound');
    if (lower.bound >= upper.bound)
      throw invalidPattern(path, 'the lower bound must be smaller than the upper bound');
  }
  return {
    test: (value) =>
      typeof value === 'number' &&
      parts.every(({ sign, bound }) => comparisons[sign]?.(value, bound) === true),
  };
};

const anythingBut = (operand: unknown, path: readonly string[]): Matcher => {
  if (!isRecord(operand)) {
    const values: unknown[] = [operand].flat();
    if (values.length === 0) throw invalidPattern(path, 'expected at least one value');
    const wanted = values.map((one) => {
      if (typeof one !== 'string' && typeof one !== 'number')
        throw invalidPattern(path, 'expected strings or numbers');
      return one;
    });
    if (new Set(wanted.map((one) => typeof one)).size > 1)
      throw invalidPattern(path, 'expected either strings or numbers, not both');
    return { test: (value) => !wanted.some((one) => one === value) };
  }
  const [operator = '', inner, ...more] = Object.entries(operand).flat();
  if (more.length > 0 || typeof operator !== 'string' || !butOperators.has(operator)) {
    throw invalidPattern(path, `expected a value, a list, or one of ${[...butOperators].join(', ')}`);
  }
  const parts: unknown[] = [inner].flat();
  if (parts.length === 0) throw invalidPattern([...path, operator], 'expected at least one value');
  const matchers = parts.map((part) => {
    if (isRecord(part))
      throw invalidPattern(
        [...path, operator],
        'expected text; EventBridge takes no further operator inside anything-but, so list each spelling',
      );
    if (part === '' && (operator === 'prefix' || operator === 'suffix'))
      throw invalidPattern([...path, operator], 'expected text; an empty one would exclude everything');
    return operators(operator, part, path);
  });
  return { test: (value) => !matchers.some((matcher) => matcher.test(value)) };
};

const butOperators: ReadonlySet<string> = new Set(['prefix', 'suffix', 'equals-ignore-case', 'wildcard']);

/** Whether a pattern uses wildcards. EventBridge allows fewer such rules per bus. */
export const usesWildcard = (input: unknown): boolean => {
  if (Array.isArray(input)) return input.some(usesWildcard);
  return (
    isRecord(input) &&
    Object.entries(input).some(([name, value]) => name === 'wildcard' || usesWildcard(value))
  );
};
