import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';
import type { Customer } from '../../../../core/identity/customer.ts';
import { instant } from '../../../../core/interaction/interaction.ts';
import { conversationView } from '../../../../core/timeline/conversation.ts';
import {
  customerIdOf,
  dayOf,
  daysBack,
  haveSameEntries,
  type ListEntry,
  lastTalkAt,
  listEntries,
  nameKey,
  namePart,
  recentDay,
  recentEntry,
  recentParts,
  waitingParts,
} from '../../../../core/timeline/lists.ts';
import type { History } from '../../../contracts/ports/history.ts';
import type { ReadPlaces } from '../../../contracts/ports/projections.ts';
import { problem } from '../../../middleware/http.ts';
import { type Answer, Cursor, cursorOf, json } from '../route.ts';

export interface ListPorts {
  readonly history: History;
  readonly places: ReadPlaces;
  /** The silence after which a new conversation begins, in milliseconds. */
  readonly silence: () => Promise<number>;
  readonly now: () => number;
}

/** Days that one request reads, and how many days the list of recent customers goes back. */
const DAYS_PER_REQUEST = 31;
const MOST_DAYS = 400;

const Flag = z.enum(['', 'true']).optional();
const Query = z
  .strictObject({
    recent: Flag,
    waiting: Flag,
    name: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(100).default(50),
    cursor: Cursor.transform((text) => text.split('\n'))
      .pipe(z.tuple([z.string(), z.string()]))
      .optional(),
  })
  .refine(
    ({ recent, waiting, name }) => [recent, waiting, name].filter((one) => one !== undefined).length === 1,
    { error: 'expected one of recent, waiting and name' },
  );

interface Found {
  readonly places: readonly ListEntry[];
  /** Where the next page begins; absent behind the last. */
  readonly next?: ListEntry;
}

/** Customers by last contact, by waiting time or by name. A page may have fewer items than the limit and still a `next`. */
export const listCustomers = async (event: APIGatewayProxyEventV2, ports: ListPorts): Promise<Answer> => {
  const query = Query.safeParse(event.queryStringParameters ?? {});
  if (!query.success) return problem(400, 'invalid-query', z.prettifyError(query.error));
  const { recent, waiting, name, limit, cursor: [part, key] = [] } = query.data;
  const cursor = part === undefined || key === undefined ? undefined : { part, key };
  let found: Found;
  if (recent !== undefined) found = await findRecent(ports, limit, cursor);
  else if (waiting !== undefined) found = await findWaiting(ports, limit, cursor);
  else {
    const prefix = nameKey(name ?? '');
    if (prefix === '')
      return problem(400, 'invalid-query', 'name must be the beginning of a name: at least one letter.');
    found = await findNamed(ports, prefix, limit, cursor);
  }
  const customers = await ports.history.customers(found.places.map(({ key }) => customerIdOf(key)));
  const silence = await ports.silence();
  // A list may be some seconds behind: a customer who has moved since is not shown at the old place.
  const shown = found.places.flatMap((place) => {
    const customer = customers.get(customerIdOf(place.key));
    const isCurrent = customer && listEntries(customer).some((one) => haveSameEntries([one], [place]));
    return isCurrent ? [customer] : [];
  });
  // The list is ordered by hour only.
  if (recent !== undefined)
    shown.sort((one, other) => ((lastTalkAt(one) ?? '') < (lastTalkAt(other) ?? '') ? 1 : -1));
  const items = shown.map((customer) => itemOf(customer, silence, ports.now()));
  const next = found.next && cursorOf(`${found.next.part}\n${found.next.key}`);
  return json(200, { items, ...(next !== undefined && { next }) });
};

const itemOf = (
  { id, name, identifiers, lastSeenAt, conversation }: Customer,
  silence: number,
  now: number,
) => ({
  ...{ id, name, identifiers, lastSeenAt },
  conversation: conversationView(conversation, silence, now),
});

const pageOf = (places: readonly ListEntry[], limit: number): Found => {
  const last = places[limit - 1];
  return { places: places.slice(0, limit), ...(places.length > limit && last && { next: last }) };
};

const findRecent = async (
  { places, now }: ListPorts,
  limit: number,
  cursor: ListEntry | undefined,
): Promise<Found> => {
  const today = dayOf(instant(now()));
  const first = cursor === undefined ? today : cursor.part.slice(recentDay('').length);
  const oldest = [...daysBack(today, MOST_DAYS)].at(-1) ?? today;
  const found: ListEntry[] = [];
  let last = first;
  for (const day of daysBack(first, DAYS_PER_REQUEST)) {
    if (day < oldest) return { places: found };
    const query = {
      limit: limit + 1 - found.length,
      newestFirst: true,
      ...(cursor?.part === recentDay(day) && cursor.key !== '' && { beyond: cursor.key }),
    };
    const own = await Promise.all(recentParts(day).map((part) => places(part, query)));
    const keys = new Set(own.flat().map(({ key }) => key));
    found.push(...[...keys].sort().reverse().map(recentEntry));
    if (found.length > limit) return recentPage(found.slice(0, limit));
    last = day;
  }
  const [, before = oldest] = [...daysBack(last, 2)];
  return { places: found, next: { part: recentDay(before), key: '' } };
};

/** A full page: the next one begins behind its last entry, in every part of that day. */
const recentPage = (places: readonly ListEntry[]): Found => {
  const last = places.at(-1);
  return { places, ...(last && { next: { part: recentDay(dayOf(last.key)), key: last.key } }) };
};

const findWaiting = async (
  { places }: ListPorts,
  limit: number,
  cursor: ListEntry | undefined,
): Promise<Found> => {
  const parts = await Promise.all(
    waitingParts.map((part) => places(part, { limit: limit + 1, ...(cursor && { beyond: cursor.key }) })),
  );
  return pageOf(
    parts.flat().sort((one, other) => (one.key < other.key ? -1 : 1)),
    limit,
  );
};

const findNamed = async (
  { places }: ListPorts,
  prefix: string,
  limit: number,
  cursor: ListEntry | undefined,
): Promise<Found> =>
  pageOf(
    await places(namePart(prefix), {
      ...{ limit: limit + 1, beginsWith: prefix },
      ...(cursor && { beyond: cursor.key }),
    }),
    limit,
  );
