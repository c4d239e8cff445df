import type { Fields, HeldRecord, Staff } from '../protocol/sandbox.ts';
import { type Account, type Source, type Values, valuesOf, type Write } from './account/account.ts';
import { eraseContact, mergeRecords } from './account/merge.ts';
import { type ObjectType, objectType } from './account/object-types.ts';
import {
  archiveRecord,
  checkUnique,
  createRecord,
  readValues,
  restoreRecord,
  updateRecord,
} from './account/write.ts';
import { HubspotError } from './errors.ts';

export interface HubspotStaff extends Staff {
  /** Brings a deleted record back. */
  restore(object: string, id: string): void;
  /** Makes records from the rows of a file. Returns their ids. */
  import(object: string, rows: readonly Fields[]): readonly string[];
  /** Deletes a contact for good, as a person may demand. */
  erase(where: Fields): void;
}

const STAFF: Source = { changeSource: 'CRM_UI', sourceId: 'userId:50261' };
const IMPORT: Source = { changeSource: 'IMPORT', sourceId: '40117' };
const LONG_AGO = 365 * 86_400_000;

const sameText = (one: unknown, other: unknown): boolean =>
  String(one ?? '').toLowerCase() === String(other ?? '').toLowerCase();

/** The one record with these values. `id` may stand among them. */
const theOne = (account: Account, type: ObjectType, where: Fields): HeldRecord => {
  const matching = account.records
    .list(type.name)
    .filter((record) =>
      Object.entries(where).every(([name, value]) =>
        sameText(name === 'id' ? record.id : record.fields[name], value),
      ),
    );
  const [record] = matching;
  if (record && matching.length === 1) return record;
  throw new Error(
    `${matching.length} ${type.name} have the fields ${Object.keys(where).join(', ')} as described`,
  );
};

const create = (account: Account, object: string, fields: Fields, source: Source): string => {
  const type = objectType(object);
  const values = readValues(account, type, fields);
  checkUnique(account, type, values);
  return createRecord(account, type, values, source).id;
};

/** Staff are refused by the same rules as the API; a test learns of it from an `Error`. */
export const staffOf = (account: Account, act: Write): HubspotStaff => {
  return {
    create: (object, fields) => act(() => create(account, object, fields, STAFF)),
    import: (object, rows) => act(() => rows.map((fields) => create(account, object, fields, IMPORT))),
    update: (object, where, set) =>
      act(() => {
        const type = objectType(object);
        const record = theOne(account, type, where);
        const values = readValues(account, type, set);
        checkUnique(account, type, values, record.id);
        updateRecord(account, type, record, values, STAFF);
      }),
    delete: (object, where) =>
      act(() =>
        archiveRecord(account, objectType(object), theOne(account, objectType(object), where), STAFF),
      ),
    merge: (object, keep, other) =>
      act(() => {
        const type = objectType(object);
        const primary = theOne(account, type, keep);
        const second = theOne(account, type, other);
        if (primary.id === second.id) throw new Error(`Both descriptions fit the same of the ${type.name}`);
        mergeRecords(account, type, primary, second, STAFF);
      }),
    restore: (object, id) =>
      act(() => {
        const type = objectType(object);
        const record = account.archived(type, id);
        if (!record) throw new Error(`No deleted record of ${type.name} has the id ${id}`);
        restoreRecord(account, type, record, STAFF);
      }),
    erase: (where) => act(() => eraseContact(account, theOne(account, objectType('contacts'), where), STAFF)),
  };
};

/** A record that has been there for a year; read-only properties may be given. Returns its id. */
export const seedRecord = (account: Account, object: string, fields: Fields): string => {
  const type = objectType(object);
  const readOnly: Record<string, string> = {};
  const others: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (account.properties.get(type, name)?.readOnly) readOnly[name] = String(value);
    else others[name] = value;
  }
  const values: Values = { ...readOnly, ...readValues(account, type, others) };
  checkUnique(account, type, values);
  const record = createRecord(account, type, values, STAFF, account.now() - LONG_AGO);
  account.takeChanges();
  return record.id;
};

/** The values of a record as a test reads them. */
export const heldRecord = (record: HeldRecord): HeldRecord => ({ id: record.id, fields: valuesOf(record) });

/** What HubSpot refuses, as text for people. */
export const reasonOf = (error: unknown): string =>
  error instanceof HubspotError || error instanceof Error ? error.message : String(error);
