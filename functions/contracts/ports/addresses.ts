import type { Customer } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { Profile } from '../../../core/identity/profile.ts';
import type { Channel, Instant, Interaction } from '../../../core/interaction/interaction.ts';
import type { AddressStates } from '../../../core/triggers/addresses.ts';
import type { Trigger } from '../../../core/triggers/trigger.ts';

/** The addresses that a decision may look at. */
interface Addresses {
  /** The usable identifiers of the causing interaction to which messages can be sent. */
  readonly carried: readonly Identifier[];
  readonly addresses: AddressStates;
  /** Those whose limits count for the decision. */
  readonly limited: readonly Identifier[];
}

/** Reads the addresses that the cause carried, and the customer's own where mutes or limits ask for them. */
export type ReadAddresses = (
  trigger: Pick<Trigger, 'category' | 'limits'>,
  customer: Customer,
  cause: Interaction,
) => Promise<Addresses>;

/** An opt-out or an opt-in by an address that was only claimed. */
export interface StoredAddressClaim {
  readonly channel: Channel;
  readonly at: Instant;
  /** The interaction. */
  readonly source: string;
}

export interface AddressClaims {
  readonly mute?: StoredAddressClaim;
  readonly optIn?: StoredAddressClaim;
}

/** The present owner of an address. Without one, claims alone name it. */
export interface Addressee extends AddressClaims {
  /** The person, and the source profile that owns the address. */
  readonly owner?: { readonly customer: Customer; readonly profile: Profile };
}

export interface Addressees {
  /** Undefined where nothing is stored about the address. */
  of(address: Identifier): Promise<Addressee | undefined>;
  /** What claims said about each address; those about which they said nothing are absent. */
  claims(addresses: readonly Identifier[]): Promise<ReadonlyMap<Identifier, AddressClaims>>;
}
