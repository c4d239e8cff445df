import type { SQSRecord } from 'aws-lambda';
import type { ChannelMapping } from '../../core/channel.ts';
import { HubError } from '../../core/errors.ts';
import { interactionId } from '../../core/interaction.ts';
import { log } from '../log.ts';
import { messageOf } from '../queue.ts';
import type { Contents } from './content.ts';
import { type Act, complete, decode, identified } from './decode.ts';
import { type Files, shelve } from './files.ts';
import {
  type ContentMessage,
  type DeliveryMessage,
  type EventMessage,
  type FileMessage,
  RecordMessage,
} from './message.ts';
import type { Work } from './record.ts';

interface IntakePorts {
  readonly mapping: (provider: string) => ChannelMapping | undefined;
  readonly files: Files;
  readonly contents: Contents;
  /** Keeps a message that no other try will help, with the reason, for a person to replay. */
  readonly refuse: (message: SQSRecord, error: HubError) => Promise<void>;
  /** Puts a message of its own into the queue that this one came from. */
  readonly queue: (message: ContentMessage | FileMessage) => Promise<void>;
}

/** The queue gives a message up after five deliveries; content that did not come by the fourth is given up before. */
const LAST_TRY = 4;

/** From a message of the queue to what has to be recorded, with its files on their way to the bucket. */
export const intake = ({ mapping, files, contents, refuse, queue }: IntakePorts) => {
  const workOf = async (act: Act, receivedAt: string, message: string): Promise<Work> => ({
    type: 'interaction',
    interaction: await shelve(files, identified(act, receivedAt)),
    receivedAt,
    message,
  });

  /** Files that came with an act go to the bucket; those that expire are sent for. Each has its address there at once. */
  const filed = async (act: Act): Promise<Act> => {
    const { provider, account, attachments } = act;
    if (attachments === undefined) return act;
    const kept = attachments.map(async ({ keep, content, ...file }, position) => {
      const key = `attachments/${interactionId(provider, account, act.key)}/${position}`;
      const { url, contentType } = file;
      if (content !== undefined) {
        const bytes = Buffer.from(content, 'base64');
        await files.put(key, bytes, contentType ?? 'application/octet-stream');
        return { ...file, size: bytes.byteLength, key };
      }
      if (keep !== true || url === undefined || !(await contents.isOpen(act, url))) return file;
      await queue({
        type: 'file',
        provider,
        url,
        key,
        ...(account !== undefined && { account }),
        ...(contentType !== undefined && { contentType }),
      });
      return { ...file, key };
    });
    return { ...act, attachments: await Promise.all(kept) };
  };

  const deliveryWorks = async (delivery: DeliveryMessage, body: Uint8Array, id: string): Promise<Work[]> => {
    const { provider, receivedAt } = delivery;
    const { acts, ignored } = await decode(mapping(provider), delivery, body);
    if (ignored.length > 0)
      log('info', 'ignored', { provider, types: ignored.join(','), count: ignored.length });
    const works = acts.map(async (decoded): Promise<Work[]> => {
      const act = await filed(decoded);
      if (act.fetch === undefined || !(await contents.isOpen(act, act.fetch.url)))
        return [await workOf(act, receivedAt, id)];
      await queue({ type: 'content', receivedAt, interaction: act });
      return [];
    });
    return (await Promise.all(works)).flat();
  };

  /** An act whose content does not come is recorded without it, and the failure says so. */
  const contentWorks = async (act: Act, receivedAt: string, received: SQSRecord): Promise<Work[]> => {
    try {
      const content = await contents.fetch(act, act.fetch?.url ?? '');
      const whole = await filed(await complete(mapping(act.provider), act, content));
      return [await workOf(whole, receivedAt, received.messageId)];
    } catch (error) {
      await givenUp(error, received);
      return [await workOf(act, receivedAt, received.messageId)];
    }
  };

  const copyFile = async (file: FileMessage, received: SQSRecord): Promise<void> => {
    try {
      const { bytes, contentType } = await contents.fetch(file, file.url);
      await files.put(file.key, bytes, file.contentType ?? contentType);
    } catch (error) {
      await givenUp(error, received);
    }
  };

  /** Throws what another try may mend; keeps as a failure what none will, or too many have not. */
  const givenUp = async (error: unknown, received: SQSRecord): Promise<void> => {
    if (!(error instanceof HubError)) throw error;
    const times = Number(received.attributes.ApproximateReceiveCount);
    if (error.retry !== 'never' && times < LAST_TRY) throw error;
    log('warn', error.code, { message: received.messageId }, error);
    await refuse(received, error);
  };

  return async (received: SQSRecord): Promise<Work[]> => {
    const message = messageOf(RecordMessage, received);
    switch (message.type) {
      case 'command':
        return [{ type: 'command', command: message, message: received.messageId }];
      case 'interaction':
        return [await workOf(message.interaction, message.receivedAt, received.messageId)];
      case 'content':
        return contentWorks(message.interaction, message.receivedAt, received);
      case 'file':
        await copyFile(message, received);
        return [];
      case 'event':
      case 'delivery': {
        const delivery = message.type === 'event' ? ofEvent(message) : message;
        const body =
          message.type === 'event' ? Buffer.from(JSON.stringify(message.event)) : await files.bytes(message);
        try {
          return await deliveryWorks(delivery, body, received.messageId);
        } catch (error) {
          if (!(error instanceof HubError) || error.retry !== 'never') throw error;
          log('warn', error.code, { provider: delivery.provider, delivery: delivery.id }, error);
          await refuse(received, error);
          return [];
        }
      }
    }
  };
};

/** EventBridge vouches for an event as a signature does for a webhook. */
const ofEvent = ({ provider, account, event }: EventMessage): DeliveryMessage => ({
  type: 'delivery',
  id: event.id,
  provider,
  ...(account !== undefined && { account }),
  receivedAt: event.time,
  request: { method: 'EVENT', url: '', headers: {} },
});
