import type { Value } from '../values/values.ts';
import {
  checkAmong,
  checkBetween,
  checkCall,
  checkSet,
  checkSum,
  checkTest,
  conditionFunctions,
  expectDisjointPaths,
  Problems,
  updateFunctions,
} from './checks.ts';
import { Lexer } from './lexer.ts';
import type { Placeholders } from './placeholders.ts';
import { reserved } from './reserved.ts';
import { type Condition, type Operand, type Path, pathsOf, type Update } from './syntax.ts';

const comparators: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
const DEEPEST_PATH = 32;
const MOST_OPERATORS = 300;
const HIGHEST_INDEX = 2_147_483_647;
/** The value of an undefined placeholder until the whole expression is parsed. */
const missing: Value = { NULL: true };

/** A recursive-descent parser of DynamoDB's expressions. Errors other than syntax errors are thrown at the end, by rank. */
class Parser extends Lexer {
  readonly problems: Problems;
  readonly #placeholders: Placeholders;
  readonly #functions: Readonly<Record<string, number>>;
  #operators = 0;

  constructor(
    text: string,
    kind: string,
    placeholders: Placeholders,
    functions: Readonly<Record<string, number>>,
  ) {
    super(text, kind);
    this.problems = new Problems(kind);
    this.#placeholders = placeholders;
    this.#functions = functions;
  }

