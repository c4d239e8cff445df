import * as z from 'zod';
import { arnMatches, wildcardMatches } from './match.ts';

/** The values of a request's condition keys, by the key in lower case. */
export type RequestContext = Readonly<Record<string, readonly string[]>>;

type Test = (wanted: string, actual: string) => boolean;

const equals: Test = (wanted, actual) => wanted === actual;
const equalsIgnoreCase: Test = (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase();
const numeric =
  (compare: (actual: number, wanted: number) => boolean): Test =>
  (wanted, actual) =>
    compare(Number(actual), Number(wanted));
const dated =
  (compare: (actual: number, wanted: number) => boolean): Test =>
  (wanted, actual) =>
    compare(Date.parse(actual), Date.parse(wanted));

/** Operators that are true where one of the values matches. */
const positive: Readonly<Record<string, Test>> = {
  StringEquals: equals,
  StringEqualsIgnoreCase: equalsIgnoreCase,
  StringLike: wildcardMatches,
  // AWS evaluates both alike, with wildcards.
  ArnEquals: arnMatches,
  ArnLike: arnMatches,
  Bool: equalsIgnoreCase,
  NumericEquals: numeric((actual, wanted) => actual === wanted),
  NumericLessThan: numeric((actual, wanted) => actual < wanted),
  NumericLessThanEquals: numeric((actual, wanted) => actual <= wanted),
  NumericGreaterThan: numeric((actual, wanted) => actual > wanted),
  NumericGreaterThanEquals: numeric((actual, wanted) => actual >= wanted),
  DateLessThan: dated((actual, wanted) => actual < wanted),
  DateGreaterThan: dated((actual, wanted) => actual > wanted),
};
/** Operators that are true where no value matches, or the request lacks the key. */
const negative: Readonly<Record<string, Test>> = {
  StringNotEquals: equals,
  StringNotEqualsIgnoreCase: equalsIgnoreCase,
  StringNotLike: wildcardMatches,
  ArnNotEquals: arnMatches,
  ArnNotLike: arnMatches,
  NumericNotEquals: numeric((actual, wanted) => actual === wanted),
};

const OPERATOR = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/u;

const isKnownOperator = (name: string): boolean => {
  const base = OPERATOR.exec(name)?.[2] ?? '';
  return base === 'Null' || base in positive || base in negative;
};
const Value = z.union([z.string(), z.boolean(), z.number()]).transform(String);

export const Conditions = z
  .record(
    z.string(),
    z.record(
      z.string(),
      z.union([Value, z.array(Value)]).transform((given) => [given].flat()),
    ),
  )
  .superRefine((block, issues) => {
    for (const name of Object.keys(block).filter((one) => !isKnownOperator(one)))
      issues.addIssue({
        code: 'custom',
        message: `the local runtime does not support the condition operator ${name}`,
      });
  });
export type Conditions = z.infer<typeof Conditions>;

/** Whether every operator is true for each of its keys. */
export const conditionsHold = (conditions: Conditions, context: RequestContext): boolean =>
  Object.entries(conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => holds(operator, wanted, context[key.toLowerCase()])),
  );

const holds = (
  operator: string,
  wanted: readonly string[],
  actual: readonly string[] | undefined,
): boolean => {
  const [, set, base = '', ifExists] = OPERATOR.exec(operator) ?? [];
  if (base === 'Null') return wanted.includes(String(actual === undefined));
  const refuses = negative[base];
  const test = refuses ?? positive[base];
  if (test === undefined) throw new Error(`The condition operator ${operator} is not known.`);
  if (actual === undefined)
    return ifExists !== undefined || set === 'ForAllValues' || (set === undefined && refuses !== undefined);
  const fits = (value: string): boolean => wanted.some((one) => test(one, value)) !== (refuses !== undefined);
  if (set === 'ForAllValues') return actual.every(fits);
  if (set === 'ForAnyValue' || refuses === undefined) return actual.some(fits);
  return actual.every(fits);
};
