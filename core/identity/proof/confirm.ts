import { HubError } from '../../errors.ts';
import type { Identifier } from '../identifier.ts';
import type { Confirmation, ManualDecision, Split } from '../ledger.ts';
import { fitsLimits } from '../matching.ts';
import type { People } from '../people.ts';

/**
 * Makes a person the owner of a claimed identifier, because an agent has confirmed it. Past interactions do not move; guests
 * that claim it are still shown with the person. Throws `HubError` `guest-owns-nothing`, `already-owned`, `owned-by-another` and `identifier-limit`.
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
      'The customer is a guest without proven identifiers, so it cannot own one. Use the id of a person.',
      { retry: 'never' },
    );
  const owner = people.owner(identifier);
  expectUnowned(root, owner === undefined ? undefined : people.canonicalId(owner));
  if (!fitsLimits(people, [root], [identifier]))
    throw new HubError(
      'identifier-limit',
      'The customer already owns the most identifiers of this type that identity.yaml allows. Split one off first.',
      { retry: 'never' },
    );
  people.attachIdentifier(identifier, root);
  people.updateProfile(root, (profile) => ({ ...profile, confirmed: [...profile.confirmed, identifier] }));
  const confirmation: Confirmation = { id: people.newId(), identifier, profileId: root, at, by, cause };
  people.confirmations.push(confirmation);
  return confirmation;
};

/** Throws `HubError` `already-owned` or `owned-by-another` where an identifier has an owner. Both are ids of customers. */
export const expectUnowned = (customer: string, owner: string | undefined): void => {
  if (owner === undefined) return;
  if (owner === customer)
    throw new HubError('already-owned', 'The customer owns this identifier already.', { retry: 'never' });
  throw new HubError(
    'owned-by-another',
    'Another customer owns this identifier. Merge the two if they are one person, or split it off first.',
    { retry: 'never' },
  );
};

/** What splitting off an identifier throws that nobody claims. */
export const notClaimed = (): HubError =>
  new HubError('not-claimed', 'No guest claims this identifier, so there is nothing to split off.', {
    retry: 'never',
  });

/** Whether only an agent has confirmed the owner of an identifier. */
export const isConfirmed = (people: People, identifier: Identifier): boolean =>
  people.sourceProfile(people.ownerOf(identifier)).profile.confirmed.includes(identifier);

/**
 * Separates the guests that claim an identifier from a person: they are shown as customers of their own. If the person owns
 * the identifier by an agent's confirmation, it loses it. Throws `HubError` `not-claimed` if no loaded guest claims it.
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
  if (guests.length === 0 && !isOwned) throw notClaimed();
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
