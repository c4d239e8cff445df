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
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table, Write } from '../clients/dynamo.ts';
import type { HashedKeys } from './hashed-keys.ts';

/** What an erasure stores about its person until it is done: whom it removes, what the removed rows referred to, what CRMs did. */
export interface ErasureParts {
  person(id: string): Promise<ErasedPerson | undefined>;
  putPerson(id: string, person: ErasedPerson): Promise<void>;
  /** The write that stores a part, for the transaction that removes the rows it is about. */
  partWrite(id: string, name: string, part: ErasurePart): Write;
  partNames(id: string): Promise<readonly string[]>;
  parts(id: string, names: readonly string[]): Promise<ReadonlyMap<string, ErasurePart>>;
  /** Stores what one CRM did about one part, or about `CONTACTS`. */
  putOutcome(id: string, crm: string, name: string, outcome: CrmOutcome): Promise<void>;
  /** By `<crm>#<part>`. */
  outcomes(id: string): Promise<ReadonlyMap<string, CrmOutcome>>;
  /** Removes everything that names the person; the erasure itself and its receipt stay. Rejects with `HubError` `busy-table`. */
  removePerson(id: string): Promise<void>;
}

export interface ErasePorts {
  readonly table: Table;
  readonly loadHashedKeys: () => Promise<HashedKeys>;
  readonly erasures: ErasureParts;
  readonly runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>;
}

const ROWS_PER_TRANSACTION = 50;

export const erasureParts = (table: Table): ErasureParts => {
  const rowsOf = async (id: string, beginsWith?: string): Promise<Row[]> => {
    const range = beginsWith === undefined ? {} : { beginsWith };
    const found: Row[] = [];
    for await (const row of table.query(erasurePartition(id), range)) found.push(row);
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
      (await rowsOf(id, erasurePartPrefix)).map(({ sk }) => sk.slice(erasurePartPrefix.length)),
    async parts(id, names) {
      const rows = await table.get(names.map((name) => erasurePartKey(id, name)));
      return new Map(rows.map((row) => [row.sk.slice(erasurePartPrefix.length), erasurePartOf(row)]));
    },
    async putOutcome(id, crm, name, outcome) {
      await table.put({ ...erasureOutcomeKey(id, crm, name), ...outcome });
    },
    outcomes: async (id) =>
      new Map(
        (await rowsOf(id, erasureOutcomePrefix)).map((row) => [
          row.sk.slice(erasureOutcomePrefix.length),
          crmOutcomeOf(row),
        ]),
      ),
    async removePerson(id) {
      const rows = (await rowsOf(id)).filter(({ sk }) => sk !== erasureKey(id).sk);
      for (let at = 0; at < rows.length; at += ROWS_PER_TRANSACTION) {
        const some = rows.slice(at, at + ROWS_PER_TRANSACTION).map(({ pk, sk }) => ({ delete: { pk, sk } }));
        if (!(await table.transact(some))) throw busyTable();
      }
    },
  };
};

export const busyTable = (): HubError =>
  new HubError(
    'busy-table',
    'Other transactions changed the rows of an erasure at the same time. It is retried automatically.',
    { retry: 'later' },
  );
