import * as z from 'zod';
import { Instant } from '../../../core/interaction/interaction.ts';
import { SignedReceipt } from '../../../core/privacy/receipt.ts';
import type { Table } from '../clients/dynamo.ts';
import { body, busy, type ErasureParts, erasureParts, key } from './parts.ts';

/** An erasure as it was asked for, and its receipt once it is done. It names the person by a keyed hash alone. */
export const Erasure = z.strictObject({
  id: z.string(),
  person: z.string(),
  by: z.string(),
  reason: z.string().optional(),
  askedAt: Instant,
  /** A half of the person, until it is done. */
  profileId: z.string().optional(),
  /** The job that does it, or did it last. */
  job: z.string(),
  receipt: SignedReceipt.optional(),
  /** Counts every change. */
  version: z.int().positive(),
});
export type Erasure = z.infer<typeof Erasure>;

const LIST = 'list#erasures';
export interface Erasures extends ErasureParts {
  create(erasure: Erasure): Promise<void>;
  get(id: string): Promise<Erasure | undefined>;
  /** Writes the row if it is still at the version given. */
  save(erasure: Erasure): Promise<boolean>;
  /** Newest first. */
  list(): Promise<readonly Erasure[]>;
}

export const erasures = (table: Table): Erasures => {
  const get = async (id: string): Promise<Erasure | undefined> => {
    const [row] = await table.get([key(id, 'erasure')]);
    return row && Erasure.parse(body(row));
  };
  return {
    ...erasureParts(table),
    get,
    async create(erasure) {
      const { id, askedAt } = erasure;
      const created = await table.transact([
        { put: { ...key(id, 'erasure'), ...erasure }, if: { absent: true } },
        { put: { pk: LIST, sk: `${askedAt}#${id}`, id } },
      ]);
      if (!created) throw busy();
    },
    save: (erasure) =>
      table.put(
        { ...key(erasure.id, 'erasure'), ...erasure, version: erasure.version + 1 },
        { version: erasure.version },
      ),
    async list() {
      const ids: string[] = [];
      for await (const { id } of table.query(LIST, { backwards: true })) ids.push(String(id));
      const rows = await table.get(ids.map((id) => key(id, 'erasure')));
      const found = new Map(rows.map((row) => [row.pk, Erasure.parse(body(row))]));
      return ids.flatMap((id) => found.get(`erasure#${id}`) ?? []);
    },
  };
};
