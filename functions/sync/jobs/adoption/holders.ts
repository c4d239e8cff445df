import * as z from 'zod';
import type { Holder } from '../../../../core/crm/adopted-record.ts';
import { valueDigest } from '../../../../core/crm/change.ts';
import type { Identifier } from '../../../../core/identity/identifier.ts';
import type { Table } from '../../../aws/clients/dynamo.ts';
import { adoptionKey } from '../../../contracts/keys.ts';
import type { Row } from '../../../contracts/rows/row.ts';
import { rowReader } from '../../../contracts/rows/row.ts';

/** What a job that adopts a CRM notes while it reads; in the table, so that its memory does not grow with the CRM. */
export interface AdoptionNotes {
  /** The records that hold identifiers, some of each at most. */
  holders(identifiers: readonly Identifier[]): Promise<ReadonlyMap<Identifier, readonly Holder[]>>;
  addHolders(found: ReadonlyMap<Identifier, readonly Holder[]>): Promise<void>;
  /** Records that a look-up found for customers whose numbers are spelled differently there. */
  found(records: readonly string[]): Promise<ReadonlyMap<string, FoundFor>>;
  addFound(record: string, found: FoundFor): Promise<void>;
}

export const FoundFor = z.object({
  profileId: z.string(),
  /** Set if several records were found for the customer. */
  isOneOfSeveral: z.boolean(),
});
type FoundFor = z.infer<typeof FoundFor>;
const foundForOf = rowReader(FoundFor);

export const HoldersRow = z.object({ holders: z.array(z.object({ id: z.string(), createdAt: z.string() })) });
const holdersOf = rowReader(HoldersRow);

/** More records than this of one address are as ambiguous as these. */
const MOST_HOLDERS = 20;
const CONCURRENT_WRITES = 25;
const RETENTION_SECONDS = 30 * 86_400;

/** Rows are keyed by digests, expire by themselves and hold ids alone: nothing of a person. */
export const adoptionNotes = (
  table: Pick<Table, 'get' | 'put'>,
  job: string,
  now: () => number,
): AdoptionNotes => {
  const key = (value: string) => adoptionKey(job, valueDigest(value));
  const load = async <Value>(
    values: readonly string[],
    parse: (row: Row) => Value,
  ): Promise<Map<string, Value>> => {
    const rows = await table.get(values.map(key));
    const byKey = new Map(rows.map((row) => [row.pk, parse(row)]));
    return new Map(
      values.flatMap((value) => {
        const found = byKey.get(key(value).pk);
        return found === undefined ? [] : [[value, found] as const];
      }),
    );
  };
  const write = async (rows: readonly (readonly [value: string, attributes: object])[]): Promise<void> => {
    const expiresAt = Math.floor(now() / 1000) + RETENTION_SECONDS;
    for (let start = 0; start < rows.length; start += CONCURRENT_WRITES)
      await Promise.all(
        rows
          .slice(start, start + CONCURRENT_WRITES)
          .map(([value, attributes]) => table.put({ ...key(value), ...attributes, expiresAt })),
      );
  };
  const holders = (identifiers: readonly Identifier[]): Promise<Map<string, Holder[]>> =>
    load(identifiers, (row) => holdersOf(row).holders);
  const recordKey = (record: string): string => `record:${record}`;
  return {
    holders,
    async addHolders(found) {
      const present = await holders([...found.keys()]);
      const rows = [...found].flatMap(([identifier, added]) => {
        const before = present.get(identifier) ?? [];
        const known = new Set(before.map(({ id }) => id));
        const all = [...before, ...added.filter(({ id }) => !known.has(id))].slice(0, MOST_HOLDERS);
        return all.length === before.length ? [] : [[identifier, { holders: all }] as const];
      });
      await write(rows);
    },
    async found(records) {
      const found = await load(records.map(recordKey), foundForOf);
      return new Map(records.flatMap((id) => pair(id, found.get(recordKey(id)))));
    },
    addFound: (record, found) => write([[recordKey(record), found]]),
  };
};

const pair = <Value>(key: string, value: Value | undefined): (readonly [string, Value])[] =>
  value === undefined ? [] : [[key, value]];
