// https://developers.hubspot.com/docs/api-reference/crm-objects-v3/guide
// A refusal of a whole batch (400, 409) is one record's fault: the batch is halved until that record is alone. 207
// resolves as success, so every result is matched by its own trace id.

import { Client } from '@hubspot/api-client/lib/src/client.js';
import * as z from 'zod';
import type { CrmConnector, CrmRecord, CrmResult, CrmSession, Removal } from '../../../core/crm/connector.ts';
import { HubError } from '../../../core/errors.ts';
import {
  type Answered,
  archiveBatch,
  deleteContact,
  readBatch,
  type UpsertInput,
  upsertBatch,
} from './request.ts';

const PER_BATCH = 100;
/** The one object that can be deleted permanently, record by record; everything that belongs to a contact goes with it. */
const CONTACTS = 'contacts';
/** Association types from an activity to its contact. */
const toContact: Readonly<Record<string, number>> = {
  communications: 81,
  calls: 194,
  emails: 198,
  notes: 202,
  tasks: 204,
};

const Credentials = z.object({ accessToken: z.string().min(1), baseUrl: z.url().optional() });

export const hubspot: CrmConnector = {
  id: 'hubspot',
  title: 'HubSpot',
  // A private app has 100 calls in ten seconds; ten are left to other users of its token.
  budget: { calls: 90, seconds: 10 },
  perCall: PER_BATCH,
  callsToRemove: (object, records) => (object === CONTACTS ? records : 2 * Math.ceil(records / PER_BATCH)),
  keeps: [
    'Deleted calls, e-mails, notes and messages stay in the recycle bin for 90 days, unless they were deleted with their contact, which is deleted permanently; HubSpot completes that within 30 days.',
  ],
  async open(raw) {
    const { accessToken, baseUrl } = Credentials.parse(raw);
    const client = new Client({
      accessToken,
      ...(baseUrl !== undefined && { basePath: baseUrl }),
      numberOfApiCallRetries: 0,
    });
    return session(client);
  },
};

const session = (client: Client): CrmSession => ({
  async upsert(object, keyField, records) {
    const results: CrmResult[] = [];
    for (let start = 0; start < records.length; start += PER_BATCH)
      results.push(...(await upsert(client, object, keyField, records.slice(start, start + PER_BATCH))));
    return results;
  },
  async remove(object, keyField, keys) {
    const removals: Removal[] = [];
    if (object === CONTACTS) for (const key of keys) removals.push(await purge(client, keyField, key));
    else
      for (let start = 0; start < keys.length; start += PER_BATCH)
        removals.push(...(await archive(client, object, keyField, keys.slice(start, start + PER_BATCH))));
    return removals;
  },
});

const upsert = async (
  client: Client,
  object: string,
  keyField: string,
  records: readonly CrmRecord[],
): Promise<CrmResult[]> => {
  const inputs = records.map((record) => inputOf(object, keyField, record));
  const answered = await upsertBatch(client, object, inputs);
  if (answered.status < 400) return resultsOf(records, answered);
  if (records.length > 1) {
    const middle = Math.ceil(records.length / 2);
    return [
      ...(await upsert(client, object, keyField, records.slice(0, middle))),
      ...(await upsert(client, object, keyField, records.slice(middle))),
    ];
  }
  return records.map(({ key }) => ({ key, error: refusalOf(answered), taken: answered.status === 409 }));
};

const inputOf = (object: string, keyField: string, { key, fields, contact }: CrmRecord): UpsertInput => {
  // HubSpot clears a property whose value is an empty text.
  const properties = Object.entries(fields).map(([name, value]) => [name, value ?? '']);
  const associationTypeId = toContact[object];
  if (contact !== undefined && associationTypeId === undefined)
    throw new HubError(
      'hubspot-no-association',
      `The hub knows no association from ${object} to a contact. Choose one of ${Object.keys(toContact).join(', ')} in mappings/crm/hubspot.yaml.`,
      { retry: 'never' },
    );
  return {
    idProperty: keyField,
    id: key,
    objectWriteTraceId: key,
    properties: { ...Object.fromEntries(properties), [keyField]: key },
    ...(contact !== undefined &&
      associationTypeId !== undefined && {
        associations: [
          { to: { id: contact }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId }] },
        ],
      }),
  };
};

/** The results of a batch that was accepted, each found by its trace id. */
const resultsOf = (records: readonly CrmRecord[], { answer }: Answered): CrmResult[] => {
  const ids = new Map(answer.results.map(({ id, objectWriteTraceId }) => [objectWriteTraceId, id]));
  const faults = new Map(
    answer.errors.flatMap((one) =>
      [one.objectWriteTraceId ?? '', ...(one.context?.objectWriteTraceId ?? [])].map(
        (trace) => [trace, one] as const,
      ),
    ),
  );
  return records.map(({ key }): CrmResult => {
    const id = ids.get(key);
    if (id !== undefined) return { key, id };
    const one = faults.get(key);
    return {
      key,
      error: fault(one?.category ?? 'UNKNOWN', one?.message ?? 'the answer does not mention the record.'),
      taken: one?.category === 'CONFLICT',
    };
  });
};

/** Deletes a contact permanently, found by a unique property. */
const purge = async (client: Client, idProperty: string, key: string): Promise<Removal> => {
  const answered = await deleteContact(client, { objectId: key, idProperty });
  if (answered.status === 404) return { key, found: false };
  return answered.status < 300 ? { key, found: true } : { key, error: refusalOf(answered) };
};

/** Archives records. HubSpot archives by its own ids, which are read first; records that it does not have are left out. */
const archive = async (
  client: Client,
  object: string,
  idProperty: string,
  keys: readonly string[],
): Promise<Removal[]> => {
  const inputs = keys.map((id) => ({ id }));
  const read = await readBatch(client, object, { idProperty, properties: [idProperty], inputs });
  const isRead =
    read.status < 300 && read.answer.errors.every(({ category }) => category === 'OBJECT_NOT_FOUND');
  if (!isRead && read.status !== 404) return keys.map((key) => ({ key, error: refusalOf(read) }));
  const ids = new Map(
    read.answer.results.flatMap(({ id, properties }) => {
      const key = properties?.[idProperty];
      return typeof key === 'string' ? [[key, id] as const] : [];
    }),
  );
  if (ids.size === 0) return keys.map((key) => ({ key, found: false }));
  const archived = await archiveBatch(client, object, { inputs: [...ids.values()].map((id) => ({ id })) });
  return keys.map((key): Removal => {
    if (!ids.has(key)) return { key, found: false };
    return archived.status < 300 ? { key, found: true } : { key, error: refusalOf(archived) };
  });
};

const refusalOf = ({ status, answer }: Answered): HubError =>
  fault(answer.category ?? String(status), answer.message ?? '');

const fault = (category: string, message: string): HubError =>
  new HubError(
    `hubspot-${category.toLowerCase().replaceAll('_', '-')}`,
    `HubSpot refused a record with ${category}: ${message.slice(0, 300)} Correct the cause in HubSpot or in mappings/crm/hubspot.yaml, then replay.`,
    { retry: 'never' },
  );
