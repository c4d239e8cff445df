import type { Interaction, PersonName } from '../../interaction/interaction.ts';
import type { Customer } from '../customer.ts';
import { type Identifier, identifierType } from '../identifier.ts';
import { type IdentityConfig, ruleFor, sortByStrength } from '../identity-config.ts';
import type { People } from '../people.ts';
import { newSourceProfile } from '../source-profile.ts';

/**
 * Finds or creates the guest of an interaction without proven identifiers: the guest of its strongest claimed identifier that
 * has no owner, else a new one. Claims change the rows of guests only, never those of a person.
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
  for (const identifier of ranked) addClaim(people, profileId, identifier, occurredAt);
  return { profileId, isNew: present === undefined };
};

/** Adds an identifier to a guest within the limit of its type, with a row that finds the guest by it. */
const addClaim = (people: People, profileId: string, identifier: Identifier, at: string): void => {
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
 * The source profile of the person with whom a guest is shown: the owner of the guest's strongest owned identifier, unless a
 * split has separated the two. Undefined if the guest is shown as a customer of its own. `personOf`: the person of an owner.
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

const MAX_NAME_CHARACTERS = 60;

/**
 * A claimed name, if it is safe to show for a person without a name; undefined if it is long, or contains a digit, a link or
 * an address.
 */
export const claimedName = (name: PersonName | undefined): PersonName | undefined => {
  const parts = Object.values(name ?? {}).filter((part) => part !== undefined);
  const isName = parts.every(
    (part) => part.length <= MAX_NAME_CHARACTERS && !/[\d@/\\<>]|\w\.\w|:/u.test(part),
  );
  return parts.length > 0 && isName ? name : undefined;
};

/**
 * Fills a person's missing name, language and time zone from the guests shown with the person: the first value of each. A
 * guest's name is used only if it passes `claimedName`.
 */
export const fillFromGuests = (customer: Customer, guests: readonly Customer[]): Customer => {
  const first = <Value>(of: (guest: Customer) => Value | undefined): Value | undefined =>
    guests.map(of).find((value) => value !== undefined);
  return {
    ...customer,
    name: customer.name ?? first(({ name }) => claimedName(name)),
    language: customer.language ?? first(({ language }) => language),
    timeZone: customer.timeZone ?? first(({ timeZone }) => timeZone),
  };
};
