import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import { Identifier } from '../../../core/identity/identifier.ts';
import { Instant } from '../../../core/interaction/interaction.ts';
import type { Key, Row, Table, Write } from '../clients/dynamo.ts';

/** Whom an erasure is about: what has to be known until it is done, and is gone then. */
const Person = z.strictObject({
  profileIds: z.array(z.string()),
  identifiers: z.array(Identifier),
  /** When the last of their rows was gone. */
  goneAt: Instant.optional(),
  /** Rows removed so far. */
  rows: z.int().nonnegative(),
});
export type Person = z.infer<typeof Person>;

/** What some of the removed rows named. */
const Part = z.strictObject({
  interactions: z.array(z.string()),
  /** The providers' own ids of what was said. */
  externalIds: z.array(z.string()),
  /** Files in the bucket. */
  files: z.array(z.string()),
});
export type Part = z.infer<typeof Part>;

/** What became of one part, or of the contacts, in one CRM. */
const CrmOutcome = z.strictObject({
  count: z.int().nonnegative(),
  left: z.array(z.string()),
});
export type CrmOutcome = z.infer<typeof CrmOutcome>;

/** The contacts of the person, in the place of a part. */
export const CONTACTS = 'contacts';

/** What an erasure has to know until it is done. */
export interface ErasureParts {
  person(id: string): Promise<Person | undefined>;
  putPerson(id: string, person: Person): Promise<void>;
  /** The write that keeps a part, for the transaction that removes its rows. */
  partWrite(id: string, name: string, part: Part): Write;
  partNames(id: string): Promise<readonly string[]>;
  parts(id: string, names: readonly string[]): Promise<ReadonlyMap<string, Part>>;
  putOutcome(id: string, crm: string, name: string, outcome: CrmOutcome): Promise<void>;
  /** By CRM and name of the part. */
  outcomes(id: string): Promise<ReadonlyMap<string, CrmOutcome>>;
  /** Takes away everything that names the person; the erasure itself and its receipt stay. */
  forget(id: string): Promise<void>;
}

export const key = (erasure: string, sk: string): Key => ({ pk: `erasure#${erasure}`, sk });
export const body = ({ pk: _pk, sk: _sk, ...rest }: Row): object => rest;

const REMOVED_AT_ONCE = 50;

export const erasureParts = (table: Table): ErasureParts => {
  const named = async (id: string, prefix: string): Promise<Row[]> => {
    const found: Row[] = [];
    for await (const row of table.query(`erasure#${id}`, { beginsWith: prefix })) found.push(row);
    return found;
  };
  return {
    async person(id) {
      const [row] = await table.get([key(id, 'person')]);
      return row && Person.parse(body(row));
    },
    async putPerson(id, person) {
      await table.put({ ...key(id, 'person'), ...person });
    },
    partWrite: (id, name, part) => ({ put: { ...key(id, `part#${name}`), ...part } }),
    partNames: async (id) => (await named(id, 'part#')).map(({ sk }) => sk.slice('part#'.length)),
    async parts(id, names) {
      const rows = await table.get(names.map((name) => key(id, `part#${name}`)));
      return new Map(rows.map((row) => [row.sk.slice('part#'.length), Part.parse(body(row))]));
    },
    async putOutcome(id, crm, name, outcome) {
      await table.put({ ...key(id, `crm#${crm}#${name}`), ...outcome });
    },
    outcomes: async (id) =>
      new Map(
        (await named(id, 'crm#')).map((row) => [row.sk.slice('crm#'.length), CrmOutcome.parse(body(row))]),
      ),
    async forget(id) {
      const rows = (await named(id, '')).filter(({ sk }) => sk !== 'erasure');
      for (let at = 0; at < rows.length; at += REMOVED_AT_ONCE) {
        const some = rows.slice(at, at + REMOVED_AT_ONCE).map(({ pk, sk }) => ({ delete: { pk, sk } }));
        if (!(await table.transact(some))) throw busy();
      }
    },
  };
};

export const busy = (): HubError =>
  new HubError('table-busy', 'Other transactions were in the way of an erasure; it is taken up again.', {
    retry: 'later',
  });
