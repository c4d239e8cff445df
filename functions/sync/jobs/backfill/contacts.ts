import { HubError } from '../../../../core/errors.ts';
import { instant } from '../../../../core/interaction/interaction.ts';
import { planContacts, writeChanges } from '../../contacts/contacts.ts';
import { customersOf, isLinked, type Subject, subjectsOf } from '../../contacts/subjects.ts';
import { type Change, reserveContacts, type Writing } from '../../contacts/write.ts';
import { earliestOf } from '../../sync.ts';
import { endBulk, FIRST_WAIT_SECONDS, release } from '../bulk-contacts.ts';
import { batchesFrom, type Entry } from './batches.ts';
import type { BackfillCheckpoint, Lot } from './checkpoint.ts';
import type { Filling, Step } from './filling.ts';

/** The customers of entries who have no contact. */
export const newcomersOf = async (
  { sync, rules }: Pick<Filling, 'sync' | 'rules'>,
  entries: readonly Entry[],
): Promise<readonly Subject[]> => {
  const ids = entries.flatMap(({ message, interaction }) => (interaction ? [] : [message.profileId]));
  const customers = await customersOf(sync, ids);
  const { subjects } = await subjectsOf(sync.links, rules, [...customers.values()]);
  const messages = entries.map(({ message }) => message);
  return subjects.flatMap((subject) =>
    isLinked(subject.state) ? [] : [{ ...subject, ...earliestOf(subject, messages) }],
  );
};

/**
 * Looks up the customers of a lot who have no contact. Those whom the CRM knows are written at once, by its ids; the others are
 * reserved and handed over to be made in bulk. The lot ends where the time, or the budget for look-ups, does.
 */
export const handOverContacts = async (
  filling: Filling,
  checkpoint: BackfillCheckpoint,
  lot: Lot & { readonly contacts: NonNullable<Lot['contacts']> },
): Promise<Step> => {
  const { ports, writes, sync, session, rules, job, since, timeLeft } = filling;
  const { contacts: bulk, ...rest } = lot;
  const writing: Writing = {
    ...{ ports: sync, session, rules },
    contacts: { ids: new Map(), waiting: new Map(), refused: new Map() },
  };
  const fresh: Change[] = [];
  const held: string[] = [];
  let left = 0;
  for await (const batch of batchesFrom(ports, checkpoint, since, writes.most)) {
    const newcomers = await newcomersOf(filling, batch.entries);
    held.push(...newcomers.flatMap(({ profileId, state }) => (state.bulk?.job === job ? [profileId] : [])));
    if (held.length > 0) continue;
    const changes = await planned(writing, newcomers, left > 0);
    if (changes === undefined) break;
    const isMade = ({ record }: Change): boolean => bulk.inBulk && record.id === undefined;
    await writeChanges(
      writing,
      changes.filter((change) => !isMade(change)),
    );
    fresh.push(...changes.filter(isMade));
    left += batch.entries.length;
    if (!timeLeft()) break;
  }
  if (held.length > 0) return startAgain(filling, checkpoint, bulk.work, held);
  const { work } = bulk;
  if (work === undefined || fresh.length < writes.from) {
    if (work !== undefined) await writes.abort(work, sync.call);
    await writeChanges(writing, fresh);
    return { checkpoint: { ...checkpoint, lot: { ...rest, left } }, afterSeconds: 0 };
  }
  const reserved = await reserveContacts(writing, fresh, job);
  await writes.send(
    work,
    bulk.key,
    reserved.map(({ record }) => record),
    sync.call,
  );
  const contacts = { ...bulk, sentAt: instant(sync.now()) };
  return {
    checkpoint: { ...checkpoint, lot: { ...rest, left, contacts } },
    afterSeconds: FIRST_WAIT_SECONDS,
  };
};

/** Undefined where the CRM answers no more, and there is something to hand over already. */
const planned = async (
  writing: Writing,
  newcomers: readonly Subject[],
  isOptional: boolean,
): Promise<Change[] | undefined> => {
  try {
    return await planContacts(writing, newcomers);
  } catch (error) {
    if (isOptional && error instanceof HubError) return undefined;
    throw error;
  }
};

/**
 * A worker ended after it had reserved contacts. Nobody knows what it handed over: the work is ended, what it has written is
 * noted, and the lot begins anew.
 */
const startAgain = async (
  filling: Filling,
  { lot: _, ...checkpoint }: BackfillCheckpoint,
  work: string | undefined,
  held: readonly string[],
): Promise<Step> => {
  if (work !== undefined) await endBulk(filling, filling.writes, work);
  await release(filling, held);
  return { checkpoint, afterSeconds: 0 };
};
