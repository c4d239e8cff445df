import type { CrmRecord } from '../../../../core/crm/connector.ts';
import { isReserved } from '../../../../core/crm/reservation.ts';
import type { HubError } from '../../../../core/errors.ts';
import { instant } from '../../../../core/interaction/interaction.ts';
import { groupsOf } from '../../activities.ts';
import { customersOf, isLinked, subjectsOf } from '../../contacts/subjects.ts';
import { FIRST_WAIT_SECONDS } from '../bulk-contacts.ts';
import { batchesFrom, type Entry } from './batches.ts';
import type { BackfillCheckpoint, BulkWork, Lot } from './checkpoint.ts';
import type { LotContext, Step } from './lot-context.ts';

/** As much text as memory holds easily, in characters. */
const MOST_TEXT = 20_000_000;

/**
 * Hands over the activities of a lot, as they are now, at the contacts that there are. A worker that ends before it has stored
 * that does the same again: the work takes records once, and its outcome says which it had.
 */
export const handOverActivities = async (
  context: LotContext,
  checkpoint: BackfillCheckpoint,
  lot: Lot,
  bulk: BulkWork,
): Promise<Step> => {
  const { ports, writes, sync, since, timeLeft } = context;
  const { work = '', object, key } = bulk;
  const others = lot.activities.slice(1);
  const records: CrmRecord[] = [];
  let text = 0;
  for await (const { entries } of batchesFrom(ports, checkpoint, since, lot.left ?? writes.most)) {
    const some = await recordsOf(context, entries, object);
    records.push(...some);
    for (const { fields } of some) text += JSON.stringify(fields).length;
    if (text > MOST_TEXT || records.length >= writes.most || !timeLeft()) break;
  }
  if (records.length < writes.from) {
    await writes.abort(work, sync.call);
    return { checkpoint: { ...checkpoint, lot: { ...lot, activities: others } }, afterSeconds: 0 };
  }
  await writes.send(work, key, records, sync.call);
  const activities = [{ ...bulk, sentAt: instant(sync.now()) }, ...others];
  return { checkpoint: { ...checkpoint, lot: { ...lot, activities } }, afterSeconds: FIRST_WAIT_SECONDS };
};

/**
 * The records of one object. Only those that lead to a contact: where its person is erased meanwhile, it is deleted with the
 * contact, or refused without it.
 */
const recordsOf = async (
  { sync, rules }: LotContext,
  entries: readonly Entry[],
  object: string,
): Promise<readonly CrmRecord[]> => {
  const customers = await customersOf(sync, [...new Set(entries.map(({ message }) => message.profileId))]);
  const { subjects } = await subjectsOf(sync.links, rules, [...customers.values()]);
  const contacts = new Map(
    subjects.flatMap(({ customer, state, view }) => {
      const isOpen = isLinked(state) && state.object === undefined && state.undecidedSince === undefined;
      const isOurs = isOpen && rules.mapping.contact.includes(view) && !isReserved(state, sync.now());
      return isOurs && state.record !== undefined ? [[customer.id, state.record] as const] : [];
    }),
  );
  const contactOf = (profileId: string): string | undefined =>
    contacts.get(customers.get(profileId)?.id ?? '');
  const interactions = entries.flatMap(({ interaction }) =>
    interaction !== undefined && contactOf(interaction.profileId) !== undefined ? [interaction] : [],
  );
  // What cannot be mapped is refused where everything is carried out.
  const groups = groupsOf(
    rules,
    interactions,
    ({ profileId }) => contactOf(profileId),
    new Map<string, HubError>(),
  );
  return groups
    .flatMap((group) => (group.object === object ? group.records : []))
    .filter(({ links = {} }) => Object.keys(links).length > 0);
};
