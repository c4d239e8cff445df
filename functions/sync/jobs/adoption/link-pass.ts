import type { Contacts } from '../../contacts/write.ts';
import { type Adopted, writeAdopted } from './adopted.ts';
import { type Adopting, after, type Pass, readPage } from './context.ts';
import { judgePage } from './judge.ts';

/** Writes the hub's keys, and what records lack, to the records of the customers whom the hub knows by now. */
export const linkPass: Pass = async (adopting, checkpoint) => {
  const { sync, session, rules } = adopting;
  const listed = await readPage(adopting, checkpoint.cursor);
  const { records } = listed;
  const page = await judgePage(adopting, records);
  const byCustomer = new Map<string, Adopted>();
  for (const one of page)
    if (one.fate === 'linked' && one.subject !== undefined && !byCustomer.has(one.subject.customer.id))
      byCustomer.set(one.subject.customer.id, { subject: one.subject, record: one.record });
  const adopted = [...byCustomer.values()];
  await noteOutcomes(adopting, adopted, await writeAdopted(sync, session, rules, adopted));
  return after(checkpoint, listed, 'link');
};

/** A refusal is a failure of its customer; a contact that another worker writes is left to the live sync. */
const noteOutcomes = async (
  { sync }: Adopting,
  adopted: readonly Adopted[],
  { waiting, refused }: Contacts,
): Promise<void> => {
  const pause = [...waiting.values()].find(({ error }) => error.code !== 'crm-pause');
  if (pause !== undefined) throw pause.error;
  const of = (ids: ReadonlyMap<string, unknown>): Adopted[] =>
    adopted.filter(({ subject }) => ids.has(subject.customer.id));
  for (const { subject } of of(refused)) {
    const error = refused.get(subject.customer.id);
    if (error === undefined) continue;
    await sync.saveFailure(subject.profileId, error);
    await sync.publishFailed(subject.customer.id, error);
  }
  const left = of(waiting).map(({ subject }) => ({ profileId: subject.profileId }));
  if (left.length > 0) await sync.queueAgain(left);
};
