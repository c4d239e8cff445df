import type { RecordedAnswer } from '../../../core/consent/evidence.ts';
import { type Customer, resolveCustomer } from '../../../core/identity/customer.ts';
import type { SourceProfile } from '../../../core/identity/profile.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import {
  activityKey,
  interactionKey,
  interactionRange,
  type Key,
  keyText,
  profileKey,
  profilePartition,
  sortKeyPrefix,
} from '../../contracts/keys.ts';
import type {
  History,
  LedgerEntry,
  StoredInteraction,
  TimelineRange,
} from '../../contracts/ports/history.ts';
import { interactionOf } from '../../contracts/rows/interactions.ts';
import {
  activityOf,
  answerOf,
  confirmationOf,
  mergeOf,
  profileOf,
  reopeningOf,
  splitOf,
} from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { QueryRange, Table } from '../clients/dynamo.ts';

/**
 * Customers and their histories, read from the table with strong consistency. Rows that do not fit their schema reject with
 * `ZodError`.
 */
export const history = (table: Table): History => ({
  async customer(profileId) {
    return (await customersOf(table, [profileId])).get(profileId);
  },
  customers: (profileIds) => customersOf(table, profileIds),
  async interaction(address) {
    const [found] = await table.get([interactionKey(address)]);
    return found && storedOf(found);
  },
  async interactions(addresses) {
    const found = await table.get(addresses.map(interactionKey));
    return found.map(storedOf);
  },
  timeline: (customer, range) => timeline(table, customer, range),
  answers: (customer) => answers(table, customer),
  ledger: (customer) => ledger(table, customer),
});

const customersOf = async (table: Table, profileIds: readonly string[]): Promise<Map<string, Customer>> => {
  const loaded = await loadMergeTrees(table, profileIds, []);
  const sourceProfiles = new Map(loaded.sourceProfiles.map((one) => [one.profile.id, one]));
  const found = new Map<string, Customer>();
  for (const profileId of profileIds) {
    const canonicalId = canonicalIdOf(profileId, sourceProfiles);
    if (canonicalId !== undefined) found.set(profileId, resolveCustomer(canonicalId, sourceProfiles));
  }
  return found;
};

/**
 * The given source profiles and all others of the same customers, found by the pointers of their merges; and, in the same
 * round trip as the first of them, the rows `alongside`. Rows that do not exist are absent from the result.
 */
export const loadMergeTrees = async (
  table: Table,
  profileIds: readonly string[],
  alongside: readonly Key[],
): Promise<{ sourceProfiles: SourceProfile[]; others: Row[] }> => {
  const found = new Map<string, SourceProfile>();
  const requested = new Set<string>();
  let others: Row[] | undefined;
  let next = [...profileIds];
  while (next.length > 0 || (others === undefined && alongside.length > 0)) {
    for (const profileId of next) requested.add(profileId);
    const keys = next.flatMap((profileId) => [profileKey(profileId), activityKey(profileId)]);
    const read = await table.get(others === undefined ? [...keys, ...alongside] : keys);
    const rows = new Map(read.map((row) => [keyText(row), row]));
    for (const profileId of next) {
      const profile = rows.get(keyText(profileKey(profileId)));
      const activity = rows.get(keyText(activityKey(profileId)));
      if (profile && activity)
        found.set(profileId, { profile: profileOf(profile), activity: activityOf(activity) });
    }
    others ??= alongside.flatMap((key) => rows.get(keyText(key)) ?? []);
    const pointers = [...found.values()].flatMap(({ profile, activity }) => [
      ...profile.merged,
      ...(activity.survivor ? [activity.survivor.id] : []),
    ]);
    next = [...new Set(pointers.filter((profileId) => !requested.has(profileId)))];
  }
  return { sourceProfiles: [...found.values()], others: others ?? [] };
};

const answers = async (table: Table, { sourceProfiles }: Customer): Promise<RecordedAnswer[]> => {
  const found: RecordedAnswer[] = [];
  for (const { profile } of sourceProfiles)
    for await (const row of table.query(profilePartition(profile.id), { beginsWith: sortKeyPrefix.consent }))
      found.push(answerOf(row));
  return found.sort(byTime);
};

const ledger = async (table: Table, { sourceProfiles }: Customer): Promise<LedgerEntry[]> => {
  const entries: LedgerEntry[] = [];
  for (const { profile } of sourceProfiles) {
    const pk = profilePartition(profile.id);
    for await (const row of table.query(pk, { beginsWith: sortKeyPrefix.merge }))
      entries.push({ type: 'merge', ...mergeOf(row) });
    for await (const row of table.query(pk, { beginsWith: sortKeyPrefix.split }))
      entries.push({ type: 'split', ...splitOf(row) });
    for await (const row of table.query(pk, { beginsWith: sortKeyPrefix.reopening }))
      entries.push({ type: 'reopening', ...reopeningOf(row) });
    for await (const row of table.query(pk, { beginsWith: sortKeyPrefix.confirmation }))
      entries.push({ type: 'confirmation', ...confirmationOf(row) });
  }
  return entries.sort(byTime);
};

const byTime = (one: { readonly at: Instant }, other: { readonly at: Instant }): number =>
  one.at < other.at ? -1 : one.at > other.at ? 1 : 0;

const canonicalIdOf = (
  profileId: string,
  sourceProfiles: ReadonlyMap<string, SourceProfile>,
): string | undefined => {
  let current = sourceProfiles.get(profileId);
  while (current?.activity.survivor !== undefined) current = sourceProfiles.get(current.activity.survivor.id);
  return current?.profile.id;
};

const storedOf = (row: Row): StoredInteraction => {
  const { caused: _, ...stored } = interactionOf(row);
  return stored;
};

/** Merges the timelines of all source profiles, each of which is in order, as they are read. */
async function* timeline(
  table: Table,
  customer: Customer,
  range: TimelineRange,
): AsyncGenerator<StoredInteraction> {
  const backwards = range.order === 'newest';
  const comesBefore = (one: string, other: string): boolean => (backwards ? one > other : one < other);
  const readers = customer.sourceProfiles.map(({ profile }) =>
    readInSteps(table, profilePartition(profile.id), { ...interactionRange(range), backwards }),
  );
  const heads = await Promise.all(readers.map((reader) => reader.next()));
  for (;;) {
    let first: { readonly row: Row; readonly position: number } | undefined;
    for (const [position, head] of heads.entries())
      if (head.done !== true && (first === undefined || comesBefore(head.value.sk, first.row.sk)))
        first = { row: head.value, position };
    if (first === undefined) return;
    yield storedOf(first.row);
    const next = await readers[first.position]?.next();
    if (next) heads[first.position] = next;
  }
}

/** Rows of the first request; every further one asks for as many again as were read, up to what DynamoDB returns at once. */
const FIRST_PAGE = 50;

/** The rows of a partition in pages that grow: a reader who stops early has read little, and a long history needs few requests. */
async function* readInSteps(table: Table, pk: string, range: QueryRange): AsyncGenerator<Row> {
  let read = 0;
  let behind: string | undefined;
  for (;;) {
    const page = await table.page(pk, { ...range, pageSize: Math.max(read, FIRST_PAGE) }, behind);
    yield* page.rows;
    if (page.isLast) return;
    read += page.rows.length;
    behind = page.rows.at(-1)?.sk ?? behind;
  }
}
