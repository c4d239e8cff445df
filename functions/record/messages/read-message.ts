import type { SQSRecord } from 'aws-lambda';
import type { HubError } from '../../../core/errors.ts';
import type { IdentityConfig } from '../../../core/identity/rules.ts';
import type { ChannelMapping } from '../../../core/webhooks/channel.ts';
import type { Sending } from '../../aws/clients/queue.ts';
import type {
  ContentMessage,
  FileMessage,
  InteractionMessage,
  RecordMessage,
} from '../../contracts/messages/record.ts';
import type { Work } from '../../contracts/work.ts';
import type { QueuedMessage } from '../../middleware/queue.ts';
import type { Contents } from '../content/content.ts';
import type { Files } from '../content/files.ts';
import { readContent } from './content.ts';
import { readDelivery, readEvent } from './delivery.ts';
import { copyFile } from './file.ts';
import { delayableWork, interactionWork } from './interaction.ts';

export interface MessagePorts {
  readonly identity: () => Promise<IdentityConfig>;
  readonly mapping: (provider: string) => ChannelMapping | undefined;
  readonly files: Files;
  readonly contents: Contents;
  /** Whether an interaction was erased with its customer. */
  readonly isErased: (interaction: string) => Promise<boolean>;
  /** Stores a message that no retry can help as a failure, with the reason, so that a person can replay it. */
  readonly saveFailure: (message: SQSRecord, error: HubError, tries?: number) => Promise<void>;
  /** Adds a message to the queue that this one came from. */
  readonly enqueue: (
    message: ContentMessage | FileMessage | InteractionMessage,
    sending?: Sending,
  ) => Promise<void>;
}

/**
 * The interactions and commands that one queue message asks to record. Files that came with an interaction are stored or
 * queued on the way. Throws what may succeed on a later delivery of the message.
 */
export const readMessage = async (
  ports: MessagePorts,
  { id, message, record: received }: QueuedMessage<RecordMessage>,
): Promise<Work[]> => {
  switch (message.type) {
    case 'delivery':
      return readDelivery(ports, message, received);
    case 'event':
      return readEvent(ports, message, received);
    case 'content':
      return readContent(ports, message, received);
    case 'file':
      await copyFile(ports, message, received);
      return [];
    case 'interaction':
      return [await delayableWork(ports, message, received)];
    case 'command':
      return [{ type: 'command', command: message, message: id }];
    case 'import':
      return Promise.all(
        message.rows.map((row) =>
          row.type === 'command'
            ? { type: 'command' as const, command: row, message: id }
            : interactionWork(ports, row.interaction, row.receivedAt, id),
        ),
      );
  }
};
