import { HubError } from '../../core/errors.ts';
import { bucket } from '../aws/clients/bucket.ts';
import { sendTo } from '../aws/clients/queue.ts';
import type { DeliveryMessage } from '../contracts/messages/record.ts';
import type { Runtime } from '../contracts/runtime.ts';

/** SQS takes 1 MiB a message; what the attributes and the envelope need stays free. */
const QUEUE_LIMIT = 1_000_000;

/** Queues a delivery; a body too large for the queue goes to the bucket first and its address travels. */
export const deliveries = (runtime: Runtime): ((delivery: DeliveryMessage) => Promise<void>) => {
  const files = bucket(runtime);
  const send = sendTo(runtime, runtime.env['QUEUE_URL_DELIVERIES']);
  return async (delivery) => {
    let message = JSON.stringify(delivery);
    if (message.length > QUEUE_LIMIT) {
      const { body, ...request } = delivery.request;
      const bodyKey = `deliveries/${delivery.provider}/${delivery.id}`;
      const bytes = Buffer.from(body ?? '', 'base64');
      await files.put(bodyKey, bytes).catch(notQueued('the bucket'));
      message = JSON.stringify({ ...delivery, request: { ...request, bodyKey } });
    }
    await send(message).catch(notQueued('the deliveries queue'));
  };
};

const notQueued =
  (what: string) =>
  (error: unknown): never => {
    throw new HubError(
      'enqueue-failure',
      `Writing to ${what} failed (${error instanceof Error ? error.name : 'unknown error'}); the answer asks the provider to send it again.`,
      { retry: 'later', cause: error },
    );
  };
