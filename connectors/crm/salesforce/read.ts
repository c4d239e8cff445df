import type { Call, HeldRecord } from '../../../core/crm/connector.ts';
import type { Objects } from './describe.ts';
import { heldRecord, SALESFORCE_ID, selected, shortId } from './held.ts';
import type { Client } from './rest/session.ts';
import { listsOf, quoted, recordsOf, type SalesforceRecord } from './rest/soql.ts';

/** How many merges after each other are followed. */
const MOST_MERGES = 5;

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
