// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_emailmessage.htm
// An e-mail that is no draft cannot be changed, except for custom fields: it is written once. Its people are relations:
// Salesforce makes those of recipients from lists of ids, and none of the sender, who is related afterwards.

import type { Call, CrmRecord, ObjectDescription } from '../../../core/crm/connector.ts';
import type { CrmFault } from '../../../core/crm/fault.ts';
import { entryOf } from '../../../core/formats/payload.ts';
import type { Client } from './rest/session.ts';
import { idsByKey, listsOf, quoted, recordsOf } from './rest/soql.ts';
import { collectionsOf, type Outcome, type Row, write } from './writes.ts';

export const EMAIL = 'EmailMessage';
const RELATION = 'EmailMessageRelation';
const SENDER = 'FromAddress';
/** The field that takes the ids of people, by what these are to the e-mail. */
const lists: Readonly<Record<string, string>> = {
  ToAddress: 'ToIds',
  CcAddress: 'CcIds',
  BccAddress: 'BccIds',
};

const NEW = { method: 'POST', path: '/composite/sobjects' } as const;
const BY_ID = { method: 'PATCH', path: '/composite/sobjects' } as const;

/** Links of e-mails are what people are to them: `FromAddress`, `ToAddress`, `CcAddress`, `BccAddress`. */
export const hasLink = (object: string, name: string, fields: ObjectDescription): boolean => {
  if (object !== EMAIL || fields.get(name)?.type === 'reference')
    return fields.get(name)?.type === 'reference';
  const list = entryOf(lists, name);
  return list === undefined ? name === SENDER : fields.has(list);
};

/** Writes e-mails that are not there yet, and relates senders. */
export const upsertEmails = async (
  client: Client,
  { keyField, records }: { keyField: string; records: readonly CrmRecord[] },
  call: Call,
): Promise<ReadonlyMap<string, Outcome>> => {
  const keys = records.map(({ key }) => key);
  const present = await idsByKey(client, EMAIL, keyField, keys, call);
  const outcomes = new Map<string, Outcome>(
    [...present].flatMap(([key, [id]]) => (id === undefined ? [] : [[key, { id }] as const])),
  );
  const rows = records
    .filter(({ key }) => !outcomes.has(key))
    .map((record): Row => ({ key: record.key, keyField, body: bodyOf(record, keyField) }));
  const written = rows.length === 0 ? [] : await write(client, collectionsOf(NEW, rows), call);
  for (const [{ key }, outcome] of written) outcomes.set(key, outcome);
  for (const [key, fault] of await relateSenders(client, records, outcomes, call))
    outcomes.set(key, { fault });
  return outcomes;
};

const bodyOf = ({ key, fields, links = {} }: CrmRecord, keyField: string): Row['body'] => ({
  ...fields,
  ...Object.fromEntries(
    Object.entries(links).flatMap(([name, id]): [string, unknown][] => {
      const list = entryOf(lists, name);
      if (list !== undefined) return [[list, [id]]];
      return name === SENDER ? [] : [[name, id]];
    }),
  ),
  ...{ [keyField]: key, attributes: { type: EMAIL } },
});

/** The faults of those that could not be related, by the keys of their e-mails. */
const relateSenders = async (
  client: Client,
  records: readonly CrmRecord[],
  outcomes: ReadonlyMap<string, Outcome>,
  call: Call,
): Promise<ReadonlyMap<string, CrmFault>> => {
  const wanted = records.flatMap(({ key, links = {} }) => {
    const [outcome, person] = [outcomes.get(key), links[SENDER]];
    return outcome !== undefined && 'id' in outcome && person !== undefined
      ? [{ key, email: outcome.id, person }]
      : [];
  });
  if (wanted.length === 0) return new Map();
  const queries = listsOf(wanted.map(({ email }) => quoted(email))).map(
    (list) =>
      `SELECT Id, EmailMessageId, RelationId FROM ${RELATION} WHERE RelationType = '${SENDER}' AND EmailMessageId IN (${list.join(',')})`,
  );
  const present = new Map(
    (await recordsOf(client, queries, call)).map((record) => [String(record['EmailMessageId']), record]),
  );
  const attributes = { type: RELATION };
  const row = (key: string, body: Row['body']): Row => ({ key, body: { ...body, attributes } });
  const created = wanted
    .filter(({ email }) => !present.has(email))
    .map(({ key, email, person }) =>
      row(key, { EmailMessageId: email, RelationId: person, RelationType: SENDER }),
    );
  const completed = wanted.flatMap(({ key, email, person }) => {
    const relation = present.get(email);
    return relation === undefined || relation['RelationId']
      ? []
      : [row(key, { id: relation.Id, RelationId: person })];
  });
  const collections = [...collectionsOf(NEW, created), ...collectionsOf(BY_ID, completed)];
  const results = collections.length === 0 ? [] : await write(client, collections, call);
  return new Map(
    [...results].flatMap(([{ key }, one]) => ('fault' in one ? [[key, one.fault] as const] : [])),
  );
};
