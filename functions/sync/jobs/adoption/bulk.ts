import type { BulkOutcome, BulkUpdates, CrmRecord, CrmResult } from '../../../../core/crm/connector.ts';
import { isReserved, released } from '../../../../core/crm/reservation.ts';
import { type Instant, instant } from '../../../../core/interaction/interaction.ts';
import type { Rules, Subject } from '../../contacts/subjects.ts';
import { reserveContacts, saveBulk } from '../../contacts/write.ts';
import { adoptedOf, changesOf } from './adopted.ts';
import type { AdoptionCheckpoint } from './checkpoint.ts';
import { type Adopting, after, readPage, type Step, writingOf } from './context.ts';
import { noteOutcomes } from './outcomes.ts';
import { writeAgain } from './write-again.ts';

type Bulk = Exclude<NonNullable<AdoptionCheckpoint['bulk']>, 'failed'>;

/** Results that are noted between two looks at the clock. */
const RESULTS_AT_ONCE = 500;
const FIRST_WAIT_SECONDS = 5;
const LONGEST_WAIT_SECONDS = 60;
/** Shorter than contacts stay reserved for it. */
const LONGEST_WORK_MS = 2_700_000;

/** Prepares work. Its id is in the checkpoint before a record is reserved for it or handed over. */
export const beginBulk = async (
  { sync, rules }: Adopting,
  updates: BulkUpdates,
  checkpoint: AdoptionCheckpoint,
): Promise<Step> => {
  const work = await updates.begin(rules.mapping.contact.object, sync.call);
  return { checkpoint: { ...checkpoint, bulk: { work, asked: 0 } }, afterSeconds: 0 };
};

/**
 * Writes as many contacts of the list as a slice can prepare, by work that the CRM does by itself. A worker that ends before
 * it has stored that the records are handed over does the same again: the work takes no second lot, its outcome says which
 * records it had, and the list goes on where they began.
 */
export const linkInBulk = (
  adopting: Adopting,
  updates: BulkUpdates,
  checkpoint: AdoptionCheckpoint,
  bulk: Bulk,
): Promise<Step> =>
  bulk.sentAt === undefined
    ? handOver(adopting, updates, checkpoint, bulk)
    : takeBack(adopting, updates, checkpoint, { ...bulk, sentAt: bulk.sentAt });

const handOver = async (
  adopting: Adopting,
  updates: BulkUpdates,
  checkpoint: AdoptionCheckpoint,
  { work }: Bulk,
): Promise<Step> => {
  const { sync, rules, job, timeLeft } = adopting;
  const writing = writingOf(adopting);
  const records: CrmRecord[] = [];
  const subjects: Subject[] = [];
  let cursor = checkpoint.cursor;
  do {
    const listed = await readPage(adopting, cursor);
    if (listed.afterSeconds !== undefined) return after(checkpoint, listed, 'link');
    const adopted = await adoptedOf(adopting, listed.records);
    const reserved = await reserveContacts(writing, await changesOf(writing, adopted, job), job);
    records.push(...reserved.map(({ record }) => record));
    subjects.push(...adopted.map(({ subject }) => subject));
    cursor = listed.next;
  } while (cursor !== undefined && records.length < updates.most && timeLeft());
  await noteOutcomes(adopting, subjects, writing.contacts);
  if (records.length === 0) {
    await updates.abort(work, sync.call);
    return onwards(checkpoint, cursor);
  }
  const isSent = await updates.send(work, rules.mapping.contact.key, records, sync.call);
  const bulk: Bulk = {
    ...{ work, asked: 0, sentAt: instant(sync.now()) },
    ...(isSent && { next: cursor ?? null }),
  };
  return { checkpoint: { ...checkpoint, bulk }, afterSeconds: FIRST_WAIT_SECONDS };
};

const onwards = (checkpoint: AdoptionCheckpoint, next: string | undefined): Step => {
  const { bulk: _, ...rest } = checkpoint;
  return after(rest, next === undefined ? {} : { next }, 'link');
};

const takeBack = async (
  adopting: Adopting,
  updates: BulkUpdates,
  checkpoint: AdoptionCheckpoint,
  bulk: Bulk & { readonly sentAt: Instant },
): Promise<Step> => {
  const { sync, rules, timeLeft } = adopting;
  const { work, asked, sentAt, next } = bulk;
  const outcome = await updates.outcome(work, rules.mapping.contact.key, sync.call);
  if (outcome === undefined) {
    if (sync.now() - Date.parse(sentAt) > LONGEST_WORK_MS) await updates.abort(work, sync.call);
    const afterSeconds = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * (asked + 2));
    return { checkpoint: { ...checkpoint, bulk: { ...bulk, asked: asked + 1 } }, afterSeconds };
  }
  for (const results of lotsOf(outcome)) {
    await note(adopting, results);
    // What is noted is passed over when the outcome is read again.
    if (!timeLeft()) return { checkpoint, afterSeconds: 0 };
  }
  if (!outcome.complete) return { checkpoint: { ...checkpoint, bulk: 'failed' } };
  const { bulk: _, ...rest } = checkpoint;
  return next === undefined ? { checkpoint: rest } : onwards(checkpoint, next ?? undefined);
};

