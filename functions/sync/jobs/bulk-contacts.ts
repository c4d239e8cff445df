import type { BulkOutcome, BulkWrites, CrmResult, CrmSession } from '../../../core/crm/connector.ts';
import { isReserved, released } from '../../../core/crm/reservation.ts';
import type { Rules } from '../contacts/subjects.ts';
import { saveBulk } from '../contacts/write.ts';
import type { SyncPorts } from '../ports.ts';

/** A job whose contacts the CRM writes by itself. */
export interface BulkJob {
  readonly sync: SyncPorts;
  readonly session: Pick<CrmSession, 'remove'>;
  readonly rules: Pick<Rules, 'mapping'>;
  readonly job: string;
}

/** A result, or the key of a record that was not tried. */
export type BulkResult = CrmResult | { readonly key: string };

/** Results that are noted between two looks at the clock. */
const RESULTS_AT_ONCE = 500;
export const FIRST_WAIT_SECONDS = 5;
const LONGEST_WAIT_SECONDS = 60;
/** Shorter than contacts stay reserved for it. */
export const LONGEST_WORK_MS = 2_700_000;

/** When to ask again for the outcome of work that was asked for so often. */
export const secondsUntilAsked = (asked: number): number =>
  Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * (asked + 2));

export const lotsOf = ({ results, untried }: BulkOutcome): BulkResult[][] => {
  const all: BulkResult[] = [...results, ...untried.map((key) => ({ key }))];
  return Array.from({ length: Math.ceil(all.length / RESULTS_AT_ONCE) }, (_, lot) =>
    all.slice(lot * RESULTS_AT_ONCE, (lot + 1) * RESULTS_AT_ONCE),
  );
};

/** The source profile that a key of a contact names. */
export const profileOf = ({ hub }: Pick<SyncPorts, 'hub'>, { key }: BulkResult): string =>
  key.slice(hub.length + 1);

/** What was written is the customers' from now on; other contacts that the job holds are free again. */
export const noteWritten = async (bulkJob: BulkJob, results: readonly BulkResult[]): Promise<void> => {
  const { sync, job } = bulkJob;
  const byProfile = new Map(results.map((one) => [profileOf(sync, one), one]));
  const states = await sync.links.load([...byProfile.keys()]);
  await removeErased(
    bulkJob,
    [...byProfile].flatMap(([profileId, one]) => (states.has(profileId) ? [] : [one])),
  );
  const left = await Promise.all(
    [...states].map(async ([profileId, state]) => {
      const result = byProfile.get(profileId);
      if (state.bulk?.job !== job || result === undefined) return [];
      const isWritten = 'id' in result && isReserved(state, sync.now());
      return isWritten && (await saveBulk(sync, profileId, state, result.id)) ? [] : [profileId];
    }),
  );
  await release(bulkJob, left.flat());
};

/** Ends work: what it has written is noted, and the other contacts are free, as far as the CRM says its outcome now. */
export const endBulk = async (bulkJob: BulkJob, writes: BulkWrites, work: string): Promise<void> => {
  const { sync, rules } = bulkJob;
  await writes.abort(work, sync.call);
  const outcome = await writes.outcome(work, rules.mapping.contact.key, sync.call);
  for (const results of outcome === undefined ? [] : lotsOf(outcome)) await noteWritten(bulkJob, results);
};

/** Lets other workers write contacts that the job holds. */
export const release = async (
  { sync: { links }, job }: Pick<BulkJob, 'sync' | 'job'>,
  profileIds: readonly string[],
): Promise<void> => {
  const states = profileIds.length === 0 ? [] : [...(await links.load(profileIds))];
  await Promise.all(
    states.map(([id, state]) => (state.bulk?.job === job ? links.save(id, released(state)) : undefined)),
  );
};

/** Contacts of people who were erased while the CRM was writing: the erasure did not find them by the hub's key. */
export const removeErased = async (
  { sync, session, rules }: BulkJob,
  results: readonly BulkResult[],
): Promise<void> => {
  const written = results.flatMap((one) => ('id' in one ? [one] : []));
  if (written.length === 0) return;
  const customers = await sync.history.customers(written.map((one) => profileOf(sync, one)));
  const keys = written.filter((one) => !customers.has(profileOf(sync, one))).map(({ key }) => key);
  const { object, key } = rules.mapping.contact;
  if (keys.length > 0) await session.remove(object, key, keys, sync.call);
};
