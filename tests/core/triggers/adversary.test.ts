import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Category } from '../../../core/consent/consent.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { sortByStrength } from '../../../core/identity/identity-config.ts';
import type { People } from '../../../core/identity/people.ts';
import { vouchedIdentifiers } from '../../../core/identity/proof/vouched.ts';
import type { Channel } from '../../../core/interaction/interaction.ts';
import {
  type AddressState,
  type AddressStates,
  addressAllows,
  type Candidate,
  candidateAddresses,
  isAddressClosed,
} from '../../../core/triggers/addresses.ts';
import { interactionOf, numbered, play, pool, type Step, shipped, stepOf } from '../identity/histories.ts';

/** What the adversary controls. She may claim anything; nobody else proves these. */
const hers: ReadonlySet<string> = new Set(['email:d@example.com', 'phone:+14155550104', 'line:UC']);
const others = pool.filter((one) => !hers.has(one));
const channels: readonly Channel[] = ['email', 'sms', 'line'];
const categories: readonly Category[] = ['marketing', 'service', 'transactional'];

interface Move extends Step {
  readonly id: string;
  readonly isHers: boolean;
}
const History: fc.Arbitrary<Move[]> = fc
  .array(
    fc.oneof(
      stepOf([...hers]).map((step) => ({ ...step, isHers: true })),
      stepOf(others).map((step) => ({ ...step, isHers: false })),
    ),
    { minLength: 1, maxLength: 25 },
  )
  .map((moves) => numbered(moves.filter(({ proven, claimed }) => proven.length + claimed.length > 0)));

const ownerOf = (people: People, identifier: string): Customer | undefined => {
  const owner = people.owner(identifier);
  return owner === undefined ? undefined : people.customer(owner);
};

/** What is known of each address of the pool once a history has been played. */
const statesOf = (people: People): AddressStates =>
  new Map(
    pool.map((address): [string, AddressState] => {
      const owner = ownerOf(people, address);
      const last = (claim: 'mute' | 'opt-in') =>
        people.addressClaims
          .filter((one) => one.address === address && one.claim === claim)
          .toSorted((one, other) => (one.at < other.at ? 1 : -1))[0];
      const [mute, optIn] = [last('mute'), last('opt-in')];
      return [
        address,
        {
          ...(owner && { owner }),
          isClosed: owner?.closed[address] !== undefined,
          consent: owner?.consent ?? {},
          ...(mute && { mute }),
          ...(optIn && { optIn }),
          reservations: [],
        },
      ];
    }),
  );

/** Everybody for whom an interaction may be decided: whose it is, and with `anyone` the owner of its strongest owned identifier. */
const decidersOf = (people: People, profileId: string, carried: readonly string[]): readonly Customer[] => {
  const owner = sortByStrength(carried, shipped)
    .map((one) => ownerOf(people, one))
    .find((one) => one !== undefined);
  return [people.customer(profileId), ...(owner ? [owner] : [])];
};

describe('an adversary who may claim anything and prove only what is hers', () => {
  it('receives no message whose cause carries nothing of hers, and none that shows another person', () => {
    fc.assert(
      fc.property(History, (history) => {
        const { people, placed } = play(history, shipped);
        for (const move of history) {
          const profileId = placed.get(move.id);
          if (profileId === undefined) continue;
          const { proven, claimed } = vouchedIdentifiers(interactionOf(move, move.id), shipped);
          const carried = [...proven, ...claimed];
          for (const decider of decidersOf(people, profileId, carried))
            for (const { address, causeOnly } of channels.flatMap((one) =>
              candidateAddresses(decider, carried, one),
            )) {
              if (!hers.has(address)) continue;
              expect(carried.some((one) => hers.has(one)) || decider.identifiers.includes(address)).toBe(
                true,
              );
              const isAboutHerAlone = decider.identifiers.every((one) => hers.has(one));
              expect(causeOnly || isAboutHerAlone).toBe(true);
              if (!isAboutHerAlone) expect(carried).toContain(address);
            }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps no message from anybody, but for marketing to an address that she muted', () => {
    fc.assert(
      fc.property(History, (history) => {
        const withHer = play(history, shipped).people;
        const withoutHer = play(
          history.filter(({ isHers }) => !isHers),
          shipped,
        ).people;
        const muted = new Set(
          withHer.addressClaims
            .filter(
              ({ claim, source }) =>
                claim === 'mute' && history.some(({ id, isHers }) => isHers && id === source),
            )
            .map(({ address }) => address),
        );
        for (const identifier of others)
          for (const category of categories)
            for (const optIn of ['double', 'single'] as const) {
              const before = deliverable(withoutHer, identifier, category, optIn);
              const after = deliverable(withHer, identifier, category, optIn);
              const lost = before.filter((one) => !after.includes(one));
              expect(lost.filter((one) => category !== 'marketing' || !muted.has(one))).toEqual([]);
            }
      }),
      { numRuns: 500 },
    );
  });
});

/** The addresses to which a message of a category can go to the owner of an identifier. */
const deliverable = (
  people: People,
  identifier: string,
  category: Category,
  optIn: 'double' | 'single',
): string[] => {
  const owner = ownerOf(people, identifier);
  if (owner === undefined) return [];
  const states = statesOf(people);
  const isOpen = (channel: Channel) => (one: Candidate) =>
    !isAddressClosed(owner, one, states) && addressAllows(owner, one, channel, category, states, { optIn });
  return channels.flatMap((channel) =>
    candidateAddresses(owner, [], channel)
      .filter(isOpen(channel))
      .map(({ address }) => address),
  );
};
