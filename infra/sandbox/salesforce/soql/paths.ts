import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import type { Org } from '../data/org.ts';
import type { Field, ObjectType } from '../schema/fields.ts';
import type { Path } from './query.ts';
import { queryError } from './tokens.ts';

/** A path of which every name is known. */
export interface Resolved {
  /** The lookups on the way, the nearest first. */
  readonly lookups: readonly Field[];
  readonly field: Field;
}

const noColumn = (text: string, path: Path, name: string, type: ObjectType): Error =>
  queryError(
    'INVALID_FIELD',
    text,
    path.at,
    `No such column '${name}' on entity '${type.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`,
  );

/** The right names of a path. `text` is the query, for the error. Throws the `ApiError` INVALID_FIELD. */
export const resolve = (org: Org, type: ObjectType, path: Path, text: string): Resolved => {
  const parents = path.names.slice(0, -1);
  const last = path.names.at(-1) ?? '';
  const lookups: Field[] = [];
  let types: readonly ObjectType[] = [type];
  for (const [index, name] of parents.entries()) {
    // The name of the object itself may stand in front.
    if (index === 0 && name.toLowerCase() === type.name.toLowerCase() && !lookupOf(types, name)) continue;
    const lookup = lookupOf(types, name);
    if (lookup === undefined)
      throw queryError(
        'INVALID_FIELD',
        text,
        path.at,
        `Didn't understand relationship '${name}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`,
      );
    lookups.push(lookup);
    types = lookup.referenceTo.flatMap((target) => org.schema.object(target) ?? []);
  }
  const field = types
    .map((candidate) => org.schema.field(candidate, last))
    .find((found) => found !== undefined);
  if (field === undefined) throw noColumn(text, path, last, types[0] ?? type);
  return { lookups, field };
};

const lookupOf = (types: readonly ObjectType[], name: string): Field | undefined =>
  types
    .flatMap(({ fields }) => fields)
    .find(({ relationshipName }) => relationshipName?.toLowerCase() === name.toLowerCase());

export const heldValue = (field: Field, fields: Fields): unknown =>
  (field.derive ? field.derive(fields) : fields[field.name]) ?? null;

/** The record to which a lookup points, also a deleted one. */
export const parentOf = (
  org: Org,
  lookup: Field,
  fields: Fields,
): { readonly type: ObjectType; readonly record: HeldRecord } | undefined => {
  const id = fields[lookup.name];
  const type = typeof id === 'string' ? org.schema.objectOfId(id) : undefined;
  const record = type && org.held(type, String(id));
  return type && record && { type, record };
};

/** What stands at the end of a path; null where a parent is missing. */
export const follow = (org: Org, { lookups, field }: Resolved, fields: Fields): unknown => {
  let here: Fields | undefined = fields;
  let type: ObjectType | undefined;
  for (const lookup of lookups) {
    const parent: ReturnType<typeof parentOf> = here && parentOf(org, lookup, here);
    here = parent?.record.fields;
    type = parent?.type;
  }
  if (here === undefined) return null;
  return heldValue((type && org.schema.field(type, field.name)) ?? field, here);
};
