import type { PublicGdprDeleteInput } from '@hubspot/api-client/lib/codegen/crm/contacts/models/PublicGdprDeleteInput.js';
import type { BatchInputSimplePublicObjectId } from '@hubspot/api-client/lib/codegen/crm/objects/models/BatchInputSimplePublicObjectId.js';
import * as z from 'zod';
import type { Call, Removal } from '../../../core/crm/connector.ts';
import type { CrmFault } from '../../../core/crm/fault.ts';
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
  for (const batch of batchesOf(keys))
    removals.push(
      ...(await (object === CONTACTS
        ? purgeAll(api, keyField, batch, call)
        : archive(api, object, keyField, batch, call))),
    );
  return removals;
};

/** Deletes a contact permanently; false if HubSpot does not have it. */
const purge = async (api: Api, objectId: string, call: Call): Promise<boolean | CrmFault> => {
  const body: PublicGdprDeleteInput = { objectId };
  const path = `/crm/objects/${VERSION}/${CONTACTS}/gdpr-delete`;
  const reply = await api.ask({ method: 'POST', path, body, object: CONTACTS }, Nothing, call);
  if ('value' in reply) return true;
  const fault = faultOf(reply.refusal, CONTACTS, reply.status);
  if (fault.scope !== 'record') throw fault;
  return fault.why === 'gone' ? false : fault;
};

const purgeAll = async (
  api: Api,
  idProperty: string,
  keys: readonly string[],
  call: Call,
): Promise<Removal[]> => {
  const ids = await idsByKey(api, CONTACTS, idProperty, keys, call);
  const removals: Removal[] = [];
  for (const key of keys) {
    const id = ids.get(key);
    const purged = id === undefined ? false : await purge(api, id, call);
    removals.push(typeof purged === 'boolean' ? { key, found: purged } : { key, fault: purged });
  }
  return removals;
};

/** Archives records; those that HubSpot does not have are left out. */
const archive = async (
  api: Api,
  object: string,
  idProperty: string,
  keys: readonly string[],
  call: Call,
): Promise<Removal[]> => {
  const ids = await idsByKey(api, object, idProperty, keys, call);
  const found = keys.filter((key) => ids.has(key));
  if (found.length === 0) return keys.map((key) => ({ key, found: false }));
  const body: BatchInputSimplePublicObjectId = {
    inputs: [...new Set(found.map((key) => ids.get(key) ?? ''))].map((id) => ({ id })),
  };
  const path = `/crm/objects/${VERSION}/${encodeURIComponent(object)}/batch/archive`;
  await api.need({ method: 'POST', path, body, object }, Nothing, call);
  return keys.map((key) => ({ key, found: ids.has(key) }));
};

/**
 * HubSpot deletes by its own ids: of other properties it documents `email` alone for a permanent deletion, and a deletion
 * that found nobody because it misunderstood the key would leave a person there.
 */
const idsByKey = async (
  api: Api,
  object: string,
  idProperty: string,
  keys: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, string>> => {
  const values = [...new Set(keys)];
  const reply = await readBatch(api, object, { idProperty, values }, [idProperty], call);
  if ('refusal' in reply) throw ofObject(faultOf(reply.refusal, object, reply.status));
  return new Map(reply.value.map(({ id, properties }) => [String(properties[idProperty] ?? ''), id]));
};
