import type { ProjectionMessage } from '../contracts/messages/projections.ts';
import type { LoadBatch, Projection } from '../contracts/ports/projections.ts';
import type { Failed, QueuedMessage } from '../middleware/queue.ts';

export interface ProjectionPorts {
  readonly load: LoadBatch;
  readonly projections: readonly Projection[];
}

/**
 * Passes a batch of messages to every projection. If one fails, all messages of the batch are retried, each alone, so that
 * a message that always fails does not fail the others. Resolves to the messages to retry and their errors.
 */
export const project =
  ({ load, projections }: ProjectionPorts) =>
  async (messages: readonly QueuedMessage<ProjectionMessage>[]): Promise<Failed> => {
    const failed = new Map<string, unknown>();
    const isRetry = ({ record }: QueuedMessage<unknown>): boolean =>
      Number(record.attributes.ApproximateReceiveCount) > 1;
    const groups = [messages.filter((one) => !isRetry(one)), ...messages.filter(isRetry).map((one) => [one])];
    for (const group of groups.filter(({ length }) => length > 0)) {
      try {
        const batch = await load(group.map(({ message }) => message));
        for (const projection of projections) await projection(batch);
      } catch (error) {
        for (const { id } of group) failed.set(id, error);
      }
    }
    return failed;
  };
