import type { Resolution } from '../../../core/identity/attach-interaction.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { People } from '../../../core/identity/people.ts';
import { resolveInteraction } from '../../../core/identity/resolution.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { at } from './histories.ts';

/** Nobody yet; source profiles and ledger entries are named c0, c1, … in the order in which they are made. */
export const crowd = (overrides: unknown = {}): People => {
  let next = 0;
  return new People({ sourceProfiles: [], owners: [] }, IdentityConfig.parse(overrides), () => `c${next++}`);
};

/** The same people as a later unit of work loads them: nothing is changed yet. */
export const reloaded = (people: People): People => {
  const sourceProfiles = [...people.changedProfiles].map((id) => people.sourceProfile(id));
  const owned = sourceProfiles.flatMap(({ profile }) => profile.identifiers);
  const guests = [...people.newGuests];
  const pairs = [...people.changedPairs].map((id) => [id, people.claimedPairs(id)] as const);
  return new People(
    {
      sourceProfiles,
      owners: [...owned, ...people.newLinks.keys()].map((one) => [one, people.ownerOf(one)]),
      guests,
      claimedPairs: new Map(pairs),
    },
    people.config,
    people.newId,
    people.silence,
  );
};

export const interactionAt = (
  minute: number,
  identifiers: string[],
  more: Partial<Interaction> = {},
): Interaction => ({
  id: `i${minute}`,
  kind: 'message',
  channel: 'sms',
  provider: 'twilio',
  direction: 'inbound',
  occurredAt: at(minute),
  identifiers,
  ...more,
});

/** Someone proves `identifiers`; the interaction arrives as it happens. */
export const meet = (
  people: People,
  minute: number,
  identifiers: string[],
  more: Partial<Interaction> = {},
  referred?: string,
): Resolution => resolveInteraction(people, interactionAt(minute, identifiers, more), referred, at(minute));

/** The same, with every identifier only claimed. */
export const claim = (
  people: People,
  minute: number,
  identifiers: string[],
  more: Partial<Interaction> = {},
): Resolution => meet(people, minute, identifiers, { claimed: identifiers, ...more });

export const customerWith = (people: People, identifier: string): Customer =>
  people.customer(people.ownerOf(identifier));

/** A person's decision at a minute. */
export const decisionAt = (minute: number) => ({ at: at(minute), by: 'ada', cause: `command-${minute}` });

/** What `use` throws; fails the test where it throws nothing. */
export const thrownBy = (use: () => unknown): unknown => {
  try {
    use();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
};
