import type { Interaction, PersonName } from '../../interaction/interaction.ts';
import type { Customer } from '../customer.ts';
import { type Identifier, identifierType } from '../identifier.ts';
import { type IdentityConfig, ruleFor, sortByStrength } from '../identity-config.ts';
import type { People } from '../people.ts';
import { newSourceProfile } from '../source-profile.ts';

/**
 * Finds or makes the guest of an interaction that nobody vouches for: the guest that its strongest claimed identifier
 * without an owner has already, else a new one. Claims write rows of guests alone, never those of a person.
 */
export const resolveGuest = (
  people: People,
  claimed: readonly Identifier[],
  { occurredAt }: Interaction,
): { readonly profileId: string; readonly isNew: boolean } => {
  const ranked = sortByStrength(claimed, people.config);
  const strongest = ranked.find((one) => people.owner(one) === undefined);
  const present = strongest === undefined ? undefined : people.guestOf(strongest);
  const profileId = present ?? people.newId();
  if (present === undefined) {
    const guest = newSourceProfile(profileId, occurredAt);
    people.add({ ...guest, profile: { ...guest.profile, guest: true } });
    people.setProfile(people.sourceProfile(profileId).profile);
  }
  for (const identifier of ranked) claim(people, profileId, identifier, occurredAt);
  return { profileId, isNew: present === undefined };
};

/** The guest lists the identifier within its type's limit, and a row makes it findable by it. */
const claim = (people: People, profileId: string, identifier: Identifier, at: string): void => {
  const { profile } = people.sourceProfile(profileId);
  if (profile.claimed.includes(identifier)) return;
  const type = identifierType(identifier);
  const held = profile.claimed.filter((one) => identifierType(one) === type).length;
  if (held >= ruleFor(people.config, type).limit) return;
  people.setProfile({ ...profile, claimed: [...profile.claimed, identifier] });
  if (people.owner(identifier) === undefined && people.guestOf(identifier) === undefined)
    people.setGuest(identifier, profileId);
  else people.claims.push({ identifier, profileId, at });
};

/**
 * The profile of the person with whom a guest is shown: the owner of its strongest owned identifier, unless somebody
 * has split the two. Undefined where the guest is a customer of its own. `personOf` resolves an owner to its person.
 */
export const shownWith = (
  {
    claimed,
    shownApart,
  }: { readonly claimed: readonly Identifier[]; readonly shownApart: readonly string[] },
  config: IdentityConfig,
  owner: (identifier: Identifier) => string | undefined,
  personOf: (profileId: string) => Pick<Customer, 'sourceProfiles'> | undefined,
): string | undefined => {
  const found = sortByStrength(claimed, config)
    .map(owner)
    .find((one) => one !== undefined);
  const person = found === undefined ? undefined : personOf(found);
  if (person?.sourceProfiles.some(({ profile }) => shownApart.includes(profile.id)) === true)
    return undefined;
  return found;
};

const LONGEST_NAME = 60;

/**
 * A name that nobody vouches for, as it may stand in for a person who has none: undefined where it is long, or holds
 * what a name does not (a digit, a link, an address).
 */
export const claimedName = (name: PersonName | undefined): PersonName | undefined => {
  const parts = Object.values(name ?? {}).filter((part) => part !== undefined);
  const isName = parts.every((part) => part.length <= LONGEST_NAME && !/[\d@/\\<>]|\w\.\w|:/u.test(part));
  return parts.length > 0 && isName ? name : undefined;
};

/**
 * A person with what guests shown with it may stand in for: a name that is one, the language and the time zone, each
 * where the person has none; of several guests the first. A guest's own name is kept where it is one.
 */
export const standIns = (customer: Customer, guests: readonly Customer[]): Customer => {
  const first = <Value>(of: (guest: Customer) => Value | undefined): Value | undefined =>
    guests.map(of).find((value) => value !== undefined);
  return {
    ...customer,
    name: customer.name ?? first(({ name }) => claimedName(name)),
    language: customer.language ?? first(({ language }) => language),
    timeZone: customer.timeZone ?? first(({ timeZone }) => timeZone),
  };
};