  override end(): void {
    super.end();
    if (this.#operators > MOST_OPERATORS)
      this.problems.add(
        'limit',
        `The expression contains too many operators; operator count: ${this.#operators}`,
      );
    this.problems.throwFirst();
  }

  path(): Path {
    const steps: (string | number)[] = [this.#name()];
    for (;;) {
      if (this.take('.')) steps.push(this.#name());
      else if (this.take('[')) {
        steps.push(this.#index());
        this.expect(']');
      } else break;
      this.#operators++;
    }
    if (steps.length > DEEPEST_PATH)
      this.problems.add(
        'limit',
        `The document path has too many nesting elements; nesting depth: ${steps.length}`,
      );
    return steps;
  }

  #index(): number {
    if (!/^(?:0|[1-9]\d*)$/u.test(this.peek())) throw this.syntax();
    const digits = this.next();
    if (Number(digits) > HIGHEST_INDEX)
      this.problems.add('limit', `List index is not within the allowable range; index: [${digits}]`);
    return Number(digits);
  }

  #name(): string {
    if (!/^[#A-Za-z_]/u.test(this.peek())) throw this.syntax();
    const token = this.next();
    if (token.startsWith('#')) {
      const name = this.#placeholders.name(token);
      if (name === undefined)
        this.problems.add(
          'undefined',
          `An expression attribute name used in the document path is not defined; attribute name: ${token}`,
        );
      return name ?? token;
    }
    if (reserved.has(token.toUpperCase()))
      this.problems.add('reserved', `Attribute name is a reserved keyword; reserved keyword: ${token}`);
    return token;
  }

  value(): Value {
    if (!this.peek().startsWith(':')) throw this.syntax();
    const token = this.next();
    const value = this.#placeholders.value(token);
    if (value === undefined)
      this.problems.add(
        'undefined',
        `An expression attribute value used in expression is not defined; attribute value: ${token}`,
      );
    return value ?? missing;
  }

  /** In parentheses, `inside` parses what they contain. */
  operand(inside: () => Operand = () => this.operand()): Operand {
    if (this.take('(')) {
      this.#noteDoubledParentheses();
      const inner = inside();
      this.expect(')');
      return inner;
    }
    if (this.peek().startsWith(':')) return { value: this.value() };
    if (this.peek(1) === '(' && /^[A-Za-z_]/u.test(this.peek())) return this.#call();
    return { path: this.path() };
  }

  #call(): Operand & { readonly call: string } {
    const call = this.next();
    const args = this.#args();
    this.#operators++;
    checkCall(this.problems, this.#functions, call, args);
    return { call, args };
  }

  #args(): Operand[] {
    this.expect('(');
    const args = [this.operand()];
    while (this.take(',')) args.push(this.operand());
    this.expect(')');
    return args;
  }

  condition(): Condition {
    let left = this.#conjunction();
    for (; this.take('OR'); this.#operators++) left = { or: [left, this.#conjunction()] };
    return left;
  }

  #conjunction(): Condition {
    let left = this.#negation();
    for (; this.take('AND'); this.#operators++) left = { and: [left, this.#negation()] };
    return left;
  }

  #negation(): Condition {
    if (this.take('NOT')) {
      this.#operators++;
      return { not: this.#negation() };
    }
    if (this.peek() !== '(' || this.#parenthesisedOperand()) return this.#comparison();
    this.next();
    this.#noteDoubledParentheses();
    const inner = this.condition();
    this.expect(')');
    return inner;
  }

  /** Notes a pair of parentheses directly inside the pair that was just opened. */
  #noteDoubledParentheses(): void {
    if (this.peek() === '(' && this.#closes(0) === this.#closes(-1) - 1)
      this.problems.add('parentheses', 'The expression has redundant parentheses;');
  }

  /** The position, relative to the next token, of the bracket that closes the first one opened from `from` on. */
  #closes(from: number): number {
    let depth = 0;
    for (let ahead = from; this.peek(ahead) !== ''; ahead++) {
      if (this.peek(ahead) === '(') depth++;
      if (this.peek(ahead) === ')' && --depth === 0) return ahead;
    }
    return -1;
  }

  /** Distinguishes `(a) = :b`, an operand in brackets, from `(a = :b)`, a condition in brackets. */
  #parenthesisedOperand(): boolean {
    const end = this.#closes(0);
    if (!/^(?:=|<>|<=|>=|<|>|BETWEEN|IN)$/iu.test(this.peek(end + 1))) return false;
    for (let ahead = 0; ahead < end; ahead++)
      if (/^(?:=|<>|<=|>=|<|>|BETWEEN|IN|AND|OR|NOT)$/iu.test(this.peek(ahead))) return false;
    return true;
  }

  #comparison(): Condition {
    const left = this.operand();
    this.#operators++;
    if (this.take('BETWEEN')) {
      const low = this.operand();
      this.expect('AND');
      const high = this.operand();
      checkBetween(this.problems, low, high);
      return { between: [left, low, high] };
    }
    if (this.take('IN')) {
      const among = this.#args();
      checkAmong(this.problems, left, among);
      return { among: [left, among] };
    }
    if (comparators.has(this.peek())) {
      const operator = this.next();
      const right = this.operand();
      checkTest(this.problems, operator, left, right);
      return { compare: [left, operator, right] };
    }
    if (!('call' in left)) throw this.syntax();
    this.#operators--;
    if (left.call === 'size') this.problems.misuse('size');
    return { test: left.call, args: left.args };
  }

  /** An operand or a sum of two, which may be in parentheses as a whole. */
  sum(): Operand {
    const left = this.operand(() => this.sum());
    const sign = this.peek();
    if (sign !== '+' && sign !== '-') return left;
    if ('sum' in left) throw this.syntax();
    this.next();
    const right = this.operand();
    this.#operators++;
    checkSum(this.problems, sign, left, right);
    return { sum: [left, sign, right] };
  }
}

/** `kind` is the parameter's name: ConditionExpression, FilterExpression, KeyConditionExpression. */
export const parseCondition = (text: string, kind: string, placeholders: Placeholders): Condition => {
  const parser = new Parser(text, kind, placeholders, conditionFunctions);
  const condition = parser.condition();
  parser.end();
  return condition;
};

export const parseProjection = (text: string, placeholders: Placeholders): Path[] => {
  const parser = new Parser(text, 'ProjectionExpression', placeholders, {});
  const paths = [parser.path()];
  while (parser.take(',')) paths.push(parser.path());
  expectDisjointPaths(parser.problems, paths);
  parser.end();
  return paths;
};

export const parseUpdate = (text: string, placeholders: Placeholders): Update => {
  const parser = new Parser(text, 'UpdateExpression', placeholders, updateFunctions);
  const update = {
    set: [] as { path: Path; to: Operand }[],
    remove: [] as Path[],
    add: [] as { path: Path; value: Value }[],
    delete: [] as { path: Path; value: Value }[],
  };
  const seen = new Set<string>();
  do {
    const section = parser.peek().toUpperCase();
    if (!/^(?:SET|REMOVE|ADD|DELETE)$/u.test(section)) throw parser.syntax();
    parser.next();
    if (seen.has(section))
      parser.problems.add(
        'section',
        `The "${section}" section can only be used once in an update expression;`,
      );
    seen.add(section);
    do {
      const path = parser.path();
      if (section === 'SET') {
        parser.expect('=');
        update.set.push({ path, to: parser.sum() });
      } else if (section === 'REMOVE') update.remove.push(path);
      else {
        const value = parser.value();
        checkSet(parser.problems, section, value);
        update[section === 'ADD' ? 'add' : 'delete'].push({ path, value });
      }
    } while (parser.take(','));
  } while (!parser.done);
  expectDisjointPaths(parser.problems, pathsOf(update));
  parser.end();
  return update;
};
