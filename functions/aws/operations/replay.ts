import type { Failure } from '../../../core/errors/failure.ts';
import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { stageOf } from '../../contracts/stages/index.ts';
import type { Failures } from './failures.ts';

export interface ReplayPorts {
  readonly failures: Failures;
  /** Puts a message on the queue of its stage, marked as a replay of this failure. */
  readonly enqueue: (stage: string, body: string, failure: string) => Promise<void>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** An interrupted replay may be repeated after this: longer than the API may take, shorter than a job waits. */
const INTERRUPTED_MS = 20_000;

/**
 * Puts the payload of a failure back on the queue of its stage and stores who did it. Requested twice, it is queued once; a
 * second message is sent only where the first request was interrupted, and every stage executes the same message once.
 * Throws `HubError` (never) `unknown-failure`, `dismissed-failure`, `missing-payload`, or what the stage throws.
 */
export const replay =
  ({ failures, enqueue, now }: ReplayPorts) =>
  async (id: string, by: string): Promise<Failure> => {
    const failure = await failures.get(id);
    if (failure === undefined) throw unknownFailure();
    const { status, replayed } = failure;
    const isRunning =
      status === 'replaying' && replayed !== undefined && Date.parse(replayed.at) + INTERRUPTED_MS > now();
    if (status === 'replayed' || isRunning) return failure;
    if (status === 'dismissed')
      throw new HubError('dismissed-failure', 'This failure was dismissed, so there is nothing to replay.', {
        retry: 'never',
      });
    const payload = await failures.payload(failure);
    if (payload === undefined)
      throw new HubError('missing-payload', 'The payload of this failure has expired. Dismiss the failure.', {
        retry: 'never',
      });
    const message = stageOf(failure.stage).replay(payload, failure.count);
    const reserved = await failures.save({
      ...failure,
      status: 'replaying',
      replayed: { at: instant(now()), by },
    });
    if (reserved === undefined) return (await failures.get(id)) ?? failure;
    await enqueue(failure.stage, message, id);
    // Where this is not saved the message has failed again already, and its row is open.
    return (await failures.save({ ...reserved, status: 'replayed' })) ?? reserved;
  };

export const unknownFailure = (): HubError =>
  new HubError('unknown-failure', 'There is no failure with this id.', { retry: 'never' });
