import type { Customer } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
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
