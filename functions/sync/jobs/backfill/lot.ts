import type { BulkOutcome, BulkWrites } from '../../../../core/crm/connector.ts';
import { CrmFault } from '../../../../core/crm/fault.ts';
import { mappedInteraction } from '../../activities.ts';
import {
  type BulkJob,
  endBulk,
  LONGEST_WORK_MS,
  lotsOf,
  noteWritten,
  secondsUntilAsked,
} from '../bulk-contacts.ts';
import { handOverActivities } from './activities.ts';
import { batchesFrom } from './batches.ts';
import type { BackfillCheckpoint, BulkWork, Lot, LotOfContacts } from './checkpoint.ts';
import { handOverContacts, newcomersOf } from './contacts.ts';
import type { LotContext, Step } from './lot-context.ts';

/** So many times the smallest work is looked at, to find out whether it is there. */
const LOOK_AHEAD = 10;

/** The next step towards a lot that is written in bulk; undefined where it is written, or too small. */
const stepOf = async (context: LotContext, checkpoint: BackfillCheckpoint): Promise<Step | undefined> => {
  const { lot } = checkpoint;
  const to: To = (next, afterSeconds) => ({
    checkpoint: { ...checkpoint, lot: next },
    ...(afterSeconds !== undefined && { afterSeconds }),
  });
  if (lot === undefined) return to(await lotAhead(context, checkpoint));
  const { contacts } = lot;
  if (contacts === undefined) return activitiesStep(context, checkpoint, lot, to);
  return contactsStep(context, checkpoint, { ...lot, contacts }, to);
};

type To = (lot: Lot, afterSeconds?: number) => Step;

const contactsStep = async (
  context: LotContext,
  checkpoint: BackfillCheckpoint,
  lot: LotOfContacts,
  to: To,
): Promise<Step> => {
  const { contacts, ...rest } = lot;
  const { asked } = contacts;
  if (contacts.inBulk && contacts.work === undefined) {
    const work = await prepared(context, contacts);
    return to({ ...lot, contacts: work ? { ...contacts, work } : { ...contacts, inBulk: false } }, 0);
  }
  if (contacts.sentAt === undefined) return handOverContacts(context, checkpoint, lot);
  const outcome = await outcomeOf(context, contacts);
  if (outcome === undefined)
    return to({ ...lot, contacts: { ...contacts, asked: asked + 1 } }, secondsUntilAsked(asked));
  for (const [at, results] of lotsOf(outcome).entries()) {
    // What is noted is passed over when the outcome is read again.
    if (at > 0 && !context.timeLeft()) return to(lot, 0);
    await noteWritten(context, results);
  }
  return to(rest);
};

const activitiesStep = async (
  context: LotContext,
  checkpoint: BackfillCheckpoint,
  lot: Lot,
  to: To,
): Promise<Step | undefined> => {
  const [first, ...others] = lot.activities;
  if (first === undefined) return undefined;
  const { asked } = first;
  if (first.work === undefined) {
    const work = await prepared(context, first);
    return to({ ...lot, activities: work ? [{ ...first, work }, ...others] : others }, 0);
  }
  if (first.sentAt === undefined) return handOverActivities(context, checkpoint, lot, first);
  if ((await outcomeOf(context, first)) === undefined)
    return to({ ...lot, activities: [{ ...first, asked: asked + 1 }, ...others] }, secondsUntilAsked(asked));
  return to({ ...lot, activities: others, written: [...lot.written, first] });
};

/** What of the next messages is enough for work in bulk. */
const lotAhead = async (context: LotContext, checkpoint: BackfillCheckpoint): Promise<Lot> => {
  const { ports, writes, sync, rules, since, timeLeft } = context;
  const { object, key } = rules.mapping.contact;
  const counts = new Map<string, { readonly key: string; records: number }>();
  let [newcomers, left] = [0, 0];
  for await (const { entries } of batchesFrom(ports, checkpoint, since, LOOK_AHEAD * writes.from)) {
    left += entries.length;
    newcomers += (await newcomersOf(context, entries)).length;
    for (const { interaction } of entries)
      for (const rule of interaction ? rules.mapping.forInteraction(mappedInteraction(interaction)) : []) {
        const count = counts.get(rule.object) ?? { key: rule.key, records: 0 };
        if (rule.links.length > 0) count.records++;
        counts.set(rule.object, count);
      }
    const isEnough = [newcomers, ...[...counts.values()].map(({ records }) => records)].every(
      (number) => number >= writes.from,
    );
    if (isEnough || !timeLeft()) break;
  }
  const parked = await ports.parked();
  const takes = async (records: number, one: { readonly object: string; readonly key: string }) =>
    records >= writes.from && !parked.has(one.object) && writes.takes(one.object, one.key, sync.call);
  const activities: BulkWork[] = [];
  for (const [name, { key: field, records }] of counts)
    if (await takes(records, { object: name, key: field }))
      activities.push({ object: name, key: field, asked: 0 });
  const inBulk = await takes(newcomers, { object, key });
  if (!inBulk && activities.length === 0) return { left, activities, written: [] };
  return { contacts: { object, key, inBulk, asked: 0 }, activities, written: [] };
};

/** The CRM's id of new work; undefined where it takes none, for which the way of live traffic finds the reason. */
const prepared = async (
  { writes, sync }: LotContext,
  { object, key }: BulkWork,
): Promise<string | undefined> => {
  try {
    return await writes.begin(object, key, sync.call);
  } catch (error) {
    if (error instanceof CrmFault && error.scope !== 'connection') return undefined;
    throw error;
  }
};

/** Undefined while the CRM is at work; what takes too long is ended. */
const outcomeOf = async (
  { writes, sync }: LotContext,
  { work = '', key, sentAt = '' }: BulkWork,
): Promise<BulkOutcome | undefined> => {
  const outcome = await writes.outcome(work, key, sync.call);
  if (outcome === undefined && sync.now() - Date.parse(sentAt) > LONGEST_WORK_MS)
    await writes.abort(work, sync.call);
  return outcome;
};

/** What the work of a lot has written, by object. */
const writtenIn = async (
  { writes, sync }: LotContext,
  lot: Lot | undefined,
): Promise<ReadonlyMap<string, BulkOutcome>> => {
  const written = new Map<string, BulkOutcome>();
  for (const { object, key, work = '' } of lot?.written ?? []) {
    const outcome = await writes.outcome(work, key, sync.call);
    if (outcome !== undefined) written.set(object, outcome);
  }
  return written;
};

/** The lot after messages of it were carried out; undefined at its end. */
const lotAfter = (lot: Lot | undefined, messages: number): Lot | undefined => {
  const left = (lot?.left ?? 0) - messages;
  return lot === undefined || left <= 0 ? undefined : { ...lot, left };
};

/** Ends the work of a lot that is not written to its end. */
const endLot = async (bulkJob: BulkJob, writes: BulkWrites, { contacts, activities }: Lot): Promise<void> => {
  if (contacts?.work !== undefined) await endBulk(bulkJob, writes, contacts.work);
  for (const { work } of activities) if (work !== undefined) await writes.abort(work, bulkJob.sync.call);
};

/** How a backfill is written in bulk; only the function of a CRM that writes in bulk brings it along. */
export const bulkLots = { stepOf, writtenIn, lotAfter, endLot };
export type BulkLots = typeof bulkLots;
