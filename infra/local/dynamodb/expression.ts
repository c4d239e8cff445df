import { invalid, type Value } from './values.ts';

/** An attribute's place in an item: names and list positions. */
export type Path = readonly (string | number)[];

export type Operand =
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
