import { createReadStream } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HubError } from '../../core/errors.ts';
import { progressBar, progressLine } from '../terminal/progress.ts';

/**
 * Streams the first `size` bytes of a file to a presigned address of S3 and shows the progress. Throws `HubError`
 * `upload-failure`, also on Ctrl-C.
 */
export const uploadFile = async (url: string, file: string, size: number): Promise<void> => {
  const shown = progressLine();
  let sent = 0;
  // `fetch` cannot send a stream of a known length, which S3 demands.
  const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, {
    method: 'PUT',
    headers: { 'content-length': size },
  });
  const interrupt = (): void => void request.destroy(new Error('interrupted'));
  process.once('SIGINT', interrupt);
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      Readable.from(response)
        .toArray()
        .then((chunks) => resolve({ status: response.statusCode ?? 0, text: chunks.join('') }), reject);
    });
  });
  try {
    const counted = async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        yield chunk;
        sent += chunk.length;
        shown.show(`${progressBar(sent / size)} ${megabytes(sent)} of ${megabytes(size)} MB uploaded`);
      }
    };
    const [{ status, text }] = await Promise.all([
      answered,
      pipeline(createReadStream(file, { end: size - 1 }), counted, request),
    ]);
    if (status !== 200)
      throw new Error(`S3 answered ${status} ${/<Code>([^<]*)/u.exec(text)?.[1] ?? ''}`.trim());
    shown.end(`${megabytes(size)} MB uploaded`);
  } catch (error) {
    shown.end(`stopped after ${megabytes(sent)} of ${megabytes(size)} MB`);
    throw new HubError(
      'upload-failure',
      `The upload failed: ${error instanceof Error ? error.message : String(error)}. Nothing was imported. Run the command again.`,
      { retry: 'never', cause: error },
    );
  } finally {
    process.off('SIGINT', interrupt);
  }
};

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
