import type { Call, Removal } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { find, type Target } from './read.ts';

/** Deletes records by the hub's keys: all that bear one. */
export const remove = async (
  target: Target,
  keyField: string,
  keys: readonly string[],
  call: Call,
): Promise<Removal[]> => {
  const { section } = target;
  if (section.remove === undefined) return keys.map((key) => ({ key, fault: cannotDelete(target) }));
  const ids =
    section.remove.by === 'key' ? undefined : await find(target, { field: keyField }, keys, [], call);
  const removals: Removal[] = [];
  for (const key of keys)
    removals.push(
      await removeOne(
        target,
        key,
        ids?.get(key)?.map(({ id }) => id),
        call,
      ),
    );
  return removals;
};

const removeOne = async (
  target: Target,
  key: string,
  ids: readonly string[] | undefined,
  call: Call,
): Promise<Removal> => {
  try {
    if (target.section.remove?.by === 'key') return { key, found: await deleted(target, { key }, call) };
    let isFound = false;
    for (const id of ids ?? []) isFound = (await deleted(target, { key, id }, call)) || isFound;
    return { key, found: isFound };
  } catch (error) {
    if (error instanceof CrmFault && error.scope === 'record') return { key, fault: error };
    throw error;
  }
};

/** Deletes one record by the CRM's id. */
export const deleteById = async (target: Target, id: string, call: Call): Promise<void> => {
  await deleted(target, { id }, call);
};

/** Deletes records by the CRM's ids. Without a request for that they are deleted with the record to which they belong. */
export const removeChildren = async (target: Target, ids: readonly string[], call: Call): Promise<void> => {
  if (target.section.remove?.by !== 'id') return;
  for (const id of ids) await deleteById(target, id, call);
};

/** False where the CRM has no such record. */
const deleted = async (target: Target, variables: object, call: Call): Promise<boolean> => {
  const { api, object, section } = target;
  if (section.remove === undefined) throw cannotDelete(target);
  const about = { object, isOfRecord: true };
  try {
    await api.ask({ request: section.remove, variables: { ...variables, object }, about }, call);
    return true;
  } catch (error) {
    if (error instanceof CrmFault && error.why === 'gone') return false;
    throw error;
  }
};

const cannotDelete = ({ api, object }: Target): CrmFault =>
  new CrmFault(
    'http-setup',
    `The mapping of ${api.title} does not say how a record of ${object} is deleted. Add http.objects.${object}.remove, or delete it there.`,
    { scope: 'record', why: 'setup', object },
  );
