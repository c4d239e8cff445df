import type { Fields, Staff } from '../protocol/sandbox.ts';
import { merge, remove, undelete } from './data/bin.ts';
import type { Caller } from './data/change.ts';
import { insert, update } from './data/dml.ts';
import { fieldsOfJson } from './data/input.ts';
import type { Org } from './data/org.ts';
import { convertLead, createPersonAccount } from './data/people.ts';
import type { ObjectType } from './schema/fields.ts';
import { heldValue } from './soql/paths.ts';

export interface SalesforceStaff extends Staff {
  /** Takes a record out of the recycle bin. */
  undelete(object: string, where: Fields): void;
  /** Converts a lead: it becomes an account and a contact. */
  convert(where: Fields): void;
  /** Makes a person account, in an org that has these; `fields` as in a contact. Returns the id of its contact. */
  createPersonAccount(fields: Fields): string;
}

const typeOf = (org: Org, object: string): ObjectType => {
  const type = org.schema.object(object);
  if (type === undefined) throw new Error(`There is no object ${object}`);
  return type;
};

/** The id of the only record whose fields have these values. */
const only = (org: Org, type: ObjectType, where: Fields, deleted = false): string => {
  const found = org.all(type).filter(
    ({ fields }) =>
      (fields['IsDeleted'] === true) === deleted &&
      Object.entries(where).every(([name, value]) => {
        const field = org.schema.field(type, name);
        if (field === undefined) throw new Error(`${type.name} has no field ${name}`);
        return String(heldValue(field, fields) ?? '').toLowerCase() === String(value ?? '').toLowerCase();
      }),
  );
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new Error(`${found.length} records of ${type.name} are as described, not one`);
  return first.id;
};

/** Puts a record there and returns its id. Throws where Salesforce would refuse it. */
export const create = (org: Org, caller: Caller, object: string, fields: Fields): string => {
  const type = typeOf(org, object);
  return org.transaction(caller, (transaction) =>
    insert(transaction, type, fieldsOfJson(org, type, fields, '')),
  );
};

/** People at work in Salesforce's pages. */
export const staffOf = (org: Org, caller: Caller): SalesforceStaff => ({
  create: (object, fields) => create(org, caller, object, fields),
  update: (object, where, set) => {
    const type = typeOf(org, object);
    const id = only(org, type, where);
    org.transaction(caller, (transaction) => update(transaction, type, id, fieldsOfJson(org, type, set, '')));
  },
  delete: (object, where) => {
    const type = typeOf(org, object);
    const id = only(org, type, where);
    org.transaction(caller, (transaction) => remove(transaction, type, id));
  },
  undelete: (object, where) => {
    const type = typeOf(org, object);
    const id = only(org, type, where, true);
    org.transaction(caller, (transaction) => undelete(transaction, type, id));
  },
  convert: (where) => {
    const id = only(org, typeOf(org, 'Lead'), where);
    org.transaction(caller, (transaction) => convertLead(transaction, id));
  },
  createPersonAccount: (fields) =>
    org.transaction(caller, (transaction) => createPersonAccount(transaction, fields)),
  merge: (object, keep, other) => {
    const type = typeOf(org, object);
    const [winner, loser] = [only(org, type, keep), only(org, type, other)];
    org.transaction(caller, (transaction) => merge(transaction, type, winner, loser));
  },
});
