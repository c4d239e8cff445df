import { HubError } from '../../core/errors.ts';
import type { DeliveryMessage } from '../record/message.ts';
import type { Runtime } from '../runtime.ts';
import { signedCalls } from './signed.ts';

/** SQS takes 1 MiB a message; what the attributes and the envelope need stays free. */
const QUEUE_LIMIT = 1_000_000;

/** Queues a delivery; a body too large for the queue goes to the bucket first and its address travels. */
export const deliveries = (runtime: Runtime): ((delivery: DeliveryMessage) => Promise<void>) => {
  const call = signedCalls(runtime);
  const { QUEUE_URL_DELIVERIES: queue, BUCKET: bucket } = runtime.env;
  return async (delivery) => {
    let message = JSON.stringify(delivery);
    if (message.length > QUEUE_LIMIT) {
      const { body, ...request } = delivery.request;
      const bodyKey = `deliveries/${delivery.provider}/${delivery.id}`;
      const stored = await call('s3', {
        method: 'PUT',
        path: `/${bucket}/${bodyKey}`,
        body: Buffer.from(body ?? '', 'base64'),
      });
      await expectOk(stored, 'the bucket');
      message = JSON.stringify({ ...delivery, request: { ...request, bodyKey } });
    }
    const queued = await call('sqs', {
      target: 'AmazonSQS.SendMessage',
      body: JSON.stringify({ QueueUrl: queue, MessageBody: message }),
    });
    await expectOk(queued, 'the deliveries queue');
  };
};

const expectOk = async (response: Response, what: string): Promise<void> => {
  await response.arrayBuffer();
  if (response.ok) return;
  throw new HubError(
    'not-queued',
    `Writing to ${what} failed with status ${response.status}; the provider is told to send again.`,
    { retry: 'later' },
  );
};
