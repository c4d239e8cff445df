import type { HeldRecord } from '../../protocol/sandbox.ts';
import { HubspotError } from '../errors.ts';
import type { Account, Source } from './account.ts';
import { type AssociationType, associationName } from './association-types.ts';
import type { End } from './associations.ts';
import { type ObjectType, objectType } from './object-types.ts';

export interface Spec {
  readonly associationCategory: string;
  readonly associationTypeId: number;
}

export interface Wanted {
  readonly to: { readonly id: string };
  readonly types: readonly Spec[];
}

/** Checks the associations of a record that is to be made; what they are, with their types. */
export const readAssociations = (
  account: Account,
  from: ObjectType,
  wanted: readonly Wanted[] = [],
): { to: End; types: AssociationType[] }[] =>
  wanted.flatMap(({ to, types }) =>
    types.map((spec) => {
      const type = account.associations.type(spec.associationTypeId, spec.associationCategory);
      if (type?.from !== from.name)
        throw invalid('INVALID_ASSOCIATION_TYPE_ID', spec, 'is not a valid association definition id');
      if (!account.get(objectType(type.to), to.id))
        throw invalid('INVALID_OBJECT_IDS', spec, `has no ${objectType(type.to).singular} with id ${to.id}`);
      return { to: { object: type.to, id: account.currentId(objectType(type.to), to.id) }, types: [type] };
    }),
  );

const invalid = (kind: string, spec: Spec, why: string): HubspotError => {
  const name = `${spec.associationCategory}=${spec.associationTypeId}`;
  return new HubspotError(400, 'One or more associations are invalid', {
    category: 'VALIDATION_ERROR',
    context: { associationSpec: [name], [kind]: [`${name} ${why}`] },
  });
};

/** Associates, and reports it from both sides where webhooks exist for both. */
export const associate = (
  account: Account,
  from: End,
  to: End,
  types: readonly AssociationType[],
  source: Source,
): void => {
  if (account.associations.add(from, to, types)) reportAssociation(account, from, to, false, source);
};

export const dissociate = (account: Account, from: End, to: End, source: Source): void => {
  if (account.associations.remove(from, to)) reportAssociation(account, from, to, true, source);
};

const reportAssociation = (
  account: Account,
  from: End,
  to: End,
  associationRemoved: boolean,
  source: Source,
): void => {
  const sides: [End, End][] =
    from.object === to.object && from.id === to.id
      ? []
      : [
          [from, to],
          [to, from],
        ];
  for (const [one, other] of sides) {
    const types = account.associations.of(one, other.object).find(({ id }) => id === other.id)?.typeIds ?? [];
    account.changed({
      kind: 'associationChange',
      type: objectType(one.object),
      objectId: one.id,
      source,
      details: {
        associationType: associationName(one.object, other.object),
        fromObjectId: Number(one.id),
        toObjectId: Number(other.id),
        fromObjectTypeId: objectType(one.object).id,
        toObjectTypeId: objectType(other.object).id,
        associationRemoved,
        isPrimaryAssociation: types.some((typeId) => [1, 2, 5, 6, 25, 26].includes(typeId)),
      },
    });
  }
};

/** The live records of an object that are associated with a record, as `?associations=` shows them. */
export const associatedWith = (
  account: Account,
  type: ObjectType,
  record: HeldRecord,
  names: readonly string[],
) =>
  Object.fromEntries(
    names.flatMap((name) => {
      const other = objectType(name);
      const links = account.associations
        .of({ object: type.name, id: record.id }, other.name)
        .filter(({ id }) => account.records.get(other.name, id));
      const results = links.flatMap(({ id, typeIds }) =>
        typeIds.map((typeId) => ({ id, type: typeName(account, type.name, other.name, typeId) })),
      );
      return results.length > 0 ? [[other.name, { results }]] : [];
    }),
  );

const typeName = (account: Account, from: string, to: string, typeId: number): string => {
  const label = account.associations.types(from, to).find((type) => type.typeId === typeId)?.label;
  return `${associationName(from, to).toLowerCase()}${label ? `_${label.toLowerCase().replaceAll(' ', '_')}` : ''}`;
};
