import type { GivenAnswer } from '../../../core/consent/evidence.ts';
import { type Customer, resolveCustomer, type SourceProfile } from '../../../core/identity/customer.ts';
import type {
  History,
  LedgerEntry,
  StoredInteraction,
  TimelineRange,
} from '../../contracts/ports/history.ts';
import * as rows from '../../contracts/rows.ts';
import type { Key, Row, Table } from '../clients/dynamo.ts';

/** Customers and their timelines, read from the table. */
export const history = (table: Table): History => ({
  async customer(profileId) {
    return (await customersOf(table, [profileId])).get(profileId);
  },
  customers: (profileIds) => customersOf(table, profileIds),
  async interaction(address) {
    const [found] = await table.get([rows.interactionKey(address)]);
    return found && storedOf(found);
  },
  async interactions(addresses) {
    const found = await table.get(addresses.map(rows.interactionKey));
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
    const keys = wanted.flatMap((profileId) => [rows.profileKey(profileId), rows.activityKey(profileId)]);
    const read = await table.get([...keys, ...more]);
    for (const profileId of wanted) {
      const profile = read.find(({ pk, sk }) => pk === `customer#${profileId}` && sk === 'profile');
      const activity = read.find(({ pk, sk }) => pk === `customer#${profileId}` && sk === 'activity');
      if (profile && activity)
        found.set(profileId, { profile: rows.profileOf(profile), activity: rows.activityOf(activity) });
    }
    others = [...others, ...read.filter(({ sk }) => sk !== 'profile' && sk !== 'activity')];
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
    for await (const row of table.query(`customer#${profile.id}`, { beginsWith: 'consent#' }))
      given.push(rows.answerOf(row));
  return given.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
};

const ledger = async (table: Table, { sourceProfiles }: Customer): Promise<LedgerEntry[]> => {
  const entries: LedgerEntry[] = [];
  for (const { profile } of sourceProfiles) {
    const pk = `customer#${profile.id}`;
    for await (const row of table.query(pk, { beginsWith: 'merge#' }))
      entries.push({ type: 'merge', ...rows.mergeOf(row) });
    for await (const row of table.query(pk, { beginsWith: 'split#' }))
      entries.push({ type: 'split', ...rows.splitOf(row) });
    for await (const row of table.query(pk, { beginsWith: 'reopened#' }))
      entries.push({ type: 'reopening', ...rows.reopeningOf(row) });
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
  const { caused: _, ...stored } = rows.interactionOf(row);
  return stored;
};

/** The halves' timelines, each already in order, merged as they are read. */
async function* timeline(
  table: Table,
  customer: Customer,
  range: TimelineRange,
): AsyncGenerator<StoredInteraction> {
  // '~' sorts behind every id: an interaction at `after` itself is left out and one at `upTo` is kept.
  const from = `at#${range.after === undefined ? '' : `${range.after}#~`}`;
  const to = `at#${range.upTo === undefined ? '~' : `${range.upTo}#~`}`;
  const readers = customer.sourceProfiles.map(({ profile }) =>
    table.query(`customer#${profile.id}`, { from, to }),
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
