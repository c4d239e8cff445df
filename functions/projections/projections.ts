import type { Customer } from '../../core/identity/customer.ts';
import type { ProjectionMessage, Unsent } from '../contracts/messages/projections.ts';
import type { InteractionRow } from '../contracts/rows.ts';
import type { Failed, QueuedMessage } from '../middleware/queue.ts';

/** What the messages of a batch are about, as it stands in the table; who was erased since is left out. */
export interface Batch {
  readonly interactions: readonly InteractionRow[];
  /** Who may stand elsewhere in lists now: the whole person, by the half that a message names. */
  readonly customers: ReadonlyMap<string, Customer>;
  readonly unsent: readonly Unsent[];
}

/**
 * Keeps something that people look at: figures, lists, what became of a message. A batch may come again, in part and
 * mixed with others, and batches come in any order and two at once, so a consumer does the same with what it has seen.
 */
export type Consumer = (batch: Batch) => Promise<void>;

export interface ProjectionPorts {
  readonly load: (messages: readonly ProjectionMessage[]) => Promise<Batch>;
  readonly consumers: readonly Consumer[];
}

/**
 * Hands a batch to every consumer. Where one fails all messages come again; from the second time on each is worked off
 * alone, so that one that cannot be done does not take the others with it. Returns what must come again, and why.
 */
export const project =
  ({ load, consumers }: ProjectionPorts) =>
  async (messages: readonly QueuedMessage<ProjectionMessage>[]): Promise<Failed> => {
    const failed = new Map<string, unknown>();
    const isRetry = ({ record }: QueuedMessage<unknown>): boolean =>
      Number(record.attributes.ApproximateReceiveCount) > 1;
    const groups = [messages.filter((one) => !isRetry(one)), ...messages.filter(isRetry).map((one) => [one])];
    for (const group of groups.filter(({ length }) => length > 0)) {
      try {
        const batch = await load(group.map(({ message }) => message));
        for (const consumer of consumers) await consumer(batch);
      } catch (error) {
        for (const { id } of group) failed.set(id, error);
      }
    }
    return failed;
  };
