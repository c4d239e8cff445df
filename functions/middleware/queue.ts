import type { MiddlewareObj } from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { isTracing, log, trace, withMessage } from '../contracts/log.ts';
import type { NoteAttempt } from '../contracts/ports/attempts.ts';
import type { Stage } from '../contracts/stages/stage.ts';
import { logContext } from './log-context.ts';

/** A message of a queue that passed its schema. */
export interface QueuedMessage<Message> {
  /** Its id in the queue. */
  readonly id: string;
  readonly message: Message;
  readonly record: SQSRecord;
}

/** A batch of a queue with its messages validated; those that fail the schema are left out and reported as failed. */
export interface QueueEvent<Message> extends SQSEvent {
  readonly messages: readonly QueuedMessage<Message>[];
}

/** The messages that the queue must deliver again, by their ids, each with the reason. */
export type Failed = ReadonlyMap<string, unknown>;
export type QueueResult = Failed | SQSBatchResponse;

type QueueInternal = { unreadable?: Failed };
type QueueMiddleware<Message = unknown> = MiddlewareObj<
  QueueEvent<Message>,
  QueueResult,
  Error,
  Context,
  QueueInternal
>;

/** The reason is stored from the second try on: most first failures do not come back. */
const NOTED_TRY = 2;

/**
 * The stack of a function that reads a queue: log context, validated messages, trace, and a partial batch response from the
 * messages that the handler returns as failed.
 */
export const queueStack = <Message>(
  stage: Stage<Message>,
  noteAttempt: NoteAttempt,
): QueueMiddleware<Message>[] => [
  logContext(stage.id),
  partialBatch(noteAttempt),
  readMessages(stage.schema),
  traceMessages(stage),
];

/** Validates the messages of a batch. */
const readMessages = <Message>(schema: z.ZodType<Message>): QueueMiddleware<Message> => ({
  before(request) {
    const unreadable = new Map<string, unknown>();
    const messages = request.event.Records.flatMap((record) => {
      try {
        return [parseMessage(schema, record)];
      } catch (error) {
        unreadable.set(record.messageId, error);
        return [];
      }
    });
    request.internal.unreadable = unreadable;
    request.event = { ...request.event, messages };
  },
});

/** With `HUB_TRACE=1`, one line per message. */
const traceMessages = <Message>(stage: Stage<Message>): QueueMiddleware<Message> => ({
  before({ event }) {
    if (!isTracing()) return;
    for (const { id, message } of event.messages) {
      const { type, ids } = stage.hop(message);
      trace(stage.id, type, { ...ids, message: id });
    }
  },
});

/**
 * Answers with the ids of the messages that failed, so that the queue delivers only those again; all of them where the
 * handler throws. The only place where a failure becomes a batch failure.
 */
export const partialBatch = (noteAttempt?: NoteAttempt): QueueMiddleware => {
  const answer = async (event: SQSEvent, failed: Failed): Promise<SQSBatchResponse> => {
    for (const [message, error] of failed) log('error', 'message-failure', { message }, error);
    const again = event.Records.filter(
      ({ messageId, attributes }) =>
        failed.has(messageId) && Number(attributes.ApproximateReceiveCount) >= NOTED_TRY,
    );
    await Promise.all(again.map((record) => noteAttempt?.(record, failed.get(record.messageId))));
    return { batchItemFailures: [...failed.keys()].map((itemIdentifier) => ({ itemIdentifier })) };
  };
  return {
    async after(request) {
      const { event, response, internal } = request;
      if (!(response instanceof Map)) return;
      request.response = await answer(event, new Map([...(internal.unreadable ?? []), ...response]));
    },
    async onError(request) {
      const { event, error } = request;
      request.response = await answer(
        event,
        new Map(event.Records.map(({ messageId }) => [messageId, error])),
      );
    },
  };
};

/** Handles one message after the other; those that throw are delivered again. */
export const eachMessage =
  <Message>(use: (message: Message, record: SQSRecord, context: Context) => Promise<void>) =>
  async ({ messages }: QueueEvent<Message>, context: Context): Promise<Failed> => {
    const failed = new Map<string, unknown>();
    for (const { id, message, record } of messages) {
      try {
        await withMessage(id, () => use(message, record, context));
      } catch (error) {
        failed.set(id, error);
      }
    }
    return failed;
  };

/** A message that passes the schema of its queue. Throws `HubError` `unreadable-message`, which names the key. */
export const parseMessage = <Message>(
  schema: z.ZodType<Message>,
  record: SQSRecord,
): QueuedMessage<Message> => {
  let raw: unknown;
  try {
    raw = JSON.parse(record.body);
  } catch (error) {
    throw unreadable('It is not JSON.', error);
  }
  const read = schema.safeParse(raw);
  if (read.success) return { id: record.messageId, message: read.data, record };
  throw unreadable(z.prettifyError(read.error));
};

const unreadable = (why: string, cause?: unknown): HubError =>
  new HubError('unreadable-message', `The message does not fit the schema of this queue. ${why}`, {
    retry: 'never',
    cause,
  });
