import { type ObjectType, objectTypes } from '../account/object-types.ts';
import { missingScopes } from '../errors.ts';

/** The scope that a token needs to read or write records of a type. Activities go with contacts. */
export const scopeOf = ({ name }: ObjectType, access: 'read' | 'write'): string => {
  if (name === 'tickets') return 'tickets';
  return `crm.objects.${['companies', 'deals'].includes(name) ? name : 'contacts'}.${access}`;
};

export const allScopes: readonly string[] = [
  ...new Set(objectTypes.flatMap((type) => [scopeOf(type, 'read'), scopeOf(type, 'write')])),
  ...['crm.schemas.contacts.read', 'crm.schemas.contacts.write'],
];

/** Throws HubSpot's refusal unless the token may do that with every one of the types. */
export const checkScopes = (
  granted: readonly string[],
  types: readonly ObjectType[],
  access: 'read' | 'write',
): void => {
  const lacking = types.map((type) => scopeOf(type, access)).filter((scope) => !granted.includes(scope));
  if (lacking.length > 0) throw missingScopes([...new Set(lacking)]);
};
