import type { Subject } from '../../contacts/subjects.ts';
import type { Contacts } from '../../contacts/write.ts';
import type { Adopting } from './context.ts';

/** A refusal is a failure of its customer; a contact that another worker writes is left to the live sync. */
export const noteOutcomes = async (
  { sync }: Pick<Adopting, 'sync'>,
  subjects: readonly Subject[],
  { waiting, refused }: Contacts,
): Promise<void> => {
  const pause = [...waiting.values()].find(({ error }) => error.code !== 'crm-pause');
  if (pause !== undefined) throw pause.error;
  const of = (ids: ReadonlyMap<string, unknown>): Subject[] =>
    subjects.filter(({ customer }) => ids.has(customer.id));
  for (const { customer, profileId } of of(refused)) {
    const error = refused.get(customer.id);
    if (error === undefined) continue;
    await sync.saveFailure(profileId, error);
    await sync.publishFailed(customer.id, error);
  }
  const left = of(waiting).map(({ profileId }) => ({ profileId }));
  if (left.length > 0) await sync.queueAgain(left);
};
