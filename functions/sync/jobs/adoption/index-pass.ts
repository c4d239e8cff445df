import type { Holder } from '../../../../core/crm/adopted-record.ts';
import type { Identifier } from '../../../../core/identity/identifier.ts';
import { erasedRecords } from '../../contacts/erased-records.ts';
import { after, identifiersOf, type Pass, readPage } from './context.ts';

/** Notes which records hold which address. Records of erased people count for nobody. */
export const indexPass: Pass = async (adopting, checkpoint) => {
  const { notes } = adopting;
  const listed = await readPage(adopting, checkpoint.cursor);
  const { records } = listed;
  const identifiers = new Map(records.map((record) => [record.id, identifiersOf(adopting, record)]));
  const erased = await erasedRecords(adopting.sync, records, identifiers);
  const found = new Map<Identifier, Holder[]>();
  for (const record of records.filter(({ id }) => !erased.has(id)))
    for (const identifier of identifiers.get(record.id) ?? []) {
      const holders = found.get(identifier) ?? [];
      holders.push({ id: record.id, createdAt: record.createdAt });
      found.set(identifier, holders);
    }
  await notes.addHolders(found);
  const total = checkpoint.total + records.length;
  return after({ ...checkpoint, total }, listed, 'people');
};
