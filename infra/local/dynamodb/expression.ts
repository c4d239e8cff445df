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

/** An attribute's place in an item: names and list positions. */
export type Path = readonly (string | number)[];

type Operand =
  | { readonly path: Path }
  | { readonly value: Value }
  | { readonly call: string; readonly args: readonly Operand[] }
  | { readonly sum: readonly [Operand, '+' | '-', Operand] };

export type Condition =
  | { readonly and: readonly [Condition, Condition] }
  | { readonly or: readonly [Condition, Condition] }
  | { readonly not: Condition }
  | { readonly compare: readonly [Operand, string, Operand] }
  | { readonly between: readonly [Operand, Operand, Operand] }
  | { readonly among: readonly [Operand, readonly Operand[]] }
  | { readonly test: string; readonly args: readonly Operand[] };

export interface Update {
  readonly set: readonly { readonly path: Path; readonly to: Operand }[];
  readonly remove: readonly Path[];
  readonly add: readonly { readonly path: Path; readonly value: Value }[];
  readonly delete: readonly { readonly path: Path; readonly value: Value }[];
}

/** The placeholders of one request; every one that is given must be used. */
export class Placeholders {
  readonly #names: Readonly<Record<string, string>>;
  readonly #values: Readonly<Record<string, Value>>;
  readonly #used = new Set<string>();

  constructor(names: Readonly<Record<string, string>> = {}, values: Readonly<Record<string, Value>> = {}) {
    this.#names = names;
    this.#values = values;
  }

  name(placeholder: string): string {
    const name = this.#names[placeholder];
    if (name === undefined) {
      throw invalid(
        `Invalid expression: An expression attribute name used in the document path is not defined; attribute name: ${placeholder}`,
      );
    }
    this.#used.add(placeholder);
    return name;
  }

  value(placeholder: string): Value {
    const value = this.#values[placeholder];
    if (value === undefined) {
      throw invalid(
        `Invalid expression: An expression attribute value used in expression is not defined; attribute value: ${placeholder}`,
      );
    }
    this.#used.add(placeholder);
    return value;
  }

