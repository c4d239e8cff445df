import { HubError } from '../../../../core/errors.ts';
import { instant } from '../../../../core/interaction/interaction.ts';
import { planContacts, writeChanges } from '../../contacts/contacts.ts';
import { customersOf, isLinked, type Subject, subjectsOf } from '../../contacts/subjects.ts';
import { type Change, reserveContacts, type Writing } from '../../contacts/write.ts';
import { earliestOf } from '../../sync.ts';
import { endBulk, FIRST_WAIT_SECONDS, release } from '../bulk-contacts.ts';
import { batchesFrom, type Entry } from './batches.ts';
import type { BackfillCheckpoint, LotOfContacts } from './checkpoint.ts';
import type { LotContext, Step } from './lot-context.ts';

const RESERVED_AT_ONCE = 500;
const LOOKED_UP_AT_ONCE = 1000;

/** The customers of entries who have no contact. */
export const newcomersOf = async (
  { sync, rules }: Pick<LotContext, 'sync' | 'rules'>,
  entries: readonly Entry[],
): Promise<Subject[]> => {
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
  context: LotContext,
  checkpoint: BackfillCheckpoint,
  lot: LotOfContacts,
): Promise<Step> => {
  const { writes, sync, session, rules, job } = context;
  const { contacts: bulk, ...rest } = lot;
  const writing: Writing = {
    ...{ ports: sync, session, rules },
    contacts: { ids: new Map(), waiting: new Map(), refused: new Map() },
  };
  const fresh: Change[] = [];
  const held: string[] = [];
  let left = 0;
  for await (const { newcomers, read } of newcomersFrom(context, checkpoint)) {
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
    left = read;
  }
  if (held.length > 0) return startAgain(context, checkpoint, bulk.work, held);
  const { work } = bulk;
  if (work === undefined || fresh.length < writes.from) {
    if (work !== undefined) await writes.abort(work, sync.call);
    await writeChanges(writing, fresh);
    return { checkpoint: { ...checkpoint, lot: { ...rest, left } }, afterSeconds: 0 };
  }
  const reserved: Change[] = [];
  for (let at = 0; at < fresh.length; at += RESERVED_AT_ONCE)
    reserved.push(...(await reserveContacts(writing, fresh.slice(at, at + RESERVED_AT_ONCE), job)));
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

/** The newcomers of a lot, as many at once as a look-up takes; `read`: the messages up to the last of them. */
async function* newcomersFrom(
  context: LotContext,
  checkpoint: BackfillCheckpoint,
): AsyncGenerator<{ readonly newcomers: readonly Subject[]; readonly read: number }> {
  const { ports, writes, since, timeLeft } = context;
  let [newcomers, read]: [Subject[], number] = [[], 0];
  for await (const { entries } of batchesFrom(ports, checkpoint, since, writes.most)) {
    newcomers.push(...(await newcomersOf(context, entries)));
    read += entries.length;
    if (newcomers.length < LOOKED_UP_AT_ONCE && timeLeft()) continue;
    yield { newcomers, read };
    newcomers = [];
    if (!timeLeft()) return;
  }
  yield { newcomers, read };
}

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
  context: LotContext,
  { lot: _, ...checkpoint }: BackfillCheckpoint,
  work: string | undefined,
  held: readonly string[],
): Promise<Step> => {
  if (work !== undefined) await endBulk(context, context.writes, work);
  await release(context, held);
  return { checkpoint, afterSeconds: 0 };
};
