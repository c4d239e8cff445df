import { erasureKey, erasureListKey, erasureListPartition, erasurePartition } from '../../contracts/keys.ts';
import { type Erasure, erasureOf } from '../../contracts/rows/erasures.ts';
import type { Table } from '../clients/dynamo.ts';
import { busyTable, type ErasureParts, erasureParts } from './parts.ts';

/** Erasures, with their receipts and, until they are done, what they need. */
export interface Erasures extends ErasureParts {
  /** Rejects with `HubError` `busy-table` (later). */
  create(erasure: Erasure): Promise<void>;
  get(id: string): Promise<Erasure | undefined>;
  /** Writes the row, with the next version; false where it is no longer at the given version. */
  save(erasure: Erasure): Promise<boolean>;
  /** Newest first. */
  list(): Promise<readonly Erasure[]>;
}

export const erasures = (table: Table): Erasures => {
  const get = async (id: string): Promise<Erasure | undefined> => {
    const [row] = await table.get([erasureKey(id)]);
    return row && erasureOf(row);
  };
  return {
    ...erasureParts(table),
    get,
    async create(erasure) {
      const { id, askedAt } = erasure;
      const created = await table.transact([
        { put: { ...erasureKey(id), ...erasure }, if: { absent: true } },
        { put: { ...erasureListKey(askedAt, id), id } },
      ]);
      if (!created) throw busyTable();
    },
    save: (erasure) =>
      table.put(
        { ...erasureKey(erasure.id), ...erasure, version: erasure.version + 1 },
        { version: erasure.version },
      ),
    async list() {
      const ids: string[] = [];
      for await (const { id } of table.query(erasureListPartition, { backwards: true })) ids.push(String(id));
      const rows = await table.get(ids.map(erasureKey));
      const found = new Map(rows.map((row) => [row.pk, erasureOf(row)]));
      return ids.flatMap((id) => found.get(erasurePartition(id)) ?? []);
    },
  };
};
