import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { type Sending, sendTo } from '../clients/queue.ts';
import type { ReplayPorts } from './replay.ts';
import { REPLAY_OF } from './save-failure.ts';

const Queues = z.record(z.string(), z.string());

/**
 * Puts messages on the queue of a stage. `QUEUE_URLS` names the queues as a JSON object by stage. Rejects with `HubError`
 * `inactive-stage` (never), or `AwsRefusal`.
 */
export const sendToStage = (
  runtime: Runtime,
): ((stage: string, message: object | string, sending?: Sending) => Promise<void>) => {
  const queues = Queues.parse(JSON.parse(runtime.env['QUEUE_URLS'] ?? '{}'));
  return async (stage, message, sending) => {
    const queue = queues[stage];
    if (queue === undefined)
      throw new HubError(
        'inactive-stage',
        `The stage ${stage} is not active in this hub. Activate it in mappings/hub.yaml and deploy, or dismiss the failure.`,
        { retry: 'never' },
      );
    await sendTo(runtime, queue)(message, sending);
  };
};

/** Puts replays on the queue of their stage; rejects like `sendToStage`. */
export const stageQueues = (runtime: Runtime): ReplayPorts['enqueue'] => {
  const send = sendToStage(runtime);
  return (stage, body, failure) => send(stage, body, { attributes: { [REPLAY_OF]: failure } });
};
