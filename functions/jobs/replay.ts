import * as z from 'zod';
import type { Failure } from '../../core/errors/failure.ts';
import { HubError } from '../../core/errors.ts';
import { Instant, instant } from '../../core/interaction/interaction.ts';
import type { Failures } from '../aws/operations/failures.ts';
import type { Job } from '../contracts/jobs/job.ts';
import { type ReplayParameters, replayKind } from '../contracts/jobs/kinds.ts';

export interface ReplayJobPorts {
  readonly list: Failures['list'];
  readonly replay: (id: string, by: string) => Promise<Failure>;
  readonly now: () => number;
}

/** The last failure of the slice: the next slice starts after it. */
const Checkpoint = z.strictObject({ failedAt: Instant, id: z.string() });

const MAX_PER_SLICE = 200;

/**
 * Replays many failures, newest first, from the start of the job backwards: a message that fails again meanwhile is not
 * replayed twice.
 */
export const replayJob = (ports: ReplayJobPorts): Job<ReplayParameters, z.infer<typeof Checkpoint>> => ({
  ...replayKind,
  checkpoint: Checkpoint,
  async start({ before }) {
    const now = instant(ports.now());
    return { checkpoint: { failedAt: before !== undefined && before < now ? before : now, id: '' } };
  },
  async slice({ by, parameters: { stage, code }, checkpoint, timeLeft }) {
    let place = checkpoint;
    const counts = { done: 0, refused: 0 };
    let seen = 0;
    for await (const page of ports.list({ stage, before: checkpoint })) {
      for (const failure of page) {
        if (seen === MAX_PER_SLICE || !timeLeft()) return { ...counts, checkpoint: place, finished: false };
        seen++;
        if (['open', 'replaying'].includes(failure.status) && (code === undefined || failure.code === code))
          counts[await replayOne(ports, failure.id, by)]++;
        place = { failedAt: failure.failedAt, id: failure.id };
      }
    }
    return { ...counts, checkpoint: place, finished: true };
  },
});

const replayOne = async ({ replay }: ReplayJobPorts, id: string, by: string): Promise<'done' | 'refused'> => {
  try {
    await replay(id, by);
    return 'done';
  } catch (error) {
    if (error instanceof HubError && error.retry === 'never') return 'refused';
    throw error;
  }
};
