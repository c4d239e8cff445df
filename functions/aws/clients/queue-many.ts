import * as z from 'zod';
import { log } from '../../contracts/log.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { type Sending, sendingOf } from './queue.ts';
import { signedCalls } from './signed.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html: ten messages, 1 MiB. */
const BATCH = { messages: 10, bytes: 1_000_000 } as const;
const CONCURRENT_BATCHES = 10;
const Answer = z.looseObject({ Successful: z.array(z.looseObject({ Id: z.string() })).default([]) });

/** A message with what SQS is to know beside its body. */
interface SentMessage extends Sending {
  readonly body: string;
}

/**
 * Puts many messages on a queue, ten a call. Resolves to the positions of those that the queue did not accept: SQS answers
 * 200 even where it refuses entries of a batch. A call that fails counts as refused and is logged; nothing is thrown.
 */
export type SendAll = (messages: readonly (string | SentMessage)[]) => Promise<ReadonlySet<number>>;

export const sendAllTo = (runtime: Runtime, queue: string | undefined): SendAll => {
  const aws = signedCalls(runtime);
  return async (given) => {
    const messages = given.map((one) => (typeof one === 'string' ? { body: one } : one));
    const refused = new Set(messages.keys());
    const send = async (set: readonly number[]): Promise<void> => {
      const Entries = set.map((at) => ({
        ...{ Id: String(at), MessageBody: messages[at]?.body, ...sendingOf(messages[at] ?? {}) },
      }));
      const answer = await aws.json('sqs', 'SendMessageBatch', { QueueUrl: queue, Entries });
      for (const { Id } of Answer.parse(answer).Successful) refused.delete(Number(Id));
    };
    const sets = batchesOf(messages.map(sizeOf));
    for (let at = 0; at < sets.length; at += CONCURRENT_BATCHES)
      await Promise.all(
        sets.slice(at, at + CONCURRENT_BATCHES).map((set) =>
          send(set).catch((error: unknown) => {
            log('error', 'enqueue-failure', { count: set.length }, error);
          }),
        ),
      );
    return refused;
  };
};

/** Attributes count like the body. */
const sizeOf = ({ body, attributes = {} }: SentMessage): number =>
  Buffer.byteLength(body) + Buffer.byteLength(Object.entries(attributes).flat().join(''));

const batchesOf = (sizes: readonly number[]): number[][] => {
  const sets: number[][] = [];
  let room = 0;
  for (const [position, bytes] of sizes.entries()) {
    const last = sets.at(-1);
    if (last === undefined || last.length === BATCH.messages || bytes > room) {
      sets.push([position]);
      room = BATCH.bytes - bytes;
    } else {
      last.push(position);
      room -= bytes;
    }
  }
  return sets;
};
