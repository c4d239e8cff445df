import type { SQSRecord } from 'aws-lambda';
import type { FileMessage } from '../../contracts/messages/record.ts';
import type { MessagePorts } from './ports.ts';
import { retryOrSaveFailure } from './retry.ts';

/** Copies a file that expires at its provider into the bucket, unless its interaction was erased. */
export const copyFile = async (
  ports: Pick<MessagePorts, 'contents' | 'files' | 'isErased' | 'enqueue' | 'saveFailure'>,
  file: FileMessage,
  received: SQSRecord,
): Promise<void> => {
  const { contents, files, isErased } = ports;
  const [, interaction = ''] = /^attachments\/([^/]+)\//u.exec(file.key) ?? [];
  if (await isErased(interaction)) return;
  try {
    await contents.copy(
      file,
      file.url,
      ({ bytes, contentType }) => files.upload(file.key, bytes, file.contentType ?? contentType),
      file.most,
    );
    // The interaction may have been erased while its file was copied.
    if (await isErased(interaction)) await files.remove(file.key);
  } catch (error) {
    await retryOrSaveFailure(ports, file, error, received);
  }
};
