import type { SQSRecord } from 'aws-lambda';
import type * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { type IdentityConfig, usableIdentifiers } from '../../core/identity/rules.ts';
import { interactionId } from '../../core/interaction/interaction.ts';
import { isReference } from '../../core/interaction/relation.ts';
import type { ChannelMapping } from '../../core/webhooks/channel.ts';
import type { Sending } from '../aws/clients/queue.ts';
import { REPLAY_OF } from '../aws/operations/save-failure.ts';
import { log } from '../contracts/log.ts';
import {
  type ContentMessage,
  type DeliveryMessage,
  type EventMessage,
  type FileMessage,
  type ImportMessage,
  type InteractionMessage,
  RecordMessage,
} from '../contracts/messages/record.ts';
import type { InteractionWork, Work } from '../contracts/work.ts';
import { messageOf } from '../middleware/queue.ts';
import type { Contents } from './content/content.ts';
import { type Files, offloadText } from './content/files.ts';
import { type Act, complete, decode, identified } from './decode.ts';

interface IntakePorts {
  readonly identity: () => Promise<IdentityConfig>;
  readonly mapping: (provider: string) => ChannelMapping | undefined;
  readonly files: Files;
  readonly contents: Contents;
  /** Whether an interaction was erased with its customer. */
  readonly erased: (interaction: string) => Promise<boolean>;
  /** Keeps a message that no other try will help, with the reason, for a person to replay. */
  readonly refuse: (message: SQSRecord, error: HubError, tries?: number) => Promise<void>;
  /** Puts a message of its own into the queue that this one came from. */
  readonly queue: (
    message: ContentMessage | FileMessage | InteractionMessage,
    sending?: Sending,
  ) => Promise<void>;
}

/**
 * After how many seconds content that did not come is asked for again, and a message that is not there yet is looked for;
 * after the last of these tries it is done without.
 */
const PAUSES_SECONDS = [5, 30, 120];

/** What is larger waits for no message that it refers to: SQS would not take it. */
const LARGEST_WAITING_BYTES = 200_000;

