import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { sendTo } from '../clients/queue.ts';
import type { ReplayPorts } from './replay.ts';
import { REPLAY_OF } from './save-failure.ts';

const Queues = z.record(z.string(), z.string());

/**
 * Puts replays on the queue of their stage. `QUEUE_URLS` names the queues as a JSON object by stage. Rejects with `HubError`
 * `inactive-stage` (never), or `AwsRefusal`.
 */
export const stageQueues = (runtime: Runtime): ReplayPorts['enqueue'] => {
  const queues = Queues.parse(JSON.parse(runtime.env['QUEUE_URLS'] ?? '{}'));
  return async (stage, body, failure) => {
    const queue = queues[stage];
    if (queue === undefined)
      throw new HubError(
        'inactive-stage',
        `The stage ${stage} is not active in this hub. Activate it in mappings/hub.yaml and deploy, or dismiss the failure.`,
        { retry: 'never' },
      );
    await sendTo(runtime, queue)(body, { attributes: { [REPLAY_OF]: failure } });
  };
};
