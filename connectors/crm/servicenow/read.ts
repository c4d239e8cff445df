import type { Call, HeldRecord } from '../../../core/crm/connector.ts';
import type { Objects } from './describe.ts';
import { heldRecord, isInactive, selected } from './held.ts';
import { after, inOrderOf, Place, placeAfter, SYS_ID } from './rest/pages.ts';
import type { Client } from './rest/session.ts';
import { get, oneOf, PER_PAGE, rowsIn, rowsOf } from './rest/table.ts';

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
  const rows = (await rowsOf(client, queries, call)).flat().filter((row) => !isInactive(row, known));
  const records = rows.map((row) => heldRecord(row, { known, fields, userName: objects.userName() }));
  return new Map(records.filter(({ id }) => wanted.has(id)).map((record) => [record.id, record]));
};

/** All records of a table by the time of their last change; a record that changes meanwhile is listed again at the end. */
export const list = async (
  client: Client,
  objects: Objects,
  { object, fields, cursor }: { object: string; fields: readonly string[]; cursor: string | undefined },
  call: Call,
): Promise<{ records: readonly HeldRecord[]; next?: string; total?: number }> => {
  const known = await objects.of(object, call);
  const place = cursor === undefined ? [] : after('sys_updated_on', Place.parse(JSON.parse(cursor)));
  const query = [...place, ...inOrderOf('sys_updated_on')].join('^');
  const answer = await client.request(get({ table: object, query, fields: selected(known, fields) }), call);
  const rows = rowsIn(answer);
  const total = Number(answer.headers['x-total-count']);
  return {
    records: rows
      .filter((row) => !isInactive(row, known))
      .map((row) => heldRecord(row, { known, fields, userName: objects.userName() })),
    ...(rows.length >= PER_PAGE && { next: JSON.stringify(placeAfter('sys_updated_on', rows)) }),
    ...(cursor === undefined && total >= 0 && { total }),
  };
};
