import * as z from 'zod';
import { type Customer, nameParts } from '../identity/customer.ts';
import type { Instant } from '../interaction/interaction.ts';
import { zoneOf } from '../triggers/schedule.ts';

/** An entry of a customer in one of the customer lists: the part of the list (its partition) and the sort key in it. */
export const ListEntry = z.strictObject({ part: z.string(), key: z.string() });
export type ListEntry = z.infer<typeof ListEntry>;

/** The list of waiting customers is split into parts, so that no partition is written too often. */
const WAITING_PARTS = 4;
export const waitingParts: readonly string[] = Array.from(
  { length: WAITING_PARTS },
  (_, part) => `waiting#${part}`,
);
/** The directory names every customer, for jobs that go through all of them. It is split like the waiting ones. */
const DIRECTORY_PARTS = 16;
export const directoryParts: readonly string[] = Array.from(
  { length: DIRECTORY_PARTS },
  (_, part) => `directory#${part}`,
);
/** Every person by time zone, for what happens at a local time; split like the waiting ones. */
const ZONE_PARTS = 4;
export const zoneParts: readonly string[] = Array.from({ length: ZONE_PARTS }, (_, part) => `zone#${part}`);
/** How the keys of the persons of a zone begin; those whose zone is unknown have an empty one. */
export const zonePrefix = (timeZone: string): string => `${timeZone}#`;
export const zoneOfKey = (key: string): string => key.slice(0, key.lastIndexOf('#'));
/**
 * The list of recent customers has parts for each day: one DynamoDB partition takes 1,000 write units a second, and a busy
 * hour may move 200 customers a second, for four each.
 */
const RECENT_PARTS = 4;
/** The part in which earlier releases kept a whole day; it names the day in cursors. */
export const recentDay = (day: string): string => `recent#${day}`;
/** Where the customers of a day are. Entries of earlier releases stay where they are until their customer talks again. */
export const recentParts = (day: string): string[] => [
  recentDay(day),
  ...Array.from({ length: RECENT_PARTS }, (_, part) => `${recentDay(day)}#${part}`),
];
/** The entry of a customer in the list of recent ones. `key`: begins with the hour and ends with the customer's id. */
export const recentEntry = (key: string): ListEntry => ({
  part: `${recentDay(dayOf(key))}#${shard(customerIdOf(key), RECENT_PARTS)}`,
  key,
});
/** One part per first letter, since names are found by their beginning. `name`: a result of `nameKey`. */
export const namePart = (name: string): string => `name#${[...name][0] ?? ''}`;

const LONGEST_NAME = 80;
const HOUR_LETTERS = '2026-03-02T09'.length;
const DAY_LETTERS = '2026-03-02'.length;

/** The search form of a name: lower case, without diacritics, words separated by one space. */
export const nameKey = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_NAME);

/** The time of the last message of either side; undefined before the first one, as after an import. */
export const lastTalkAt = ({ conversation }: Customer): Instant | undefined =>
  conversation?.threads.map(({ lastAt }) => lastAt).reduce(laterOf, '') || undefined;

const laterOf = (one: Instant, other: Instant): Instant => (one > other ? one : other);

/**
 * All list entries of a customer: in the directory, a person's by time zone, by the hour of the last message, by name and by
 * last name, and by the time since which the customer waits for an answer. While no question is asked or answered they change once an hour at most.
 */
export const listEntries = (customer: Customer): ListEntry[] => {
  const { id, conversation } = customer;
  const talked = lastTalkAt(customer);
  const place = (part: string, key: string): ListEntry => ({ part, key: `${key}#${id}` });
  const waitingSince = conversation?.open[0];
  return [
    ...(talked === undefined ? [] : [recentEntry(`${talked.slice(0, HOUR_LETTERS)}#${id}`)]),
    ...namesOf(customer).map((name) => place(namePart(name), name)),
    ...(waitingSince === undefined
      ? []
      : [place(waitingParts[shard(id, WAITING_PARTS)] ?? '', waitingSince)]),
    ...(customer.guest ? [] : [place(zoneParts[shard(id, ZONE_PARTS)] ?? '', zoneOf(customer.timeZone, ''))]),
    { part: directoryParts[shard(id, DIRECTORY_PARTS)] ?? '', key: id },
  ];
};

const namesOf = ({ name }: Customer): string[] => {
  const { full = '', first = '', last = '' } = nameParts(name);
  const keys = [nameKey(full), nameKey(`${last} ${first}`)];
  return [...new Set(keys)].filter((one) => one !== '');
};

const shard = (id: string, parts: number): number =>
  [...id].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % parts;

/** The id of the customer in the key of a list entry. */
export const customerIdOf = (key: string): string => key.slice(key.lastIndexOf('#') + 1);

/** Whether two states of a customer have the same list entries. */
export const haveSameEntries = (one: readonly ListEntry[], other: readonly ListEntry[]): boolean =>
  one.length === other.length &&
  one.every(({ part, key }) => other.some((place) => place.part === part && place.key === key));

/** The days from `from` (`2026-03-02`) backwards, at most `most`: the parts of the list of recent customers. */
export const daysBack = function* (from: string, most: number): Generator<string> {
  for (let back = 0; back < most; back++)
    yield new Date(Date.parse(from) - back * 86_400_000).toISOString().slice(0, DAY_LETTERS);
};

/** `2026-03-02`, in UTC. */
export const dayOf = (at: Instant): string => at.slice(0, DAY_LETTERS);
