import { interactionId } from '../../../core/interaction/interaction.ts';
import { MOST_COPIED_BYTES } from '../content/content.ts';
import type { ProviderInteraction } from './decode.ts';
import type { MessagePorts } from './ports.ts';

type DecodedFile = NonNullable<ProviderInteraction['attachments']>[number];
type AttachmentPorts = Pick<MessagePorts, 'contents' | 'files' | 'enqueue'>;

/** The most files of one interaction. No channel sends more in one message, and its row must hold their list. */
const MOST_FILES = 50;
/** The most bytes that the files of one interaction may take in the bucket, so that one message cannot fill it. */
const MOST_BYTES = 250_000_000;

/**
 * Stores the files that came with an interaction in the bucket and queues the copying of those that expire at their
 * provider. Both get their key in the bucket at once: `attachments/<interaction id>/<number>`. Files above the limits are
 * listed without a key, or counted in `properties.attachmentsLeftOut`.
 */
export const storeAttachments = async (
  ports: AttachmentPorts,
  interaction: ProviderInteraction,
): Promise<ProviderInteraction> => {
  const { provider, account, key, attachments, properties } = interaction;
  if (attachments === undefined) return interaction;
  const id = interactionId(provider, account, key);
  const listed = attachments.slice(0, MOST_FILES);
  const copies = listed.filter(({ keep, content }) => keep === true && content === undefined).length;
  const inline = listed.reduce((sum, { content = '' }) => sum + content.length * 0.75, 0);
  const most = Math.max(1, Math.floor((MOST_BYTES - inline) / Math.max(1, copies)));
  let left = MOST_BYTES;
  const stored: DecodedFile[] = [];
  // One after the other: a mail may hold tens of megabytes of attachments.
  for (const [number, { content, ...file }] of listed.entries()) {
    const bytes = content === undefined ? undefined : Buffer.from(content, 'base64');
    const fits = bytes !== undefined && bytes.byteLength <= left;
    if (fits) left -= bytes.byteLength;
    stored.push(
      await storeFile(ports, interaction, {
        ...{ file, key: `attachments/${id}/${number}`, most },
        ...(fits && { bytes }),
      }),
    );
  }
  const leftOut = attachments.length - listed.length;
  return {
    ...interaction,
    attachments: stored,
    ...(leftOut > 0 && { properties: { ...properties, attachmentsLeftOut: leftOut } }),
  };
};

interface FileToStore {
  readonly file: Omit<DecodedFile, 'content'>;
  readonly key: string;
  /** What came with the delivery. */
  readonly bytes?: Uint8Array;
  /** The most bytes of a copy: those that the files of the delivery leave, shared by all copies of the interaction. */
  readonly most: number;
}

const storeFile = async (
  { contents, files, enqueue }: AttachmentPorts,
  { provider, account }: ProviderInteraction,
  { file: { keep, ...file }, key, bytes, most }: FileToStore,
): Promise<DecodedFile> => {
  const { url, contentType, size = 0 } = file;
  if (bytes !== undefined) {
    await files.putUncommitted(key, bytes, contentType ?? 'application/octet-stream');
    return { ...file, size: bytes.byteLength, key };
  }
  if (keep !== true || url === undefined || size > Math.min(most, MOST_COPIED_BYTES)) return file;
  if (!(await contents.isAvailable({ provider, account }, url))) return file;
  await enqueue({
    ...{ type: 'file', provider, url, key },
    ...(account !== undefined && { account }),
    ...(contentType !== undefined && { contentType }),
    ...(most < MOST_COPIED_BYTES && { most }),
  });
  return { ...file, key };
};
