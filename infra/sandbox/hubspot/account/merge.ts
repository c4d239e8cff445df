import type { HeldRecord } from '../../protocol/sandbox.ts';
import { HubspotError } from '../errors.ts';
import { type Account, type Source, type Values, valuesOf } from './account.ts';
import { type ObjectType, objectType } from './object-types.ts';
import { putRecord, reportDeletion, takeOut } from './write.ts';

const MERGE_LIMIT = 250;

const list = (text: string | undefined): string[] => (text ?? '').split(';').filter(Boolean);

/** The primary record's values, and what only the other one has. Its e-mail addresses become second addresses. */
const mergedValues = (
  { keepsPrimaryId }: Account,
  type: ObjectType,
  primary: HeldRecord,
  other: HeldRecord,
): Values => {
  const own = valuesOf(primary);
  const second = valuesOf(other);
  const ids = [
    ...(keepsPrimaryId ? [] : [primary.id]),
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
 * Merges two records into a new one, as a rule with an id of its own; the ids of both lead to it from then on. Reported as a merge
 * and as the deletion of the other record; the values that moved are not reported.
 */
export const mergeRecords = (
  account: Account,
  type: ObjectType,
  primary: HeldRecord,
  other: HeldRecord,
  source: Source,
): HeldRecord => {
  const values = mergedValues(account, type, primary, other);
  const before = valuesOf(primary);
  const moved = Object.entries(values).filter(([name, value]) => before[name] !== value);
  for (const record of [primary, other]) takeOut(account, type, record);
  const id = account.keepsPrimaryId ? primary.id : account.nextId(type);
  const merged = putRecord(account, type, id, values);
  for (const record of [primary, other]) {
    if (record.id === id) continue;
    account.store.put(`merged:${type.name}`, record.id, { into: merged.id });
    moveAssociations(account, type, record.id, merged.id);
    account.forget(type, record.id);
  }
  account.remember(type, merged.id, Object.fromEntries(moved), { ...source, changeSource: 'MERGE_CONTACTS' });
  account.changed({
    kind: 'merge',
    type,
    objectId: primary.id,
    source,
    details: {
      primaryObjectId: Number(primary.id),
      mergedObjectIds: [Number(other.id)],
      newObjectId: Number(merged.id),
      numberOfPropertiesMoved: moved.length,
    },
  });
  reportDeletion(account, type, other.id, source);
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
