import type { SQSRecord } from 'aws-lambda';
import { HubError } from '../../../core/errors.ts';
import { REPLAY_OF } from '../../aws/operations/save-failure.ts';
import { log } from '../../contracts/log.ts';
import type { ContentMessage, FileMessage, InteractionMessage } from '../../contracts/messages/record.ts';
import type { MessagePorts } from './ports.ts';

type RetriedMessage = ContentMessage | FileMessage | InteractionMessage;

/**
 * Seconds before the second, third and fourth try: of content that could not be fetched, of a file that could not be
 * copied, and of an interaction whose message is not stored yet.
 */
const RETRY_DELAYS_SECONDS = [5, 30, 120];

const delayAfter = ({ tries = 0 }: Pick<RetriedMessage, 'tries'>): number | undefined =>
  RETRY_DELAYS_SECONDS[tries];

export const canRetry = (message: Pick<RetriedMessage, 'tries'>): boolean =>
  delayAfter(message) !== undefined;

/** Each try is a message of its own, so that the receive count of a message counts crashes only. */
export const queueAgain = async (
  { enqueue }: Pick<MessagePorts, 'enqueue'>,
  message: RetriedMessage,
  received: SQSRecord,
): Promise<void> => {
  const replayOf = received.messageAttributes[REPLAY_OF]?.stringValue;
  const attributes = replayOf === undefined ? {} : { [REPLAY_OF]: replayOf };
  const delaySeconds = delayAfter(message) ?? 0;
  await enqueue({ ...message, tries: (message.tries ?? 0) + 1 }, { delaySeconds, attributes });
};

/**
 * Puts a message back on the queue where a retry may help; otherwise, or after the last try, stores it as a failure.
 * Returns whether it was stored as a failure. Rethrows what is not a `HubError`.
 */
export const retryOrSaveFailure = async (
  ports: Pick<MessagePorts, 'enqueue' | 'saveFailure'>,
  message: ContentMessage | FileMessage,
  error: unknown,
  received: SQSRecord,
): Promise<boolean> => {
  if (!(error instanceof HubError)) throw error;
  if (error.retry !== 'never' && canRetry(message)) {
    await queueAgain(ports, message, received);
    return false;
  }
  log('warn', error.code, { message: received.messageId }, error);
  await ports.saveFailure(received, error, (message.tries ?? 0) + 1);
  return true;
};
