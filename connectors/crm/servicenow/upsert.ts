// The Table API has no write by a key: records are looked up by it first, and made or changed by their sys_id then. Who was
// late in a race is refused by the unique key, and finds the record of the other one.

import type { Call, CrmRecord, CrmResult } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Known, Objects } from './describe.ts';
import { answersTo, faultFrom, type Outcome } from './rest/batch.ts';
import { UNIQUE_KEY, unknownField } from './rest/faults.ts';
import type { Client } from './rest/session.ts';
import { idsBy, oneOf, put, type Query, type Row, rowIn, rowsOf } from './rest/table.ts';
import type { Sent, Target } from './sent.ts';
import { resolveTaken } from './taken.ts';
import { fromRow, readInstant, toRow } from './values.ts';

export type Result = Omit<Extract<CrmResult, { id: string }>, 'key'> | { readonly fault: CrmFault };

export const upsert = async (
  client: Client,
  objects: Objects,
  { object, keyField, records }: { object: string; keyField: string; records: readonly CrmRecord[] },
  call: Call,
): Promise<CrmResult[]> => {
  const unique = newestByKey(records);
  const results = new Map<string, Result>();
  if (unique.length > 0) {
    // An instance takes fields that it does not know, and drops their values in silence.
    const names = unique.flatMap(({ fields, links }) => Object.keys({ ...fields, ...links }));
    const known = await objects.expectFields(object, [keyField, ...new Set(names)], call);
    const target = { object, keyField, known };
    const { ids, missing } = await lookUp(client, target, unique, call);
    const present = unique.flatMap((record): Sent[] => {
      const gone = Object.entries(record.links ?? {}).find(([, id]) => missing.has(id));
      if (gone !== undefined) results.set(record.key, { fault: goneLink(gone[0]) });
      return gone === undefined ? [sentOf(target, record, ids)] : [];
    });
    for (const [key, result] of await write(client, target, present, call)) results.set(key, result);
  }
  return records.map(({ key }) => ({ key, ...(results.get(key) ?? { fault: withoutKey(keyField) }) }));
};

/** Of two records with one key the later one is newer. A record without a key is none of them. */
export const newestByKey = (records: readonly CrmRecord[]): readonly CrmRecord[] =>
  [...new Map(records.map((record) => [record.key, record])).values()].filter(({ key }) => key !== '');

/** In one request: which records are there by their key, and which of the linked ones are gone. An instance does not check references. */
const lookUp = async (
  client: Client,
  { object, keyField, known }: Target,
  records: readonly CrmRecord[],
  call: Call,
): Promise<{ ids: ReadonlyMap<string, readonly string[]>; missing: ReadonlySet<string> }> => {
  const keys = records.flatMap(({ key, id }) => (id === undefined ? [key] : []));
  const byKey = oneOf(keyField, keys).map(
    (query): Query => ({ table: object, query, fields: ['sys_id', keyField] }),
  );
  const linked = linkedIds(known, records);
  const byLink = [...linked].flatMap(([table, ids]) =>
    oneOf('sys_id', [...ids]).map((query): Query => ({ table, query, fields: ['sys_id'] })),
  );
  if (byKey.length + byLink.length === 0) return { ids: new Map(), missing: new Set() };
  const rows = await rowsOf(client, [...byKey, ...byLink], call);
  const present = new Set(rows.slice(byKey.length).flatMap((some) => some.map(({ sys_id: id }) => id)));
  const expected = [...linked.values()].flatMap((ids) => [...ids]);
  return {
    ids: idsBy(keyField, rows.slice(0, byKey.length).flat()),
    missing: new Set(expected.filter((id) => !present.has(id))),
  };
};

/** The sys_ids to which records are linked, by table. */
export const linkedIds = (
  { references }: Known,
  records: readonly CrmRecord[],
): ReadonlyMap<string, ReadonlySet<string>> => {
  const linked = new Map<string, Set<string>>();
  for (const [name, id] of records.flatMap(({ links = {} }) => Object.entries(links))) {
    const table = references.get(name);
    if (table !== undefined) linked.set(table, (linked.get(table) ?? new Set()).add(id));
  }
  return linked;
};

