import * as z from 'zod';
import { arnMatches, wildcardMatches } from './match.ts';

/** What is known of a request beside its action and resource: condition keys in lower case, and their values. */
export type RequestContext = Readonly<Record<string, readonly string[]>>;

type Test = (wanted: string, actual: string) => boolean;

const equals: Test = (wanted, actual) => wanted === actual;
const sameLetters: Test = (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase();
const numeric =
  (compare: (actual: number, wanted: number) => boolean): Test =>
  (wanted, actual) =>
    compare(Number(actual), Number(wanted));
const dated =
  (compare: (actual: number, wanted: number) => boolean): Test =>
  (wanted, actual) =>
    compare(Date.parse(actual), Date.parse(wanted));

/** Operators that hold when one of the wanted values fits. */
const positive: Readonly<Record<string, Test>> = {
  StringEquals: equals,
  StringEqualsIgnoreCase: sameLetters,
  StringLike: wildcardMatches,
  // AWS evaluates both the same way: wildcards count in either.
  ArnEquals: arnMatches,
  ArnLike: arnMatches,
  Bool: sameLetters,
  NumericEquals: numeric((actual, wanted) => actual === wanted),
  NumericLessThan: numeric((actual, wanted) => actual < wanted),
  NumericLessThanEquals: numeric((actual, wanted) => actual <= wanted),
  NumericGreaterThan: numeric((actual, wanted) => actual > wanted),
  NumericGreaterThanEquals: numeric((actual, wanted) => actual >= wanted),
  DateLessThan: dated((actual, wanted) => actual < wanted),
  DateGreaterThan: dated((actual, wanted) => actual > wanted),
};
/** Operators that hold when none of the wanted values fits, or the request does not have the key. */
const negative: Readonly<Record<string, Test>> = {
  StringNotEquals: equals,
  StringNotEqualsIgnoreCase: sameLetters,
  StringNotLike: wildcardMatches,
  ArnNotEquals: arnMatches,
  ArnNotLike: arnMatches,
  NumericNotEquals: numeric((actual, wanted) => actual === wanted),
};

const OPERATOR = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/u;

const known = (name: string): boolean => {
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
    for (const name of Object.keys(block).filter((one) => !known(one)))
      issues.addIssue({
        code: 'custom',
        message: `the condition operator ${name} is not known to the local runtime`,
      });
  });
export type Conditions = z.infer<typeof Conditions>;

/** Every operator and every key of a condition block must hold. */
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
