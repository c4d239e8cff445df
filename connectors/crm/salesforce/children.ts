// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_casecomment.htm
// A comment of a case takes no custom field, so there is no external id by which it could be written twice in safety. It is
// deleted with its case.

import type { Call, ChildRecord, CrmResult, CrmSession } from '../../../core/crm/connector.ts';
import type { Client } from './rest/session.ts';
import { listsOf, quoted, recordsOf } from './rest/soql.ts';
import { collectionsOf, NEW, type Row, unanswered, write } from './writes.ts';

/** Creates records under others. A write locks the parent: those of one parent are neighbours. */
export const addChildren = async (
  client: Client,
  { object, parent, records }: { object: string; parent: string; records: readonly ChildRecord[] },
  call: Call,
): Promise<CrmResult[]> => {
  const rows = records
    .toSorted((one, other) => (one.parent < other.parent ? -1 : one.parent > other.parent ? 1 : 0))
    .map(
      ({ key, parent: id, fields }): Row => ({
        ...{ key, id: undefined, keyField: '', links: [parent] },
        body: { ...fields, [parent]: id, attributes: { type: object } },
      }),
    );
  const outcomes = rows.length === 0 ? new Map() : await write(client, collectionsOf(NEW, rows), call);
  return rows.map((row) => ({ key: row.key, ...(outcomes.get(row) ?? { fault: unanswered() }) }));
};

export const children = async (
  client: Client,
  {
    object,
    parent,
    ids,
    fields,
  }: { object: string; parent: string; ids: readonly string[]; fields: readonly string[] },
  call: Call,
): ReturnType<CrmSession['children']> => {
  const columns = ['Id', parent, ...fields].join(', ');
  const queries = listsOf([...new Set(ids)].map(quoted)).map(
    (list) =>
      `SELECT ${columns} FROM ${object} WHERE ${parent} IN (${list.join(',')}) ORDER BY CreatedDate, Id`,
  );
  const records = await recordsOf(client, queries, call);
  const held = Map.groupBy(records, (record) => String(record[parent]));
  return new Map(
    ids.map((id) => [
      id,
      (held.get(id) ?? []).map((record) => ({
        ...{ id: record.Id, fields: Object.fromEntries(fields.map((name) => [name, record[name] ?? null])) },
      })),
    ]),
  );
};
