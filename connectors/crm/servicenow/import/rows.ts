// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_ImportSetAPI.html
// A row is answered at once with what became of it, in 201 also where it was refused. Rows go one by one, many in a batch:
// `insertMultiple` names the import set alone, and transforms it later unless an administrator has set it otherwise.

import * as z from 'zod';
import type { Call, CrmRecord, CrmResult, ImportBy } from '../../../../core/crm/connector.ts';
import { CrmFault } from '../../../../core/crm/fault.ts';
import type { Objects } from '../describe.ts';
import { answersTo, type Outcome } from '../rest/batch.ts';
import { refusedByImport, UNIQUE_KEY } from '../rest/faults.ts';
import type { Client, Request } from '../rest/session.ts';
import { oneOf, put, type Query, type Row, rowsOf } from '../rest/table.ts';
import type { Sent, Target } from '../sent.ts';
import { resolveTaken } from '../taken.ts';
import {
  goneLink,
  linkedIds,
  named,
  newestByKey,
  type Result,
  resultOf,
  resultOfRow,
  unreadable,
  withoutKey,
} from '../upsert.ts';
import { toRow } from '../values.ts';
import { columnFor, type ImportSetup } from './setup.ts';

const Answer = z.looseObject({
  result: z.array(
    z.looseObject({
      status: z.string(),
      table: z.string().nullish(),
      sys_id: z.string().nullish(),
      record_link: z.string().nullish(),
      error_message: z.string().nullish(),
      status_message: z.string().nullish(),
    }),
  ),
});

type Written = { readonly id: string; readonly isChanged: boolean } | { readonly fault: CrmFault };

/**
 * Writes records through the table of an import set, whose transform map finds them by the key. One whose sys_id is known gets
 * the key first, so that the map finds it, and makes none in place of one that was deleted. Then they are read, because an
 * answer does not say what the map has made of the values. A map copies no empty value: what is to be emptied, and is not, is
 * emptied in the record itself.
 */
export const importRecords = async (
  client: Client,
  objects: Objects,
  setup: ImportSetup,
  { by, records }: { readonly by: ImportBy; readonly records: readonly CrmRecord[] },
  call: Call,
): Promise<CrmResult[]> => {
  const { object, keyField } = by;
  const unique = newestByKey(records);
  const results = new Map<string, Result>();
  if (unique.length > 0) {
    const names = unique.flatMap(({ fields, links }) => Object.keys({ ...fields, ...links }));
    const known = await objects.expectFields(object, [keyField, ...new Set(names)], call);
    await setup.expect(by, call);
    const target = { object, keyField, known };
    const rows = unique.map(
      ({ key, id, fields, links }): Sent => ({
        ...{ key, id, isLinked: id !== undefined },
        body: toRow({ ...fields, ...links, [keyField]: key }, known.fields),
      }),
    );
    const faults = await keyed(client, target, { records: unique, rows }, call);
    for (const [key, fault] of faults) results.set(key, { fault });
    const ready = rows.filter(({ key }) => !faults.has(key));
    const written = await imported(client, by, target, ready, call);
    const userName = objects.userName();
    for (const [key, result] of await readBack(client, target, { rows: ready, written, userName }, call))
      results.set(key, 'fault' in result ? { fault: named(result.fault, known) } : result);
  }
  return records.map(({ key }) => ({ key, ...(results.get(key) ?? { fault: withoutKey(keyField) }) }));
};

type Faults = ReadonlyMap<string, CrmFault>;

/** Gives records whose sys_id is known the key, where they lack it. Returns those that are gone or refused it. */
const keyed = async (
  client: Client,
  target: Target,
  { records, rows }: { readonly records: readonly CrmRecord[]; readonly rows: readonly Sent[] },
  call: Call,
): Promise<Faults> => {
  const { object, keyField, known } = target;
  const ids = rows.flatMap(({ id }) => id ?? []);
  const byLink = [...linkedIds(known, records)];
  const queries = [
    ...oneOf('sys_id', ids).map((query): Query => ({ table: object, query, fields: ['sys_id', keyField] })),
    ...byLink.flatMap(([table, linked]) =>
      oneOf('sys_id', [...linked]).map((query): Query => ({ table, query, fields: ['sys_id'] })),
    ),
  ];
  if (queries.length === 0) return new Map();
  const found = (await rowsOf(client, queries, call)).flat();
  const keys = new Map(found.map(({ sys_id: id = '', [keyField]: key }) => [id, key]));
  const faults = new Map<string, CrmFault>();
  const links = new Map(records.map((record) => [record.key, Object.entries(record.links ?? {})]));
  const without: Sent[] = [];
  for (const row of rows) {
    const missing = links.get(row.key)?.find(([name, id]) => known.references.has(name) && !keys.has(id));
    if (row.id !== undefined && !keys.has(row.id)) faults.set(row.key, gone(object));
    else if (missing !== undefined) faults.set(row.key, goneLink(missing[0]));
    else if (row.id !== undefined && keys.get(row.id) !== row.key) without.push(row);
  }
  if (without.length === 0) return faults;
  const requests = without.map(({ id, key }) => put(object, id, { [keyField]: key }, ['sys_id']));
  const outcomes = await answersTo(client, requests, call);
  const refused = without.filter((_, at) => isUnique(outcomes[at]));
  for (const [at, outcome] of outcomes.entries())
    if (outcome instanceof CrmFault) faults.set(without[at]?.key ?? '', outcome);
  if (refused.length === 0) return faults;
  return new Map([...faults, ...(await resolveTaken(client, target, refused, call)).faults]);
};

const isUnique = (fault: unknown): boolean => fault instanceof CrmFault && fault.code === UNIQUE_KEY;

