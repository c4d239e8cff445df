import { type Customer, nameParts } from '../identity/customer.ts';
import { type PersonName, ProfileHints } from '../interaction/interaction.ts';
import type { InboundValue } from './mapping/mapping.ts';

/** What a CRM tells about a customer, as an interaction carries it. */
export interface ReportedProfile {
  readonly identifiers: readonly string[];
  readonly profile?: ProfileHints;
}

const TRAIT = 'traits.';
const IDENTIFIER = /^identifiers\.([a-z0-9-]+)\.primary$/u;

/**
 * Values of a CRM's fields by the places where the hub keeps them: a name is completed from the one that is known, and an
 * address becomes an identifier. Values without a place in an interaction are left out.
 */
export const reportedProfile = (
  taken: readonly InboundValue[],
  customer: Pick<Customer, 'name'> | undefined,
): ReportedProfile => {
  const identifiers: string[] = [];
  const traits: Record<string, unknown> = {};
  const name: Record<string, unknown> = {};
  const single: Record<string, unknown> = {};
  for (const { path, value } of taken) {
    const [, type] = IDENTIFIER.exec(path) ?? [];
    if (type !== undefined) identifiers.push(`${type}:${String(value)}`);
    else if (path.startsWith(TRAIT)) traits[path.slice(TRAIT.length)] = value;
    else if (path.startsWith('name.')) name[path.slice('name.'.length)] = value;
    else if (path === 'language' || path === 'timeZone') single[path] = value;
  }
  const profile = ProfileHints.safeParse({
    ...single,
    ...(Object.keys(name).length > 0 && { name: { ...knownName(customer?.name, name), ...name } }),
    ...(Object.keys(traits).length > 0 && { traits }),
  });
  return {
    identifiers,
    ...(profile.success && Object.keys(profile.data).length > 0 && { profile: profile.data }),
  };
};

/** The parts that stay: a whole name goes when one of its parts changes. */
const knownName = (known: PersonName | undefined, changed: object): PersonName => {
  if ('full' in changed) return {};
  const { full: _, ...parts } = nameParts(known);
  return parts;
};
