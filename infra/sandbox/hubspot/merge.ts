import type { HeldRecord } from '../protocol/sandbox.ts';
import type { SandboxAnswer } from '../protocol/server.ts';
import { type Account, type Source, type Values, valuesOf } from './account.ts';
import { type Call, json, noContent, type Route, route } from './call.ts';
import { HubspotError, notFound, validationError } from './errors.ts';
import { type ObjectType, objectType } from './object-types.ts';
import { written } from './representation.ts';
import { gdprDeleteRequest, mergeRequest } from './requests.ts';
import { createRecord, takeOut } from './write.ts';

const MERGE_LIMIT = 250;

const list = (text: string | undefined): string[] => (text ?? '').split(';').filter(Boolean);

/** The primary record's values, and what only the other one has. Its e-mail addresses become second addresses. */
const mergedValues = (type: ObjectType, primary: HeldRecord, other: HeldRecord): Values => {
  const own = valuesOf(primary);
  const second = valuesOf(other);
  const ids = [
    primary.id,
    other.id,
    ...list(own['hs_merged_object_ids']),
    ...list(second['hs_merged_object_ids']),
  ];
  if (ids.length > MERGE_LIMIT)
    throw new HubspotError(414, `Cannot have more than ${MERGE_LIMIT} identities on a profile`);
  const email = own['email'] ?? second['email'];
  const addresses = [
    ...new Set([
      ...list(own['hs_additional_emails']),
      ...(second['email'] ? [second['email']] : []),
      ...list(second['hs_additional_emails']),
    ]),
  ].filter((address) => address !== email);
  const oldest = [own[type.createdProperty] ?? '', second[type.createdProperty] ?? ''].sort()[0] ?? '';
  return {
    ...second,
    ...own,
    ...(addresses.length > 0 && { hs_additional_emails: addresses.join(';') }),
    hs_merged_object_ids: ids.join(';'),
    [type.createdProperty]: oldest,
  };
};

/**
 * Merges two records into a new one with an id of its own; the ids of both lead to it from then on.
 * Reported as one merge, and as the changes of the values that the primary record did not have.
 */
export const mergeRecords = (
  account: Account,
  type: ObjectType,
  primary: HeldRecord,
  other: HeldRecord,
  source: Source,
): HeldRecord => {
  const values = mergedValues(type, primary, other);
  const before = valuesOf(primary);
  const moved = Object.keys(values).filter(
    (name) => before[name] === undefined && name !== 'hs_merged_object_ids',
  );
  for (const record of [primary, other]) takeOut(account, type, record);
  const pending = account.takeChanges();
  const merged = createRecord(account, type, values, {
    changeSource: 'MERGE_CONTACTS',
    sourceId: source.sourceId,
  });
  const made = account.takeChanges();
  for (const change of pending) account.changed(change);
  for (const record of [primary, other]) {
    account.store.put(`merged:${type.name}`, record.id, { into: merged.id });
    moveAssociations(account, type, record.id, merged.id);
    account.forget(type, record.id);
  }
  account.changed({
    kind: 'merge',
    type,
    objectId: merged.id,
    source,
    details: {
      primaryObjectId: Number(primary.id),
      mergedObjectIds: [Number(other.id)],
      newObjectId: Number(merged.id),
      numberOfPropertiesMoved: moved.length,
    },
  });
  for (const change of made)
    if (change.kind === 'propertyChange' && moved.includes(String(change.details['propertyName'])))
      account.changed(change);
  return merged;
};

const moveAssociations = (account: Account, type: ObjectType, from: string, to: string): void => {
  const old = { object: type.name, id: from };
  for (const { to: other, typeIds } of account.associations.all(old)) {
    const types = account.associations
      .types(type.name, other.object)
      .filter(({ typeId }) => typeIds.includes(typeId));
    account.associations.remove(old, other);
    account.associations.add({ object: type.name, id: to }, other, types);
  }
};

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

/** Removes a contact for good. Its second addresses go with it. */
export const eraseContact = (account: Account, record: HeldRecord, source: Source): void => {
  const type = objectType('contacts');
  takeOut(account, type, record);
  for (const { to } of account.associations.all({ object: type.name, id: record.id }))
    account.associations.remove({ object: type.name, id: record.id }, to);
  account.forget(type, record.id);
  account.changed({
    kind: 'privacyDeletion',
    type,
    objectId: record.id,
    source,
    details: { changeFlag: 'DELETED' },
  });
};

const gdprDelete = (call: Call): SandboxAnswer => {
  const { account } = call;
  const { objectId, idProperty } = call.body(gdprDeleteRequest);
  const type = objectType('contacts');
  const record =
    idProperty === 'email' ? account.findUnique(type, 'email', objectId) : account.get(type, objectId);
  if (record) eraseContact(account, record, call.source);
  else if (idProperty !== 'email') throw notFound();
  return noContent;
};

/** Merging, and deletion for data protection. */
export const mergeRoutes: readonly Route[] = [
  route('write', 'POST', '/crm/v3/objects/:object/merge', merge),
  route('write', 'POST', '/crm/v3/objects/contacts/gdpr-delete', gdprDelete),
];
