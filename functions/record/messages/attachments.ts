import { interactionId } from '../../../core/interaction/interaction.ts';
import type { ProviderInteraction } from './decode.ts';
import type { MessagePorts } from './ports.ts';

type DecodedFile = NonNullable<ProviderInteraction['attachments']>[number];
type AttachmentPorts = Pick<MessagePorts, 'contents' | 'files' | 'enqueue'>;

/**
 * Stores the files that came with an interaction in the bucket and queues the copying of those that expire at their
 * provider. Both get their key in the bucket at once: `attachments/<interaction id>/<number>`.
 */
export const storeAttachments = async (
  ports: AttachmentPorts,
  interaction: ProviderInteraction,
): Promise<ProviderInteraction> => {
  const { provider, account, key, attachments } = interaction;
  if (attachments === undefined) return interaction;
  const id = interactionId(provider, account, key);
  const stored: DecodedFile[] = [];
  // One after the other: a mail may hold tens of megabytes of attachments.
  for (const [number, file] of attachments.entries())
    stored.push(await storeFile(ports, interaction, file, `attachments/${id}/${number}`));
  return { ...interaction, attachments: stored };
};

const storeFile = async (
  { contents, files, enqueue }: AttachmentPorts,
  { provider, account }: ProviderInteraction,
  { keep, content, ...file }: DecodedFile,
  key: string,
): Promise<DecodedFile> => {
  const { url, contentType } = file;
  if (content !== undefined) {
    const bytes = Buffer.from(content, 'base64');
    await files.put(key, bytes, contentType ?? 'application/octet-stream');
    return { ...file, size: bytes.byteLength, key };
  }
  if (keep !== true || url === undefined || !(await contents.isAvailable({ provider, account }, url)))
    return file;
  await enqueue({
    ...{ type: 'file', provider, url, key },
    ...(account !== undefined && { account }),
    ...(contentType !== undefined && { contentType }),
  });
  return { ...file, key };
};
