import { HubError } from '../../../core/errors.ts';
import {
  erasedPersonKey,
  erasureKey,
  erasureOutcomeKey,
  erasureOutcomePrefix,
  erasurePartition,
  erasurePartKey,
  erasurePartPrefix,
} from '../../contracts/keys.ts';
import {
  type CrmOutcome,
  crmOutcomeOf,
  type ErasedPerson,
  type ErasurePart,
  erasedPersonOf,
  erasurePartOf,
} from '../../contracts/rows/erasures.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Table, Write } from '../clients/dynamo.ts';

/** What an erasure has to know until it is done. */
export interface ErasureParts {
  person(id: string): Promise<ErasedPerson | undefined>;
  putPerson(id: string, person: ErasedPerson): Promise<void>;
  /** The write that keeps a part, for the transaction that removes its rows. */
  partWrite(id: string, name: string, part: ErasurePart): Write;
  partNames(id: string): Promise<readonly string[]>;
  parts(id: string, names: readonly string[]): Promise<ReadonlyMap<string, ErasurePart>>;
  putOutcome(id: string, crm: string, name: string, outcome: CrmOutcome): Promise<void>;
  /** By CRM and name of the part. */
  outcomes(id: string): Promise<ReadonlyMap<string, CrmOutcome>>;
  /** Takes away everything that names the person; the erasure itself and its receipt stay. */
  forget(id: string): Promise<void>;
}

const REMOVED_AT_ONCE = 50;

export const erasureParts = (table: Table): ErasureParts => {
  const named = async (id: string, prefix: string): Promise<Row[]> => {
    const found: Row[] = [];
    for await (const row of table.query(erasurePartition(id), { beginsWith: prefix })) found.push(row);
    return found;
  };
  return {
    async person(id) {
      const [row] = await table.get([erasedPersonKey(id)]);
      return row && erasedPersonOf(row);
    },
    async putPerson(id, person) {
      await table.put({ ...erasedPersonKey(id), ...person });
    },
    partWrite: (id, name, part) => ({ put: { ...erasurePartKey(id, name), ...part } }),
    partNames: async (id) =>
      (await named(id, erasurePartPrefix)).map(({ sk }) => sk.slice(erasurePartPrefix.length)),
    async parts(id, names) {
      const rows = await table.get(names.map((name) => erasurePartKey(id, name)));
      return new Map(rows.map((row) => [row.sk.slice(erasurePartPrefix.length), erasurePartOf(row)]));
    },
    async putOutcome(id, crm, name, outcome) {
      await table.put({ ...erasureOutcomeKey(id, crm, name), ...outcome });
    },
    outcomes: async (id) =>
      new Map(
        (await named(id, erasureOutcomePrefix)).map((row) => [
          row.sk.slice(erasureOutcomePrefix.length),
          crmOutcomeOf(row),
        ]),
      ),
    async forget(id) {
      const rows = (await named(id, '')).filter(({ sk }) => sk !== erasureKey(id).sk);
      for (let at = 0; at < rows.length; at += REMOVED_AT_ONCE) {
        const some = rows.slice(at, at + REMOVED_AT_ONCE).map(({ pk, sk }) => ({ delete: { pk, sk } }));
        if (!(await table.transact(some))) throw busy();
      }
    },
  };
};

export const busy = (): HubError =>
  new HubError('busy-table', 'Other transactions were in the way of an erasure; it is taken up again.', {
    retry: 'later',
  });