/** Imports rows, and those once more whose record somebody else made meanwhile. */
const imported = async (
  client: Client,
  by: ImportBy,
  target: Target,
  rows: readonly Sent[],
  call: Call,
): Promise<ReadonlyMap<string, Written>> => {
  if (rows.length === 0) return new Map();
  const results = new Map(await importOnce(client, by, rows, call));
  const refused = rows.filter(({ key }) => {
    const result = results.get(key);
    return result !== undefined && 'fault' in result && isUnique(result.fault);
  });
  if (refused.length === 0) return results;
  const { made, faults } = await resolveTaken(client, target, refused, call);
  for (const [key, fault] of faults) results.set(key, { fault });
  if (made.length > 0)
    for (const [key, result] of await importOnce(client, by, made, call)) results.set(key, result);
  return results;
};

const importOnce = async (
  client: Client,
  by: ImportBy,
  rows: readonly Sent[],
  call: Call,
): Promise<ReadonlyMap<string, Written>> => {
  const outcomes = await answersTo(
    client,
    rows.map(({ body }) => importOf(by.table, body)),
    call,
  );
  return new Map(rows.map((row, at) => [row.key, writtenBy(by, row, outcomes[at])]));
};

const importOf = (table: string, body: Row): Request => ({
  ...{ method: 'POST', table, path: `/api/now/import/${encodeURIComponent(table)}` },
  body: Object.fromEntries(
    Object.entries(body).flatMap(([field, value]) => (value === '' ? [] : [[columnFor(field), value]])),
  ),
});

/** What became of a row. A record was written only where the answer links to one. */
const writtenBy = (by: ImportBy, { id }: Sent, outcome: Outcome | undefined): Written => {
  if (outcome instanceof CrmFault) return { fault: outcome };
  const rows = Answer.safeParse(outcome?.body).data?.result ?? [];
  const row = rows.find(({ table }) => table === by.object) ?? rows[0];
  if (row === undefined) return { fault: unreadable() };
  const { sys_id: written, record_link: link, table, status } = row;
  if (table === by.object && link && written && status !== 'error')
    return id === undefined || id === written
      ? { id: written, isChanged: status === 'inserted' || status === 'updated' }
      : { fault: elsewhere(by) };
  return { fault: refusedByImport(row.error_message ?? row.status_message ?? '', by, status) };
};

interface ToRead {
  readonly rows: readonly Sent[];
  readonly written: ReadonlyMap<string, Written>;
  /** The name of the hub's user, if it is known. */
  readonly userName: string | undefined;
}

/** What the records that were written hold now. Those that hold more than they should are emptied. */
const readBack = async (
  client: Client,
  target: Target,
  { rows, written, userName }: ToRead,
  call: Call,
): Promise<ReadonlyMap<string, Result>> => {
  const { object } = target;
  const results = new Map<string, Result>();
  const done: { readonly sent: Sent; readonly id: string; readonly isChanged: boolean }[] = [];
  for (const sent of rows) {
    const result = written.get(sent.key);
    if (result !== undefined && 'id' in result) done.push({ sent, ...result });
    else results.set(sent.key, result ?? { fault: unreadable() });
  }
  const fields = [...new Set(done.flatMap(({ sent }) => Object.keys(sent.body)))];
  const queries = oneOf(
    'sys_id',
    done.map(({ id }) => id),
  ).map(
    (query): Query => ({
      table: object,
      query,
      fields: ['sys_id', 'sys_updated_on', 'sys_updated_by', ...fields],
    }),
  );
  const held = queries.length === 0 ? [] : (await rowsOf(client, queries, call)).flat();
  const byId = new Map(held.map((row) => [row['sys_id'], row]));
  const full: { readonly sent: Sent; readonly request: Request }[] = [];
  for (const { sent, id, isChanged } of done) {
    const row = byId.get(id);
    const names = Object.keys(sent.body).filter((name) => sent.body[name] === '' && row?.[name]);
    const isOwn = !isChanged || userName === undefined || row?.['sys_updated_by'] === userName;
    if (row === undefined) results.set(sent.key, { fault: unreadable() });
    else if (!isOwn) results.set(sent.key, { fault: asAnother(object) });
    else results.set(sent.key, resultOfRow(target, sent, row));
    const empty = Object.fromEntries(names.map((name) => [name, '']));
    const answered = ['sys_id', 'sys_updated_on', ...Object.keys(sent.body)];
    if (names.length > 0) full.push({ sent, request: put(object, id, empty, answered) });
  }
  const requests = full.map(({ request }) => request);
  const outcomes = requests.length === 0 ? [] : await answersTo(client, requests, call);
  for (const [at, { sent }] of full.entries()) results.set(sent.key, resultOf(target, sent, outcomes[at]));
  return results;
};

const gone = (object: string): CrmFault =>
  new CrmFault('servicenow-not-found', `The record of ${object} was deleted in ServiceNow.`, {
    ...{ scope: 'record', why: 'gone' },
  });

const asAnother = (object: string): CrmFault =>
  new CrmFault(
    'servicenow-import-set',
    "The transform map writes as another user than the hub's, so the hub cannot tell what it wrote from what staff have typed. Let the import set be transformed at once, in the session of the hub's user, or remove contact.importSet from mappings/crm/servicenow.yaml.",
    { scope: 'object', why: 'setup', object },
  );

const elsewhere = ({ table, keyField }: ImportBy): CrmFault =>
  new CrmFault(
    'servicenow-import-row',
    `The transform map of ${table} wrote another record than the one that has the key of the hub. Let it find records by ${keyField} alone (Coalesce), then replay.`,
    { scope: 'record', why: 'invalid' },
  );
