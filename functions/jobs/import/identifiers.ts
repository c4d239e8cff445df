import { isScientific } from '../../../core/formats/cells.ts';
import { identifierType, identifierValue } from '../../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { normaliseIdentifier, usableIdentifiers } from '../../../core/identity/normalise.ts';

const invalid: Readonly<Record<string, string>> = {
  email: 'it is not an e-mail address',
  phone: 'it is not a number with its country code, such as +39 06 1234 5678',
};

/** Whether an identifier is a number of which a spreadsheet has kept only the first digits. */
export const hasLostDigits = (identifier: string): boolean => isScientific(identifierValue(identifier));

/** Why an identifier of a row cannot be used; undefined if it can. */
const faultOf = (identifier: string, config: IdentityConfig): string | undefined => {
  if (hasLostDigits(identifier))
    return 'a spreadsheet has shortened the number and its last digits are lost; take it from the original';
  if (usableIdentifiers([identifier], config).length > 0) return undefined;
  if (normaliseIdentifier(identifier) !== undefined)
    return 'it is blocked or shared in mappings/identity.yaml';
  return invalid[identifierType(identifier)] ?? 'it is empty or too long';
};

/**
 * Separates the usable identifiers of a row from the others, with one reason for each of those. `fault`: why no customer can be
 * resolved. Reasons name the type and never the value.
 */
export const checkIdentifiers = (
  identifiers: readonly string[],
  config: IdentityConfig,
): {
  readonly usable: string[];
  readonly omitted: readonly string[];
  readonly fault?: string;
} => {
  const usable: string[] = [];
  const faults: { readonly type: string; readonly fault: string }[] = [];
  for (const identifier of identifiers) {
    const fault = faultOf(identifier, config);
    if (fault === undefined) usable.push(identifier);
    else faults.push({ type: identifierType(identifier), fault });
  }
  const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
  if (identifiers.length === 0)
    return {
      ...{ usable, omitted: [] },
      fault: 'the row names no customer: email, phone, user-id and identifier are all empty',
    };
  if (usable.length === 0)
    return {
      ...{ usable, omitted: [] },
      fault: `the row names no customer: ${unique(faults.map(({ type, fault }) => `${type}: ${fault}`)).join('; ')}`,
    };
  const hasOther = (type: string): boolean => usable.some((one) => identifierType(one) === type);
  return {
    usable,
    omitted: unique(
      faults.map(({ type, fault }) => `taken without ${hasOther(type) ? 'one ' : ''}${type}: ${fault}`),
    ),
  };
};
