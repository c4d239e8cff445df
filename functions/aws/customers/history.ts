import type { GivenAnswer } from '../../../core/consent/evidence.ts';
import { type Customer, resolveCustomer, type SourceProfile } from '../../../core/identity/customer.ts';
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
  mergeOf,
  profileOf,
  reopeningOf,
  splitOf,
} from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Table } from '../clients/dynamo.ts';

/** Customers and their timelines, read from the table. */
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

const customersOf = async (table: Table, wanted: readonly string[]): Promise<Map<string, Customer>> => {
  const { trees } = await loadTrees(table, wanted, []);
  const sourceProfiles = new Map(trees.map((one) => [one.profile.id, one]));
  const found = new Map<string, Customer>();
  for (const profileId of wanted) {
    const root = rootOf(profileId, sourceProfiles);
    if (root !== undefined) found.set(profileId, resolveCustomer(root, sourceProfiles));
  }
  return found;
};

/**
 * The given halves, and every other half of the same people, together with other rows that are wanted in the same
 * round trip. Halves that do not exist are left out.
 */
export const loadTrees = async (
  table: Table,
  profileIds: readonly string[],
  alongside: readonly Key[],
): Promise<{ trees: SourceProfile[]; others: Row[] }> => {
  const found = new Map<string, SourceProfile>();
  const asked = new Set<string>();
  let others: Row[] = [];
  let wanted = [...profileIds];
  let more = alongside;
  while (wanted.length + more.length > 0) {
    for (const profileId of wanted) asked.add(profileId);
    const keys = wanted.flatMap((profileId) => [profileKey(profileId), activityKey(profileId)]);
    const read = await table.get([...keys, ...more]);
    const rows = new Map(read.map((row) => [keyText(row), row]));
    for (const profileId of wanted) {
      const profile = rows.get(keyText(profileKey(profileId)));
      const activity = rows.get(keyText(activityKey(profileId)));
      if (profile && activity)
        found.set(profileId, { profile: profileOf(profile), activity: activityOf(activity) });
    }
    others = [...others, ...more.flatMap((key) => rows.get(keyText(key)) ?? [])];
    more = [];
    wanted = [...found.values()]
      .flatMap(({ profile, activity }) => [
        ...profile.merged,
        ...(activity.survivor ? [activity.survivor.id] : []),
      ])
      .filter((profileId) => !asked.has(profileId));
    wanted = [...new Set(wanted)];
  }
  return { trees: [...found.values()], others };
};

const answers = async (table: Table, { sourceProfiles }: Customer): Promise<GivenAnswer[]> => {
  const given: GivenAnswer[] = [];
  for (const { profile } of sourceProfiles)
    for await (const row of table.query(profilePartition(profile.id), { beginsWith: sortKeyPrefix.consent }))
      given.push(answerOf(row));
  return given.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
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
  }
  return entries.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
};

const rootOf = (
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

/** The halves' timelines, each already in order, merged as they are read. */
async function* timeline(
  table: Table,
  customer: Customer,
  range: TimelineRange,
): AsyncGenerator<StoredInteraction> {
  const readers = customer.sourceProfiles.map(({ profile }) =>
    table.query(profilePartition(profile.id), interactionRange(range)),
  );
  const heads = await Promise.all(readers.map((reader) => reader.next()));
  for (;;) {
    let best: number | undefined;
    for (const [position, head] of heads.entries()) {
      if (head.done === true) continue;
      const other = best === undefined ? undefined : heads[best];
      if (other === undefined || other.done === true || head.value.sk < other.value.sk) best = position;
    }
    const chosen = best === undefined ? undefined : heads[best];
    const reader = best === undefined ? undefined : readers[best];
    if (best === undefined || chosen === undefined || chosen.done === true || reader === undefined) return;
    yield storedOf(chosen.value);
    heads[best] = await reader.next();
  }
}
