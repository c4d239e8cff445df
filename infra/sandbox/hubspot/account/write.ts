import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import { HubspotError, InvalidProperties, type PropertyFault } from '../errors.ts';
import { type Account, type Source, type Values, valuesOf } from './account.ts';
import { calculatedNames, calculatedValues } from './calculated.ts';
import type { ObjectType } from './object-types.ts';
import { lifecycleStages } from './standard-properties.ts';
import { isEmail, readValue } from './values.ts';

/** The values as HubSpot keeps them; throws `InvalidProperties` with every fault. */
export const readValues = (account: Account, type: ObjectType, given: Fields): Values => {
  const faults: PropertyFault[] = [];
  const values: Record<string, string> = {};
  for (const [name, raw] of Object.entries(given)) {
    const property = account.properties.get(type, name);
    const read = property
      ? readValue(property, String(raw ?? ''))
      : {
          fault: { name, error: 'PROPERTY_DOESNT_EXIST', message: `Property "${name}" does not exist` },
        };
    if ('fault' in read) faults.push(read.fault);
    else values[name] = read.value;
  }
  if (faults.length > 0) throw new InvalidProperties(faults);
  return values;
};

/** What a new record must have. */
export const checkRequired = (type: ObjectType, values: Values): void => {
  const missing = type.required.filter((name) => !values[name]);
  const any = type.requiredAny.length > 0 && !type.requiredAny.some((name) => values[name]);
  const absent = any ? [...missing, ...type.requiredAny] : missing;
  if (absent.length === 0) return;
  throw new HubspotError(
    400,
    `Error creating ${type.singular.toUpperCase()}. Some required properties were not set.`,
    {
      category: 'VALIDATION_ERROR',
      context: { properties: absent },
      errors: absent.map((name) => ({
        message: `Required property ${name} was not set`,
        code: 'REQUIRED_FIELD',
        context: { propertyName: [name] },
      })),
    },
  );
};

/** Throws a conflict when another record has one of the values that only one may have. */
export const checkUnique = (account: Account, type: ObjectType, values: Values, ownId?: string): void => {
  for (const [property, value] of uniqueValues(account, type, values)) {
    const holder = account.findUnique(type, property, value);
    if (!holder || holder.id === ownId) continue;
    if (property === 'email') throw existing(type, holder.id);
    throw new HubspotError(
      400,
      `Property values were not valid: [{"isValid":false,"message":"${value} is already used by object ${holder.id}","error":"CONFLICTING_UNIQUE_VALUE","name":"${property}"}]`,
      { category: 'VALIDATION_ERROR', context: { existingId: [holder.id], propertyName: [property] } },
    );
  }
};

/** Pairs of property and value that only one record may have; second addresses count as addresses. */
export const uniqueValues = (account: Account, type: ObjectType, values: Values): [string, string][] =>
  Object.entries(values).flatMap(([name, value]): [string, string][] => {
    if (value === '') return [];
    if (type.name === 'contacts' && name === 'hs_additional_emails')
      return addresses(value).map((address) => ['email', address]);
    return account.properties.identifies(type, name) ? [[name, value]] : [];
  });

const existing = (type: ObjectType, id: string): HubspotError =>
  new HubspotError(
    409,
    `${type.singular.replace(/^./u, (letter) => letter.toUpperCase())} already exists. Existing ID: ${id}`,
    { category: 'CONFLICT', context: { existingId: [id] } },
  );

const addresses = (list = ''): string[] =>
  list
    .split(';')
    .map((address) => address.trim().toLowerCase())
    .filter(isEmail);

export const createRecord = (
  account: Account,
  type: ObjectType,
  values: Values,
  source: Source,
  at = account.now(),
): HeldRecord => {
  const id = account.nextId(type);
  const stage = type.name === 'contacts' && !values['lifecyclestage'] ? { lifecyclestage: 'lead' } : {};
  const made = {
    ...stage,
    hs_object_source: source.changeSource,
    hs_object_source_id: source.sourceId,
    hs_object_source_label: source.changeSource,
    [type.createdProperty]: new Date(at).toISOString(),
  };
  const record = putRecord(account, type, id, { ...made, ...values }, at);
  account.changed({ kind: 'creation', type, objectId: id, source, details: { changeFlag: 'NEW' } });
  reportValues(account, type, id, withoutEmpty(values), source);
  return record;
};

