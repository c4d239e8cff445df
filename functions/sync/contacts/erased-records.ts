import type { HeldRecord } from '../../../core/crm/connector.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { SyncPorts } from '../ports.ts';

/**
 * The ids of records of erased people: those that were linked to one, and those that nobody owns, that have an address or a
 * number of one and are older than the erasure. A later record is a new person's: they came back by themselves.
 * `identifiers`: what each record is known by.
 */
export const erasedRecords = async (
  { links, erasedAt: erasures, identifierOwners }: Pick<SyncPorts, 'links' | 'erasedAt' | 'identifierOwners'>,
  records: readonly HeldRecord[],
  identifiers: ReadonlyMap<string, readonly Identifier[]>,
): Promise<ReadonlySet<string>> => {
  const [once, erasedAt] = await Promise.all([
    links.erased(records.map(({ id }) => id)),
    erasures([...new Set([...identifiers.values()].flat())]),
  ]);
  const named = ({ id }: HeldRecord): readonly Identifier[] => identifiers.get(id) ?? [];
  const older = records.filter((record) =>
    named(record).some((one) => record.createdAt < (erasedAt.get(one) ?? '')),
  );
  if (older.length === 0) return once;
  const [linked, owners] = await Promise.all([
    links.owners(older.map(({ id }) => id)),
    identifierOwners([...new Set(older.flatMap(named))]),
  ]);
  const unowned = older.filter(
    (record) => !linked.has(record.id) && !named(record).some((one) => owners.has(one)),
  );
  return new Set([...once, ...unowned.map(({ id }) => id)]);
};
