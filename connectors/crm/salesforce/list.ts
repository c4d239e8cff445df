import * as z from 'zod';
import type { Call, ListedPage } from '../../../core/crm/connector.ts';
import { JobCursor, type jobReader, startReading } from './bulk/query.ts';
import type { Objects } from './describe.ts';
import { heldRecord, SALESFORCE_ID, selected } from './held.ts';
import type { Client } from './rest/session.ts';
import { pages } from './rest/soql.ts';

/** As many as one upsert writes in one request. */
const PER_PAGE = 1000;
/** Of more records than this, a job of Salesforce costs fewer requests than pages of queries. */
const MOST_BY_PAGES = 2000;

/** Where a page of queries ends: the records after it changed later, or then and have a greater id. */
const PageCursor = z.tuple([z.iso.datetime(), z.string().regex(SALESFORCE_ID)]);
type PageCursor = z.infer<typeof PageCursor>;
const Cursor = z.union([PageCursor, JobCursor]);

const BEFORE_ALL: PageCursor = ['1970-01-01T00:00:00.000Z', '000000000000000'];

/**
 * All records of an object: of a few by the time of their last change, so that one that changes meanwhile is listed again at
 * the end; of many as a bulk job found them. A cursor is a place in that order or a job, not a query of Salesforce, which
 * would expire.
 */
export const list = async (
  client: Client,
  objects: Objects,
  reader: ReturnType<typeof jobReader>,
  { object, fields, cursor }: { object: string; fields: readonly string[]; cursor: string | undefined },
  call: Call,
): Promise<ListedPage> => {
  const known = await objects.of(object, call);
  const columns = selected(known, fields);
  const from = cursor === undefined ? undefined : Cursor.parse(JSON.parse(cursor));
  if (from !== undefined && 'job' in from) {
    const page = await reader.page({ object, known, fields }, from, call);
    // A job that a person or Salesforce ended has listed nothing: queries do it.
    if (page === undefined) return { records: [], next: JSON.stringify(BEFORE_ALL) };
    const { next, ...rest } = page;
    return { ...rest, ...(next && { next: JSON.stringify(next) }) };
  }
  // A lead that became a contact is listed as that.
  const open = known.fields.has('IsConverted') ? ['IsConverted = false'] : [];
  const query = `SELECT ${columns} FROM ${object}${where([...open, ...after(from)])} ORDER BY SystemModstamp, Id LIMIT ${PER_PAGE}`;
  const count = from === undefined ? [`SELECT COUNT() FROM ${object}${where(open)}`] : [];
  const [page, counted] = await pages(client, [query, ...count], call);
  const total = counted?.totalSize;
  if (total !== undefined && total > MOST_BY_PAGES) {
    const next = await startReading(client, `SELECT ${columns} FROM ${object}${where(open)}`, call);
    return { records: [], next: JSON.stringify(next), total, afterSeconds: 0 };
  }
  const held = { object, known, fields, userId: client.userId() };
  const records = (page?.records ?? []).map((record) => heldRecord(record, held));
  const last = records.at(-1);
  const isLast = last === undefined || (records.length < PER_PAGE && !page?.nextRecordsUrl);
  return {
    records,
    ...(!isLast && { next: JSON.stringify([last.modifiedAt, last.id] satisfies PageCursor) }),
    ...(total !== undefined && { total }),
  };
};

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;

const after = (place: PageCursor | undefined): string[] => {
  if (place === undefined) return [];
  const [time, id] = place;
  return [`(SystemModstamp > ${time} OR (SystemModstamp = ${time} AND Id > '${id}'))`];
};
