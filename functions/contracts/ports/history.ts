import type { GivenAnswer } from '../../../core/consent/evidence.ts';
import type { Customer, CustomerSnapshot } from '../../../core/identity/customer.ts';
import type { Merge, Reopening, Split } from '../../../core/identity/ledger.ts';
import type { Channel, Instant, Interaction, Kind } from '../../../core/interaction/interaction.ts';
import type { MessageState } from '../../../core/interaction/message-status.ts';

/** Where an interaction's row lives. What queue messages carry after `record`. */
export interface InteractionAddress {
  /** The half of the customer under which the row was written. */
  readonly profileId: string;
  readonly occurredAt: Instant;
  readonly id: string;
}

/** An interaction as stored, with what cannot be derived again about the events that it caused. */
export interface StoredInteraction extends Interaction {
  readonly profileId: string;
  readonly receivedAt: Instant;
  /** The customer as it was when the interaction was recorded. */
  readonly customer: CustomerSnapshot;
}

/** Reading customers and their history; strongly consistent. */
export interface History {
  /** The whole person that a half belongs to; undefined when unknown or erased. */
  customer(profileId: string): Promise<Customer | undefined>;
  /** The same for many at once, by the half that was asked for; those unknown are left out. */
  customers(profileIds: readonly string[]): Promise<ReadonlyMap<string, Customer>>;
  interaction(address: InteractionAddress): Promise<StoredInteraction | undefined>;
  interactions(addresses: readonly InteractionAddress[]): Promise<StoredInteraction[]>;
  /** This person's interactions across all halves with `after` < occurredAt ≤ `upTo`, by time. */
  timeline(customer: Customer, range: TimelineRange): AsyncIterable<StoredInteraction>;
  /** Every answer about consent that any half has given, oldest first. */
  answers(customer: Customer): Promise<GivenAnswer[]>;
  /** Merges, those taken back too, identifiers split off, and addresses opened by hand, of all halves, oldest first. */
  ledger(customer: Customer): Promise<LedgerEntry[]>;
}

/** One decision about who is who or which address is theirs to use, by a rule or by a person. */
export type LedgerEntry =
  | ({ readonly type: 'merge' } & Merge)
  | ({ readonly type: 'split' } & Split)
  | ({ readonly type: 'reopening' } & Reopening);

export interface TimelineRange {
  readonly after?: Instant;
  readonly upTo?: Instant;
}

/** Reading a person's timeline as somebody looks at it: a page at a time, to and fro, by what is asked for. */
export interface Timelines {
  page(customer: Customer, query: TimelineQuery): Promise<TimelinePage>;
}

export interface TimelineQuery {
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  /** Empty: all of them. */
  readonly channels: ReadonlySet<Channel>;
  /** Empty: all that say something of their own; what is about a message is told with the message. */
  readonly kinds: ReadonlySet<Kind>;
  /** False: every interaction as it was stored. */
  readonly folded: boolean;
  readonly from?: TimelineCursor;
}

/** A place between two interactions, and the way to go on from there. */
export interface TimelineCursor {
  readonly toward: 'newer' | 'older';
  readonly occurredAt: Instant;
  readonly id: string;
  /** Whether the page begins with this interaction or behind it. */
  readonly inclusive: boolean;
}

export interface TimelinePage {
  /** In the order asked for. There may be fewer than asked for, or none, and still a `next`. */
  readonly items: readonly TimelineItem[];
  readonly next?: TimelineCursor;
  readonly previous?: TimelineCursor;
}

/** Another interaction of the same person that this one answers to or is about. */
export interface Reference extends InteractionAddress {
  readonly kind: Kind;
  /** How its text, or else its subject, begins. */
  readonly excerpt?: string;
}

export interface TimelineItem
  extends Omit<StoredInteraction, 'customer'>,
    Omit<MessageState, 'status' | 'edited'> {
  readonly status?: NonNullable<MessageState['status']> & {
    /** In the provider's words. */
    readonly reason?: string;
  };
  /** What it says now; `text` is what was said at first. */
  readonly edited?: NonNullable<MessageState['edited']> &
    Pick<Interaction, 'text' | 'subject' | 'attachments'>;
  readonly repliesTo?: Reference;
  /** Of an edit, a status, a reaction, where those are asked for: the message that it is about. */
  readonly about?: Reference;
}
