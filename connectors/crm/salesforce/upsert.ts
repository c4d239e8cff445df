// A collection is written by one external id, by Salesforce's own ids, or as new records. Keys stand in bodies, never in
// addresses, so that any character is safe in them.

import type { Call, CrmRecord, CrmResult } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Objects } from './describe.ts';
import { EMAIL, upsertEmails } from './emails.ts';
import { isOf } from './held.ts';
import type { Client } from './rest/session.ts';
import { idsByKey } from './rest/soql.ts';
import { type Collection, collectionsOf, faultFrom, NEW, type Outcome, type Row, write } from './writes.ts';

const BY_ID = { method: 'PATCH', path: '/composite/sobjects' } as const;

export const upsert = async (
  client: Client,
  objects: Objects,
  { object, keyField, records }: { object: string; keyField: string; records: readonly CrmRecord[] },
  call: Call,
): Promise<CrmResult[]> => {
  // Of two records with one key the later one is newer.
  const distinct = [...new Map(records.map((record) => [record.key, record])).values()];
  const unique = await withoutLeads(objects, object, distinct, call);
  const sorted = unique.filter(({ key }) => key !== '').sort(byParent);
  if (object === EMAIL) {
    const emails = await upsertEmails(client, { keyField, records: sorted }, call);
    return records.map(({ key }) => ({ key, ...(emails.get(key) ?? { fault: withoutKey(keyField) }) }));
  }
  const collections = await collectionsFor(client, objects, { object, keyField, records: sorted }, call);
  const outcomes = new Map(collections.length === 0 ? [] : await write(client, collections, call));
  const narrowed = await withoutCreateOnly(objects, { object, collections, outcomes }, call);
  const again = narrowed.length === 0 ? [] : await writeAgain(client, narrowed, call);
  const byKey = new Map([...outcomes, ...again].map(([{ key }, outcome]) => [key, outcome]));
  return records.map(({ key }) => ({ key, ...(byKey.get(key) ?? { fault: withoutKey(keyField) }) }));
};

/** A person whom Salesforce has as a lead only cannot be named by a field that takes contacts, such as that of a case. */
const withoutLeads = async (
  objects: Objects,
  object: string,
  records: readonly CrmRecord[],
  call: Call,
): Promise<readonly CrmRecord[]> => {
  const isLead = ([, id]: readonly [string, string]): boolean => isOf({ Id: id }, 'Lead');
  if (!records.some(({ links = {} }) => Object.entries(links).some(isLead))) return records;
  const { targets } = await objects.of(object, call);
  const isTaken = (link: readonly [string, string]): boolean =>
    !isLead(link) || targets.get(link[0])?.includes('Lead') !== false;
  return records.map((record) =>
    record.links === undefined
      ? record
      : { ...record, links: Object.fromEntries(Object.entries(record.links).filter(isTaken)) },
  );
};

/** Others were written before, so that a fault of the connection is one of the rows. */
const writeAgain = async (
  client: Client,
  collections: readonly Collection[],
  call: Call,
): Promise<Iterable<readonly [Row, Outcome]>> =>
  write(client, collections, call).catch((error: unknown) => {
    const fault = faultFrom(error);
    return collections.flatMap(({ rows }) => rows.map((row) => [row, { fault }] as const));
  });

/** Records of one account or contact are neighbours: a write locks the parent, and two requests would meet there. */
export const byParent = (one: CrmRecord, other: CrmRecord): number => compare(parentOf(one), parentOf(other));

const parentOf = ({ links = {}, fields }: CrmRecord): string =>
  String(links['AccountId'] ?? fields['AccountId'] ?? Object.values(links)[0] ?? '');

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

const collectionsFor = async (
  client: Client,
  objects: Objects,
  { object, keyField, records }: { object: string; keyField: string; records: readonly CrmRecord[] },
  call: Call,
): Promise<Collection[]> => {
  const row = (record: CrmRecord, id = record.id): Row => rowOf(object, keyField, record, id);
  const linked = records.filter(({ id }) => id !== undefined).map((record) => row(record));
  const others = records.filter(({ id }) => id === undefined);
  if (others.length === 0) return collectionsOf(BY_ID, linked);
  const field = (await objects.of(object, call)).fields.get(keyField);
  if (field === undefined) throw withoutField(object, keyField);
  if (field.isKey) {
    const path = `/composite/sobjects/${object}/${keyField}`;
    return [
      ...collectionsOf(BY_ID, linked),
      ...collectionsOf(
        { method: 'PATCH', path },
        others.map((record) => row(record)),
      ),
    ];
  }
  const keys = others.map(({ key }) => key);
  const found = await idsByKey(client, object, keyField, keys, call);
  const rows = others.map((record) => row(record, found.get(record.key)?.[0]));
  return [
    ...collectionsOf(BY_ID, [...linked, ...rows.filter(({ id }) => id !== undefined)]),
    ...collectionsOf(
      NEW,
      rows.filter(({ id }) => id === undefined),
    ),
  ];
};

const rowOf = (
  object: string,
  keyField: string,
  { key, fields, links = {} }: CrmRecord,
  id: string | undefined,
): Row => ({
  ...{ key, id, keyField, links: Object.keys(links) },
  body: {
    ...{ ...fields, ...links, [keyField]: key },
    ...(id !== undefined && { id }),
    attributes: { type: object },
  },
});

/**
 * Rows that were refused because they would change what only a new record takes, such as the subtype of a task: they exist,
 * and are written again without it.
 */
const withoutCreateOnly = async (
  objects: Objects,
  {
    object,
    collections,
    outcomes,
  }: {
    object: string;
    collections: readonly Collection[];
    outcomes: ReadonlyMap<Row, Outcome>;
  },
  call: Call,
): Promise<Collection[]> => {
  const isRefused = (row: Row): boolean => {
    const outcome = outcomes.get(row);
    return (
      outcome !== undefined &&
      'fault' in outcome &&
      outcome.fault.code === 'salesforce-invalid-field-for-insert-update'
    );
  };
  const refused = collections.map(({ target, rows }) => ({ target, rows: rows.filter(isRefused) }));
  if (refused.every(({ rows }) => rows.length === 0)) return [];
  const { createOnly } = await objects.of(object, call);
  return refused.flatMap(({ target, rows }) =>
    collectionsOf(
      target,
      rows.flatMap((row) => {
        const body = Object.fromEntries(Object.entries(row.body).filter(([name]) => !createOnly.has(name)));
        return Object.keys(body).length === Object.keys(row.body).length ? [] : [{ ...row, body }];
      }),
    ),
  );
};

const withoutField = (object: string, field: string): CrmFault =>
  new CrmFault(
    'salesforce-invalid-field',
    `Salesforce shows no field ${field} on ${object}. Create it (text of 64 characters, unique, external id) and let the integration user read and edit it.`,
    { scope: 'object', why: 'setup', field },
  );

const withoutKey = (field: string): CrmFault =>
  new CrmFault('salesforce-missing-argument', 'The record has no key, so it was not sent to Salesforce.', {
    ...{ scope: 'record', why: 'invalid', field },
  });
