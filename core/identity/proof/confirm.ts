import { HubError } from '../../errors.ts';
import type { Identifier } from '../identifier.ts';
import type { Confirmation, ManualDecision, Split } from '../ledger.ts';
import { fitsLimits } from '../matching.ts';
import type { People } from '../people.ts';

/**
 * Gives a claimed identifier to a person: an agent vouches for it. Nothing moves; guests that claim it stay shown with
 * the person. Throws `HubError` `guest-owns-nothing`, `already-owned`, `owned-by-another` and `identifier-limit`.
 */
export const confirmIdentifier = (
  people: People,
  profileId: string,
  identifier: Identifier,
  { at, by, cause }: ManualDecision,
): Confirmation => {
  const root = people.canonicalId(profileId);
  if (people.sourceProfile(root).profile.guest === true)
    throw new HubError(
      'guest-owns-nothing',
      'The customer is a guest: nobody has proven any of its identifiers, so it can own none. Name a person.',
      { retry: 'never' },
    );
  const owner = people.owner(identifier);
  if (owner !== undefined && people.canonicalId(owner) === root)
    throw new HubError('already-owned', 'The customer owns this identifier already.', { retry: 'never' });
  if (owner !== undefined)
    throw new HubError(
      'owned-by-another',
      'Another customer owns this identifier. Merge the two if they are one person, or split it off first.',
      { retry: 'never' },
    );
  if (!fitsLimits(people, [root], [identifier]))
    throw new HubError(
      'identifier-limit',
      'The customer holds as many identifiers of this type as identity.yaml allows. Split one off first.',
      { retry: 'never' },
    );
  people.attachIdentifier(identifier, root);
  people.updateProfile(root, (profile) => ({ ...profile, confirmed: [...profile.confirmed, identifier] }));
  const confirmation: Confirmation = { id: people.newId(), identifier, profileId: root, at, by, cause };
  people.confirmations.push(confirmation);
  return confirmation;
};

/** Whether an identifier was given to its owner by an agent alone. */
export const isConfirmed = (people: People, identifier: Identifier): boolean =>
  people.sourceProfile(people.ownerOf(identifier)).profile.confirmed.includes(identifier);

/**
 * Shows the guests that claim an identifier apart from a person; takes it back from the person where an agent had
 * confirmed it. Throws `HubError` `not-claimed` where no guest that is loaded claims it.
 */
export const splitClaim = (
  people: People,
  profileId: string,
  identifier: Identifier,
  { at, by, cause }: ManualDecision,
): Split[] => {
  const root = people.canonicalId(profileId);
  const guests = people.guestsClaiming(identifier);
  const isOwned = people.owner(identifier) !== undefined;
  if (guests.length === 0 && !isOwned)
    throw new HubError('not-claimed', 'Nobody claims this identifier beside the customer.', {
      retry: 'never',
    });
  if (isOwned) people.disown(identifier);
  return guests.map((guest) => {
    people.updateProfile(guest, (profile) => ({
      ...profile,
      shownApart: [...new Set([...profile.shownApart, root])],
    }));
    const split: Split = {
      id: people.newId(),
      identifier,
      from: root,
      to: guest,
      at,
      by,
      cause,
      claimed: true,
    };
    people.splits.push(split);
    return split;
  });
};
