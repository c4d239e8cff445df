import * as z from 'zod';
import type { Runtime } from '../../contracts/runtime.ts';
import { signedCalls } from './signed.ts';

const Depth = z.looseObject({ Attributes: z.record(z.string(), z.coerce.number()) });
const COUNTS = ['', 'NotVisible', 'Delayed'].map((state) => `ApproximateNumberOfMessages${state}`);

/** How many messages are queued, delayed or in work, approximately. Rejects with `AwsRefusal`. */
export const waitingIn = async (runtime: Runtime, queue: string | undefined): Promise<number> => {
  const asked = { QueueUrl: queue, AttributeNames: COUNTS };
  const { Attributes } = Depth.parse(await signedCalls(runtime).json('sqs', 'GetQueueAttributes', asked));
  return COUNTS.reduce((sum, name) => sum + (Attributes[name] ?? 0), 0);
};
