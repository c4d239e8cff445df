import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { log } from '../contracts/log.ts';

/** Tells why a message could not be worked off, so that a person can read it should the queue give up. */
export type NoteAttempt = (message: SQSRecord, error: unknown) => Promise<void>;

/** From the second try on: most first failures mend themselves. */
const NOTED_TRY = 2;

/** A queue's handler from a use case that names the messages which have to be delivered again, each with the reason. */
export const batch =
  (use: (event: SQSEvent) => Promise<ReadonlyMap<string, unknown>>, note: NoteAttempt) =>
  async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const failed = await use(event).catch(
      (error: unknown) => new Map(event.Records.map(({ messageId }) => [messageId, error])),
    );
    for (const [message, error] of failed) log('error', 'message-failed', { message }, error);
    const again = event.Records.filter(
      ({ messageId, attributes }) =>
        failed.has(messageId) && Number(attributes.ApproximateReceiveCount) >= NOTED_TRY,
    );
    await Promise.all(again.map((record) => note(record, failed.get(record.messageId))));
    return { batchItemFailures: [...failed.keys()].map((itemIdentifier) => ({ itemIdentifier })) };
  };

/** One message after the other; those that throw are delivered again. */
export const eachMessage =
  <Message>(schema: z.ZodType<Message>, use: (message: Message, record: SQSRecord) => Promise<void>) =>
  async ({ Records }: SQSEvent): Promise<ReadonlyMap<string, unknown>> => {
    const failed = new Map<string, unknown>();
    for (const record of Records) {
      try {
        await use(messageOf(schema, record), record);
      } catch (error) {
        failed.set(record.messageId, error);
      }
    }
    return failed;
  };

/** A message as its stage expects it. Throws `HubError` `unreadable-message`, which names the key. */
export const messageOf = <Message>(schema: z.ZodType<Message>, { body }: SQSRecord): Message => {
  let raw: unknown;
  try {
    raw = JSON.parse(body);
  } catch (error) {
    throw unreadable('It is not JSON.', error);
  }
  const read = schema.safeParse(raw);
  if (read.success) return read.data;
  throw unreadable(z.prettifyError(read.error));
};

const unreadable = (why: string, cause?: unknown): HubError =>
  new HubError('unreadable-message', `The message is not what this queue carries. ${why}`, {
    retry: 'never',
    cause,
  });
