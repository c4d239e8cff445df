import { compare, invalid, type Type, typeOf, type Value } from '../values/values.ts';
import { type Operand, type Path, pathText } from './syntax.ts';

/** The errors of an expression without syntax errors, in the order in which DynamoDB reports them. */
const ranks = [
  'reserved',
  'function',
  'misuse',
  'section',
  'undefined',
  'limit',
  'overlap',
  'conflict',
  'count',
  'distinct',
  'type',
  'parentheses',
] as const;
type Rank = (typeof ranks)[number];

/** Collects the errors of an expression. DynamoDB reports the first by rank, not by position. */
export class Problems {
  readonly #kind: string;
  readonly #noted = new Map<Rank, string>();

  constructor(kind: string) {
    this.#kind = kind;
  }

  add(rank: Rank, message: string): void {
    if (!this.#noted.has(rank)) this.#noted.set(rank, message);
  }

  misuse(name: string): void {
    this.add('misuse', `The function is not allowed to be used this way in an expression; function: ${name}`);
  }

  throwFirst(): void {
    if (this.#noted.size === 0) return;
    const first = ranks.find((rank) => this.#noted.has(rank));
    if (first !== undefined) throw invalid(`Invalid ${this.#kind}: ${this.#noted.get(first)}`);
  }
}

/** Functions by the number of their operands. */
export const conditionFunctions: Readonly<Record<string, number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
  size: 1,
};
export const updateFunctions: Readonly<Record<string, number>> = { if_not_exists: 2, list_append: 2 };

const typeNames: Readonly<Record<Type, string>> = {
  S: 'STRING',
  N: 'NUMBER',
  B: 'BINARY',
  NULL: 'NULL',
  BOOL: 'BOOLEAN',
  L: 'LIST',
  M: 'MAP',
  SS: 'STRING_SET',
  NS: 'NUMBER_SET',
  BS: 'BINARY_SET',
};

/** The type of an operand; undefined where it depends on the item. */
const staticType = (operand: Operand | undefined): Type | undefined => {
  if (operand === undefined) return undefined;
  if ('value' in operand) return typeOf(operand.value);
  if ('sum' in operand) return 'N';
  if (!('call' in operand)) return undefined;
  if (operand.call === 'size') return 'N';
  if (operand.call === 'list_append') return 'L';
  return operand.call === 'if_not_exists' ? undefined : 'BOOL';
};

export const checkCall = (
  problems: Problems,
  functions: Readonly<Record<string, number>>,
  name: string,
  args: readonly Operand[],
): void => {
  const count = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (count === undefined) {
    problems.add('function', `Invalid function name; function: ${name}`);
    return;
  }
  for (const arg of args)
    if ('call' in arg && arg.call !== 'size' && functions === conditionFunctions) problems.misuse(arg.call);
  if (count !== args.length) {
    wrongCount(problems, name, args.length);
    return;
  }
  checkDistinct(problems, name, args);
  if (/^(?:attribute_(?:not_)?exists|if_not_exists)$/u.test(name)) {
    if (args[0] && !('path' in args[0]))
      problems.add('type', `Operator or function requires a document path; operator or function: ${name}`);
    return;
  }
  for (const arg of args) {
    const type = staticType(arg);
    if (type !== undefined && accepted[name]?.has(type) === false) wrongType(problems, name, type);
  }
  if (name === 'attribute_type') checkTypeName(problems, args[1]);
};

const accepted: Readonly<Record<string, ReadonlySet<Type>>> = {
  begins_with: new Set<Type>(['S', 'B']),
  size: new Set<Type>(['S', 'B', 'SS', 'NS', 'BS', 'L', 'M']),
  list_append: new Set<Type>(['L']),
};

const checkTypeName = (problems: Problems, operand: Operand | undefined): void => {
  if (operand === undefined || !('value' in operand) || !('S' in operand.value)) {
    const type = staticType(operand) ?? '{NS,SS,L,BS,N,M,B,BOOL,NULL,S}';
    problems.add(
      'type',
      `Incorrect operand type for operator or function; operator or function: attribute_type, operand type: ${type}`,
    );
    return;
  }
  if (!Object.hasOwn(typeNames, operand.value.S))
    problems.add(
      'type',
      `Invalid attribute type name found; type: ${operand.value.S}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`,
    );
};

const wrongCount = (problems: Problems, name: string, count: number): void =>
  problems.add(
    'count',
    `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${count}`,
  );

const wrongType = (problems: Problems, name: string, type: Type): void =>
  problems.add(
    'type',
    `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`,
  );

const checkDistinct = (problems: Problems, name: string, args: readonly Operand[]): void => {
  const [first, ...others] = args;
  if (first === undefined || !('path' in first)) return;
  const text = pathText(first.path);
  if (others.some((other) => 'path' in other && pathText(other.path) === text) && name in distinctOperands)
    problems.add(
      'distinct',
      `The first operand must be distinct from the remaining operands for this operator or function; operator: ${name}, first operand: ${text}`,
    );
};
const distinctOperands: Readonly<Record<string, true>> = Object.fromEntries(
  ['=', '<>', '<', '<=', '>', '>=', 'IN', 'BETWEEN', 'contains', 'begins_with', 'attribute_type'].map(
    (name) => [name, true as const],
  ),
);

const ordered: ReadonlySet<Type> = new Set<Type>(['S', 'N', 'B']);

export const checkTest = (problems: Problems, operator: string, left: Operand, right: Operand): void => {
  for (const operand of [left, right]) {
    if ('call' in operand && operand.call !== 'size') problems.misuse(operand.call);
    const type = staticType(operand);
    if (type !== undefined && operator !== '=' && operator !== '<>' && !ordered.has(type))
      wrongType(problems, operator, type);
  }
  checkDistinct(problems, operator, [left, right]);
};

const attributeValueText = (value: Value): string =>
  `AttributeValue: {${typeOf(value)}:${Object.values(value)[0]}}`;

export const checkBetween = (problems: Problems, low: Operand, high: Operand): void => {
  for (const operand of [low, high]) {
    const type = staticType(operand);
    if (type !== undefined && !ordered.has(type)) wrongType(problems, 'BETWEEN', type);
  }
  if (!('value' in low) || !('value' in high)) return;
  const bounds = `lower bound operand: ${attributeValueText(low.value)}, upper bound operand: ${attributeValueText(high.value)}`;
  if (typeOf(low.value) !== typeOf(high.value))
    problems.add(
      'type',
      `The BETWEEN operator requires same data type for lower and upper bounds; ${bounds}`,
    );
  else if ((compare(low.value, high.value) ?? 0) > 0)
    problems.add(
      'type',
      `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${bounds}`,
    );
};

const MOST_AMONG = 100;

export const checkAmong = (problems: Problems, left: Operand, among: readonly Operand[]): void => {
  if (among.length > MOST_AMONG) wrongCount(problems, 'IN', among.length);
  checkDistinct(problems, 'IN', [left, ...among]);
};

export const checkSum = (problems: Problems, sign: string, left: Operand, right: Operand): void => {
  for (const operand of [left, right]) {
    const type = staticType(operand);
    if (type !== undefined && type !== 'N') wrongType(problems, sign, type);
  }
};

/** Checks the value of an ADD or DELETE: a set, or for ADD also a number. */
export const checkSet = (problems: Problems, section: string, value: Value): void => {
  const type = typeOf(value);
  if (/^(?:SS|NS|BS)$/u.test(type) || (section === 'ADD' && type === 'N')) return;
  problems.add(
    'type',
    `Incorrect operand type for operator or function; operator: ${section}, operand type: ${typeNames[type]}`,
  );
};

/** Checks that no path equals or contains another, or uses as a list what another uses as a map. */
export const expectDisjointPaths = (problems: Problems, paths: readonly Path[]): void => {
  for (const [position, one] of paths.entries()) {
    for (const other of paths.slice(position + 1)) {
      const shorter = Math.min(one.length, other.length);
      let at = 0;
      while (at < shorter && one[at] === other[at]) at++;
      const rank = at === shorter ? 'overlap' : typeof one[at] === typeof other[at] ? undefined : 'conflict';
      if (rank !== undefined)
        problems.add(
          rank,
          `Two document paths ${rank} with each other; must remove or rewrite one of these paths; path one: ${pathText(one)}, path two: ${pathText(other)}`,
        );
    }
  }
};