  expectAllUsed(): void {
    const unused = (all: Readonly<Record<string, unknown>>): string =>
      Object.keys(all)
        .filter((one) => !this.#used.has(one))
        .join(', ');
    const [names, values] = [unused(this.#names), unused(this.#values)];
    if (values !== '')
      throw invalid(`Value provided in ExpressionAttributeValues unused in expressions: keys: {${values}}`);
    if (names !== '')
      throw invalid(`Value provided in ExpressionAttributeNames unused in expressions: keys: {${names}}`);
  }
}

const TOKEN = /\s*(?:(<>|<=|>=|[=<>()+\-,.[\]])|([#:][A-Za-z0-9_]+)|([A-Za-z_][A-Za-z0-9_]*)|(\d+))/uy;
const LONGEST = 4096;

/** A recursive-descent parser of DynamoDB's four small languages. */
class Parser {
  readonly #tokens: string[] = [];
  #at = 0;
  readonly #placeholders: Placeholders;

  constructor(text: string, placeholders: Placeholders) {
    this.#placeholders = placeholders;
    if (text.trim() === '') throw invalid('Invalid expression: The expression can not be empty;');
    if (Buffer.byteLength(text) > LONGEST)
      throw invalid('Invalid expression: Expression size has exceeded the maximum allowed size;');
    TOKEN.lastIndex = 0;
    const trimmed = text.trimEnd();
    while (TOKEN.lastIndex < trimmed.length) {
      const start = TOKEN.lastIndex;
      const match = TOKEN.exec(trimmed);
      if (match === null)
        throw invalid(
          `Invalid expression: Syntax error; token: "${trimmed.slice(start).trim()[0]}", near: "${trimmed.slice(start, start + 10)}"`,
        );
      this.#tokens.push(match[0].trim());
    }
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead] ?? '';
  }

  next(): string {
    if (this.done) throw invalid('Invalid expression: Syntax error; token: "<EOF>"');
    return this.#tokens[this.#at++] ?? '';
  }

  take(word: string): boolean {
    if (this.peek().toUpperCase() !== word) return false;
    this.#at++;
    return true;
  }

  expect(word: string): void {
    if (!this.take(word))
      throw invalid(
        `Invalid expression: Syntax error; token: "${this.peek() || '<EOF>'}", expected: "${word}"`,
      );
  }

  end(): void {
    if (!this.done) throw invalid(`Invalid expression: Syntax error; token: "${this.peek()}"`);
  }

  path(): Path {
    const steps: (string | number)[] = [this.#name()];
    for (;;) {
      if (this.take('.')) steps.push(this.#name());
      else if (this.take('[')) {
        const index = this.next();
        if (!/^\d+$/u.test(index)) throw invalid(`Invalid expression: Syntax error; token: "${index}"`);
        steps.push(Number(index));
        this.expect(']');
      } else return steps;
    }
  }

  #name(): string {
    const token = this.next();
    if (token.startsWith('#')) return this.#placeholders.name(token);
    if (!/^[A-Za-z_]/u.test(token)) throw invalid(`Invalid expression: Syntax error; token: "${token}"`);
    return token;
  }

  value(): Value {
    const token = this.next();
    if (!token.startsWith(':')) throw invalid(`Invalid expression: Syntax error; token: "${token}"`);
    return this.#placeholders.value(token);
  }

  operand(): Operand {
    if (this.peek() === '(') {
      this.next();
      const inner = this.operand();
      this.expect(')');
      return inner;
    }
    if (this.peek().startsWith(':')) return { value: this.value() };
    if (this.peek(1) === '(') return { call: this.next(), args: this.args() };
    return { path: this.path() };
  }

  args(): Operand[] {
    this.expect('(');
    const args: Operand[] = [];
    if (this.take(')')) return args;
    do args.push(this.operand());
    while (this.take(','));
    this.expect(')');
    return args;
  }

  condition(): Condition {
    let left = this.#conjunction();
    while (this.take('OR')) left = { or: [left, this.#conjunction()] };
    return left;
  }

  #conjunction(): Condition {
    let left = this.#negation();
    while (this.take('AND')) left = { and: [left, this.#negation()] };
    return left;
  }

  #negation(): Condition {
    if (this.take('NOT')) return { not: this.#negation() };
    if (this.peek() === '(' && !this.#parenthesisedOperand()) {
      this.next();
      const inner = this.condition();
      this.expect(')');
      return inner;
    }
    return this.#comparison();
  }

  /** `(a) = :b` begins with an operand in brackets, `(a = :b)` with a condition. */
  #parenthesisedOperand(): boolean {
    let depth = 0;
    for (let ahead = 0; this.peek(ahead) !== ''; ahead++) {
      const token = this.peek(ahead);
      if (token === '(') depth++;
      if (token === ')' && --depth === 0)
        return /^(?:=|<>|<=|>=|<|>|BETWEEN|IN)$/iu.test(this.peek(ahead + 1)) && !this.#hasOperator(ahead);
    }
    return false;
  }

  #hasOperator(end: number): boolean {
    for (let ahead = 0; ahead < end; ahead++)
      if (/^(?:=|<>|<=|>=|<|>|BETWEEN|IN|AND|OR|NOT)$/iu.test(this.peek(ahead))) return true;
    return false;
  }

  #comparison(): Condition {
    if (this.peek(1) === '(' && tests.has(this.peek())) {
      const test = this.next();
      return checkedTest(test, this.args());
    }
    const left = this.operand();
    if (this.take('BETWEEN')) {
      const low = this.operand();
      this.expect('AND');
      return { between: [left, low, this.operand()] };
    }
    if (this.take('IN')) {
      const among = this.args();
      if (among.length === 0 || among.length > 100)
        throw invalid('Invalid expression: the IN operator takes 1 to 100 operands');
      return { among: [left, among] };
    }
    const operator = this.next();
    if (!comparators.has(operator)) throw invalid(`Invalid expression: Syntax error; token: "${operator}"`);
    return { compare: [left, operator, this.operand()] };
  }

  sum(): Operand {
    const left = this.operand();
    const sign = this.peek();
    if (sign !== '+' && sign !== '-') return left;
    this.next();
    return { sum: [left, sign, this.operand()] };
  }
}

const tests: ReadonlySet<string> = new Set([
  'attribute_exists',
  'attribute_not_exists',
  'attribute_type',
  'begins_with',
  'contains',
]);
const comparators: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
const arity: Readonly<Record<string, number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
};

const checkedTest = (test: string, args: readonly Operand[]): Condition => {
  if (args.length !== arity[test]) {
    throw invalid(
      `Invalid expression: Incorrect number of operands for operator or function; operator or function: ${test}, number of operands: ${args.length}`,
    );
  }
  return { test, args };
};

export const parseCondition = (text: string, placeholders: Placeholders): Condition => {
  const parser = new Parser(text, placeholders);
  const condition = parser.condition();
  parser.end();
  return condition;
};

export const parseProjection = (text: string, placeholders: Placeholders): Path[] => {
  const parser = new Parser(text, placeholders);
  const paths = [parser.path()];
  while (parser.take(',')) paths.push(parser.path());
  parser.end();
  expectApart(paths, 'ProjectionExpression');
  return paths;
};

export const parseUpdate = (text: string, placeholders: Placeholders): Update => {
  const parser = new Parser(text, placeholders);
  const update = {
    set: [] as { path: Path; to: Operand }[],
    remove: [] as Path[],
    add: [] as { path: Path; value: Value }[],
    delete: [] as { path: Path; value: Value }[],
  };
  const seen = new Set<string>();
  while (!parser.done) {
    const section = parser.next().toUpperCase();
    if (seen.has(section))
      throw invalid(
        `Invalid UpdateExpression: The "${section}" section can only be used once in an update expression;`,
      );
    seen.add(section);
    do {
      if (section === 'SET') {
        const path = parser.path();
        parser.expect('=');
        update.set.push({ path, to: parser.sum() });
      } else if (section === 'REMOVE') update.remove.push(parser.path());
      else if (section === 'ADD') update.add.push({ path: parser.path(), value: parser.value() });
      else if (section === 'DELETE') update.delete.push({ path: parser.path(), value: parser.value() });
      else throw invalid(`Invalid UpdateExpression: Syntax error; token: "${section}"`);
    } while (parser.take(','));
  }
  expectApart(pathsOf(update), 'UpdateExpression');
  return update;
};

export const pathsOf = (update: Update): Path[] => [
  ...update.set.map(({ path }) => path),
  ...update.remove,
  ...update.add.map(({ path }) => path),
  ...update.delete.map(({ path }) => path),
];

const expectApart = (paths: readonly Path[], expression: string): void => {
  for (const [position, one] of paths.entries()) {
    for (const other of paths.slice(position + 1)) {
      const shorter = Math.min(one.length, other.length);
      if (one.slice(0, shorter).every((step, at) => step === other[at])) {
        throw invalid(
          `Invalid ${expression}: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [${one.join(', ')}], path two: [${other.join(', ')}]`,
        );
      }
    }
  }
};

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
