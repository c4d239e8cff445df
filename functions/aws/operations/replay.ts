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

/** A replay that stopped half-way may be taken up again after this: longer than the API may take, shorter than a job waits. */
const BROKEN_OFF_MS = 20_000;

/**
 * Puts a failure's payload back on the queue of its stage and says by whom. Asked twice it is done once: a second
 * message goes out only where the first asking stopped before it could say that it had sent one, and every stage does
 * the same message once. Throws `HubError` `never`: unknown-failure, dismissed, payload-gone, bad-payload.
 */
export const replay =
  ({ failures, enqueue, now }: ReplayPorts) =>
  async (id: string, by: string): Promise<Failure> => {
    const failure = await failures.get(id);
    if (failure === undefined) throw unknownFailure();
    const { status, replayed } = failure;
    const atWork =
      status === 'replaying' && replayed !== undefined && Date.parse(replayed.at) + BROKEN_OFF_MS > now();
    if (status === 'replayed' || atWork) return failure;
    if (status === 'dismissed')
      throw new HubError('dismissed-failure', 'This failure was dismissed, so there is nothing to replay.', {
        retry: 'never',
      });
    const payload = await failures.payload(failure);
    if (payload === undefined)
      throw new HubError('missing-payload', 'The payload of this failure is not kept any more. Dismiss it.', {
        retry: 'never',
      });
    const message = stageOf(failure.stage).replay(payload, failure.count);
    const taken = await failures.save({
      ...failure,
      status: 'replaying',
      replayed: { at: instant(now()), by },
    });
    if (taken === undefined) return (await failures.get(id)) ?? failure;
    await enqueue(failure.stage, message, id);
    // Where this is not saved the message has failed again already, and the row says so.
    return (await failures.save({ ...taken, status: 'replayed' })) ?? taken;
  };

export const unknownFailure = (): HubError =>
  new HubError('unknown-failure', 'There is no failure with this id.', { retry: 'never' });
