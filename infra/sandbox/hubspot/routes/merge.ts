import type { SandboxAnswer } from '../../protocol/server.ts';
import { eraseContact, mergeRecords } from '../account/merge.ts';
import { objectType } from '../account/object-types.ts';
import { notFound, validationError } from '../errors.ts';
import { type Call, json, noContent, type Route, route } from './call.ts';
import { written } from './representation.ts';
import { gdprDeleteRequest, mergeRequest } from './requests.ts';

const merge = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const { primaryObjectId, objectIdToMerge } = call.body(mergeRequest);
  const primary = account.get(type, primaryObjectId);
  const other = account.get(type, objectIdToMerge);
  if (!primary || !other) throw notFound();
  if (primary.id === other.id) throw validationError('Cannot merge an object with itself');
  return json(200, written(account, type, mergeRecords(account, type, primary, other, call.source)));
};

const gdprDelete = (call: Call): SandboxAnswer => {
  const { account } = call;
  const { objectId, idProperty } = call.body(gdprDeleteRequest);
  const type = objectType('contacts');
  if (idProperty !== undefined && !account.properties.identifies(type, idProperty))
    throw validationError(`${idProperty} does not have unique values`);
  const record =
    idProperty === undefined ? account.get(type, objectId) : account.findUnique(type, idProperty, objectId);
  if (record) eraseContact(account, record, call.source);
  else if (idProperty !== 'email') throw notFound();
  return noContent;
};

/** Merging, and deletion for data protection. */
export const mergeRoutes: readonly Route[] = [
  route('write', 'POST', '/crm/v3/objects/:object/merge', merge),
  route('write', 'POST', '/crm/v3/objects/contacts/gdpr-delete', gdprDelete),
];