export const updateRecord = (
  account: Account,
  type: ObjectType,
  record: HeldRecord,
  values: Values,
  source: Source,
): HeldRecord => {
  const before = valuesOf(record);
  const changes = Object.fromEntries(
    Object.entries(forward(before, values, source))
      .map(([name, value]) => [name, appended(account, type, name, before[name], value)] as const)
      .filter(([name, value]) => value !== (before[name] ?? '')),
  );
  const after = putRecord(account, type, record.id, { ...before, ...changes });
  reportValues(account, type, record.id, changes, source);
  return after;
};

/** Of several options, those after a leading semicolon are added to the ones that are set. */
const appended = (
  account: Account,
  type: ObjectType,
  name: string,
  before: string | undefined,
  value: string,
): string => {
  if (!value.startsWith(';') || account.properties.get(type, name)?.fieldType !== 'checkbox') return value;
  return [...new Set(`${before ?? ''}${value}`.split(';').filter(Boolean))].join(';');
};

/** Over the API a lifecycle stage does not move back; such a value is dropped without a word. Staff can set any. */
const forward = (before: Values, values: Values, source: Source): Values => {
  const stage = values['lifecyclestage'];
  const rank = (value: string | undefined): number => lifecycleStages.indexOf(value ?? '');
  if (!stage || source.changeSource === 'CRM_UI' || rank(stage) >= rank(before['lifecyclestage']))
    return values;
  const { lifecyclestage: _, ...others } = values;
  return others;
};

const reportValues = (
  account: Account,
  type: ObjectType,
  objectId: string,
  values: Values,
  source: Source,
): void => {
  account.remember(type, objectId, values, source);
  for (const [propertyName, propertyValue] of Object.entries(values))
    account.changed({
      kind: 'propertyChange',
      type,
      objectId,
      source,
      details: { propertyName, propertyValue },
    });
};

const withoutEmpty = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));

/** Puts the record there with what HubSpot derives; reports nothing. */
export const putRecord = (
  account: Account,
  type: ObjectType,
  id: string,
  values: Values,
  at = account.now(),
): HeldRecord => {
  const own = Object.fromEntries(Object.entries(values).filter(([name]) => !calculatedNames.has(name)));
  const before = account.records.get(type.name, id);
  for (const address of addresses(String(before?.fields['hs_additional_emails'] ?? '')))
    account.store.remove('second-email', address);
  const record = account.records.put(
    type.name,
    id,
    withoutEmpty({
      ...own,
      ...calculatedValues(type, id, own),
      hs_object_id: id,
      [type.modifiedProperty]: new Date(at).toISOString(),
    }),
  );
  for (const address of addresses(own['hs_additional_emails']))
    account.store.put('second-email', address, { contact: id });
  return record;
};

/** Moves a record to the archive, from which staff can restore it. */
export const archiveRecord = (
  account: Account,
  type: ObjectType,
  record: HeldRecord,
  source: Source,
): void => {
  takeOut(account, type, record);
  account.store.put(`archived:${type.name}`, record.id, {
    ...record.fields,
    archivedAt: new Date(account.now()).toISOString(),
  });
  reportDeletion(account, type, record.id, source);
};

export const reportDeletion = (account: Account, type: ObjectType, objectId: string, source: Source): void =>
  account.changed({ kind: 'deletion', type, objectId, source, details: { changeFlag: 'DELETED' } });

export const restoreRecord = (
  account: Account,
  type: ObjectType,
  record: HeldRecord,
  source: Source,
): void => {
  const { archivedAt: _, ...values } = valuesOf(record);
  account.store.remove(`archived:${type.name}`, record.id);
  putRecord(account, type, record.id, values);
  account.changed({ kind: 'restore', type, objectId: record.id, source, details: {} });
};

/** Removes a record without a trace in the archive; reports nothing. */
export const takeOut = (account: Account, type: ObjectType, record: HeldRecord): void => {
  account.records.remove(type.name, record.id);
  for (const address of addresses(String(record.fields['hs_additional_emails'] ?? '')))
    account.store.remove('second-email', address);
};
