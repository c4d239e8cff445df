import { expect, it } from 'vitest';
import { ProjectionMessage } from '../../../functions/contracts/messages/projections.ts';
import type { Batch } from '../../../functions/contracts/ports/projections.ts';
import { parseMessage } from '../../../functions/middleware/queue.ts';
import { project } from '../../../functions/projections/projections.ts';
import { queueRecord } from '../../support/queue-event.ts';

const queued = (profileId: string, tries = 1) =>
  parseMessage(
    ProjectionMessage,
    queueRecord({ event: 'customer.created', profileId }, { id: profileId, tries }),
  );

/** Records the profiles of each batch, and fails for `bad`. */
const kept = () => {
  const batches: string[][] = [];
  const use = project({
    load: async (messages) => {
      batches.push(messages.map(({ profileId }) => profileId));
      const none: Batch = { interactions: [], customers: new Map(), notifications: [] };
      return none;
    },
    projections: [
      async () => {
        if (batches.at(-1)?.includes('bad')) throw new Error('It cannot be done.');
      },
    ],
  });
  return { batches, use };
};

it('projects a batch as one', async () => {
  const { batches, use } = kept();
  expect(await use([queued('a'), queued('b')])).toEqual(new Map());
  expect(batches).toEqual([['a', 'b']]);
});

it('retries each message of a failed batch alone, so that one bad message fails the others only once', async () => {
  const { batches, use } = kept();
  expect([...(await use([queued('a'), queued('bad'), queued('b')])).keys()]).toEqual(['a', 'bad', 'b']);
  const again = await use([queued('a', 2), queued('new'), queued('bad', 2), queued('b', 2)]);
  expect([...again.keys()]).toEqual(['bad']);
  expect(batches.slice(1)).toEqual([['new'], ['a'], ['bad'], ['b']]);
});
