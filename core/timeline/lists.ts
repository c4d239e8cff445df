import * as z from 'zod';
import { type Customer, nameParts } from '../identity/customer.ts';
import type { Instant } from '../interaction/interaction.ts';

/** Where a customer stands in a list that people read: which part of the list, and the place in its order. */
export const ListEntry = z.strictObject({ part: z.string(), key: z.string() });
export type ListEntry = z.infer<typeof ListEntry>;

/** So many parts hold those who wait, so that no part is written too often. */
const WAITING_PARTS = 4;
export const waitingParts: readonly string[] = Array.from(
  { length: WAITING_PARTS },
  (_, part) => `waiting#${part}`,
);
export const recentPart = (day: string): string => `recent#${day}`;
/** Names are looked up by their beginning, so each part holds one first letter. `name` as `nameKey` writes it. */
export const namePart = (name: string): string => `name#${[...name][0] ?? ''}`;

const LONGEST_NAME = 80;
const HOUR_LETTERS = '2026-03-02T09'.length;
const DAY_LETTERS = '2026-03-02'.length;

/** A name as it is looked up: small letters without marks, words parted by one space. */
export const nameKey = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_NAME);

/** When something was last said by either side; undefined where nothing ever was, as after an import. */
export const lastTalkAt = ({ conversation }: Customer): Instant | undefined =>
  conversation?.threads.map(({ lastAt }) => lastAt).reduce(laterOf, '') || undefined;

const laterOf = (one: Instant, other: Instant): Instant => (one > other ? one : other);

/**
 * Every place of a customer: by the hour of their last talk, by name and by last name, and since when they
 * wait for an answer. It changes once an hour at most for as long as nothing is asked or answered.
 */
export const listEntries = (customer: Customer): ListEntry[] => {
  const { id, conversation } = customer;
  const talked = lastTalkAt(customer);
  const place = (part: string, key: string): ListEntry => ({ part, key: `${key}#${id}` });
  const waitingSince = conversation?.open[0];
  return [
    ...(talked === undefined ? [] : [place(recentPart(dayOf(talked)), talked.slice(0, HOUR_LETTERS))]),
    ...namesOf(customer).map((name) => place(namePart(name), name)),
    ...(waitingSince === undefined ? [] : [place(waitingParts[waitingShard(id)] ?? '', waitingSince)]),
  ];
};

const namesOf = ({ name }: Customer): string[] => {
  const { full = '', first = '', last = '' } = nameParts(name);
  const keys = [nameKey(full), nameKey(`${last} ${first}`)];
  return [...new Set(keys)].filter((one) => one !== '');
};

const waitingShard = (id: string): number =>
  [...id].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % WAITING_PARTS;

/** The id of the customer who stands at a place. */
export const customerIdOf = (key: string): string => key.slice(key.lastIndexOf('#') + 1);

/** Whether two states of a customer stand at the same places. */
export const haveSameEntries = (one: readonly ListEntry[], other: readonly ListEntry[]): boolean =>
  one.length === other.length &&
  one.every(({ part, key }) => other.some((place) => place.part === part && place.key === key));

/** The days from one backwards, as the recent list has its parts. `from` is a day. */
export const daysBack = function* (from: string, most: number): Generator<string> {
  for (let back = 0; back < most; back++)
    yield new Date(Date.parse(from) - back * 86_400_000).toISOString().slice(0, DAY_LETTERS);
};

export const dayOf = (at: Instant): string => at.slice(0, DAY_LETTERS);
