import type { Customer, CustomerSnapshot } from '../core/customer.ts';
import type { Instant, Interaction } from '../core/interaction.ts';
import type { Merge, Split } from '../core/ledger.ts';

/** Where an interaction's row lives. What queue messages carry after `record`. */
export interface InteractionAddress {
  /** The half of the customer under which the row was written. */
  readonly half: string;
  readonly occurredAt: Instant;
  readonly id: string;
}

/** An interaction as stored, with what cannot be derived again about the events that it caused. */
export interface StoredInteraction extends Interaction {
  readonly half: string;
  readonly receivedAt: Instant;
  /** The customer as it was when the interaction was recorded. */
  readonly customer: CustomerSnapshot;
}

/** Reading customers and their history; strongly consistent. */
export interface History {
  /** The whole person that a half belongs to; undefined when unknown or erased. */
  customer(half: string): Promise<Customer | undefined>;
  /** The same for many at once, by the half that was asked for; those unknown are left out. */
  customers(halves: readonly string[]): Promise<ReadonlyMap<string, Customer>>;
  interaction(address: InteractionAddress): Promise<StoredInteraction | undefined>;
  interactions(addresses: readonly InteractionAddress[]): Promise<StoredInteraction[]>;
  /** This person's interactions across all halves with `after` < occurredAt ≤ `upTo`, by time. */
  timeline(customer: Customer, range: TimelineRange): AsyncIterable<StoredInteraction>;
  /** Merges, those taken back too, and identifiers split off, of all halves, oldest first. */
  ledger(customer: Customer): Promise<LedgerEntry[]>;
}

/** One decision about who is who, by a rule or by a person. */
export type LedgerEntry = ({ readonly type: 'merge' } & Merge) | ({ readonly type: 'split' } & Split);

export interface TimelineRange {
  readonly after?: Instant;
  readonly upTo?: Instant;
  readonly newestFirst?: boolean;
  /** At most so many. */
  readonly limit?: number;
  /** Go on behind this interaction, in the direction of reading. */
  readonly beyond?: Pick<InteractionAddress, 'occurredAt' | 'id'>;
}
