import type { Call, HeldRecord } from '../../../core/crm/connector.ts';
import type { Known, Objects } from './describe.ts';
import { convertedInto, heldRecord, otherOf, SALESFORCE_ID, selected, shortId } from './held.ts';
import type { Client } from './rest/session.ts';
import { listsOf, quoted, recordsOf, type SalesforceRecord } from './rest/soql.ts';

/** How many merges after each other are followed. */
const MOST_MERGES = 5;

interface Wanted {
  readonly object: string;
  readonly ids: readonly string[];
  readonly fields: readonly string[];
}

/**
 * Records by Salesforce's ids, archived activities too. The loser of a merge names the record that remains. Contacts may be
 * asked for by the ids of leads: one that was converted is its contact.
 */
export const read = async (
  client: Client,
  objects: Objects,
  { object, ids, fields }: Wanted,
  call: Call,
): Promise<ReadonlyMap<string, HeldRecord>> => {
  const wanted = [...new Set(ids)].filter((id) => SALESFORCE_ID.test(id));
  const other = otherOf(object);
  const isOther = (id: string): boolean => other !== undefined && id.startsWith(other.prefix);
  const own = await ofObject(
    client,
    objects,
    { object, ids: wanted.filter((id) => !isOther(id)), fields },
    call,
  );
  if (other === undefined) return own.held;
  const theirs = { object: other.object, ids: wanted.filter(isOther), fields };
  const foreign = await ofObject(client, objects, theirs, call, true);
  const converted = new Map([...own.converted, ...foreign.converted]);
  const contacts = { object: 'Contact', ids: [...new Set(converted.values())], fields };
  const became = (await ofObject(client, objects, contacts, call, object !== 'Contact')).held;
  const followed = [...converted].flatMap(([id, contact]) => {
    const record = became.get(contact);
    return record === undefined ? [] : [[id, record] as const];
  });
  return new Map([...own.held, ...foreign.held, ...followed]);
};

interface Read {
  readonly held: ReadonlyMap<string, HeldRecord>;
  /** Leads that are contacts now, by their ids. */
  readonly converted: ReadonlyMap<string, string>;
}

const ofObject = async (
  client: Client,
  objects: Objects,
  { object, ids, fields }: Wanted,
  call: Call,
  isForeign = false,
): Promise<Read> => {
  if (ids.length === 0) return { held: new Map(), converted: new Map() };
  const known = await objects.of(object, call);
  const rows = await rowsOf(client, { object, ids, fields }, known, isForeign, call);
  const shape = { object, known, fields, userId: client.userId(), isForeign };
  const held = new Map<string, HeldRecord>();
  const converted = new Map<string, string>();
  for (const id of ids) {
    const record = remaining(rows, id);
    const contact = record && convertedInto(record);
    if (contact !== undefined) converted.set(id, contact);
    else if (record !== undefined) held.set(id, heldRecord(record, shape));
  }
  return { held, converted };
};

/** By their short ids, the records and those into which they were merged. */
const rowsOf = async (
  client: Client,
  { object, ids, fields }: Wanted,
  known: Known,
  isForeign: boolean,
  call: Call,
): Promise<ReadonlyMap<string, SalesforceRecord>> => {
  const columns = selected(known, fields, ['IsDeleted', 'MasterRecordId'], isForeign);
  const rows = new Map<string, SalesforceRecord>();
  let missing = ids;
  for (let hop = 0; hop <= MOST_MERGES && missing.length > 0; hop++) {
    const queries = listsOf(missing.map(quoted)).map(
      (list) => `SELECT ${columns} FROM ${object} WHERE Id IN (${list.join(',')})`,
    );
    const found = await recordsOf(client, queries, call, true);
    for (const record of found) rows.set(shortId(record.Id), record);
    missing = [...new Set(found.flatMap(masterOf))].filter((id) => !rows.has(shortId(id)));
  }
  return rows;
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
