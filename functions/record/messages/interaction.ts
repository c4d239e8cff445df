import type { SQSRecord } from 'aws-lambda';
import type * as z from 'zod';
import { usableIdentifiers } from '../../../core/identity/normalise.ts';
import { isReport } from '../../../core/identity/proof/vouched.ts';
import { isReference } from '../../../core/interaction/relation.ts';
import type { InteractionMessage } from '../../contracts/messages/record.ts';
import type { InteractionWork } from '../../contracts/work.ts';
import { offloadText } from '../content/files.ts';
import { type ProviderInteraction, toInteraction } from './decode.ts';
import type { MessagePorts } from './ports.ts';
import { canRetry, queueAgain } from './retry.ts';

/** SQS takes 1 MiB, and the message is stored once more as a failure: what is larger is never delayed. */
const MOST_DELAYED_BYTES = 200_000;

export const interactionWork = async (
  { files, identity }: Pick<MessagePorts, 'files' | 'identity'>,
  decoded: ProviderInteraction,
  receivedAt: string,
  messageId: string,
  causedBy?: string,
): Promise<InteractionWork> => ({
  type: 'interaction',
  ...(causedBy !== undefined && { causedBy }),
  interaction: await offloadText(files, toInteraction(decoded, receivedAt, await identity())),
  receivedAt,
  message: messageId,
});

/**
 * An anonymous interaction that refers to a message may arrive before that message: `later` puts it back on the queue.
 * After three tries it is recorded without its message, and a review opens.
 */
export const delayableWork = async (
  ports: Pick<MessagePorts, 'files' | 'identity' | 'enqueue'>,
  { interaction, receivedAt, tries, causedBy }: z.output<typeof InteractionMessage>,
  received: SQSRecord,
): Promise<InteractionWork> => {
  const work = await interactionWork(ports, interaction, receivedAt, received.messageId, causedBy);
  const message: InteractionMessage = { type: 'interaction', receivedAt, interaction, tries };
  const canWait =
    isReference(interaction.refersTo) &&
    canRetry(message) &&
    (isReport(interaction) ||
      usableIdentifiers(work.interaction.identifiers, await ports.identity()).length === 0) &&
    Buffer.byteLength(JSON.stringify(message)) <= MOST_DELAYED_BYTES;
  return canWait ? { ...work, later: () => queueAgain(ports, message, received) } : work;
};
