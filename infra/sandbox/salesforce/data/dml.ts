import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import type { Field, ObjectType } from '../schema/fields.ts';
import { checkDuplicates } from './duplicates.ts';
import { afterEmail } from './emails.ts';
import { SaveError } from './errors.ts';
import { normalId } from './ids.ts';
import type { Org, Transaction } from './org.ts';
import { checkValue } from './values.ts';

const empty = (value: unknown): boolean => value === null || value === undefined;

const refuseReadOnly = (type: ObjectType, values: Fields, writable: (field: Field) => boolean): void => {
  const names = type.fields
    .filter((field) => field.name in values && !writable(field))
    .map(({ name }) => name);
  if (names.length === 0) return;
  throw new SaveError(
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    `Unable to create/update fields: ${names.join(', ')}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
    names,
  );
};

const refuseMissing = (type: ObjectType, isMissing: (field: Field) => boolean): void => {
  const names = type.fields
    .filter((field) => field.createable && !field.nillable && field.type !== 'boolean' && isMissing(field))
    .map(({ name }) => name);
  if (names.length > 0)
    throw new SaveError(
      'REQUIRED_FIELD_MISSING',
      `Required fields are missing: [${names.join(', ')}]`,
      names,
    );
};

const refuseConverted = ({ fields }: HeldRecord): void => {
  if (fields['IsConverted'] === true)
    throw new SaveError('CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead');
};

/** The id of the parent in 18 characters. */
const parentOf = (org: Org, field: Field, value: string): string => {
  const wrong = `${field.label}: id value of incorrect type: ${value}`;
  const id = normalId(value);
  if (id === undefined) throw new SaveError('MALFORMED_ID', wrong, [field.name]);
  const type = org.schema.objectOfId(id);
  if (type === undefined || !field.referenceTo.includes(type.name))
    throw new SaveError('FIELD_INTEGRITY_EXCEPTION', wrong, [field.name]);
  const parent = org.held(type, id);
  if (parent === undefined)
    throw new SaveError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', [field.name]);
  if (parent.fields['IsDeleted'] === true)
    throw new SaveError('ENTITY_IS_DELETED', 'entity is deleted', [field.name]);
  refuseConverted(parent);
  return id;
};

const refuseTaken = (
  org: Org,
  type: ObjectType,
  field: Field,
  value: unknown,
  self: string | undefined,
): void => {
  const other = org
    .findBy(type, field.name, value)
    .find(({ id, fields }) => id !== self && (!field.caseSensitive || fields[field.name] === value));
  if (other)
    throw new SaveError(
      'DUPLICATE_VALUE',
      `duplicate value found: ${field.name} duplicates value on record with id: ${other.id}`,
    );
};

/** The values as they will be held, all of them allowed. */
const checked = (org: Org, type: ObjectType, values: Fields, self: string | undefined): Fields =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const field = org.schema.field(type, name);
      if (field === undefined || empty(value))
        return [name, field?.type === 'boolean' ? field.default : null];
      checkValue(field, value);
      if (field.unique) refuseTaken(org, type, field, value, self);
      return [name, field.type === 'reference' ? parentOf(org, field, String(value)) : value];
    }),
  );

export const refuseLocked = ({ caller }: Transaction, type: ObjectType, id: string | undefined): void => {
  if (caller.locked(type.name))
    throw new SaveError(
      'UNABLE_TO_LOCK_ROW',
      `unable to obtain exclusive access to this record or 1 records: ${id ?? idOfAny(type)}`,
    );
};
const idOfAny = (type: ObjectType): string => `${type.keyPrefix}000000000000AAA`;

const presets = ({ org, caller }: Transaction, type: ObjectType): Fields => {
  const { user } = caller;
  const time = org.timestamp(caller);
  const values: Record<string, unknown> = {
    IsDeleted: false,
    CreatedDate: time,
    LastModifiedDate: time,
    SystemModstamp: time,
    CreatedById: user,
    LastModifiedById: user,
  };
  for (const field of type.fields) {
    if (field.derive) continue;
    if (field.name === 'OwnerId') values[field.name] = user;
    else if (field.autoNumber !== undefined)
      values[field.name] = autoNumber(field.autoNumber, org.all(type).length + 1);
    else if (field.default !== undefined) values[field.name] ??= field.default;
  }
  return values;
};

const autoNumber = (format: string, number: number): string =>
  format.replace(/\{(0+)\}/u, (_, zeros: string) => String(number).padStart(zeros.length, '0'));

/** Makes a record from values under the right names; returns its id. Throws `SaveError`. */
export const insert = (transaction: Transaction, type: ObjectType, values: Fields): string => {
  const { org } = transaction;
  refuseReadOnly(type, values, ({ createable }) => createable);
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => !empty(value)));
  refuseMissing(type, (field) => !field.defaultedOnCreate && !(field.name in given));
  const fields = { ...presets(transaction, type), ...checked(org, type, given, undefined) };
  refuseLocked(transaction, type, undefined);
  checkDuplicates(transaction, type, undefined, fields);
  const id = org.newId(type.keyPrefix);
  transaction.write({ kind: 'CREATE', type, id, before: {}, after: { Id: id, ...fields } });
  if (type.name === 'EmailMessage') {
    const set = afterEmail(transaction, id, given, (one, name, more) => {
      const other = org.schema.object(name);
      return other === undefined ? '' : insert(one, other, more);
    });
    point(transaction, type, id, set);
  }
  return id;
};

/** The record that is to be changed. Throws `SaveError`. */
export const present = (org: Org, type: ObjectType, id: string): HeldRecord => {
  const record = org.held(type, id);
  if (record === undefined) throw new SaveError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id');
  if (record.fields['IsDeleted'] === true) throw new SaveError('ENTITY_IS_DELETED', 'entity is deleted');
  return record;
};

/** Changes a record. Throws `SaveError`. */
export const update = (transaction: Transaction, type: ObjectType, id: string, values: Fields): void => {
  const { org, caller } = transaction;
  const record = present(org, type, id);
  const before = record.fields;
  refuseConverted(record);
  const isPerson = type.name === 'Contact' && before['IsPersonAccount'] === true;
  if (isPerson && 'AccountId' in values)
    throw new SaveError(
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      'Account: bad field names on insert/update call: AccountId',
      ['AccountId'],
    );
  refuseReadOnly(type, values, ({ updateable }) => updateable);
  refuseMissing(type, ({ name }) => name in values && empty(values[name]));
  const set = checked(org, type, values, id);
  refuseLocked(transaction, type, id);
  const time = org.timestamp(caller);
  const after = {
    ...before,
    ...set,
    LastModifiedDate: time,
    SystemModstamp: time,
    LastModifiedById: caller.user,
  };
  if (
    org.duplicateRules.some(({ match }) =>
      match.flat().some((name) => name in set && set[name] !== before[name]),
    )
  )
    checkDuplicates(transaction, type, id, after);
  transaction.write({ kind: 'UPDATE', type, id, before, after });
  if (isPerson) mirrorPerson(transaction, String(before['AccountId']), set);
};

export const stamped = ({ org, caller }: Transaction): Fields => {
  const time = org.timestamp(caller);
  return { LastModifiedDate: time, SystemModstamp: time, LastModifiedById: caller.user };
};

/** Sets fields that nobody may write over the API. */
export const point = (transaction: Transaction, type: ObjectType, id: string, set: Fields): void => {
  const before = present(transaction.org, type, id).fields;
  transaction.write({
    kind: 'UPDATE',
    type,
    id,
    before,
    after: { ...before, ...set, ...stamped(transaction) },
  });
};

/** The names that the fields of a contact have in its person account. */
export const personNames: Readonly<Record<string, string>> = {
  ...{ FirstName: 'FirstName', LastName: 'LastName', Phone: 'Phone', Email: 'PersonEmail' },
  ...{ MobilePhone: 'PersonMobilePhone', HomePhone: 'PersonHomePhone', Title: 'PersonTitle' },
};

const mirrorPerson = (transaction: Transaction, account: string, set: Fields): void => {
  const type = transaction.org.schema.object('Account');
  const mirrored = Object.entries(set).flatMap(([name, value]) => {
    const there = personNames[name];
    return there === undefined ? [] : [[there, value] as const];
  });
  if (type) point(transaction, type, account, Object.fromEntries(mirrored));
};
