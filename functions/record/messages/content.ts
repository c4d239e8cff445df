import type { SQSRecord } from 'aws-lambda';
import type * as z from 'zod';
import { interactionId } from '../../../core/interaction/interaction.ts';
import type { ContentMessage } from '../../contracts/messages/record.ts';
import type { Work } from '../../contracts/work.ts';
import { storeAttachments } from './attachments.ts';
import { addContent } from './decode.ts';
import { interactionWork } from './interaction.ts';
import type { MessagePorts } from './ports.ts';
import { retryOrSaveFailure } from './retry.ts';

/**
 * An interaction with the content that its webhook only points at. When the content cannot be fetched, the interaction is
 * recorded as incomplete, and replaying its failure completes it.
 */
export const readContent = async (
  ports: MessagePorts,
  message: z.output<typeof ContentMessage>,
  received: SQSRecord,
): Promise<Work[]> => {
  const { interaction, receivedAt } = message;
  const { provider, account, key, fetch } = interaction;
  const { messageId } = received;
  if (await ports.isErased(interactionId(provider, account, key))) return [];
  try {
    const complete = await ports.contents.use(interaction, fetch?.url ?? '', async (content) =>
      storeAttachments(ports, await addContent(ports.mapping(provider), interaction, content)),
    );
    return [{ ...(await interactionWork(ports, complete, receivedAt, messageId)), completes: true }];
  } catch (error) {
    if (!(await retryOrSaveFailure(ports, message, error, received))) return [];
    const work = await interactionWork(ports, interaction, receivedAt, messageId);
    return [{ ...work, interaction: { ...work.interaction, incomplete: true } }];
  }
};
