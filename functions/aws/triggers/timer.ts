import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Runtime } from '../../contracts/runtime.ts';
import { isAwsRefusal } from '../clients/refusal.ts';
import { signedCalls } from '../clients/signed.ts';

const Environment = z.object({ SCHEDULE_GROUP: z.string(), SCHEDULE_ROLE_ARN: z.string() });

/** A queue that gets the messages of timers, and its dead letters, by their ARNs. */
export interface TimerTarget {
  readonly queue: string;
  readonly deadLetters: string;
}

/** A time in the past is moved to this long from now, whatever EventBridge Scheduler does with one. */
const EARLIEST_MS = 60_000;

/**
 * Sets one-time timers of EventBridge Scheduler: each puts its message on the queue at `at` (epoch milliseconds), rounded up
 * to a whole second. `identity` says which timer it is: one that exists is not set again. Rejects with `AwsRefusal`.
 */
export const timer = (
  runtime: Runtime,
  { queue, deadLetters }: TimerTarget,
): ((identity: readonly unknown[], message: object, at: number) => Promise<void>) => {
  const env = Environment.parse(runtime.env);
  const aws = signedCalls(runtime);
  return async (identity, message, at) => {
    const name = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 40);
    const due = at > runtime.now() ? at : runtime.now() + EARLIEST_MS;
    const schedule = {
      GroupName: env.SCHEDULE_GROUP,
      ClientToken: name,
      ScheduleExpression: `at(${new Date(Math.ceil(due / 1000) * 1000).toISOString().slice(0, 19)})`,
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'DELETE',
      Target: {
        Arn: queue,
        RoleArn: env.SCHEDULE_ROLE_ARN,
        Input: JSON.stringify(message),
        DeadLetterConfig: { Arn: deadLetters },
      },
    };
    try {
      await aws.rest('scheduler', {
        method: 'POST',
        path: `/schedules/${name}`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(schedule),
      });
    } catch (error) {
      if (!isAwsRefusal(error, 'ConflictException')) throw error;
    }
  };
};
