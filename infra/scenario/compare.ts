import { normaliseIdentifier } from '../../core/identity/rules.ts';
import type { Expectation } from './schema.ts';

/** What a scenario left behind, in the words of `expect`. */
export interface Outcome {
  readonly customers: readonly ActualCustomer[];
  readonly notifications: readonly Readonly<Record<string, string>>[];
  readonly suppressed: readonly Readonly<Record<string, string>>[];
  readonly crm: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly review: number;
  /** What could not be done, and why, a line each. */
  readonly refused: readonly string[];
}

export interface ActualCustomer {
  readonly identifiers: readonly string[];
  readonly timeline: number;
  readonly consent: Readonly<Record<string, string>>;
  readonly preferences: Readonly<Record<string, string>>;
  /** For each merged-in customer, its identifiers. */
  readonly mergedFrom: readonly (readonly string[])[];
}

/** Every difference as a line; none when the outcome is what was expected. Lists are complete where they are given. */
export const compareOutcome = (expected: Expectation, actual: Outcome): string[] => [
  ...listDifferences('customers', expected.customers, actual.customers, customerMatches),
  ...listDifferences('notifications', expected.notifications, actual.notifications, keysMatch),
  ...listDifferences('suppressed', expected.suppressed, actual.suppressed, keysMatch),
  ...Object.entries(expected.crm ?? {}).flatMap(([crm, objects]) =>
    Object.entries(objects).flatMap(([object, count]) => {
      const found = actual.crm[crm]?.[object] ?? 0;
      return found === count ? [] : [`crm.${crm}.${object}: expected ${count}, found ${found}`];
    }),
  ),
  ...(expected.review === undefined || expected.review === actual.review
    ? []
    : [`review: expected ${expected.review} open entries, found ${actual.review}`]),
];

const listDifferences = <Expected, Actual>(
  name: string,
  expected: readonly Expected[] | undefined,
  actual: readonly Actual[],
  matches: (expected: Expected, actual: Actual) => boolean,
): string[] => {
  if (expected === undefined) return [];
  const { missing, extra } = pair(expected, actual, matches);
  return [
    ...missing.map((one) => `${name}: expected ${JSON.stringify(one)}, not found`),
    ...extra.map((one) => `${name}: found ${JSON.stringify(one)}, not expected`),
  ];
};

/** The largest pairing of what was expected with what is there (Kuhn's augmenting paths), and what is left on either side. */
const pair = <Expected, Actual>(
  expected: readonly Expected[],
  actual: readonly Actual[],
  matches: (expected: Expected, actual: Actual) => boolean,
): { missing: Expected[]; extra: Actual[] } => {
  const takenBy = new Map<number, number>();
  const seat = (position: number, tried: Set<number>): boolean => {
    for (const [seatNumber, candidate] of actual.entries()) {
      const wanted = expected[position];
      if (tried.has(seatNumber) || wanted === undefined || !matches(wanted, candidate)) continue;
      tried.add(seatNumber);
      const holder = takenBy.get(seatNumber);
      if (holder === undefined || seat(holder, tried)) {
        takenBy.set(seatNumber, position);
        return true;
      }
    }
    return false;
  };
  const missing = expected.filter((_, position) => !seat(position, new Set()));
  return { missing, extra: actual.filter((_, position) => !takenBy.has(position)) };
};

type ExpectedCustomer = NonNullable<Expectation['customers']>[number];

const customerMatches = (expected: ExpectedCustomer, actual: ActualCustomer): boolean =>
  (expected.identifiers === undefined || sameSet(expected.identifiers, actual.identifiers)) &&
  (expected.timeline === undefined || expected.timeline === actual.timeline) &&
  Object.entries(expected.consent ?? {}).every(
    ([channel, status]) => (actual.consent[channel] ?? 'unknown') === status,
  ) &&
  Object.entries(expected.preferences ?? {}).every(([key, value]) => actual.preferences[key] === value) &&
  (expected.mergedFrom === undefined || mergedFromMatches(expected.mergedFrom, actual.mergedFrom));

const mergedFromMatches = (expected: readonly string[], actual: ActualCustomer['mergedFrom']): boolean => {
  const { missing, extra } = pair(expected.map(normal), actual, (one, held) => held.includes(one));
  return missing.length === 0 && extra.length === 0;
};

const sameSet = (expected: readonly string[], actual: readonly string[]): boolean => {
  const [one, other] = [new Set(expected.map(normal)), new Set(actual)];
  return one.size === other.size && one.isSubsetOf(other);
};

const normal = (identifier: string): string => normaliseIdentifier(identifier) ?? identifier;

const keysMatch = (
  expected: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, string>>,
): boolean => Object.entries(expected).every(([key, value]) => value === undefined || actual[key] === value);