/** A result, or the key of a record that was not tried. */
type Result = CrmResult | { readonly key: string };

const lotsOf = ({ results, untried }: BulkOutcome): Result[][] => {
  const all: Result[] = [...results, ...untried.map((key) => ({ key }))];
  return Array.from({ length: Math.ceil(all.length / RESULTS_AT_ONCE) }, (_, lot) =>
    all.slice(lot * RESULTS_AT_ONCE, (lot + 1) * RESULTS_AT_ONCE),
  );
};

/** What was written is the customer's; a value that the CRM does not accept is a failure; all else is written again now. */
const note = async (adopting: Adopting, results: readonly Result[]): Promise<void> => {
  const { sync, job } = adopting;
  const profileOf = ({ key }: Result): string => key.slice(sync.hub.length + 1);
  const states = await sync.links.load(results.map(profileOf));
  await removeErased(
    adopting,
    results.filter((one) => !states.has(profileOf(one))),
  );
  const again: string[] = [];
  const refused = new Map<string, Extract<CrmResult, { fault: unknown }>>();
  const saved: Promise<void>[] = [];
  for (const result of results) {
    const profileId = profileOf(result);
    const state = states.get(profileId);
    if (state?.bulk?.job !== job) continue;
    if ('id' in result && isReserved(state, sync.now()))
      saved.push(saveBulk(sync, profileId, state, result.id));
    else if (!('fault' in result) || result.fault.why !== 'invalid') again.push(profileId);
    else refused.set(profileId, result);
  }
  await Promise.all(saved);
  const customers = await sync.history.customers([...refused.keys()]);
  for (const [profileId, { fault }] of refused) {
    await sync.saveFailure(profileId, fault);
    await sync.publishFailed(customers.get(profileId)?.id ?? profileId, fault);
  }
  if (again.length > 0) await writeAgain(adopting, again);
  // Only now: of what is released, this job knows no more if it is interrupted.
  await release(adopting, [...again, ...refused.keys()]);
};

/**
 * Ends work of a cancelled job: what it has written is the customers', and their other contacts are free at once. Contacts of
 * work whose outcome the CRM does not say yet stay reserved for an hour.
 */
export const giveUpBulk = async (
  { sync, job, mapping }: Pick<Adopting, 'sync' | 'job'> & { readonly mapping: Rules['mapping'] },
  updates: BulkUpdates,
  work: string,
): Promise<void> => {
  await updates.abort(work, sync.call);
  const outcome = await updates.outcome(work, mapping.contact.key, sync.call);
  for (const results of outcome === undefined ? [] : lotsOf(outcome)) {
    const byProfile = new Map(results.map((one) => [one.key.slice(sync.hub.length + 1), one]));
    const left: string[] = [];
    for (const [profileId, state] of await sync.links.load([...byProfile.keys()])) {
      const result = byProfile.get(profileId);
      if (state.bulk?.job !== job || result === undefined) continue;
      if ('id' in result && isReserved(state, sync.now())) await saveBulk(sync, profileId, state, result.id);
      else left.push(profileId);
    }
    await release({ sync, job }, left);
  }
};

const release = async (
  { sync: { links }, job }: Pick<Adopting, 'sync' | 'job'>,
  profileIds: readonly string[],
): Promise<void> => {
  const states = profileIds.length === 0 ? [] : [...(await links.load(profileIds))];
  await Promise.all(
    states.map(([id, state]) => (state.bulk?.job === job ? links.save(id, released(state)) : undefined)),
  );
};

/** Contacts of people who were erased while the CRM was writing: the erasure did not find them by the hub's key. */
const removeErased = async (
  { sync, session, rules }: Adopting,
  results: readonly Result[],
): Promise<void> => {
  const written = results.flatMap((one) => ('id' in one ? [one] : []));
  const erased = await sync.links.erased(written.map(({ id }) => id));
  const keys = written.filter(({ id }) => erased.has(id)).map(({ key }) => key);
  const { object, key } = rules.mapping.contact;
  if (keys.length > 0) await session.remove(object, key, keys, sync.call);
};
