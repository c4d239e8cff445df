import type { RecordMessage } from '../../contracts/messages/record.ts';
import type { Work } from '../../contracts/work.ts';
import type { QueuedMessage } from '../../middleware/queue.ts';
import { readContent } from './content.ts';
import { readDelivery, readEvent } from './delivery.ts';
import { copyFile } from './file.ts';
import { delayableWork, interactionWork } from './interaction.ts';
import type { MessagePorts } from './ports.ts';

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
