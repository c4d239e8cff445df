import { isDeepStrictEqual } from 'node:util';
import { normaliseIdentifier } from '../../core/identity/normalise.ts';
import type { Expectation } from './schema.ts';

/** The end of a scenario, with the keys of `expect`. */
export interface Outcome {
  readonly customers: readonly ActualCustomer[];
  readonly notifications: readonly Readonly<Record<string, string>>[];
  readonly suppressed: readonly Readonly<Record<string, string>>[];
  /** The records by CRM and object. */
  readonly crm: Readonly<Record<string, Readonly<Record<string, readonly object[]>>>>;
  readonly review: number;
  /** The state of each connection that is known. */
  readonly connections: Readonly<Record<string, string>>;
  /** A line for each open failure. */
  readonly failures: readonly string[];
}

export interface ActualCustomer {
  readonly identifiers: readonly string[];
  /** Those that guests shown with the person, or the guest itself, name and nobody owns. */
  readonly claimed: readonly string[];
  /** Name, language, time zone, stage, tags and traits, where known. */
  readonly profile: Readonly<Record<string, unknown>>;
  readonly timeline: number;
  readonly consent: Readonly<Record<string, string>>;
  readonly preferences: Readonly<Record<string, string>>;
  /** The identifiers of each customer that was merged into this one. */
  readonly mergedFrom: readonly (readonly string[])[];
}

/** A line for each difference, with the key in `expect`, the expected and the actual value. Expected lists are complete. */
export const compareOutcome = (expected: Expectation, actual: Outcome): string[] => [
  ...compareLists('customers', expected.customers, actual.customers, customerMatches),
  ...compareLists('notifications', expected.notifications, actual.notifications, keysMatch),
  ...compareLists('suppressed', expected.suppressed, actual.suppressed, keysMatch),
  ...Object.entries(expected.crm ?? {}).flatMap(([crm, objects]) =>
    Object.entries(objects).flatMap(([object, wanted]) => {
      const found = actual.crm[crm]?.[object] ?? [];
      const path = `crm.${crm}.${object}`;
      if (typeof wanted !== 'number') return compareLists(path, wanted, found, recordMatches);
      return found.length === wanted ? [] : [difference(path, wanted, found.length)];
    }),
  ),
  ...(expected.failures === undefined || expected.failures === actual.failures.length
    ? []
    : [difference('failures', expected.failures, actual.failures.length)]),
  ...Object.entries(expected.connections ?? {}).flatMap(([crm, state]) => {
    const found = actual.connections[crm] ?? 'working';
    return found === state ? [] : [difference(`connections.${crm}`, state, found)];
  }),
  ...(expected.review === undefined || expected.review === actual.review
    ? []
    : [difference('review', expected.review, actual.review)]),
];

const difference = (path: string, expected: unknown, actual: unknown): string =>
  `expect.${path}: expected ${expected === undefined ? 'nothing' : JSON.stringify(expected)}, found ${actual === undefined ? 'nothing' : JSON.stringify(actual)}`;

/** What is missing and what is unexpected are shown side by side: usually they are meant to be the same. */
const compareLists = <Expected, Actual>(
  name: string,
  expected: readonly Expected[] | undefined,
  actual: readonly Actual[],
  matches: (expected: Expected, actual: Actual) => boolean,
): string[] => {
  if (expected === undefined) return [];
  const { missing, unexpected } = pairUp(expected, actual, matches);
  return [
    ...missing.map((one, index) => difference(`${name}.${expected.indexOf(one)}`, one, unexpected[index])),
    ...unexpected.slice(missing.length).map((one) => difference(name, undefined, one)),
  ];
};

/** The largest matching of expected and actual entries (Kuhn's augmenting paths), and the entries without a partner. */
const pairUp = <Expected, Actual>(
  expected: readonly Expected[],
  actual: readonly Actual[],
  matches: (expected: Expected, actual: Actual) => boolean,
): { missing: Expected[]; unexpected: Actual[] } => {
  const partners = new Map<number, number>();
  const findPartner = (position: number, tried: Set<number>): boolean => {
    for (const [candidate, value] of actual.entries()) {
      const wanted = expected[position];
      if (tried.has(candidate) || wanted === undefined || !matches(wanted, value)) continue;
      tried.add(candidate);
      const rival = partners.get(candidate);
      if (rival === undefined || findPartner(rival, tried)) {
        partners.set(candidate, position);
        return true;
      }
    }
    return false;
  };
  const missing = expected.filter((_, position) => !findPartner(position, new Set()));
  return { missing, unexpected: actual.filter((_, position) => !partners.has(position)) };
};

const profileKeys = ['name', 'language', 'timeZone', 'stage', 'tags', 'traits'] as const;
type ExpectedCustomer = NonNullable<Expectation['customers']>[number];

const customerMatches = (expected: ExpectedCustomer, actual: ActualCustomer): boolean =>
  (expected.identifiers === undefined || sameSet(expected.identifiers, actual.identifiers)) &&
  (expected.claimed === undefined || sameSet(expected.claimed, actual.claimed)) &&
  profileKeys.every(
    (key) => expected[key] === undefined || isDeepStrictEqual(expected[key], actual.profile[key]),
  ) &&
  (expected.timeline === undefined || expected.timeline === actual.timeline) &&
  Object.entries(expected.consent ?? {}).every(
    ([channel, status]) => (actual.consent[channel] ?? 'unknown') === status,
  ) &&
  Object.entries(expected.preferences ?? {}).every(([key, value]) => actual.preferences[key] === value) &&
  (expected.mergedFrom === undefined || mergedFromMatches(expected.mergedFrom, actual.mergedFrom));

const mergedFromMatches = (expected: readonly string[], actual: ActualCustomer['mergedFrom']): boolean => {
  const { missing, unexpected } = pairUp(expected.map(normal), actual, (one, identifiers) =>
    identifiers.includes(one),
  );
  return missing.length === 0 && unexpected.length === 0;
};

const sameSet = (expected: readonly string[], actual: readonly string[]): boolean => {
  const [one, other] = [new Set(expected.map(normal)), new Set(actual)];
  return one.size === other.size && one.isSubsetOf(other);
};

const normal = (identifier: string): string => normaliseIdentifier(identifier) ?? identifier;

/** A record of a CRM on the keys that are given; null is an empty field. */
const recordMatches = (expected: Readonly<Record<string, unknown>>, actual: object): boolean =>
  Object.entries(expected).every(
    ([key, value]) => String(value ?? '') === String(Reflect.get(actual, key) ?? ''),
  );

const keysMatch = (
  expected: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, string>>,
): boolean => Object.entries(expected).every(([key, value]) => value === undefined || actual[key] === value);
