import type { RecordMessage } from '../../contracts/messages/record.ts';
import type { Work } from '../../contracts/work.ts';
import type { QueuedMessage } from '../../middleware/queue.ts';
import { readContent } from './content.ts';
import { readDelivery, readEvent } from './delivery.ts';
import { copyFile } from './file.ts';
import { delayableWork, interactionWork } from './interaction.ts';
import type { MessagePorts, ReadResult } from './ports.ts';

/**
 * What one queue message asks to record and to publish. Files that came with an interaction are stored or
 * queued on the way. Throws what may succeed on a later delivery of the message.
 */
export const readMessage = async (
  ports: MessagePorts,
  queued: QueuedMessage<RecordMessage>,
): Promise<ReadResult> => {
  const { message, record: received } = queued;
  if (message.type === 'delivery') return readDelivery(ports, message, received);
  if (message.type === 'event') return readEvent(ports, message, received);
  return { works: await worksOf(ports, { ...queued, message }), events: [] };
};

const worksOf = async (
  ports: MessagePorts,
  { id, message, record: received }: QueuedMessage<Exclude<RecordMessage, { type: 'delivery' | 'event' }>>,
): Promise<Work[]> => {
  switch (message.type) {
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