/** From a message of the queue to what has to be recorded, with its files on their way to the bucket. */
export const intake = ({ identity, mapping, files, contents, erased, refuse, queue }: IntakePorts) => {
  const workOf = async (act: Act, receivedAt: string, message: string): Promise<InteractionWork> => ({
    type: 'interaction',
    interaction: await offloadText(files, identified(act, receivedAt, await identity())),
    receivedAt,
    message,
  });

  /** An act that may have come before the message that it refers to, and then comes again. */
  const patientWork = async (
    { interaction: act, receivedAt, tries }: z.output<typeof InteractionMessage>,
    received: SQSRecord,
  ): Promise<InteractionWork> => {
    const work = await workOf(act, receivedAt, received.messageId);
    const message: InteractionMessage = { type: 'interaction', receivedAt, interaction: act, tries };
    const mayWait =
      isReference(act.refersTo) &&
      delayOf(message) !== undefined &&
      usableIdentifiers(work.interaction.identifiers, await identity()).length === 0 &&
      Buffer.byteLength(JSON.stringify(message)) <= LARGEST_WAITING_BYTES;
    return mayWait ? { ...work, later: () => queueAgain(message, received) } : work;
  };

  /** Each try is a message of its own, so that the count of its deliveries tells of crashes alone. */
  const queueAgain = async (
    message: ContentMessage | FileMessage | InteractionMessage,
    received: SQSRecord,
  ): Promise<void> => {
    const replayOf = received.messageAttributes[REPLAY_OF]?.stringValue;
    const attributes = replayOf === undefined ? {} : { [REPLAY_OF]: replayOf };
    const delaySeconds = delayOf(message) ?? 0;
    await queue({ ...message, tries: (message.tries ?? 0) + 1 }, { delaySeconds, attributes });
  };

  /** Files that came with an act go to the bucket; those that expire are sent for. Each has its address there at once. */
  const filed = async (act: Act): Promise<Act> => {
    const { provider, account, attachments } = act;
    if (attachments === undefined) return act;
    const keptOf = async (
      { keep, content, ...file }: NonNullable<Act['attachments']>[number],
      position: number,
    ) => {
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
    };
    // One after the other: a mail may hold tens of megabytes of them.
    const kept: Awaited<ReturnType<typeof keptOf>>[] = [];
    for (const [position, file] of attachments.entries()) kept.push(await keptOf(file, position));
    return { ...act, attachments: kept };
  };

  const deliveryWorks = async (
    delivery: DeliveryMessage,
    body: Uint8Array,
    received: SQSRecord,
  ): Promise<Work[]> => {
    const { provider, receivedAt } = delivery;
    // Should a part of a replayed delivery fail on its own, it is a failure of its own.
    const alone = { ...received, messageAttributes: {} };
    const { acts, ignored } = await decode(mapping(provider), delivery, body);
    if (ignored.length > 0)
      log('info', 'ignored', { provider, types: ignored.join(','), count: ignored.length });
    const works = acts.map(async (decoded): Promise<Work[]> => {
      const act = await filed(decoded);
      if (act.fetch === undefined || !(await contents.isOpen(act, act.fetch.url)))
        return [await patientWork({ type: 'interaction', receivedAt, interaction: act }, alone)];
      await queue({ type: 'content', receivedAt, interaction: act });
      return [];
    });
    return (await Promise.all(works)).flat();
  };

  /** An act whose content does not come is recorded without it, and the failure says so. */
  const contentWorks = async (
    message: z.output<typeof ContentMessage>,
    received: SQSRecord,
  ): Promise<Work[]> => {
    const { interaction: act, receivedAt } = message;
    if (await erased(interactionId(act.provider, act.account, act.key))) return [];
    try {
      const whole = await contents.use(act, act.fetch?.url ?? '', async (content) =>
        filed(await complete(mapping(act.provider), act, content)),
      );
      return [{ ...(await workOf(whole, receivedAt, received.messageId)), completes: true }];
    } catch (error) {
      if (!(await givenUp(message, error, received))) return [];
      const work = await workOf(act, receivedAt, received.messageId);
      return [{ ...work, interaction: { ...work.interaction, incomplete: true } }];
    }
  };

  const copyFile = async (file: FileMessage, received: SQSRecord): Promise<void> => {
    const [, owner = ''] = /^attachments\/([^/]+)\//u.exec(file.key) ?? [];
    if (await erased(owner)) return;
    try {
      await contents.copy(file, file.url, ({ bytes, contentType }) =>
        files.copy(file.key, bytes, file.contentType ?? contentType),
      );
      // It may have been erased while its file was on the way.
      if (await erased(owner)) await files.remove(file.key);
    } catch (error) {
      await givenUp(file, error, received);
    }
  };

  /**
   * Sends again later what another try may mend; true where none will, or too many have not, which is kept as a failure.
   */
  const givenUp = async (
    message: z.output<typeof ContentMessage> | FileMessage,
    error: unknown,
    received: SQSRecord,
  ): Promise<boolean> => {
    if (!(error instanceof HubError)) throw error;
    if (error.retry !== 'never' && delayOf(message) !== undefined) {
      await queueAgain(message, received);
      return false;
    }
    log('warn', error.code, { message: received.messageId }, error);
    await refuse(received, error, (message.tries ?? 0) + 1);
    return true;
  };

  const rowWork = async (row: z.output<typeof ImportMessage>['rows'][number], id: string): Promise<Work> =>
    row.type === 'command'
      ? { type: 'command', command: row, message: id }
      : workOf(row.interaction, row.receivedAt, id);

  return async (received: SQSRecord): Promise<Work[]> => {
    const message = messageOf(RecordMessage, received);
    switch (message.type) {
      case 'command':
        return [await rowWork(message, received.messageId)];
      case 'interaction':
        return [await patientWork(message, received)];
      case 'import':
        return Promise.all(message.rows.map((row) => rowWork(row, received.messageId)));
      case 'content':
        return contentWorks(message, received);
      case 'file':
        await copyFile(message, received);
        return [];
      case 'event':
      case 'delivery': {
        const delivery = message.type === 'event' ? ofEvent(message) : message;
        const body =
          message.type === 'event' ? Buffer.from(JSON.stringify(message.event)) : await files.bytes(message);
        try {
          return await deliveryWorks(delivery, body, received);
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

/** Undefined after the last try. */
const delayOf = ({ tries = 0 }: Pick<ContentMessage, 'tries'>): number | undefined => PAUSES_SECONDS[tries];

/** EventBridge vouches for an event as a signature does for a webhook. */
const ofEvent = ({ provider, account, event }: EventMessage): DeliveryMessage => ({
  type: 'delivery',
  id: event.id,
  provider,
  ...(account !== undefined && { account }),
  receivedAt: event.time,
  request: { method: 'EVENT', url: '', headers: {} },
});
