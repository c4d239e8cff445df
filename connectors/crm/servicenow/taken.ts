import type { Call } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { UNIQUE_KEY } from './rest/faults.ts';
import type { Client } from './rest/session.ts';
import { idsBy, oneOf, type Query, rowsOf } from './rest/table.ts';
import type { Sent, Target } from './sent.ts';

/**
 * Finds out why a unique value was refused, which an instance does not say, by reading who holds each of them: one request.
 * `made`: rows that somebody else has made meanwhile, now with their sys_id. `faults`: of the others, by key.
 */
export const resolveTaken = async (
  client: Client,
  { object, keyField, known }: Target,
  refused: readonly Sent[],
  call: Call,
): Promise<{ made: readonly Sent[]; faults: ReadonlyMap<string, CrmFault> }> => {
  const holders = await holdersOf(client, { object, unique: [keyField, ...known.unique] }, refused, call);
  const holding = (field: string, { body, id }: Sent): readonly string[] =>
    (holders.get(field)?.get((body[field] ?? '').toLowerCase()) ?? []).filter((one) => one !== id);
  const made: Sent[] = [];
  const faults = new Map<string, CrmFault>();
  for (const row of refused) {
    const [same] = holding(keyField, row);
    if (row.id === undefined && same !== undefined) made.push({ ...row, id: same });
    else {
      const field = [...holders.keys()].find((name) => holding(name, row).length > 0);
      faults.set(
        row.key,
        field === undefined ? unexplained(object) : taken(object, field, holding(field, row)),
      );
    }
  }
  return { made, faults };
};

/** The sys_ids by unique field and value, of the values of these rows. */
const holdersOf = async (
  client: Client,
  { object, unique }: { object: string; unique: readonly string[] },
  rows: readonly Sent[],
  call: Call,
): Promise<ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>> => {
  const queries = [...new Set(unique)].flatMap((field) => {
    const values = [...new Set(rows.flatMap(({ body }) => body[field] || []))];
    return oneOf(field, values).map((query) => ({ field, query }));
  });
  const found = await rowsOf(
    client,
    queries.map(({ field, query }): Query => ({ table: object, query, fields: ['sys_id', field] })),
    call,
  );
  return new Map(
    [...new Set(queries.map(({ field }) => field))].map((name) => [
      name,
      idsBy(
        name,
        found.flatMap((some, at) => (queries[at]?.field === name ? some : [])),
      ),
    ]),
  );
};

const taken = (object: string, field: string, records: readonly string[]): CrmFault =>
  new CrmFault(
    UNIQUE_KEY,
    `Another record of ${object} holds the value of ${field}, which must be unique. Decide in ServiceNow which record keeps it.`,
    { scope: 'record', why: 'taken', field, records },
  );

const unexplained = (object: string): CrmFault =>
  new CrmFault(
    'servicenow-operation-failed',
    `ServiceNow could not write a record of ${object}, and no other record holds one of its unique values: a business rule may have refused it. Look at the system log of the instance, then replay.`,
    { scope: 'record', why: 'invalid' },
  );
