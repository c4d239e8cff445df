import type { BatchReadInputSimplePublicObjectId } from '@hubspot/api-client/lib/codegen/crm/objects/models/BatchReadInputSimplePublicObjectId.js';
import * as z from 'zod';
import type { Call, CrmSession, HeldRecord } from '../../../core/crm/connector.ts';
import { Instant } from '../../../core/interaction/interaction.ts';
import { associatedIds } from './associations.ts';
import { batchesOf, batchOf } from './batch.ts';
import { faultOf, ofObject } from './faults.ts';
import { type Api, type Reply, VERSION } from './request.ts';

const EMAIL = 'email';
const MORE_EMAILS = 'hs_additional_emails';
const PHONES = ['phone', 'mobilephone'] as const;
const SOURCE = 'hs_object_source';
/** The ids that a record of HubSpot had before it was merged. */
const MERGED = 'hs_merged_object_ids';

/** What the hub reads of every record beside the fields that are asked for. */
const always: readonly string[] = [EMAIL, MORE_EMAILS, ...PHONES, SOURCE, MERGED];

/**
 * The ways in which staff or an import make a record. All others hold what visitors typed (FORM, CONVERSATIONS, MEETINGS),
 * or what another program copied from somewhere (INTEGRATION, API).
 */
const byStaff: ReadonlySet<string> = new Set([
  ...['CRM_UI', 'CRM_UI_BULK_ACTION', 'CONTACTS_WEB', 'MOBILE_IOS', 'MOBILE_ANDROID', 'IMPORT'],
]);

export const Stored = z.looseObject({
  id: z.string(),
  properties: z.record(z.string(), z.unknown()).default({}),
  createdAt: Instant,
  updatedAt: Instant,
});
export type Stored = z.infer<typeof Stored>;
const Batch = batchOf(Stored);

const textIn = ({ properties }: Stored, name: string): string => {
  const value = properties[name];
  return typeof value === 'string' ? value : '';
};

/** The values of a property, which HubSpot separates with semicolons. */
const valuesOf = (stored: Stored, name: string): readonly string[] =>
  textIn(stored, name)
    .split(';')
    .map((value) => value.trim())
    .filter((value) => value !== '');

export const propertiesFor = (fields: readonly string[]): string[] => [...new Set([...fields, ...always])];

export const heldOf = (stored: Stored, fields: readonly string[]): HeldRecord => ({
  id: stored.id,
  fields: Object.fromEntries(fields.map((name) => [name, stored.properties[name] ?? null])),
  emails: [...new Set([...valuesOf(stored, EMAIL), ...valuesOf(stored, MORE_EMAILS)])],
  phones: PHONES.map((name) => textIn(stored, name)).filter((phone) => phone !== ''),
  byStaff: byStaff.has(textIn(stored, SOURCE)),
  createdAt: stored.createdAt,
  modifiedAt: stored.updatedAt,
});

/**
 * Reads up to a hundred records by HubSpot's ids, or by a property with unique values. Those that HubSpot does not have
 * are absent. A refusal of the whole request is returned.
 */
export const readBatch = async (
  api: Api,
  object: string,
  by: { readonly values: readonly string[]; readonly idProperty?: string },
  properties: readonly string[],
  call: Call,
): Promise<Reply<readonly Stored[]>> => {
  const body: BatchReadInputSimplePublicObjectId = {
    ...(by.idProperty !== undefined && { idProperty: by.idProperty }),
    inputs: by.values.map((id) => ({ id })),
    properties: [...properties],
    propertiesWithHistory: [],
  };
  const path = `/crm/objects/${VERSION}/${encodeURIComponent(object)}/batch/read`;
  const reply = await api.ask({ method: 'POST', path, body, object }, Batch, call);
  if ('refusal' in reply) {
    const isAbsent = reply.status === 404 && reply.refusal.category === 'OBJECT_NOT_FOUND';
    return isAbsent ? { value: [] } : reply;
  }
  const other = reply.value.errors.find(({ category }) => category !== 'OBJECT_NOT_FOUND');
  if (other !== undefined) throw ofObject(faultOf(other, object));
  return { value: reply.value.results };
};

/** The objects whose records belong to a contact. */
const TICKETS = 'tickets';

export const read = async (
  api: Api,
  object: string,
  ids: readonly string[],
  fields: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, HeldRecord>> => {
  const records = new Map<string, HeldRecord>();
  for (const batch of batchesOf([...new Set(ids)])) {
    const found = await byIds(api, object, batch, propertiesFor(fields), call);
    for (const [id, stored] of found) records.set(id, heldOf(stored, fields));
  }
  if (object !== TICKETS) return records;
  const contacts = await associatedIds(api, { from: object, to: 'contacts' }, [...records.keys()], call);
  for (const [id, record] of records) {
    const [contact] = contacts.get(id) ?? [];
    if (contact !== undefined) records.set(id, { ...record, contact });
  }
  return records;
};

/**
 * Records by the ids that were asked for. HubSpot answers for a merged record with the one into which it was merged, and
 * does not say for which of the ids: the record lists the ids that it had. Where it does not, each id is asked alone.
 */
const byIds = async (
  api: Api,
  object: string,
  ids: readonly string[],
  properties: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, Stored>> => {
  const reply = await readBatch(api, object, { values: ids }, properties, call);
  if ('refusal' in reply) throw ofObject(faultOf(reply.refusal, object, reply.status));
  const found = new Map<string, Stored>();
  for (const stored of reply.value)
    for (const id of [stored.id, ...valuesOf(stored, MERGED)]) if (ids.includes(id)) found.set(id, stored);
  const claimed = new Set([...found.values()]);
  const unclaimed = reply.value.filter((stored) => !claimed.has(stored));
  const absent = ids.filter((id) => !found.has(id));
  const [only] = unclaimed;
  const [asked] = absent;
  if (only === undefined || asked === undefined) return found;
  if (ids.length === 1) return new Map([[asked, only]]);
  for (const id of absent)
    for (const [own, stored] of await byIds(api, object, [id], properties, call)) found.set(own, stored);
  return found;
};

const PER_PAGE = 100;
const Page = z.looseObject({
  results: z.array(Stored).default([]),
  paging: z.looseObject({ next: z.looseObject({ after: z.string() }).optional() }).optional(),
});

/** HubSpot lists by its own ids, the oldest first; it has no listing of more than 10,000 records by time of change. */
export const list = async (
  api: Api,
  object: string,
  fields: readonly string[],
  cursor: string | undefined,
  call: Call,
): ReturnType<CrmSession['list']> => {
  const query = {
    limit: String(PER_PAGE),
    properties: propertiesFor(fields).join(','),
    archived: 'false',
    ...(cursor !== undefined && { after: cursor }),
  };
  const path = `/crm/objects/${VERSION}/${encodeURIComponent(object)}`;
  const page = await api.need({ method: 'GET', path, query, object }, Page, call);
  const next = page.paging?.next?.after;
  return {
    records: page.results.map((stored) => heldOf(stored, fields)),
    ...(next !== undefined && { next }),
  };
};