const sentOf = (
  { keyField, known }: Target,
  { key, id, fields, links = {} }: CrmRecord,
  ids: ReadonlyMap<string, readonly string[]>,
): Sent => ({
  ...{ key, id: id ?? ids.get(key.toLowerCase())?.[0], isLinked: id !== undefined },
  body: toRow({ ...fields, ...links, [keyField]: key }, known.fields),
});

/** Writes rows, and those once more that somebody else made meanwhile. */
const write = async (
  client: Client,
  target: Target,
  rows: readonly Sent[],
  call: Call,
): Promise<ReadonlyMap<string, Result>> => {
  if (rows.length === 0) return new Map();
  const results = new Map(await writeOnce(client, target, rows, call));
  const refused = rows.filter(({ key }) => isTaken(results.get(key)));
  if (refused.length === 0) return results;
  try {
    const { made, faults } = await resolveTaken(client, target, refused, call);
    for (const [key, fault] of faults) results.set(key, { fault });
    if (made.length > 0)
      for (const [key, result] of await writeOnce(client, target, made, call)) results.set(key, result);
  } catch (error) {
    const fault = faultFrom(error);
    for (const { key } of refused) if (isTaken(results.get(key))) results.set(key, { fault });
  }
  return results;
};

const isTaken = (result: Result | undefined): boolean =>
  result !== undefined &&
  'fault' in result &&
  result.fault.code === UNIQUE_KEY &&
  result.fault.records.length === 0;

const writeOnce = async (
  client: Client,
  target: Target,
  rows: readonly Sent[],
  call: Call,
): Promise<ReadonlyMap<string, Result>> => {
  const requests = rows.map(({ id, body }) =>
    put(target.object, id, body, ['sys_id', 'sys_updated_on', ...Object.keys(body)]),
  );
  const outcomes = await answersTo(client, requests, call);
  return new Map(rows.map((row, at) => [row.key, resultOf(target, row, outcomes[at])]));
};

/** What a write of the Table API was answered. */
export const resultOf = (target: Target, sent: Sent, outcome: Outcome | undefined): Result => {
  if (outcome instanceof CrmFault)
    return { fault: outcome.why === 'gone' && !sent.isLinked ? raced() : named(outcome, target.known) };
  return resultOfRow(target, sent, outcome === undefined ? undefined : rowIn(outcome));
};

/** What a record holds that was written. */
export const resultOfRow = ({ object, known }: Target, sent: Sent, row: Row | undefined): Result => {
  if (!row?.['sys_id']) return { fault: unreadable() };
  // A field that was removed, or that the hub may not read any more, is left out of the answer.
  const names = Object.keys(sent.body);
  const absent = names.find((name) => !(name in row));
  if (absent !== undefined) return { fault: unknownField(object, absent) };
  const at = readInstant(row['sys_updated_on']);
  return {
    id: row['sys_id'],
    held: fromRow(row, names, known.fields),
    ...(at !== undefined && { at }),
  };
};

/** A data policy names fields by their labels. */
export const named = (fault: CrmFault, { labels }: Known): CrmFault => {
  const field = labels.get(fault.field ?? '');
  return field === undefined
    ? fault
    : new CrmFault(fault.code, fault.message, { scope: fault.scope, why: fault.why, field });
};

const raced = (): CrmFault =>
  new CrmFault(
    'servicenow-not-found',
    'The record was deleted in ServiceNow while it was written. It is tried again.',
    {
      ...{ scope: 'record', why: 'raced' },
    },
  );

export const unreadable = (): CrmFault =>
  new CrmFault('unavailable-crm', 'ServiceNow left the record out of its answer. It is sent again.', {
    ...{ scope: 'record', why: 'down' },
  });

export const goneLink = (field: string): CrmFault =>
  new CrmFault('servicenow-not-found', `The record to which ${field} leads was deleted in ServiceNow.`, {
    ...{ scope: 'record', why: 'gone', field },
  });

export const withoutKey = (field: string): CrmFault =>
  new CrmFault('servicenow-bad-request', 'The record has no key, so it was not sent to ServiceNow.', {
    ...{ scope: 'record', why: 'invalid', field },
  });
