import { type Customer, nameParts } from '../identity/customer.ts';
import { identifierType, identifierValue } from '../identity/identifier.ts';
import { type IdentityConfig, sortByStrength } from '../identity/identity-config.ts';

/**
 * A customer as mappings name it: `name.first`, `identifiers.email.primary`, `identifiers.phone.all`,
 * `preferences.channel`, `traits.*`, `stage`, `tags`, `language`, `timeZone`, `primaryIdentifier`. Of `identifiers`
 * those of `without` are left out.
 */
export const customerView = (
  customer: Customer,
  identity: IdentityConfig,
  without: ReadonlySet<string> = new Set(),
): object => {
  const identifiers: Record<string, { primary: string; all: string[] }> = {};
  for (const identifier of customer.identifiers.filter((one) => !without.has(one))) {
    const [type, value] = [identifierType(identifier), identifierValue(identifier)];
    const held = identifiers[type];
    if (held) held.all.push(value);
    else identifiers[type] = { primary: value, all: [value] };
  }
  const [strongest] = sortByStrength(customer.identifiers, identity);
  return {
    id: customer.id,
    name: nameParts(customer.name),
    identifiers,
    primaryIdentifier: strongest === undefined ? customer.id : identifierValue(strongest),
    preferences: customer.preferences,
    traits: customer.traits,
    tags: customer.tags,
    stage: customer.stage,
    language: customer.language,
    timeZone: customer.timeZone,
  };
};
