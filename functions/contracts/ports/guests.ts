import type { Customer } from '../../../core/identity/customer.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';

/** Who is shown with whom (FORMATS, "Proof"); read when asked, so that no row has to be kept in step. */
export interface Guests {
  /** The owner of an interaction's strongest owned identifier, else the customer itself. */
  ownerFor(customer: Customer, interaction: Interaction): Promise<Customer>;
  /** The person with whom a guest is shown; undefined where it is a customer of its own. */
  personOf(guest: Customer): Promise<Customer | undefined>;
  /** The guests that are shown with a person, last seen first; at most `MOST_GUESTS`. */
  guestsOf(person: Customer): Promise<readonly Customer[]>;
}
