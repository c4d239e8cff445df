import type { ProjectionMessage } from '../contracts/messages/projections.ts';
import type { LoadBatch, Projection } from '../contracts/ports/projections.ts';
import type { Failed, QueuedMessage } from '../middleware/queue.ts';

export interface ProjectionPorts {
  readonly load: LoadBatch;
  readonly projections: readonly Projection[];
}

/**
 * Hands a batch to every projection. Where one fails all messages come again; from the second time on each is worked off
 * alone, so that one that cannot be done does not take the others with it. Returns what must come again, and why.
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
