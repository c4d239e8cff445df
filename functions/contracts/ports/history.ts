import type { RecordedAnswer } from '../../../core/consent/evidence.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { Decision } from '../../../core/identity/decisions/explain.ts';
import type { CustomerSnapshot } from '../../../core/interaction/customer-snapshot.ts';
import type { Channel, Instant, Interaction, Kind } from '../../../core/interaction/interaction.ts';
import type { MessageState } from '../../../core/interaction/message-status.ts';

/** The address of an interaction's row. Queue messages after `record` carry this and no content. */
export interface InteractionAddress {
  /** The source profile under which the row is stored. */
  readonly profileId: string;
  readonly occurredAt: Instant;
  readonly id: string;
}

/** An interaction as it is stored, with what cannot be derived again about the events that it caused. */
export interface StoredInteraction extends Interaction {
  readonly profileId: string;
  readonly receivedAt: Instant;
  /** The customer as it was when the interaction was recorded. */
  readonly customer: CustomerSnapshot;
}

/** Reading customers and their history; strongly consistent. */
export interface History {
  /** The customer to whom a source profile belongs; undefined where it is unknown or erased. */
  customer(profileId: string): Promise<Customer | undefined>;
  /** The same for many, by the source profile that was given; unknown ones are absent. */
  customers(profileIds: readonly string[]): Promise<ReadonlyMap<string, Customer>>;
  interaction(address: InteractionAddress): Promise<StoredInteraction | undefined>;
  interactions(addresses: readonly InteractionAddress[]): Promise<StoredInteraction[]>;
  /** The interactions of all source profiles with `after` < occurredAt ≤ `upTo`, read as far as they are asked for. */
  timeline(customer: Customer, range: TimelineRange): AsyncIterable<StoredInteraction>;
  /** Every answer about consent, of all source profiles, oldest first. */
  answers(customer: Customer): Promise<RecordedAnswer[]>;
  /** Merges (unmerged ones, too), splits, confirmed and reopened identifiers of all source profiles, oldest first. */
  ledger(customer: Customer): Promise<LedgerEntry[]>;
}

/** A decision about identities or addresses, by a rule or by a person. */
export type LedgerEntry = Decision;

export interface TimelineRange {
  readonly after?: Instant;
  readonly upTo?: Instant;
  /** Default: oldest first. */
  readonly order?: 'newest' | 'oldest';
}

/** Reads the timeline of a customer page by page, in both directions, filtered. */
export interface Timelines {
  page(customer: Customer, query: TimelineQuery): Promise<TimelinePage>;
}

export interface TimelineQuery {
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  /** Empty: every channel. */
  readonly channels: ReadonlySet<Channel>;
  /** Empty: every kind, except reports that are shown with the message they are about. */
  readonly kinds: ReadonlySet<Kind>;
  /** False: every interaction as it is stored, without the status of messages. */
  readonly folded: boolean;
  readonly from?: TimelineCursor;
}

/** A place between two interactions, and the direction of reading from there. */
export interface TimelineCursor {
  readonly toward: 'newer' | 'older';
  readonly occurredAt: Instant;
  readonly id: string;
  /** Whether the page begins with this interaction, or behind it. */
  readonly inclusive: boolean;
}

export interface TimelinePage {
  /** In the requested order. There may be fewer than `limit`, even none, and still a `next`. */
  readonly items: readonly TimelineItem[];
  readonly next?: TimelineCursor;
  readonly previous?: TimelineCursor;
}

/** Another interaction of the same customer to which an interaction refers. */
export interface Reference extends InteractionAddress {
  readonly kind: Kind;
  /** The beginning of its text or, without one, of its subject. */
  readonly excerpt?: string;
}

export interface TimelineItem
  extends Omit<StoredInteraction, 'customer'>,
    Omit<MessageState, 'status' | 'edited'> {
  readonly status?: NonNullable<MessageState['status']> & {
    /** In the words of the provider. */
    readonly reason?: string;
  };
  /** Its content after the last edit; `text` is the content as first received. */
  readonly edited?: NonNullable<MessageState['edited']> &
    Pick<Interaction, 'text' | 'subject' | 'attachments'>;
  readonly repliesTo?: Reference;
  /** Of an edit, status or reaction that was requested by its kind: the message that it is about. */
  readonly about?: Reference;
}
