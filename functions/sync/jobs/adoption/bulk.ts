import type { BulkWrites, CrmRecord, CrmResult } from '../../../../core/crm/connector.ts';
import { isReserved } from '../../../../core/crm/reservation.ts';
import { type Instant, instant } from '../../../../core/interaction/interaction.ts';
import type { Subject } from '../../contacts/subjects.ts';
import { reserveContacts, saveBulk } from '../../contacts/write.ts';
import {
  type BulkResult,
  FIRST_WAIT_SECONDS,
  LONGEST_WORK_MS,
  lotsOf,
  profileOf,
  release,
  removeErased,
  secondsUntilAsked,
} from '../bulk-contacts.ts';
import { adoptedOf, changesOf } from './adopted.ts';
import type { AdoptionCheckpoint } from './checkpoint.ts';
import { type Adopting, after, readPage, type Step, writingOf } from './context.ts';
import { noteOutcomes } from './outcomes.ts';
import { writeAgain } from './write-again.ts';

type Bulk = Exclude<NonNullable<AdoptionCheckpoint['bulk']>, 'failed'>;

/** Prepares work. Its id is in the checkpoint before a record is reserved for it or handed over. */
export const beginBulk = async (
  { sync, rules }: Adopting,
  writes: BulkWrites,
  checkpoint: AdoptionCheckpoint,
): Promise<Step> => {
  const work = await writes.begin(rules.mapping.contact.object, undefined, sync.call);
  return { checkpoint: { ...checkpoint, bulk: { work, asked: 0 } }, afterSeconds: 0 };
};

/**
 * Writes as many contacts of the list as a slice can prepare, by work that the CRM does by itself. A worker that ends before
 * it has stored that the records are handed over does the same again: the work takes no second lot, its outcome says which
 * records it had, and the list goes on where they began.
 */
export const linkInBulk = (
  adopting: Adopting,
  writes: BulkWrites,
  checkpoint: AdoptionCheckpoint,
  bulk: Bulk,
): Promise<Step> =>
  bulk.sentAt === undefined
    ? handOver(adopting, writes, checkpoint, bulk)
    : takeBack(adopting, writes, checkpoint, { ...bulk, sentAt: bulk.sentAt });

const handOver = async (
  adopting: Adopting,
  writes: BulkWrites,
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
  } while (cursor !== undefined && records.length < writes.most && timeLeft());
  await noteOutcomes(adopting, subjects, writing.contacts);
  if (records.length === 0) {
    await writes.abort(work, sync.call);
    return onwards(checkpoint, cursor);
  }
  const isSent = await writes.send(work, rules.mapping.contact.key, records, sync.call);
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
  writes: BulkWrites,
  checkpoint: AdoptionCheckpoint,
  bulk: Bulk & { readonly sentAt: Instant },
): Promise<Step> => {
  const { sync, rules, timeLeft } = adopting;
  const { work, asked, sentAt, next } = bulk;
  const outcome = await writes.outcome(work, rules.mapping.contact.key, sync.call);
  if (outcome === undefined) {
    if (sync.now() - Date.parse(sentAt) > LONGEST_WORK_MS) await writes.abort(work, sync.call);
    const later = { ...checkpoint, bulk: { ...bulk, asked: asked + 1 } };
    return { checkpoint: later, afterSeconds: secondsUntilAsked(asked) };
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

/** What was written is the customer's; a value that the CRM does not accept is a failure; all else is written again now. */
const note = async (adopting: Adopting, results: readonly BulkResult[]): Promise<void> => {
  const { sync, job } = adopting;
  const states = await sync.links.load(results.map((one) => profileOf(sync, one)));
  await removeErased(
    adopting,
    results.filter((one) => !states.has(profileOf(sync, one))),
  );
  const again: string[] = [];
  const refused = new Map<string, Extract<CrmResult, { fault: unknown }>>();
  const saved: Promise<boolean>[] = [];
  for (const result of results) {
    const profileId = profileOf(sync, result);
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
