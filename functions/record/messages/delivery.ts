import type { SQSRecord } from 'aws-lambda';
import { HubError } from '../../../core/errors.ts';
import { log } from '../../contracts/log.ts';
import type { DeliveryMessage, EventMessage } from '../../contracts/messages/record.ts';
import type { Work } from '../../contracts/work.ts';
import { bodyOf } from '../content/files.ts';
import { storeAttachments } from './attachments.ts';
import { decode } from './decode.ts';
import { delayableWork } from './interaction.ts';
import type { MessagePorts } from './ports.ts';

/** The interactions of an authentic delivery. One that cannot be decoded is stored as a failure: retries cannot help. */
export const readDelivery = async (
  ports: MessagePorts,
  delivery: DeliveryMessage,
  received: SQSRecord,
): Promise<Work[]> => readBody(ports, delivery, await bodyOf(ports.files, delivery), received);

/** An event of a partner's EventBridge bus, authenticated by EventBridge, decoded as a delivery with the method `EVENT`. */
export const readEvent = async (
  ports: MessagePorts,
  { provider, account, event }: EventMessage,
  received: SQSRecord,
): Promise<Work[]> => {
  const delivery: DeliveryMessage = {
    ...{ type: 'delivery', id: event.id, provider, receivedAt: event.time },
    ...(account !== undefined && { account }),
    request: { method: 'EVENT', url: '', headers: {} },
  };
  return readBody(ports, delivery, Buffer.from(JSON.stringify(event)), received);
};

const readBody = async (
  ports: MessagePorts,
  delivery: DeliveryMessage,
  body: Uint8Array,
  received: SQSRecord,
): Promise<Work[]> => {
  const { provider, receivedAt } = delivery;
  // If one interaction of a replayed delivery fails on its own, it is a new failure and not the replayed one again.
  const alone = { ...received, messageAttributes: {} };
  try {
    const { interactions, ignored } = await decode(ports.mapping(provider), delivery, body);
    if (ignored.length > 0)
      log('info', 'ignored-events', { provider, types: ignored.join(','), count: ignored.length });
    const works = interactions.map(async (decoded): Promise<Work[]> => {
      const interaction = await storeAttachments(ports, decoded);
      const { fetch } = interaction;
      if (fetch === undefined || !(await ports.contents.isAvailable(interaction, fetch.url)))
        return [await delayableWork(ports, { type: 'interaction', receivedAt, interaction }, alone)];
      await ports.enqueue({ type: 'content', receivedAt, interaction });
      return [];
    });
    return (await Promise.all(works)).flat();
  } catch (error) {
    if (!(error instanceof HubError) || error.retry !== 'never') throw error;
    log('warn', error.code, { provider, delivery: delivery.id }, error);
    await ports.saveFailure(received, error);
    return [];
  }
};
