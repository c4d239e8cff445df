import type { SQSRecord } from 'aws-lambda';
import type { FileMessage } from '../../contracts/messages/record.ts';
import type { MessagePorts } from './ports.ts';
import { retryOrSaveFailure } from './retry.ts';

/**
 * Copies a file that expires at its provider into the bucket, unless its interaction was erased. It is kept once the
 * interaction is recorded: by whichever comes later, this or the recording.
 */
export const copyFile = async (
  ports: Pick<MessagePorts, 'contents' | 'files' | 'isErased' | 'isRecorded' | 'enqueue' | 'saveFailure'>,
  file: FileMessage,
  received: SQSRecord,
): Promise<void> => {
  const { contents, files, isErased, isRecorded } = ports;
  const [, interaction = ''] = /^attachments\/([^/]+)\//u.exec(file.key) ?? [];
  if (await isErased(interaction)) return;
  try {
    await contents.copy(
      file,
      file.url,
      ({ bytes, contentType }) => files.uploadUncommitted(file.key, bytes, file.contentType ?? contentType),
      file.most,
    );
    // The interaction may have been erased while its file was copied.
    if (await isErased(interaction)) await files.remove(file.key);
    else if (await isRecorded(interaction)) await files.keep(file.key);
  } catch (error) {
    await retryOrSaveFailure(ports, file, error, received);
  }
};
