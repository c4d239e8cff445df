import type { PublicGdprDeleteInput } from '@hubspot/api-client/lib/codegen/crm/contacts/models/PublicGdprDeleteInput.js';
import type { BatchInputSimplePublicObjectId } from '@hubspot/api-client/lib/codegen/crm/objects/models/BatchInputSimplePublicObjectId.js';
import * as z from 'zod';
import type { Call, Removal } from '../../../core/crm/connector.ts';
import { batchesOf } from './batch.ts';
import { faultOf, ofObject } from './faults.ts';
import { readBatch } from './read.ts';
import { type Api, VERSION } from './request.ts';

/** The one object that can be deleted permanently, record by record; everything that belongs to a contact goes with it. */
const CONTACTS = 'contacts';
const Nothing = z.unknown();

export const remove = async (
  api: Api,
  object: string,
  keyField: string,
  keys: readonly string[],
  call: Call,
): Promise<Removal[]> => {
  const removals: Removal[] = [];
  if (object === CONTACTS) for (const key of keys) removals.push(await purge(api, keyField, key, call));
  else
    for (const batch of batchesOf(keys))
      removals.push(...(await archive(api, object, keyField, batch, call)));
  return removals;
};

/** Deletes a contact permanently, found by a unique property. */
const purge = async (api: Api, idProperty: string, key: string, call: Call): Promise<Removal> => {
  const body: PublicGdprDeleteInput = { objectId: key, idProperty };
  const path = `/crm/objects/${VERSION}/${CONTACTS}/gdpr-delete`;
  const reply = await api.ask({ method: 'POST', path, body, object: CONTACTS }, Nothing, call);
  if ('value' in reply) return { key, found: true };
  const fault = faultOf(reply.refusal, CONTACTS, reply.status);
  if (fault.scope !== 'record') throw fault;
  return fault.why === 'gone' ? { key, found: false } : { key, fault };
};

/** Archives records. HubSpot archives by its own ids, which are read first; records that it does not have are left out. */
const archive = async (
  api: Api,
  object: string,
  idProperty: string,
  keys: readonly string[],
  call: Call,
): Promise<Removal[]> => {
  const reply = await readBatch(api, object, { idProperty, values: keys }, [idProperty], call);
  if ('refusal' in reply) throw ofObject(faultOf(reply.refusal, object, reply.status));
  const ids = new Map(reply.value.map(({ id, properties }) => [String(properties[idProperty] ?? ''), id]));
  const found = keys.filter((key) => ids.has(key));
  if (found.length === 0) return keys.map((key) => ({ key, found: false }));
  const body: BatchInputSimplePublicObjectId = {
    inputs: [...new Set(found.map((key) => ids.get(key) ?? ''))].map((id) => ({ id })),
  };
  const path = `/crm/objects/${VERSION}/${encodeURIComponent(object)}/batch/archive`;
  await api.need({ method: 'POST', path, body, object }, Nothing, call);
  return keys.map((key) => ({ key, found: ids.has(key) }));
};
