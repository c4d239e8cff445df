// What becomes of people in Salesforce's pages: leads are converted, and persons are accounts of their own.
import type { Fields } from '../../protocol/sandbox.ts';
import type { ObjectType } from '../schema/fields.ts';
import { childrenOf } from './bin.ts';
import { insert, personNames, point, present } from './dml.ts';
import type { Org, Transaction } from './org.ts';

const typeOf = (org: Org, name: string): ObjectType => {
  const type = org.schema.object(name);
  if (type === undefined) throw new Error(`There is no object ${name}`);
  return type;
};

const given = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(names.flatMap((name) => (fields[name] ? [[name, fields[name]] as const] : [])));

/** Makes an account and a contact of a lead, which keeps their ids; its activities become those of the contact. */
export const convertLead = (transaction: Transaction, id: string): void => {
  const { org, caller } = transaction;
  const lead = typeOf(org, 'Lead');
  const { fields } = present(org, lead, id);
  const account = insert(transaction, typeOf(org, 'Account'), { Name: fields['Company'] });
  const ofPerson = ['FirstName', 'LastName', 'Email', 'Phone', 'MobilePhone', 'Title', 'LeadSource'];
  const contact = insert(transaction, typeOf(org, 'Contact'), {
    ...given(fields, ofPerson),
    AccountId: account,
  });
  for (const { object, field, id: child } of childrenOf(org, lead, id))
    if (field.name === 'WhoId') point(transaction, object, child, { WhoId: contact });
  point(transaction, lead, id, {
    ...{ IsConverted: true, Status: 'Closed - Converted', ConvertedDate: org.timestamp(caller).slice(0, 10) },
    ...{ ConvertedContactId: contact, ConvertedAccountId: account },
  });
};

/** Makes a person account with its contact; `fields` by the names that they have in the contact. Returns the contact's id. */
export const createPersonAccount = (transaction: Transaction, fields: Fields): string => {
  const { org } = transaction;
  const [accounts, contacts] = [typeOf(org, 'Account'), typeOf(org, 'Contact')];
  const Name = [fields['FirstName'], fields['LastName']].filter(Boolean).join(' ');
  const account = insert(transaction, accounts, { Name });
  const contact = insert(transaction, contacts, { ...fields, AccountId: account });
  const mirrored = Object.entries(fields).flatMap(([name, value]) => {
    const there = personNames[name];
    return there === undefined ? [] : [[there, value] as const];
  });
  const person = { IsPersonAccount: true };
  point(transaction, accounts, account, {
    ...Object.fromEntries(mirrored),
    ...person,
    PersonContactId: contact,
  });
  point(transaction, contacts, contact, person);
  return contact;
};
