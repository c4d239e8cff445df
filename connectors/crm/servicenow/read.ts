import * as z from 'zod';
import type { Call, HeldRecord } from '../../../core/crm/connector.ts';
import type { Objects } from './describe.ts';
import { heldRecord, selected } from './held.ts';
import type { Client } from './rest/session.ts';
import { get, oneOf, PER_PAGE, rowsIn, rowsOf } from './rest/table.ts';

const SYS_ID = /^[0-9a-f]{32}$/u;

/** Records by their sys_ids. ServiceNow does not merge contacts: one that is not there was deleted. */
export const read = async (
  client: Client,
  objects: Objects,
  { object, ids, fields }: { object: string; ids: readonly string[]; fields: readonly string[] },
  call: Call,
): Promise<ReadonlyMap<string, HeldRecord>> => {
  const wanted = new Set(ids.filter((id) => SYS_ID.test(id)));
  if (wanted.size === 0) return new Map();
  const known = await objects.of(object, call);
  const queries = oneOf('sys_id', [...wanted]).map((query) => ({
    ...{ table: object, query, fields: selected(known, fields) },
  }));
  const rows = (await rowsOf(client, queries, call)).flat();
  const records = rows.map((row) => heldRecord(row, { known, fields, userName: objects.userName() }));
  return new Map(records.filter(({ id }) => wanted.has(id)).map((record) => [record.id, record]));
};

/** Where a page ends: the records after it changed later, or in the same second and have a greater sys_id. */
const Cursor = z.tuple([z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/u), z.string().regex(SYS_ID)]);

/** All records of a table by the time of their last change; a record that changes meanwhile is listed again at the end. */
export const list = async (
  client: Client,
  objects: Objects,
  { object, fields, cursor }: { object: string; fields: readonly string[]; cursor: string | undefined },
  call: Call,
): Promise<{ records: readonly HeldRecord[]; next?: string; total?: number }> => {
  const known = await objects.of(object, call);
  const query = [...after(cursor), 'ORDERBYsys_updated_on', 'ORDERBYsys_id'].join('^');
  const answer = await client.request(get({ table: object, query, fields: selected(known, fields) }), call);
  const rows = rowsIn(answer);
  const last = rows.at(-1);
  const total = Number(answer.headers['x-total-count']);
  return {
    records: rows.map((row) => heldRecord(row, { known, fields, userName: objects.userName() })),
    ...(last !== undefined &&
      rows.length >= PER_PAGE && { next: JSON.stringify([last['sys_updated_on'], last['sys_id']]) }),
    ...(cursor === undefined && total >= 0 && { total }),
  };
};

/** An alternative belongs to the condition before it. */
const after = (cursor: string | undefined): string[] => {
  if (cursor === undefined) return [];
  const [time, id] = Cursor.parse(JSON.parse(cursor));
  return [`sys_updated_on>=${time}`, `sys_id>${id}`, `ORsys_updated_on>${time}`];
};
