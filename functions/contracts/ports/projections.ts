import type { Customer } from '../../../core/identity/customer.ts';
import type { ListEntry } from '../../../core/timeline/lists.ts';
import type { NotificationReport, ProjectionMessage } from '../messages/projections.ts';
import type { InteractionRow } from '../rows/interactions.ts';

/** What the messages of a batch name, as stored now; the rows of customers who were erased since are absent. */
export interface Batch {
  readonly interactions: readonly InteractionRow[];
  /** Customers whose entries in lists may have changed, by the source profile that a message names. */
  readonly customers: ReadonlyMap<string, Customer>;
  readonly notifications: readonly NotificationReport[];
}

export type LoadBatch = (messages: readonly ProjectionMessage[]) => Promise<Batch>;

/**
 * Updates one read model: figures, lists, the status of messages. Batches arrive in any order, more than once, in parts,
 * and several at the same time, so a projection applied twice changes nothing.
 */
export type Projection = (batch: Batch) => Promise<void>;

/** One part of a list in its order: at most `limit` places, behind the key `beyond`. */
export type ReadPlaces = (part: string, range: PlaceRange) => Promise<readonly ListEntry[]>;

interface PlaceRange {
  readonly limit: number;
  readonly newestFirst?: boolean;
  readonly beginsWith?: string;
  readonly beyond?: string;
}
