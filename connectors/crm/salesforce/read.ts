import * as z from 'zod';
import type { Call, HeldRecord } from '../../../core/crm/connector.ts';
import type { Objects } from './describe.ts';
import { heldRecord, selected, shortId } from './held.ts';
import type { Client } from './rest/session.ts';
import { listsOf, pages, quoted, recordsOf, type SalesforceRecord } from './rest/soql.ts';

/** How many merges after each other are followed. */
const MOST_MERGES = 5;
const SALESFORCE_ID = /^[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?$/u;

/** Records by Salesforce's ids, archived activities too. The loser of a merge names the record that remains. */
export const read = async (
  client: Client,
  objects: Objects,
  { object, ids, fields }: { object: string; ids: readonly string[]; fields: readonly string[] },
  call: Call,
): Promise<ReadonlyMap<string, HeldRecord>> => {
  const wanted = [...new Set(ids)].filter((id) => SALESFORCE_ID.test(id));
  if (wanted.length === 0) return new Map();
  const known = await objects.of(object, call);
  const columns = selected(known, fields, ['IsDeleted', 'MasterRecordId']);
  const rows = new Map<string, SalesforceRecord>();
  let missing = wanted;
  for (let hop = 0; hop <= MOST_MERGES && missing.length > 0; hop++) {
    const queries = listsOf(missing.map(quoted)).map(
      (list) => `SELECT ${columns} FROM ${object} WHERE Id IN (${list.join(',')})`,
    );
    const found = await recordsOf(client, queries, call, true);
    for (const record of found) rows.set(shortId(record.Id), record);
    missing = [...new Set(found.flatMap(masterOf))].filter((id) => !rows.has(shortId(id)));
  }
  const held = { object, known, fields, userId: client.userId() };
  return new Map(
    wanted.flatMap((id) => {
      const record = remaining(rows, id);
      return record === undefined ? [] : [[id, heldRecord(record, held)] as const];
    }),
  );
};

const masterOf = (record: SalesforceRecord): string[] => {
  const master = record['MasterRecordId'];
  return record['IsDeleted'] === true && typeof master === 'string' && master !== '' ? [master] : [];
};

const remaining = (rows: ReadonlyMap<string, SalesforceRecord>, id: string): SalesforceRecord | undefined => {
  let record = rows.get(shortId(id));
  for (let hop = 0; hop < MOST_MERGES && record?.['IsDeleted'] === true; hop++) {
    const [master] = masterOf(record);
    record = master === undefined ? undefined : rows.get(shortId(master));
  }
  return record?.['IsDeleted'] === true ? undefined : record;
};

/** As many as one upsert writes in one request. */
const PER_PAGE = 1000;

/** Where a page ends: the records after it changed later, or then and have a greater id. */
const Cursor = z.tuple([z.iso.datetime(), z.string().regex(SALESFORCE_ID)]);

/**
 * All records of an object by the time of their last change. A cursor holds a place in that order, not a query of Salesforce,
 * which would expire; a record that changes meanwhile is listed again at the end.
 */
export const list = async (
  client: Client,
  objects: Objects,
  { object, fields, cursor }: { object: string; fields: readonly string[]; cursor: string | undefined },
  call: Call,
): Promise<{ records: readonly HeldRecord[]; next?: string; total?: number }> => {
  const known = await objects.of(object, call);
  const columns = selected(known, fields);
  const query = `SELECT ${columns} FROM ${object}${after(cursor)} ORDER BY SystemModstamp, Id LIMIT ${PER_PAGE}`;
  const count = cursor === undefined ? [`SELECT COUNT() FROM ${object}`] : [];
  const [page, counted] = await pages(client, [query, ...count], call);
  const held = { object, known, fields, userId: client.userId() };
  const records = (page?.records ?? []).map((record) => heldRecord(record, held));
  const last = records.at(-1);
  const isLast = last === undefined || (records.length < PER_PAGE && !page?.nextRecordsUrl);
  return {
    records,
    ...(!isLast && { next: JSON.stringify([last.modifiedAt, last.id] satisfies z.infer<typeof Cursor>) }),
    ...(counted?.totalSize !== undefined && { total: counted.totalSize }),
  };
};

const after = (cursor: string | undefined): string => {
  if (cursor === undefined) return '';
  const [time, id] = Cursor.parse(JSON.parse(cursor));
  return ` WHERE SystemModstamp > ${time} OR (SystemModstamp = ${time} AND Id > '${id}')`;
};
