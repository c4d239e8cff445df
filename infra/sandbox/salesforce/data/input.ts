import type { Fields } from '../../protocol/sandbox.ts';
import type { Field, ObjectType } from '../schema/fields.ts';
import { SaveError } from './errors.ts';
import type { Org } from './org.ts';
import { fromCell, fromJson } from './values.ts';

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unknownField = (type: ObjectType, name: string): SaveError =>
  new SaveError('INVALID_FIELD', `No such column '${name}' on sobject of type ${type.name}`);

/** The lookup of which `name` is the relationship. */
const relationship = (type: ObjectType, name: string): Field | undefined =>
  type.fields.find(({ relationshipName }) => relationshipName?.toLowerCase() === name.toLowerCase());

/** The parent that an external id names: `{ "Account": { "Key__c": "42" } }`. */
const parentByKey = (org: Org, field: Field, key: Fields): string => {
  const [name = '', value] =
    Object.entries(key).find(([member]) => member !== 'attributes' && member !== 'type') ?? [];
  const parents = field.referenceTo.flatMap((target) => org.schema.object(target) ?? []);
  const parent = parents.find((type) => org.schema.field(type, name));
  const found = parent && org.findBy(parent, org.schema.field(parent, name)?.name ?? name, value);
  if (parent === undefined)
    throw new SaveError(
      'INVALID_FIELD',
      `No such column '${name}' on sobject of type ${field.referenceTo[0] ?? ''}`,
    );
  const [first] = found ?? [];
  if (first === undefined)
    throw new SaveError(
      'INVALID_FIELD',
      `Foreign key external ID: ${String(value)} not found for field ${name} in entity ${parent.name}`,
    );
  return first.id;
};

/** The fields of a JSON record by their right names. Unknown fields refuse the record, a wrong type the whole request. */
export const fieldsOfJson = (org: Org, type: ObjectType, input: Fields, body: string): Fields => {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    if (name === 'attributes' || name.toLowerCase() === 'id') continue;
    const lookup = isObject(value) ? relationship(type, name) : undefined;
    const field = org.schema.field(type, name);
    if (lookup && isObject(value)) fields[lookup.name] = parentByKey(org, lookup, value);
    else if (field) fields[field.name] = fromJson(field, value, body);
    else throw unknownField(type, name);
  }
  return fields;
};

/** Refuses a whole request in which a value has a wrong type; unknown fields are left for later. */
export const checkTypes = (org: Org, type: ObjectType, input: Fields, body: string): void => {
  for (const [name, value] of Object.entries(input)) {
    const field = org.schema.field(type, name);
    if (field) fromJson(field, value, body);
  }
};

/** How a column of CSV gives values to a field; undefined where there is no such field. `Account.Key__c` names a parent by external id. */
export const columnReader = (
  org: Org,
  type: ObjectType,
  column: string,
): ((cell: string) => readonly [string, unknown]) | undefined => {
  const [outer = '', inner] = column.split('.');
  const lookup = inner === undefined ? undefined : relationship(type, outer);
  if (lookup && inner !== undefined)
    return (cell) => [lookup.name, cell === '#N/A' ? null : parentByKey(org, lookup, { [inner]: cell })];
  const field = inner === undefined ? org.schema.field(type, outer) : undefined;
  return field && ((cell) => [field.name, cell === '#N/A' ? null : fromCell(field, cell)]);
};
