// https://www.servicenow.com/docs/bundle/zurich-platform-administration/page/administer/field-administration/reference/r_JournalFields.html
// The comments of a case are a journal: every value that is written to the field is an entry of sys_journal_field, which the
// API cannot write itself.

import type { Call, ChildRecord, CrmResult, CrmSession } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Objects } from './describe.ts';
import { answersTo } from './rest/batch.ts';
import type { Client } from './rest/session.ts';
import { oneOf, put, type Query, rowIn, rowsOf } from './rest/table.ts';
import { unreadable } from './upsert.ts';
import { fromRow, toRow } from './values.ts';

/** As `parent`: what is written is an entry in a journal of the record itself. */
export const ITSELF = 'sys_id';
const JOURNAL = 'sys_journal_field';

interface Place {
  readonly object: string;
  readonly parent: string;
}

/** Writes entries into the journals of records, or new records that refer to others. */
export const addChildren = async (
  client: Client,
  objects: Objects,
  { object, parent, records }: Place & { readonly records: readonly ChildRecord[] },
  call: Call,
): Promise<CrmResult[]> => {
  if (records.length === 0) return [];
  const names = new Set(records.flatMap(({ fields }) => Object.keys(fields)));
  const known = await objects.expectFields(object, [parent, ...names], call);
  const requests = records.map(({ parent: id, fields }) =>
    parent === ITSELF
      ? put(object, id, toRow(fields, known.fields), ['sys_id'])
      : put(object, undefined, toRow({ ...fields, [parent]: id }, known.fields), ['sys_id']),
  );
  const outcomes = await answersTo(client, requests, call);
  return records.map(({ key }, at): CrmResult => {
    const outcome = outcomes[at];
    if (outcome instanceof CrmFault) return { key, fault: outcome };
    const id = outcome === undefined ? undefined : rowIn(outcome)?.['sys_id'];
    return id ? { key, id } : { key, fault: unreadable() };
  });
};

export const children = async (
  client: Client,
  objects: Objects,
  {
    object,
    parent,
    ids,
    fields,
  }: Place & { readonly ids: readonly string[]; readonly fields: readonly string[] },
  call: Call,
): ReturnType<CrmSession['children']> => {
  const known = await objects.of(object, call);
  const inJournal = parent === ITSELF;
  const queries = oneOf(inJournal ? 'element_id' : parent, ids).map(
    (query): Query =>
      inJournal
        ? {
            table: JOURNAL,
            query: `${query}^name=${object}^elementIN${fields.join(',')}`,
            fields: ['element_id', 'element', 'value'],
          }
        : { table: object, query, fields: ['sys_id', parent, ...fields] },
  );
  const rows = (await rowsOf(client, queries, call)).flat();
  const held = rows.map((row) =>
    inJournal
      ? {
          of: row['element_id'],
          id: row['element_id'] ?? '',
          fields: { [row['element'] ?? '']: row['value'] },
        }
      : { of: row[parent], id: row['sys_id'] ?? '', fields: fromRow(row, fields, known.fields) },
  );
  return new Map(ids.map((id) => [id, held.flatMap(({ of, ...one }) => (of === id ? [one] : []))]));
};
